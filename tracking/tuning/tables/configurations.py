"""The search space of a target's estimators, the configurations it starts with, and reading one back."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import replace

from tracking.errors import InvalidValue
from tracking.tuning.definition import Choice, OnlyIf, ParamKind, ParamSpace, TableTarget
from tracking.tuning.tables.estimators import NAMES, SPACES, USUAL, Tuned
from tracking.tuning.tables.task import Task, task_of

ESTIMATOR = "estimator"
"""The param that chooses among several estimators."""


def chosen(target: TableTarget) -> tuple[str, ...]:
    """Return the names of a target's estimators; raises InvalidValue for one that there is not."""
    for name in target.estimators:
        if name not in SPACES:
            close = difflib.get_close_matches(str(name), NAMES, n=1)
            meant = f"Did you mean {close[0]!r}? " if close else ""
            raise InvalidValue(f"There is no estimator {name!r:.80}. {meant}There are: {', '.join(NAMES)}.")
    return tuple(dict.fromkeys(target.estimators)) or USUAL


def default_space(target: TableTarget) -> tuple[ParamSpace, ...]:
    """Return the search space of a target's estimators: first which one, then the params of each.

    A param is named after its estimator, such as `forest.max_depth`, also where there is only one, so that
    sweeps over different estimators compare.

    Raises:
        InvalidValue: There is no such estimator or metric.
    """
    names, task = chosen(target), task_of(target.metric)
    several = len(names) > 1
    first = (
        ParamSpace(ESTIMATOR, ParamKind.CATEGORICAL, choices=names)
        if several
        else ParamSpace(ESTIMATOR, ParamKind.FIXED, value=names[0])
    )
    found = [first]
    for name in names:
        mine = (OnlyIf(ESTIMATOR, (name,)),) if several else ()
        for tuned in _tuned(name, task):
            inner = tuple(replace(each, param=f"{name}.{each.param}") for each in tuned.space.only_if)
            found.append(replace(tuned.space, name=f"{name}.{tuned.space.name}", only_if=mine + inner))
    return tuple(found)


def default_configurations(target: TableTarget) -> tuple[Mapping[str, Choice], ...]:
    """Return scikit-learn's defaults for each of a target's estimators, as configurations of `default_space`.

    A sweep that starts with them is never worse than the defaults.
    """
    task = task_of(target.metric)
    configurations = []
    for name in chosen(target):
        params: dict[str, Choice] = {tuned.space.name: tuned.default for tuned in _tuned(name, task)}
        configurations.append({ESTIMATOR: name, **{f"{name}.{key}": value for key, value in params.items()}})
    return tuple(configurations)


def split(target: TableTarget, params: Mapping[str, Choice]) -> tuple[str, dict[str, Choice]]:
    """Return the estimator that a configuration chooses and the params that are its own.

    Params of other estimators are left out: a space without conditions has them all.

    Raises:
        InvalidValue: No estimator is chosen, or a param belongs to none.
    """
    names = chosen(target)
    name = params.get(ESTIMATOR, names[0] if len(names) == 1 else None)
    if name is None:
        raise InvalidValue(f"{ESTIMATOR!r} is missing: it says which of {', '.join(names)} a trial takes.")
    if not isinstance(name, str) or name not in SPACES:
        raise InvalidValue(f"{ESTIMATOR} = {name!r:.80} is none of {', '.join(NAMES)}.")
    own: dict[str, Choice] = {}
    for key, value in params.items():
        owner, _, rest = key.partition(".")
        if key == ESTIMATOR:
            continue
        if owner not in SPACES or not rest:
            raise InvalidValue(
                f"{key!r:.80} belongs to no estimator: a param is named after its own, such as '{name}."
                f"{key if '.' not in key else rest}'. Estimators: {', '.join(NAMES)}."
            )
        if owner == name:
            own[rest] = value
    return name, own


def _tuned(name: str, task: Task) -> list[Tuned]:
    return [tuned for tuned in SPACES[name] if tuned.task in (None, task)]
