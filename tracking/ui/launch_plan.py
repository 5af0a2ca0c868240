"""What a sweep will do, in plain sentences. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tracking.ui import format

if TYPE_CHECKING:
    from tracking.tuning.definition import SweepDefinition

SAMPLERS: Final = {
    "tpe": "Learns from what was good so far. The choice for most sweeps.",
    "random": "Draws every configuration by chance: the yardstick for the others.",
    "nsga2": "Evolves a population. For several objectives and many trials.",
    "qmc": "Spreads configurations evenly over the space, more so than chance does.",
    "cmaes": "Follows the shape of the valley. For numbers only, and hundreds of trials.",
    "gp": "Fits a Gaussian process. For expensive trials and few params.",
    "grid": "Every configuration once, in order. For a small space of steps and choices.",
    "bruteforce": "Every configuration once, conditions included. For a small space.",
    "listed": "The configurations that the definition lists, and no others.",
}
PRUNERS: Final = {
    "none": "Every trial runs to its end.",
    "median": "Ends a trial that is worse than half of those before it at the same step.",
    "percentile": "Ends a trial that is not among the best share at the same step.",
    "halving": "Lets many trials begin and only the best go on, in rounds.",
    "hyperband": "Several such halvings that begin at different strictness.",
    "patient": "Waits so many steps without gain before another pruner may end a trial.",
    "wilcoxon": "Compares the repeats of a trial with those of the best one.",
    "dominated": "Ends a trial that another one beats in every objective at the same step, with a margin.",
}
"""A line for each; names that are not here have none."""
NEEDED: Final = {
    "percentile": "percentile = 25.0",
    "patient": 'patience = 3, wrapped = { name = "median" }',
}
"""Options that a pruner cannot do without, to begin with."""

_LISTED = 6
_COUNTED = 1_000


@dataclass(frozen=True, slots=True)
class Pace:
    """How long one run of the target took.

    Attributes:
        seconds: The median of them.
        runs: How many that is of.
    """

    seconds: float
    runs: int


def sentence(definition: SweepDefinition, pace: Pace | None = None) -> str:
    """Return what a sweep will do: `40 trials of train.py, 3 values of seed each, 2 at a time, …`.

    Args:
        definition: A checked one.
        pace: Of the target, None where nothing is known.
    """
    budget, repeats = definition.budget, definition.repeats
    amount = []
    trials = count_of_trials(definition)
    if trials is not None:
        amount.append(format.plural(trials, "trial"))
    if budget.seconds is not None:
        within = duration_in_words(budget.seconds)
        amount.append(f"at most {within}" if amount else f"As many trials as fit into {within}")
    what = f"{' or '.join(amount)} of {_target(definition)}"
    each = ""
    if repeats is not None:
        times = len(repeats.values)
        each = f", {times} values of {repeats.vary} each" if repeats.vary else f", each {times} times"
    at_once = f", {definition.workers} at a time" if definition.workers > 1 else ", one at a time"
    pruned = ""
    if definition.pruner.name != "none":
        pruned = f" The pruner {definition.pruner.name} ends poor ones early."
    return f"{what}{each}{at_once}{_about(definition, pace)}. {_choosing(definition)}{pruned}"


def count_of_trials(definition: SweepDefinition) -> int | None:
    """Return how many trials there will be at most, None where only time bounds them."""
    from tracking.tuning.enumeration import count_configurations

    trials = definition.budget.trials
    found = count_configurations(definition, _COUNTED if trials is None else min(trials, _COUNTED))
    return trials if found is None else min(found, trials or found)


def duration_in_words(seconds: float) -> str:
    """Return a length of time as people say it: `40 seconds`, `25 minutes`, `3 hours`, `2 days`."""
    lengths = (
        (1, "second", 90),
        (60, "minute", 90 * 60),
        (3600, "hour", 48 * 3600),
        (86400, "day", math.inf),
    )
    size, unit, _ = next(each for each in lengths if seconds < each[2])
    amount = max(1, round(seconds / size))
    if unit == "second" and amount > 10:
        amount = round(amount / 5) * 5
    return format.plural(amount, unit)


def _about(definition: SweepDefinition, pace: Pace | None) -> str:
    trials = count_of_trials(definition)
    if pace is None or trials is None:
        return ""
    repeats = 1 if definition.repeats is None else len(definition.repeats.values)
    seconds = math.ceil(trials / definition.workers) * repeats * pace.seconds
    by = f"by its last {format.plural(pace.runs, 'run')}" if pace.runs > 1 else "by its last run"
    if definition.budget.seconds is not None and seconds > definition.budget.seconds:
        return ""  # the bound says it
    return f", about {duration_in_words(seconds)} {by}"


def _choosing(definition: SweepDefinition) -> str:
    from tracking.tuning.definition import ParamKind

    drawn = [param.name for param in definition.space if param.kind is not ParamKind.FIXED]
    names = ", ".join(drawn[:_LISTED]) + (f" and {len(drawn) - _LISTED} more" if len(drawn) > _LISTED else "")
    what = names or "params that the objective names itself"
    goals = " and ".join(f"{each.goal.value} {each.metric}" for each in definition.objectives)
    return f"The sampler {definition.sampler.name} chooses {what}, to {goals}."


def _target(definition: SweepDefinition) -> str:
    from tracking.tuning.definition import FunctionTarget, ScriptTarget

    target = definition.target
    if isinstance(target, ScriptTarget):
        return target.path
    if isinstance(target, FunctionTarget):
        return f"{target.path}:{target.name}"
    models = ", ".join(target.estimators) or "scikit-learn's models"
    return f"{models} on {target.dataset or target.file or target.artifact}"
