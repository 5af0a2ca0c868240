"""The search space at work: drawing a configuration, walking a finite space, and telling whether one fits.

A param with an only-if is *active* where all of its conditions hold, and what it names is active itself.
What is not active is in no configuration: a script does not get the option at all.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import islice
from typing import TYPE_CHECKING

from tracking.errors import InvalidValue
from tracking.tuning.definition import Choice, ParamKind, ParamSpace

if TYPE_CHECKING:
    import optuna
    from optuna.distributions import BaseDistribution

# A step is met when the value is this near to a multiple of it, in steps: what Optuna allows.
_STEP_TOLERANCE = 1e-8


def is_active(param: ParamSpace, params: Mapping[str, Choice]) -> bool:
    """Return whether a param exists beside the ones before it."""
    return all(
        condition.param in params
        and any(same_choice(params[condition.param], value) for value in condition.values)
        for condition in param.only_if
    )


def same_choice(one: object, other: object) -> bool:
    """Return whether two values are the same choice: unlike for `==`, 1, 1.0 and True differ."""
    return type(one) is type(other) and one == other


def suggest(
    trial: optuna.Trial, space: Sequence[ParamSpace], fixed: Mapping[str, Choice] | None = None
) -> dict[str, Choice]:
    """Draw a configuration; returns the active params in the order of the space, fixed ones too.

    Args:
        trial: That asks its study's sampler.
        space: To draw from.
        fixed: Params that are not drawn but have this value, where they are active.
    """
    params: dict[str, Choice] = {}
    for param in space:
        if not is_active(param, params):
            continue
        if fixed is not None and param.name in fixed:
            params[param.name] = fixed[param.name]
        elif param.kind is ParamKind.FIXED:
            params[param.name] = param.value
        else:
            params[param.name] = _drawn(trial, param)
    return params


def _drawn(trial: optuna.Trial, param: ParamSpace) -> Choice:
    if param.kind is ParamKind.CATEGORICAL:
        return trial.suggest_categorical(param.name, param.choices)
    low, high = _bounds(param)
    if param.kind is ParamKind.INT:
        step = 1 if param.step is None else int(param.step)
        return trial.suggest_int(param.name, int(low), int(high), step=step, log=param.log)
    return trial.suggest_float(param.name, low, high, step=param.step, log=param.log)


def distributions(space: Sequence[ParamSpace]) -> dict[str, BaseDistribution]:
    """Return Optuna's distribution of every param that is drawn, active or not; fixed ones have none."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    found: dict[str, BaseDistribution] = {}
    for param in space:
        if param.kind is ParamKind.CATEGORICAL:
            found[param.name] = CategoricalDistribution(param.choices)
        elif param.kind is ParamKind.INT:
            low, high = _bounds(param)
            step = 1 if param.step is None else int(param.step)
            found[param.name] = IntDistribution(int(low), int(high), log=param.log, step=step)
        elif param.kind is ParamKind.FLOAT:
            low, high = _bounds(param)
            found[param.name] = FloatDistribution(float(low), float(high), log=param.log, step=param.step)
    return found


def fits(param: ParamSpace, value: object) -> bool:
    """Return whether a value is one that the param can have: of its type, in its range, on its step."""
    if param.kind is ParamKind.FIXED:
        return same_choice(param.value, value)
    if param.kind is ParamKind.CATEGORICAL:
        return any(same_choice(choice, value) for choice in param.choices)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    if param.kind is ParamKind.INT and not isinstance(value, int):
        return False
    low, high = _bounds(param)
    if not low <= value <= high:
        return False
    if param.step is None or value in (low, high):
        return True
    steps = (value - low) / param.step
    return abs(steps - round(steps)) < _STEP_TOLERANCE


def accepts(space: Sequence[ParamSpace], params: Mapping[str, object]) -> bool:
    """Return whether a finished configuration is one of this space.

    The same params are active, and each value fits. Fixed params may be missing, since a trial of a study
    does not keep them; where they are given, they have their value.
    """
    walked: dict[str, Choice] = {}
    for param in space:
        if not is_active(param, walked):
            continue
        if param.name not in params:
            if param.kind is not ParamKind.FIXED:
                return False
            walked[param.name] = param.value
            continue
        value = params[param.name]
        if not fits(param, value):
            return False
        walked[param.name] = value  # type: ignore[assignment]  # what fits is a Choice
    return params.keys() <= walked.keys()


def is_finite(param: ParamSpace) -> bool:
    """Return whether a param has finitely many values worth telling apart."""
    return param.kind is not ParamKind.FLOAT or param.step is not None or param.low == param.high


def configurations(space: Sequence[ParamSpace], limit: int | None = None) -> Iterator[dict[str, Choice]]:
    """Return every configuration of a finite space once, the last param changing fastest.

    Args:
        space: Of categorical, int, stepped float and fixed params.
        limit: At most so many; None for all.

    Raises:
        InvalidValue: A float has no step, so that its values cannot be counted.
    """
    for param in space:
        if not is_finite(param):
            raise InvalidValue(
                f"{param.name!r} is a float without a step: it has no end of values. Give it a step or choices."
            )
    return islice(_walk(space), limit)


def _walk(space: Sequence[ParamSpace]) -> Iterator[dict[str, Choice]]:
    # Without recursion: a space may have more params than Python has frames.
    params: dict[str, Choice] = {}
    inactive = (None,)
    end = object()
    open_values: list[Iterator[object]] = []
    active: list[bool] = []
    while True:
        if len(open_values) == len(space):
            yield dict(params)
        else:
            param = space[len(open_values)]
            active.append(is_active(param, params))
            open_values.append(iter(_values(param) if active[-1] else inactive))
        while open_values:
            name = space[len(open_values) - 1].name
            params.pop(name, None)
            value = next(open_values[-1], end)
            if value is not end:
                if active[-1]:
                    params[name] = value  # type: ignore[assignment]
                break
            open_values.pop()
            active.pop()
        if not open_values:
            return


def _values(param: ParamSpace) -> Iterator[Choice]:
    if param.kind is ParamKind.FIXED:
        yield param.value
    elif param.kind is ParamKind.CATEGORICAL:
        yield from param.choices
    elif param.kind is ParamKind.INT:
        low, high = _bounds(param)
        yield from range(int(low), int(high) + 1, 1 if param.step is None else int(param.step))
    else:
        low, high = _bounds(param)
        # In decimals: 0.1 + 2 * 0.1 is 0.3 there, and nothing beside it.
        start, step = Decimal(str(low)), Decimal(str(param.step or 1))
        for index in range(math.floor((Decimal(str(high)) - start) / step) + 1):
            yield float(start + index * step)


def _bounds(param: ParamSpace) -> tuple[float, float]:
    if param.low is None or param.high is None:
        raise InvalidValue(f"{param.name!r} has no low and high.")
    return param.low, param.high
