"""What must hold in a search space: bounds, steps, choices, and the conditions between params."""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import Decimal

from tracking.errors import InvalidValue
from tracking.tuning.definition import Choice, ParamKind, ParamSpace
from tracking.tuning.definition_fields import Problems, is_number, shown
from tracking.tuning.space import same_choice
from tracking.tuning.toml_lines import Path
from tracking.validation import EXACT_INT, KEY_LIMIT, checked_text

PARAMS_LIMIT = 1000
CHOICES_LIMIT = 10_000


def check_space(space: Sequence[ParamSpace], problems: Problems) -> None:
    """Note what is wrong with a space."""
    if len(space) > PARAMS_LIMIT:
        problems.add(("space",), f"has {len(space):,} params, more than {PARAMS_LIMIT:,}.")
        return
    earlier: dict[str, ParamSpace] = {}
    names = [param.name for param in space]
    for param in space:
        path: Path = ("space", param.name)
        _check_name(param, earlier, path, problems)
        if param.kind is ParamKind.CATEGORICAL:
            _check_choices(param.choices, (*path, "choices"), problems)
        elif param.kind is ParamKind.FIXED:
            check_choice(param.value, (*path, "value"), problems)
        elif not any(problems.touched(*path, bound) for bound in ("low", "high", "step", "log")):
            _check_range(param, path, problems)
        _check_only_if(param, earlier, names, (*path, "only_if"), problems)
        earlier[param.name] = param


def check_choice(value: Choice, path: Path, problems: Problems) -> None:
    """Note why a value cannot be drawn, kept and given to a target."""
    if problems.touched(*path):
        return
    if isinstance(value, str):
        if "\0" in value:
            problems.add(path, "holds a NUL, which no argument of a program can. Remove it.")
    elif isinstance(value, float) and not math.isfinite(value):
        problems.add(path, f"must be finite, not {shown(value)}.")
    elif isinstance(value, int) and abs(value) > EXACT_INT:
        problems.add(
            path, f"is beyond 2^53, above which a float does not hold every whole number: {shown(value)}."
        )
    elif not (value is None or isinstance(value, (bool, int, float))):
        problems.add(path, f"must be text, a number, true, false or none, not {shown(value)}.")


def _check_name(param: ParamSpace, earlier: dict[str, ParamSpace], path: Path, problems: Problems) -> None:
    try:
        kept = checked_text(param.name, "A param's name", limit=KEY_LIMIT)
    except InvalidValue as error:
        problems.add(path, str(error))
        return
    if kept != param.name:
        problems.add(path, "has a name that is not in Unicode's form NFC. Write it in composed characters.")
    if param.name in earlier:
        problems.add(path, "is in the space twice.")


def _check_choices(choices: Sequence[Choice], path: Path, problems: Problems) -> None:
    if problems.touched(*path):
        return
    if not choices:
        problems.add(path, "must be a list with at least one value.")
    if len(choices) > CHOICES_LIMIT:
        problems.add(path, f"has {len(choices):,} values, more than {CHOICES_LIMIT:,}.")
        return
    seen: dict[Choice, Choice] = {}
    for index, choice in enumerate(choices):
        check_choice(choice, (*path, index), problems)
        if problems.touched(*path, index):
            continue
        if choice in seen:
            first = seen[choice]
            alike = "" if same_choice(choice, first) else f": {shown(first)} and {shown(choice)} are equal"
            problems.add((*path, index), f"is {shown(choice)} a second time{alike}. Keep one of them.")
        seen.setdefault(choice, choice)


def _check_range(param: ParamSpace, path: Path, problems: Problems) -> None:
    bounds = {"low": param.low, "high": param.high, "step": param.step}
    for name, value in bounds.items():
        if value is None and name == "step":
            continue
        if not is_number(value):
            problems.add((*path, name), f"must be a finite number, not {shown(value)}.")
        elif param.kind is ParamKind.INT and not isinstance(value, int):
            problems.add((*path, name), f"must be a whole number, not {shown(value)}.")
        elif isinstance(value, int) and abs(value) > EXACT_INT:
            problems.add((*path, name), f"is beyond 2^53: {shown(value)}.")
    if any(problems.touched(*path, name) for name in bounds) or param.low is None or param.high is None:
        return
    if param.low > param.high:
        problems.add((*path, "low"), f"is {param.low}, more than high, which is {param.high}. Swap them.")
    elif not math.isfinite(param.high - param.low):
        problems.add(
            (*path, "high"), "is so far from low that their difference is no float. Narrow the range."
        )
    elif param.log:
        _check_log(param, path, problems)
    if param.step is not None and not problems.touched(*path):
        _check_step(param, param.low, param.high, param.step, path, problems)


