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

    `path` is the JSON list of the keys that lead to the value, None for the name alone. A leaf
    whose place is taken (`{"a": 1}` was logged, and later `{"a": {"b": 2}}`) stays at the top
    under its dotted name, with a number behind it where that is taken too.
    """
    nested: dict[str, Any] = {}
    branches: dict[tuple[str, ...], dict[str, Any]] = {(): nested}
    for name, path, value in leaves:
        keys = (name,) if path is None else tuple(json.loads(path))
        branch, key = _branch(branches, keys[:-1]), keys[-1]
        if branch is None or key in branch:
            branch, key = nested, name if name not in nested else f"{name} (2)"
        branch[key] = value
    return nested


def _branch(branches: dict[tuple[str, ...], dict[str, Any]], path: tuple[str, ...]) -> dict[str, Any] | None:
    """Return the dict at the path, made where it is absent; None where a value stands in the way."""
    if path not in branches:
        above = _branch(branches, path[:-1])
        if above is None or path[-1] in above:
            return None
        branches[path] = above[path[-1]] = {}
    return branches[path]
