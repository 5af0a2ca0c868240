"""The samplers and pruners by name, the options each takes, and what it cannot do.

Names and defaults of options are Optuna's. Nothing here needs Optuna to be loaded.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tracking.tuning.definition import Named
from tracking.tuning.definition_fields import Problems, shown
from tracking.tuning.toml_lines import Path


@dataclass(frozen=True, slots=True)
class Option:
    """What an option may be.

    Attributes:
        kind: bool, int, float (which an int is too) or str.
        low: The least number.
        high: The greatest number.
        open: Whether `low` itself is too little.
        words: Texts that it may be.
        required: Whether it has no default.
    """

    kind: type
    low: float = -math.inf
    high: float = math.inf
    open: bool = False
    words: tuple[str, ...] = ()
    required: bool = False

    def problem(self, value: object) -> str | None:
        """Return what is wrong with a value, None when nothing is."""
        if isinstance(value, str) and value in self.words:
            return None
        right = isinstance(value, (int, float) if self.kind is float else self.kind)
        if isinstance(value, bool) != (self.kind is bool):
            right = False
        if not right or (self.kind is str and self.words):
            return f"must be {self.expected()}, not {shown(value)}."
        if isinstance(value, (int, float)) and self.kind is not bool:
            inside = self.low <= value <= self.high and not (self.open and value == self.low)
            if not inside or (isinstance(value, float) and not math.isfinite(value)):
                return f"must be {self.expected()}, not {shown(value)}."
        return None

    def expected(self) -> str:
        """Return what it may be, for a sentence."""
        if self.kind is bool:
            return "true or false"
        if self.kind is str:
            return " or ".join(f'"{word}"' for word in self.words)
        text = "a whole number" if self.kind is int else "a number"
        if self.low > -math.inf:
            text += f" above {self.low:g}" if self.open else f" of at least {self.low:g}"
        if self.high < math.inf:
            text += f" and at most {self.high:g}"
        return text + "".join(f' or "{word}"' for word in self.words)


_FLAG = Option(bool)
_COUNT = Option(int, low=0, high=1_000_000)
_POSITIVE = Option(int, low=1, high=1_000_000)
_SHARE = Option(float, low=0, high=1)

SAMPLERS: Mapping[str, Mapping[str, Option]] = {
    "tpe": {
        "n_startup_trials": _COUNT,
        "n_ei_candidates": _POSITIVE,
        "multivariate": _FLAG,
        "group": _FLAG,
        "constant_liar": _FLAG,
    },
    "random": {},
    "nsga2": {
        "population_size": Option(int, low=2, high=100_000),
        "mutation_prob": _SHARE,
        "crossover_prob": _SHARE,
        "swapping_prob": _SHARE,
    },
    "qmc": {"qmc_type": Option(str, words=("sobol", "halton")), "scramble": _FLAG},
    "cmaes": {
        "n_startup_trials": _COUNT,
        "sigma0": Option(float, low=0, open=True),
        "popsize": Option(int, low=2, high=100_000),
        "consider_pruned_trials": _FLAG,
        "use_separable_cma": _FLAG,
        "with_margin": _FLAG,
        "lr_adapt": _FLAG,
    },
    "gp": {"n_startup_trials": _COUNT, "deterministic_objective": _FLAG},
    "grid": {},
    "bruteforce": {},
    "listed": {},
}
"""Options by sampler."""

LISTED = "listed"
"""The sampler that goes through the configurations of `start_with`, and no other."""
ENUMERATED = ("grid", "bruteforce", LISTED)
"""Samplers that go through finitely many configurations once, in order."""

_MEDIAN = {
    "n_startup_trials": _COUNT,
    "n_warmup_steps": _COUNT,
    "interval_steps": _POSITIVE,
    "n_min_trials": _POSITIVE,
}
PRUNERS: Mapping[str, Mapping[str, Option]] = {
    "none": {},
    "median": _MEDIAN,
    "percentile": {"percentile": Option(float, low=0, high=100, required=True), **_MEDIAN},
    "halving": {
        "min_resource": Option(int, low=1, words=("auto",)),
        "reduction_factor": Option(int, low=2, high=1000),
        "min_early_stopping_rate": Option(int, low=0, high=1000),
        "bootstrap_count": _COUNT,
    },
    "hyperband": {
        "min_resource": Option(int, low=1),
        "max_resource": Option(int, low=1, words=("auto",)),
        "reduction_factor": Option(int, low=2, high=1000),
        "bootstrap_count": _COUNT,
    },
    "patient": {
        "patience": Option(int, low=0, high=1_000_000, required=True),
        "min_delta": Option(float, low=0),
    },
    "wilcoxon": {"p_threshold": _SHARE, "n_startup_steps": _COUNT},
    "dominated": {
        "margin": _SHARE,
        "n_startup_trials": _COUNT,
        "n_warmup_steps": Option(int, low=0, high=1_000_000_000, words=("auto",)),
    },
}
"""Options by pruner; `patient` also takes `wrapped`, a table with another pruner's name and options.

