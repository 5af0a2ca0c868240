"""Params as they were logged, from their rows."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any


def decode_value(kind: str, text: str) -> Any:
    """Return the value of a row of `params`: None, bool, int, float (NaN and infinities too), str or JSON."""
    match kind:
        case "text" | "repr":
            return text
        case "float":
            return float(text)
        case "null":
            return None
        case "bool":
            return text == "true"
        case "int":
            return int(text)
    return json.loads(text)


def nest(leaves: Iterable[tuple[str, str | None, Any]]) -> dict[str, Any]:
    """Return the nested params of `(dotted name, path, value)` rows.

    `path` is the JSON list of the keys that lead to the value, None for the name alone.
    A leaf whose place is taken by another one (`{"a": 1}` logged, and later
    `{"a": {"b": 2}}`) stays at the top under its dotted name.
    """
    nested: dict[str, Any] = {}
    branches = {id(nested)}
    for name, path, value in leaves:
        keys = [name] if path is None else json.loads(path)
        branch = nested
        for key in keys[:-1]:
            below = branch.setdefault(key, {})
            if below == {} and id(below) not in branches:
                branches.add(id(below))
            if id(below) not in branches:
                break
            branch = below
        else:
            if keys[-1] not in branch:
                branch[keys[-1]] = value
                continue
        nested[name] = value
    return nested
