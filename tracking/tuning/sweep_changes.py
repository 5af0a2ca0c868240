"""Changes of a definition, as functions of it alone, and whether Optuna's study can go on under the changed one."""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from tracking.errors import InvalidDefinition, InvalidValue, NotFound
from tracking.tuning.definition import (
    Choice,
    FunctionTarget,
    ParamKind,
    ParamSpace,
    SweepDefinition,
)
from tracking.tuning.definition_checks import check
from tracking.tuning.definition_options import ENUMERATED
from tracking.tuning.space import same_choice

Change = Callable[[SweepDefinition], tuple[SweepDefinition, str]]
"""Returns the changed definition and a sentence of what was changed."""

_BOUNDS = ("low", "high", "step")


def param_of(definition: SweepDefinition, name: str) -> ParamSpace:
    """Return a param of the space; raises NotFound with names that are close."""
    for param in definition.space:
        if param.name == name:
            return param
    names = [param.name for param in definition.space]
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.4)
    meant = f" Did you mean {close[0]!r}?" if close else ""
    raise NotFound(
        f"There is no param {name!r:.80} in the space.{meant} It has: {', '.join(names) or 'none'}."
    )


def changed_param(name: str, **values: Any) -> Change:
    """Return the change that gives a param other low, high, step, log, choices or value.

    A param may become of another kind: `choices` make it categorical, `value` fixes it, `low` and `high` together
    make it a range.
    """

    def change(definition: SweepDefinition) -> tuple[SweepDefinition, str]:
        old = param_of(definition, name)
        new = _other(old, values)
        if new == old:
            raise InvalidValue(f"{name!r} is so already: {described(old)}.")
        space = tuple(new if param.name == name else param for param in definition.space)
        return replace(definition, space=space), f"{name}: {described(old)} became {described(new)}."

    return change


def _other(old: ParamSpace, values: Mapping[str, Any]) -> ParamSpace:
    given = {key: value for key, value in values.items() if value is not None}
    if "choices" in given:
        return ParamSpace(
            old.name, ParamKind.CATEGORICAL, choices=tuple(given["choices"]), only_if=old.only_if
        )
    if "value" in given:
        return ParamSpace(old.name, ParamKind.FIXED, value=given["value"], only_if=old.only_if)
    if old.kind in (ParamKind.CATEGORICAL, ParamKind.FIXED):
        if "low" not in given or "high" not in given:
            raise InvalidValue(
                f"{old.name!r} is {described(old)}: to make it a range, give its low and its high."
            )
        whole = all(isinstance(given[key], int) for key in ("low", "high"))
        kind = ParamKind.INT if whole else ParamKind.FLOAT
        return ParamSpace(old.name, kind, only_if=old.only_if, **given)
    for key in _BOUNDS:
        if key in given and old.kind is ParamKind.INT:
            if isinstance(given[key], float) and not given[key].is_integer():
                raise InvalidValue(
                    f"{old.name!r} is a whole number; {key} cannot be {given[key]!r}. Give an int."
                )
            given[key] = int(given[key])
        elif key in given and old.kind is ParamKind.FLOAT:
            given[key] = float(given[key])
    if given.get("log") and old.step is not None and "step" not in given:
        given["step"] = None
    return replace(old, **given)


def widened(name: str, low: float | int | None = None, high: float | int | None = None) -> Change:
    """Return the change that moves bounds outward."""
    return _moved(name, low, high, outward=True)


def narrowed(name: str, low: float | int | None = None, high: float | int | None = None) -> Change:
    """Return the change that moves bounds inward."""
    return _moved(name, low, high, outward=False)


def _moved(name: str, low: float | int | None, high: float | int | None, *, outward: bool) -> Change:
    word, other = ("wider", "narrow") if outward else ("narrower", "widen")

    def change(definition: SweepDefinition) -> tuple[SweepDefinition, str]:
        old = param_of(definition, name)
        if old.low is None or old.high is None:
            raise InvalidValue(
                f"{name!r} is {described(old)} and has no bounds. Choices are added by: choice."
            )
        if low is None and high is None:
            raise InvalidValue(f"Give the new bounds of {name!r}: low, high or both.")
        for key, value, was, sign in (("low", low, old.low, 1), ("high", high, old.high, -1)):
            if value is not None and (sign * (value - was) > 0) is outward and value != was:
                raise InvalidValue(
                    f"{key} = {value!r} does not make {name!r} {word}: it is {described(old)}. To do that: {other}."
                )
        return changed_param(name, low=low, high=high)(definition)

    return change


def with_choice(name: str, choice: Choice) -> Change:
    """Return the change that adds a choice to a categorical param."""

    def change(definition: SweepDefinition) -> tuple[SweepDefinition, str]:
        old = param_of(definition, name)
        if old.kind is not ParamKind.CATEGORICAL:
            raise InvalidValue(f"{name!r} is {described(old)}: only a param with choices takes another one.")
        if any(same_choice(choice, each) for each in old.choices):
            raise InvalidValue(f"{choice!r} is a choice of {name!r} already: {described(old)}.")
        new = replace(old, choices=(*old.choices, choice))
        space = tuple(new if param.name == name else param for param in definition.space)
        return replace(definition, space=space), f"{name} may also be {_shown(choice)}."

    return change


