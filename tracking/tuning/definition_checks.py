"""What must hold in a sweep's definition, whether it was read from a file or built in code."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from tracking.database.filter_language import parse_filter
from tracking.errors import FilterError, InvalidValue, Problem
from tracking.records import Goal
from tracking.tuning.definition import (
    Choice,
    FunctionTarget,
    Objective,
    ParamKind,
    ParamSpace,
    Prior,
    Repeats,
    SweepDefinition,
    TableTarget,
)
from tracking.tuning.definition_fields import Problems, shown
from tracking.tuning.definition_methods import check_methods
from tracking.tuning.definition_options import LISTED
from tracking.tuning.definition_params import check_choice, check_space
from tracking.tuning.definition_target import check_target
from tracking.tuning.space import fits, is_active, same_choice
from tracking.tuning.toml_lines import Path
from tracking.validation import KEY_LIMIT, NOTES_LIMIT, checked_text

ENUMERATION_LIMIT = 100_000
"""Configurations that grid and bruteforce go through at most."""

_WORKERS = 256
_OBJECTIVES = 20
_STARTS = 1000
_TRIALS = 1_000_000
_YEAR = 366 * 86400
_MEMORY = (10**6, 10**15)
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def check(definition: SweepDefinition) -> list[Problem]:
    """Return what is wrong with a definition; the problems have no lines.

    Files are not looked at: whether the target has the params is `tracking.tuning.targets`' to say.
    """
    problems = Problems()
    check_into(definition, problems)
    return problems.found


def check_into(definition: SweepDefinition, problems: Problems) -> None:
    """Note what is wrong with a definition, beside what reading it noted already."""
    _check_names(definition, problems)
    check_target(definition.target, problems)
    check_space(definition.space, problems)
    _check_what_is_tuned(definition, problems)
    _check_objectives(definition, problems)
    check_methods(definition, problems, limit=ENUMERATION_LIMIT)
    _check_bounds(definition, problems)
    if definition.repeats is not None:
        _check_repeats(definition.repeats, definition.space, problems)
    if definition.prior is not None:
        _check_prior(definition.prior, problems)
    draws_itself = isinstance(definition.target, FunctionTarget) and definition.target.objective
    if len(definition.start_with) > _STARTS:
        problems.add(
            ("start_with",), f"are {len(definition.start_with):,} configurations, more than {_STARTS:,}."
        )
    elif definition.space and not draws_itself:
        for index, params in enumerate(definition.start_with):
            _check_start(params, definition.space, ("start_with", index), problems)


def check_text(text: str, path: Path, problems: Problems, limit: int | None = None) -> None:
    """Note why a text cannot be a name."""
    if problems.touched(*path):
        return
    try:
        kept = checked_text(text, "It") if limit is None else checked_text(text, "It", limit=limit)
    except InvalidValue as error:
        problems.add(path, str(error))
        return
    if kept != text:
        problems.add(path, f"is not in Unicode's form NFC: {shown(text)}. Write it as {kept[:40]!r}.")


def _check_names(definition: SweepDefinition, problems: Problems) -> None:
    check_text(definition.name, ("name",), problems)
    if definition.experiment is not None:
        check_text(definition.experiment, ("experiment",), problems)
    if "\0" in definition.notes:
        problems.add(("notes",), "hold a NUL, which a store cannot keep. Remove it.")
    elif len(definition.notes) > NOTES_LIMIT:
        problems.add(("notes",), f"have {len(definition.notes):,} characters, more than {NOTES_LIMIT:,}.")
    seen: set[str] = set()
    for index, name in enumerate(definition.environment):
        path: Path = ("environment", index)
        if not _VARIABLE.fullmatch(name) or len(name) > KEY_LIMIT:
            problems.add(path, f"must be a variable's name, without its value, not {shown(name)}.")
        elif name.startswith("TRACKING_"):
            problems.add(path, f"cannot be {name}: what begins with TRACKING_ is set for each trial.")
        elif name in seen:
            problems.add(path, f"names {name} a second time.")
        seen.add(name)


def _check_what_is_tuned(definition: SweepDefinition, problems: Problems) -> None:
    if problems.touched("target") or problems.touched("space"):
        return
    space = definition.space
    if isinstance(definition.target, FunctionTarget) and definition.target.objective:
        if space:
            problems.add(("space",), "has no use: an objective(trial) draws its params itself. Leave it out.")
    elif definition.sampler.name == LISTED:
        return  # nothing is drawn: one configuration may be all that is run, with its repeats
    elif not space:
        problems.add(
            ("space",), "is missing: there is nothing to tune. Add [space.<param>] with low and high."
        )
    elif all(param.kind is ParamKind.FIXED for param in space):
        problems.add(
            ("space",), "has fixed params only: there is nothing to tune. Give one low and high, or choices."
        )


def _check_objectives(definition: SweepDefinition, problems: Problems) -> None:
    if problems.touched("objectives"):
        return
    if not definition.objectives:
        problems.add(("objectives",), "is missing. Add [[objectives]] with metric and goal.")
    elif len(definition.objectives) > _OBJECTIVES:
        problems.add(("objectives",), f"are {len(definition.objectives):,}, more than {_OBJECTIVES}.")
        return
    seen: list[Objective] = []
    for index, objective in enumerate(definition.objectives):
        path: Path = ("objectives", index)
        check_text(objective.metric, (*path, "metric"), problems, KEY_LIMIT)
        if any((each.metric, each.at) == (objective.metric, objective.at) for each in seen):
            problems.add(path, f"asks for {objective.metric!r} at {objective.at} a second time.")
        seen.append(objective)
        target = definition.target
        if not isinstance(target, TableTarget) or problems.touched("target"):
            continue
        if objective.metric != target.metric:
            problems.add(
                (*path, "metric"), f"must be the table's metric, {target.metric!r}: no other one is measured."
            )
        if objective.goal is not Goal.MAXIMIZE:
            problems.add((*path, "goal"), "must be maximize: of scikit-learn's scorers greater is better.")


def _check_bounds(definition: SweepDefinition, problems: Problems) -> None:
    budget, limits = definition.budget, definition.limits
    if budget.trials is None and budget.seconds is None and not problems.touched("budget"):
        problems.add(("budget",), 'sets no end. Give trials = 50 or time = "2h".')
    number = _Within(problems)
    number.check(definition.workers, ("workers",), 1, _WORKERS)
    number.check(definition.seed, ("seed",), 0, (1 << 32) - 1)
    number.check(budget.trials, ("budget", "trials"), 1, _TRIALS)
    number.check(budget.seconds, ("budget", "time"), 0, _YEAR, unit=" seconds", above=True)
    number.check(limits.seconds, ("limits", "time"), 0, _YEAR, unit=" seconds", above=True)
    number.check(limits.memory, ("limits", "memory"), *_MEMORY, unit=" bytes")
    number.check(limits.failures, ("limits", "failures"), 1, _TRIALS)
    number.check(limits.retries, ("limits", "retries"), 0, 100)
    if definition.prior is not None:
        number.check(definition.prior.limit, ("prior", "limit"), 1, 100_000)


class _Within:
    def __init__(self, problems: Problems) -> None:
        self._problems = problems

    def check(
        self,
        value: float | None,
        path: Path,
        low: int,
        high: int,
        *,
        unit: str = "",
        above: bool = False,
    ) -> None:
        """Note it when a number is out of bounds."""
        if value is None or self._problems.touched(*path):
            return
        if not low <= value <= high or (above and value == low):
            least = f"above {low}" if above else f"from {low:,}"
            self._problems.add(path, f"must be {least} to {high:,}{unit}, not {shown(value)}.")


def _check_repeats(repeats: Repeats, space: Sequence[ParamSpace], problems: Problems) -> None:
    if repeats.vary is not None:
        check_text(repeats.vary, ("repeats", "vary"), problems, KEY_LIMIT)
    elif repeats.values != tuple(range(len(repeats.values))) and not problems.touched("repeats"):
        problems.add(("repeats", "vary"), "is missing: the values are those of no param.")
        return
    if any(param.name == repeats.vary for param in space):
        problems.add(
            ("repeats", "vary"),
            f"is {repeats.vary!r}, which is in the space too. It can be one of them: a param that is tuned, "
            "or one that tells the repeats apart.",
        )
    if problems.touched("repeats", "values") or problems.touched("repeats"):
        return
    path: Path = ("repeats", "values")
    if not 2 <= len(repeats.values) <= 100:
        problems.add(path, f"must be from 2 to 100 values, not {len(repeats.values)}.")
        return
    for index, value in enumerate(repeats.values):
        check_choice(value, (*path, index), problems)
        if value in repeats.values[:index]:
            problems.add((*path, index), f"is {shown(value)} a second time.")


def _check_prior(prior: Prior, problems: Problems) -> None:
    check_text(prior.experiment, ("prior", "experiment"), problems)
    if prior.filter is None or problems.touched("prior", "filter"):
        return
    try:
        parse_filter(prior.filter)
    except FilterError as error:
        problems.add(("prior", "filter"), str(error))


def _check_start(
    params: Mapping[str, Choice], space: Sequence[ParamSpace], path: Path, problems: Problems
) -> None:
    known = {param.name: param for param in space}
    walked: dict[str, Choice] = {}
    if not params:
        problems.add(path, "is empty. Give it a param, or leave it out.")
    for name in params:
        if name not in known:
            problems.add((*path, name), f"is no param of the space. {problems.closest(name, known)}")
    for param in space:
        if param.kind is ParamKind.FIXED and param.name not in params and is_active(param, walked):
            walked[param.name] = param.value
        if param.name not in params or problems.touched(*path, param.name):
            continue
        value = params[param.name]
        if any(
            problems.touched("space", name) for name in (param.name, *(each.param for each in param.only_if))
        ):
            walked[param.name] = value
            continue
        if not fits(param, value):
            problems.add((*path, param.name), f"cannot be {shown(value)}: {_described(param)}.")
        elif not is_active(param, {**walked}):
            problems.add((*path, param.name), _why_inactive(param, walked))
        walked[param.name] = value


def _why_inactive(param: ParamSpace, params: Mapping[str, Choice]) -> str:
    for condition in param.only_if:
        values = " or ".join(shown(value) for value in condition.values)
        if condition.param not in params:
            return f"exists only where {condition.param} is {values}. Say that here too."
        if not any(same_choice(params[condition.param], value) for value in condition.values):
            given = shown(params[condition.param])
            return f"exists only where {condition.param} is {values}, and here it is {given}."
    return "does not exist here."


def _described(param: ParamSpace) -> str:
    described: dict[ParamKind, Callable[[], str]] = {
        ParamKind.FIXED: lambda: f"the param is fixed to {shown(param.value)}",
        ParamKind.CATEGORICAL: lambda: (
            f"the choices are {', '.join(shown(each) for each in param.choices[:20])}"
        ),
    }
    if param.kind in described:
        return described[param.kind]()
    step = f" in steps of {param.step}" if param.step is not None else ""
    whole = "a whole number" if param.kind is ParamKind.INT else "a number"
    return f"the param is {whole} from {param.low} to {param.high}{step}"
