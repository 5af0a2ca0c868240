"""What differs between runs: params side by side, an absent param told from None."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from tracking.analysis.natural_order import natural


class Missing(Enum):
    """The value of a param that a run does not have; unlike None, which can be logged."""

    MISSING = "missing"

    def __repr__(self) -> str:
        return "MISSING"

    def __bool__(self) -> bool:
        return False


MISSING: Final = Missing.MISSING


@dataclass(frozen=True, slots=True)
class ParamComparison:
    """One param over several runs; `values` is in the order of the runs given."""

    key: str
    values: tuple[Any, ...]
    differs: bool


def compare_params(runs: Sequence[Mapping[str, Any]]) -> list[ParamComparison]:
    """Return every param of the runs with its values and whether they differ, in the natural order of their keys.

    Numbers compare by value (1 equals 1.0, NaN equals NaN), booleans only with
    booleans, lists and mappings by content. A run without the param has `MISSING`
    there, which differs from everything, None included.

    Args:
        runs: The flat params of each run (dotted keys).
    """
    keys = sorted(set().union(*runs), key=natural) if runs else []
    comparisons = []
    for key in keys:
        values = tuple(run.get(key, MISSING) for run in runs)
        comparisons.append(ParamComparison(key, values, len({_identity(value) for value in values}) > 1))
    return comparisons


def differing_params(runs: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """Return the keys of the params that are not the same in all runs, in natural order."""
    return tuple(comparison.key for comparison in compare_params(runs) if comparison.differs)


def _identity(value: Any) -> tuple[str, Any]:
    """Return something hashable that is equal exactly for values that count as the same."""
    if value is MISSING:
        return ("missing", None)
    if value is None:
        return ("none", None)
    if isinstance(value, bool):
        return ("bool", value)
    if isinstance(value, float) and math.isnan(value):
        return ("number", "nan")
    if isinstance(value, int | float):
        return ("number", value)
    if isinstance(value, str):
        return ("text", value)
    return ("json", json.dumps(value, sort_keys=True, default=repr))