All but `dominated` are Optuna's. That one is for several objectives, which Optuna does not prune: a trial is stopped
where another one, complete by now, was better at the same step in every objective, each time by more than `margin`
(0.25) of the range that the objective's values had there. It begins with `n_startup_trials` (10) complete trials and at
step `n_warmup_steps`; "auto" is two thirds of the steps that complete trials took. For trials that run several times a
step is a repeat, and means are compared. What a smaller margin costs: `tracking.tuning.execution.domination`.
"""

DOMINATED = "dominated"
"""The pruner for several objectives."""

WRAPPED = "wrapped"


def check_sampler(sampler: Named, problems: Problems) -> None:
    """Note what is wrong with a sampler's name and options by themselves."""
    path: Path = ("sampler",)
    if not _check_named(sampler, SAMPLERS, path, problems):
        return
    options = sampler.options
    if sampler.name == "tpe" and options.get("group") is True and options.get("multivariate") is False:
        problems.add((*path, "group"), "needs the multivariate TPE. Leave `multivariate = false` out.")
    on = [name for name in ("use_separable_cma", "with_margin", "lr_adapt") if options.get(name) is True]
    if sampler.name == "cmaes" and len(on) > 1:
        problems.add((*path, on[1]), f"does not go together with {on[0]}. Leave one of them out.")


def check_pruner(pruner: Named, problems: Problems, path: Path = ("pruner",)) -> None:
    """Note what is wrong with a pruner's name and options by themselves."""
    extra = (WRAPPED,) if pruner.name == "patient" else ()
    if not _check_named(pruner, PRUNERS, path, problems, extra):
        return
    options = pruner.options
    if pruner.name == "patient" and WRAPPED in options:
        _check_wrapped(options[WRAPPED], (*path, WRAPPED), problems)
    auto = {"halving": "min_resource", "hyperband": "max_resource"}.get(pruner.name)
    if auto is None:
        return
    if options.get("bootstrap_count") and options.get(auto, "auto") == "auto":
        problems.add(
            (*path, "bootstrap_count"), f'does not go together with {auto} = "auto". Give {auto} a number.'
        )
    least, most = options.get("min_resource", 1), options.get("max_resource")
    if isinstance(least, int) and isinstance(most, int) and most < least:
        problems.add((*path, "max_resource"), f"is {most}, less than min_resource, which is {least}.")


def _check_wrapped(value: Any, path: Path, problems: Problems) -> None:
    if not isinstance(value, Mapping):
        problems.add(path, f'must be a table, as {{ name = "median" }}, not {shown(value)}.')
        return
    name = value.get("name")
    if not isinstance(name, str):
        problems.add((*path, "name"), "is missing. Give the pruner that patience is added to.")
    elif name == "patient":
        problems.add((*path, "name"), "is patient itself. Wrap another pruner, and add up the patience.")
    elif name == DOMINATED:
        problems.add((*path, "name"), "is dominated, which is for several objectives: patience is for one.")
    else:
        inner = Named(name, {key: option for key, option in value.items() if key != "name"})
        check_pruner(inner, problems, path)


def _check_named(
    named: Named,
    table: Mapping[str, Mapping[str, Option]],
    path: Path,
    problems: Problems,
    extra: tuple[str, ...] = (),
) -> bool:
    known = table.get(named.name)
    if known is None:
        problems.add((*path, "name"), f"cannot be {shown(named.name)}. {problems.closest(named.name, table)}")
        return False
    before = len(problems.found)
    for name, value in named.options.items():
        if name in extra:
            continue
        if name not in known and name == "seed" and path == ("sampler",):
            problems.add((*path, name), "stands at the top of the file, before the first [table]: seed = 7.")
        elif name not in known:
            problems.add(
                (*path, name), f"is no option of {named.name}. {problems.closest(name, [*known, *extra])}"
            )
        elif (problem := known[name].problem(value)) is not None:
            problems.add((*path, name), problem)
    for name, option in known.items():
        if option.required and name not in named.options:
            problems.add((*path, name), f"is missing: {named.name} needs {option.expected()}.")
    return len(problems.found) == before
