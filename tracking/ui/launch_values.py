"""What stands in the fields of the launch form, made from a definition and read back into one. Pure."""

from __future__ import annotations

import json
import re
import shlex
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from tracking.ui import launch_cells
from tracking.ui.launch_cells import CellError
from tracking.ui.launch_space import Row, read_rows, rows_of

if TYPE_CHECKING:
    from tracking.errors import Problem
    from tracking.tuning.definition import Choice, SweepDefinition, Target
    from tracking.tuning.definition_fields import Problems

SAME: Final = "nothing: the same again"
"""As the param that tells repeats apart: none does."""

_NUMBER: Final = re.compile(r"\d{1,12}(\.\d{1,6})?")
_DURATIONS: Final = ((86400, "d"), (3600, "h"), (60, "m"), (1, "s"))
_SIZES: Final = ((10**9, "GB"), (2**30, "GiB"), (10**6, "MB"), (2**20, "MiB"))


@dataclass(frozen=True, slots=True)
class ObjectiveValues:
    """The fields of one objective."""

    metric: str = ""
    goal: str = "minimize"
    at: str = "last"


@dataclass(frozen=True, slots=True)
class TableValues:
    """The fields of a table to be learned from."""

    column: str = "target"
    metric: str = "accuracy"
    estimators: tuple[str, ...] = ()
    folds: int | None = 5
    seed: int | None = 0


@dataclass(frozen=True, slots=True)
class Values:
    """Every field of the form, as typed; numbers are None where their field is blank.

    `start_with` has no field: it comes with an uploaded definition and is kept.
    """

    name: str = ""
    notes: str = ""
    arguments: str = ""
    rows: tuple[Row, ...] = ()
    objectives: tuple[ObjectiveValues, ...] = (ObjectiveValues(),)
    sampler: str = "tpe"
    sampler_options: str = ""
    pruner: str = "none"
    pruner_options: str = ""
    trials: int | None = 40
    time: str = ""
    workers: int | None = 1
    vary: str = ""
    repeats: str = "0, 1, 2"
    limit_time: str = ""
    limit_memory: str = ""
    failures: int | None = 5
    retries: int | None = 1
    prior: str = ""
    prior_filter: str = ""
    prior_limit: int | None = 1000
    seed: int | None = None
    experiment: str = ""
    environment: str = ""
    start_with: tuple[Mapping[str, Choice], ...] = ()
    table: TableValues = field(default_factory=TableValues)


def values_of(definition: SweepDefinition) -> Values:
    """Return the fields that read back as a definition."""
    from tracking.tuning.definition import ScriptTarget, TableTarget

    target, repeats, prior, limits = (
        definition.target,
        definition.repeats,
        definition.prior,
        definition.limits,
    )
    table = TableValues()
    if isinstance(target, TableTarget):
        table = TableValues(target.column, target.metric, target.estimators, target.folds, target.seed)
    return Values(
        name=definition.name,
        notes=definition.notes,
        arguments=shlex.join(target.arguments) if isinstance(target, ScriptTarget) else "",
        rows=tuple(rows_of(definition.space)),
        objectives=tuple(
            ObjectiveValues(each.metric, each.goal.value, each.at.value) for each in definition.objectives
        ),
        sampler=definition.sampler.name,
        sampler_options=_options_text(definition.sampler.options),
        pruner=definition.pruner.name,
        pruner_options=_options_text(definition.pruner.options),
        trials=definition.budget.trials,
        time=duration_text(definition.budget.seconds),
        workers=definition.workers,
        vary="" if repeats is None else repeats.vary or SAME,
        repeats="0, 1, 2" if repeats is None else launch_cells.values_text(repeats.values),
        limit_time=duration_text(limits.seconds),
        limit_memory=_size_text(limits.memory),
        failures=limits.failures,
        retries=limits.retries,
        prior="" if prior is None else prior.experiment,
        prior_filter="" if prior is None else prior.filter or "",
        prior_limit=1000 if prior is None else prior.limit,
        seed=definition.seed,
        experiment=definition.experiment or "",
        environment=" ".join(definition.environment),
        start_with=definition.start_with,
        table=table,
    )


