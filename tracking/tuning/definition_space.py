"""Reading the search space and the configurations to start with out of a definition file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tracking.tuning.definition import Choice, OnlyIf, ParamKind, ParamSpace
from tracking.tuning.definition_fields import Fields, shown

_BELONGS = {
    ParamKind.FLOAT: ("low", "high", "log", "step"),
    ParamKind.INT: ("low", "high", "log", "step"),
    ParamKind.CATEGORICAL: ("choices",),
    ParamKind.FIXED: ("value",),
}
_OWN = tuple(dict.fromkeys(name for names in _BELONGS.values() for name in names))


def read_space(file: Fields) -> tuple[ParamSpace, ...]:
    """Return the params of `[space]` in the order of the file."""
    space = file.below("space")
    if space is None:
        return ()
    found = []
    for name in space.table:
        fields = space.below(name)
        if fields is not None:
            found.append(_param(name, fields))
    return tuple(found)


def _param(name: str, fields: Fields) -> ParamSpace:
    kind = fields.word("type", ParamKind) or _kind(fields)
    if kind is None:
        _no_kind(name, fields)
        return ParamSpace(name, ParamKind.FIXED)
    for own in _OWN:
        fields.ask(own)
        if own in fields and own not in _BELONGS[kind]:
            fields.wrong(own, f"does not belong to a param of type {kind}. Leave it out, or change the type.")
    only_if = _only_if(fields)
    if kind is ParamKind.CATEGORICAL:
        fields.require("choices", "a list of values")
        param = ParamSpace(name, kind, choices=fields.choices("choices"), only_if=only_if)
    elif kind is ParamKind.FIXED:
        fields.require("value", "the value")
        param = ParamSpace(name, kind, value=fields.choice("value"), only_if=only_if)
    else:
        param = _range(name, kind, fields, only_if)
    fields.done()
    return param


def _range(name: str, kind: ParamKind, fields: Fields, only_if: tuple[OnlyIf, ...]) -> ParamSpace:
    bounds: dict[str, int | float | None] = {}
    for bound in ("low", "high", "step"):
        if bound != "step":
            fields.require(bound, "a number")
        bounds[bound] = fields.whole(bound) if kind is ParamKind.INT else fields.number(bound)
        if kind is ParamKind.FLOAT and bounds[bound] is not None:
            bounds[bound] = float(bounds[bound] or 0)
    return ParamSpace(
        name,
        kind,
        low=bounds["low"],
        high=bounds["high"],
        step=bounds["step"],
        log=fields.flag("log") or False,
        only_if=only_if,
    )


def _kind(fields: Fields) -> ParamKind | None:
    if "type" in fields:
        return None
    if "choices" in fields:
        return ParamKind.CATEGORICAL
    if "value" in fields:
        return ParamKind.FIXED
    if "low" in fields or "high" in fields:
        numbers = [fields.table.get(name) for name in ("low", "high", "step")]
        return ParamKind.FLOAT if any(isinstance(each, float) for each in numbers) else ParamKind.INT
    return None


def _no_kind(name: str, fields: Fields) -> None:
    if "type" in fields:
        return  # which is the problem, and said
    values = fields.table.values()
    inner = next(iter(fields.table), "")
    if values and all(isinstance(value, dict) for value in values) and "only_if" not in fields:
        fields.problems.add(
            fields.path,
            f'has a table inside. A param with a dot in its name stands in quotes: [space."{name}.{inner}"].',
        )
    else:
        fields.problems.add(fields.path, "says nothing to draw from. Give low and high, choices, or value.")


def _only_if(fields: Fields) -> tuple[OnlyIf, ...]:
    conditions = fields.below("only_if")
    if conditions is None:
        return ()
    return tuple(OnlyIf(name, conditions.choices(name, scalar=True)) for name in conditions.table)


def read_start_with(file: Fields, space: Sequence[ParamSpace]) -> tuple[Mapping[str, Choice], ...]:
    """Return the configurations of `[[start_with]]`; whole numbers become floats where the param is one."""
    floats = {param.name for param in space if param.kind is ParamKind.FLOAT}
    found = []
    for fields in file.several("start_with"):
        params: dict[str, Choice] = {}
        for name in fields.table:
            value = fields.choice(name)
            if name in floats and isinstance(value, int) and not isinstance(value, bool):
                try:
                    value = float(value)
                except OverflowError:
                    fields.wrong(name, f"is too large: {shown(value)}.")
            params[name] = value
        found.append(params)
    return tuple(found)
