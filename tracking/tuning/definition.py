"""What a sweep is: frozen values that the definition file is read into and every part of the engine works from.

Reading and writing the file is `tracking.tuning.definition_file`, what must hold between the fields
`tracking.tuning.definition_checks`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from tracking.records import Goal

Choice = str | int | float | bool | None
"""What a categorical param may be; JSON knows all of them, and Optuna keeps them as they are."""


class ParamKind(StrEnum):
    """How a param is drawn."""

    FLOAT = "float"
    INT = "int"
    CATEGORICAL = "categorical"
    FIXED = "fixed"


@dataclass(frozen=True, slots=True)
class OnlyIf:
    """A param exists only in trials where an earlier categorical one has one of some values."""

    param: str
    values: tuple[Choice, ...]


@dataclass(frozen=True, slots=True)
class ParamSpace:
    """One param of the search space.

    Attributes:
        name: Of the param: for a script the option's destination (`learning_rate` of `--learning-rate`).
        kind: How it is drawn.
        low: Of a float or int, inclusive.
        high: Of a float or int, inclusive.
        log: Whether it is drawn evenly in its logarithm.
        step: Between two values, None where every value is possible (1 for an int).
        choices: Of a categorical.
        value: Of a fixed param.
        only_if: All of them must hold, else the param is not passed. They name earlier categorical params.
    """

    name: str
    kind: ParamKind
    low: float | int | None = None
    high: float | int | None = None
    log: bool = False
    step: float | int | None = None
    choices: tuple[Choice, ...] = ()
    value: Choice = None
    only_if: tuple[OnlyIf, ...] = ()


class At(StrEnum):
    """Which of a metric's points is a trial's value; `best` follows the goal."""

    LAST = "last"
    BEST = "best"
    MIN = "min"
    MAX = "max"
    MEAN = "mean"


@dataclass(frozen=True, slots=True)
class Objective:
    """A metric that the sweep makes better."""

    metric: str
    goal: Goal
    at: At = At.LAST


@dataclass(frozen=True, slots=True)
class ScriptTarget:
    """A training script, unchanged: `python <path> <arguments> --option=value …`.

    Attributes:
        path: Relative to the project, with `/`.
        arguments: Passed before the params.
    """

    path: str
    arguments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FunctionTarget:
    """A function marked `@tracking.tunable`, or an Optuna objective.

    Attributes:
        path: Of its file, relative to the project, with `/`.
        name: Of the function.
        objective: Whether it takes an Optuna trial, and draws its params itself.
    """

    path: str
    name: str
    objective: bool = False


@dataclass(frozen=True, slots=True)
class TableTarget:
    """A scikit-learn model on a table.

    Exactly one of `dataset`, `file` and `artifact` is set.

    Attributes:
        dataset: A set that comes with scikit-learn: digits, iris, wine, breast_cancer, diabetes.
        file: CSV or Parquet, relative to the project, with `/`.
        artifact: `<run id>/<artifact name>`.
        column: The one to predict.
        estimators: Names out of `tracking.tuning.tables.estimators`.
        metric: A scikit-learn scorer's name, as `accuracy` or `neg_root_mean_squared_error`.
        folds: Of the cross-validation.
        seed: Of the folds and the estimators.
    """

    column: str
    metric: str
    dataset: str | None = None
    file: str | None = None
    artifact: str | None = None
    estimators: tuple[str, ...] = ()
    folds: int = 5
    seed: int = 0


Target = ScriptTarget | FunctionTarget | TableTarget


@dataclass(frozen=True, slots=True)
class Named:
    """A sampler or pruner by its name in the definition file, with the options given."""

    name: str
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Budget:
    """When a sweep has done enough; None: no such bound. At least one is set.

    Attributes:
        trials: That ended as complete, pruned or failed; retried, stopped and taken-over ones do not count.
        seconds: Of wall time while a supervisor runs.
    """

    trials: int | None = None
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Repeats:
    """Every trial is run once per value; the sampler gets the mean.

    Attributes:
        vary: The param that tells the repeats apart, as `seed` or `fold`. None: nothing does, and each of them is
            the same command again; the values count them then, from 0.
        values: What it is, one repeat each; two or more, all different.
    """

    vary: str | None
    values: tuple[Choice, ...]


@dataclass(frozen=True, slots=True)
class Limits:
    """What one trial may take; None: no limit.

    Attributes:
        seconds: Of wall time, each repeat by itself.
        memory: Resident bytes of its processes together.
        failures: So many failed trials in a row stop the sweep.
        retries: How often a trial is tried again whose worker died.
    """

    seconds: float | None = None
    memory: int | None = None
    failures: int | None = 5
    retries: int = 1


@dataclass(frozen=True, slots=True)
class Prior:
    """Finished runs that the sampler learns from before the first trial.

    Attributes:
        experiment: They belong to.
        filter: In the language of `store.search`, None for all.
        limit: At most so many, the newest.
    """

    experiment: str
    filter: str | None = None
    limit: int = 1000


@dataclass(frozen=True, slots=True)
class SweepDefinition:
    """Everything about a sweep that its user decides.

    Attributes:
        name: Of the sweep, and of its study.
        target: What is tuned.
        space: In the order of the file; empty only where an Optuna objective draws for itself.
        objectives: One or several.
        sampler: How configurations are chosen.
        pruner: How poor trials are ended early.
        budget: When it is enough.
        workers: How many trials run at once.
        repeats: None for one run a trial.
        limits: Of a trial.
        seed: Of the sampler; None: another one each time.
        prior: None to begin knowing nothing.
        start_with: Configurations that are tried first, as far as they say.
        notes: Free text.
        experiment: Where the runs of the trials go; None: named after the sweep.
        environment: Names of variables that trials get besides the usual ones.
    """

    name: str
    target: Target
    space: tuple[ParamSpace, ...]
    objectives: tuple[Objective, ...]
    sampler: Named = Named("tpe")
    pruner: Named = Named("none")
    budget: Budget = Budget(trials=50)
    workers: int = 1
    repeats: Repeats | None = None
    limits: Limits = Limits()
    seed: int | None = None
    prior: Prior | None = None
    start_with: tuple[Mapping[str, Choice], ...] = ()
    notes: str = ""
    experiment: str | None = None
    environment: tuple[str, ...] = ()