def _check_log(param: ParamSpace, path: Path, problems: Problems) -> None:
    if param.low is not None and param.low <= 0:
        problems.add(
            (*path, "low"),
            f"is {param.low}, and there is no logarithm of it. Give low > 0, or leave log out.",
        )
    if param.step is not None and not (param.kind is ParamKind.INT and param.step == 1):
        problems.add((*path, "step"), "does not go together with log. Leave one of them out.")


def _check_step(
    param: ParamSpace, low: float, high: float, step: float, path: Path, problems: Problems
) -> None:
    if step <= 0:
        problems.add((*path, "step"), f"must be above 0, not {shown(step)}.")
        return
    # In decimals, as Optuna reckons: 0.3 is three times 0.1 there.
    start, end, each = (Decimal(str(value)) for value in (low, high, step))
    steps = (end - start) // each
    last = start + steps * each
    if last == end:
        return
    if steps == 0:
        problems.add((*path, "step"), f"is {step}, wider than the range from {low} to {high}.")
        return
    problems.add(
        (*path, "step"),
        f"is {step}, which does not lead from {low} to {high}: the last value before is {last}. "
        f"Give high = {last} or {last + each}.",
    )


def _check_only_if(
    param: ParamSpace, earlier: dict[str, ParamSpace], names: Sequence[str], path: Path, problems: Problems
) -> None:
    fine = True
    seen: set[str] = set()
    for condition in param.only_if:
        place = (*path, condition.param)
        before = len(problems.found)
        parent = earlier.get(condition.param)
        if condition.param in seen:
            problems.add(place, f"names {condition.param!r} twice. Put the values into one list.")
        elif parent is None:
            hint = problems.closest(condition.param, earlier)
            problems.add(place, _no_parent(param, condition.param, names, hint))
        elif problems.touched("space", parent.name, "choices") or problems.touched(
            "space", parent.name, "type"
        ):
            fine = False
        elif parent.kind is not ParamKind.CATEGORICAL:
            problems.add(
                place, f"is {parent.kind}, and only a categorical param with choices can be a condition."
            )
        elif not problems.touched(*place):
            _check_values(condition.values, parent, place, problems)
        seen.add(condition.param)
        fine = fine and len(problems.found) == before
    if fine and param.only_if:
        _check_reachable(param, earlier, path, problems)


def _no_parent(param: ParamSpace, name: str, names: Sequence[str], hint: str) -> str:
    if name == param.name:
        return "is the param itself. Name an earlier one."
    if name in names:
        return f"comes later in the space. Move [space.{name}] before [space.{param.name}]."
    return f"is no param of the space before this one. {hint}"


def _check_values(values: Sequence[Choice], parent: ParamSpace, path: Path, problems: Problems) -> None:
    if not values:
        problems.add(path, "has no values, so that it can never hold. Give at least one.")
    known = {(type(choice), choice) for choice in parent.choices}
    seen: set[tuple[type, Choice]] = set()
    for index, value in enumerate(values):
        if (type(value), value) not in known:
            choices = ", ".join(shown(choice) for choice in parent.choices[:20])
            problems.add(
                (*path, index), f"is {shown(value)}, no choice of {parent.name}, which has: {choices}."
            )
        elif (type(value), value) in seen:
            problems.add((*path, index), f"is {shown(value)} a second time.")
        seen.add((type(value), value))


def _check_reachable(
    param: ParamSpace, earlier: dict[str, ParamSpace], path: Path, problems: Problems
) -> None:
    """Note it when the conditions of a param and of those above it exclude each other."""
    allowed: dict[str, list[Choice]] = {}
    above, seen = [param], {param.name}
    while above:
        for condition in above.pop().only_if:
            values = list(condition.values)
            if condition.param in allowed:
                both = {(type(value), value) for value in values}
                values = [each for each in allowed[condition.param] if (type(each), each) in both]
            allowed[condition.param] = values
            if not values:
                problems.add(
                    path, f"can never hold: what stands above it wants other values of {condition.param}."
                )
                return
            if condition.param not in seen and condition.param in earlier:
                seen.add(condition.param)
                above.append(earlier[condition.param])