def with_param(param: ParamSpace) -> Change:
    """Return the change that adds a param at the end of the space."""

    def change(definition: SweepDefinition) -> tuple[SweepDefinition, str]:
        if any(each.name == param.name for each in definition.space):
            raise InvalidValue(f"There is a param {param.name!r} in the space already. Change that one.")
        return (
            replace(definition, space=(*definition.space, param)),
            f"The space has a new param {param.name}: {described(param)}.",
        )

    return change


def described(param: ParamSpace) -> str:
    """Return what a param may be, in words."""
    if param.kind is ParamKind.FIXED:
        return f"fixed at {_shown(param.value)}"
    if param.kind is ParamKind.CATEGORICAL:
        return f"one of {', '.join(map(_shown, param.choices))}"
    how = " (log)" if param.log else f" in steps of {param.step}" if param.step is not None else ""
    return f"{param.low} to {param.high}{how}"


def _shown(value: Choice) -> str:
    return json.dumps(value, ensure_ascii=False)


def checked(definition: SweepDefinition) -> SweepDefinition:
    """Return a definition; raises InvalidDefinition with all of its problems."""
    problems = check(definition)
    if problems:
        raise InvalidDefinition(problems)
    return definition


def refused(old: SweepDefinition, new: SweepDefinition) -> str | None:
    """Return why a definition cannot become another one while its sweep goes on, None where it can."""
    way = "Start another sweep with it: tracking sweep duplicate."
    if old.name != new.name:
        return f"A sweep keeps its name. {way}"
    if old.target != new.target:
        return f"A sweep keeps its target: trials of another one do not compare. {way}"
    if [(each.metric, each.goal, each.at) for each in old.objectives] != [
        (each.metric, each.goal, each.at) for each in new.objectives
    ]:
        return f"A sweep keeps its objectives: values of others do not compare. {way}"
    if old.repeats != new.repeats:
        return f"A sweep keeps its repeats: means over others do not compare. {way}"
    if (old.experiment or old.name) != (new.experiment or new.name):
        return f"A sweep keeps its experiment. {way}"
    return None


def why_next(old: SweepDefinition, new: SweepDefinition) -> str | None:
    """Return why a changed space needs the sweep's next study, None where the study can go on.

    Optuna refuses another set of choices, and another scale, for a param that a study has. What it takes is not
    always of use: samplers that look at params together leave one out, or draw it at random, whose bounds differ
    between trials. In the next study the trials that were taken over stand in the new bounds.
    """
    if old.space == new.space:
        return None
    before = {param.name: param for param in old.space}
    names = [param.name for param in new.space]
    if added := [name for name in names if name not in before]:
        return f"{added[0]} is new"
    if gone := [name for name in before if name not in names]:
        return f"{gone[0]} is gone"
    moved = []
    for param in new.space:
        was = before[param.name]
        if was == param:
            continue
        if was.kind is not param.kind:
            return f"{param.name} is of another kind"
        if was.only_if != param.only_if:
            return f"{param.name} depends on other conditions"
        if param.kind is ParamKind.CATEGORICAL:
            return f"{param.name} has other choices"
        if param.kind is ParamKind.FIXED:
            return f"{param.name} is fixed at another value"
        if was.log != param.log:
            return f"{param.name} has another scale"
        moved.append(param.name)
    if not moved and names != [param.name for param in old.space]:
        return "the params are in another order"
    if not draws_each_alone(new):
        return f"the sampler {new.sampler.name} draws params together, and {moved[0]} has other bounds"
    return None


def draws_each_alone(definition: SweepDefinition) -> bool:
    """Whether the sampler draws every param by itself, and so takes trials with other bounds as they are."""
    name, options = definition.sampler.name, definition.sampler.options
    if name == "random":
        return True
    draws_itself = isinstance(definition.target, FunctionTarget) and definition.target.objective
    conditional = draws_itself or any(param.only_if for param in definition.space)
    together = options.get("multivariate", conditional) or options.get("group", False)
    return name == "tpe" and not together and name not in ENUMERATED


def outside(params: Sequence[Mapping[str, Any]], space: Sequence[ParamSpace]) -> int:
    """Return how many configurations have a value that lies outside of the space now."""
    bounds = {param.name: param for param in space if param.low is not None and param.high is not None}
    count = 0
    for each in params:
        for name, value in each.items():
            param = bounds.get(name)
            if param is None or isinstance(value, str | bool) or value is None:
                continue
            assert param.low is not None and param.high is not None
            if not param.low <= value <= param.high:
                count += 1
                break
    return count