def read_values(values: Values, target: Target) -> tuple[SweepDefinition, list[Problem]]:
    """Return the definition that the fields say, and what is wrong with it; with problems, it is not to be used.

    Args:
        values: The fields.
        target: What is tuned; of a script without its arguments, of a table with the dataset or file alone.
    """
    from tracking.records import Goal
    from tracking.tuning.definition import At, Budget, Limits, Objective, Prior, SweepDefinition
    from tracking.tuning.definition_checks import check_into
    from tracking.tuning.definition_fields import Problems

    problems = Problems()
    read = _Reader(problems)
    goals, ats = {each.value: each for each in Goal}, {each.value: each for each in At}
    for place, each in enumerate(values.objectives):
        if not each.metric.strip():
            problems.add(
                ("objectives", place, "metric"), "is blank. Choose or write the metric to make better."
            )
    definition = SweepDefinition(
        name=values.name.strip(),
        target=_target(values, target, problems),
        space=read_rows(values.rows, problems),
        objectives=tuple(
            Objective(each.metric.strip(), goals.get(each.goal, Goal.MINIMIZE), ats.get(each.at, At.LAST))
            for each in values.objectives
        ),
        sampler=read.named("sampler", values.sampler, values.sampler_options),
        pruner=read.named("pruner", values.pruner, values.pruner_options),
        budget=Budget(trials=values.trials, seconds=read.seconds(("budget", "time"), values.time)),
        workers=read.number(("workers",), values.workers),
        repeats=read.repeats(values.vary, values.repeats),
        limits=Limits(
            seconds=read.seconds(("limits", "time"), values.limit_time),
            memory=read.bytes(("limits", "memory"), values.limit_memory),
            failures=values.failures,
            retries=read.number(("limits", "retries"), values.retries),
        ),
        seed=values.seed,
        prior=Prior(
            values.prior.strip(),
            values.prior_filter.strip() or None,
            read.number(("prior", "limit"), values.prior_limit),
        )
        if values.prior.strip()
        else None,
        start_with=values.start_with,
        notes=values.notes.strip(),
        experiment=values.experiment.strip() or None,
        environment=tuple(part for part in re.split(r"[\s,]+", values.environment) if part),
    )
    check_into(definition, problems)
    return definition, problems.found


def duration_text(seconds: float | None) -> str:
    """Return a time as the fields have it: `90s`, `2h`, blank for None."""
    if seconds is None:
        return ""
    if seconds != int(seconds):
        return f"{seconds:.6f}".rstrip("0").rstrip(".") + "s"
    length, unit = next(each for each in _DURATIONS if int(seconds) % each[0] == 0)
    return f"{int(seconds) // length}{unit}"


def _size_text(size: int | None) -> str:
    if size is None:
        return ""
    return next((f"{size // unit}{name}" for unit, name in _SIZES if size % unit == 0), f"{size}B")


def _target(values: Values, target: Target, problems: Problems) -> Target:
    from dataclasses import replace

    from tracking.tuning.definition import ScriptTarget, TableTarget

    if isinstance(target, ScriptTarget):
        try:
            return replace(target, arguments=tuple(shlex.split(values.arguments)))
        except ValueError:
            problems.add(("target", "arguments"), "has a quote that is not closed.")
    elif isinstance(target, TableTarget):
        table = values.table
        for name, number in (("folds", table.folds), ("seed", table.seed)):
            if number is None:
                problems.add(("target", name), "is blank. Give a whole number.")
        return replace(
            target,
            column=table.column,
            metric=table.metric,
            estimators=table.estimators,
            folds=table.folds or 0,
            seed=table.seed or 0,
        )
    return target


class _Reader:
    """Reads fields of text, noting what cannot be read."""

    def __init__(self, problems: Problems) -> None:
        self._problems = problems

    def seconds(self, path: tuple[str, str], text: str) -> float | None:
        return self._fields(path, text).seconds(path[1]) if text.strip() else None

    def bytes(self, path: tuple[str, str], text: str) -> int | None:
        found: int | None = self._fields(path, text).bytes(path[1]) if text.strip() else None
        return found

    def _fields(self, path: tuple[str, str], text: str) -> Any:
        from tracking.tuning.definition_fields import Fields

        plain = text.strip()
        value: str | float = plain
        if _NUMBER.fullmatch(plain):
            value = int(plain) if plain.isdigit() else float(plain)
        return Fields({path[1]: value}, path[:1], self._problems)

    def number(self, path: tuple[str, ...], value: int | None) -> int:
        if value is None:
            self._problems.add(path, "is blank. Give a whole number.")
        return 1 if value is None else value

    def named(self, field: str, name: str, options: str) -> Any:
        from tracking.tuning.definition import Named

        try:
            table = (
                tomllib.loads(f"options = {{ {options.strip()} }}") if options.strip() else {"options": {}}
            )
        except (tomllib.TOMLDecodeError, RecursionError, ValueError):
            table = {}
        if table.keys() != {"options"}:
            self._problems.add(
                (field, "options"), "cannot be read. Write name = value, several with commas between them."
            )
            return Named(name)
        return Named(name, table["options"])

    def repeats(self, vary: str, text: str) -> Any:
        from tracking.tuning.definition import Repeats

        if not vary.strip():
            return None
        try:
            values = launch_cells.read_values(text)
        except CellError as error:
            self._problems.add(("repeats", "values"), str(error))
            values = ()
        return Repeats(None if vary == SAME else vary.strip(), values)


def _options_text(options: Mapping[str, Any]) -> str:
    return ", ".join(f"{_key(name)} = {_toml(value)}" for name, value in options.items())


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else json.dumps(name)


def _toml(value: Any) -> str:
    if isinstance(value, Mapping):
        return f"{{ {_options_text(value)} }}"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    return json.dumps(str(value), ensure_ascii=False)
