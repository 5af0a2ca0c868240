"""Which values of a configuration are repeats of their own, by the params that tell repeats apart."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any

from tracking.registry_records import EvidencePoint

_FOLD = re.compile(r"(^|[._-])(cv[._-]?)?folds?([._-]?(id|ids|index|idx|number|no|nr))?$", re.IGNORECASE)
_SHOWN = 3


def is_fold(name: str) -> bool:
    """Whether a param's name says that it is the fold of a cross-validation."""
    return _FOLD.search(name) is not None


def identity(value: Any) -> Hashable:
    """Return what is equal exactly for equal values: 1 and 1.0 are, "1" and True are others."""
    if isinstance(value, bool | str) or value is None:
        return type(value).__name__, value
    if isinstance(value, int | float):
        return "number", "nan" if value != value else value
    return type(value).__name__, repr(value)


def repeat_key(repeat: Mapping[str, Any]) -> Hashable:
    """Return what is equal for equal values of all repeat params."""
    return frozenset((name, identity(value)) for name, value in repeat.items())


def count_repeats(repeats: Iterable[Mapping[str, Any]]) -> int:
    """Return how many repeats runs are: those of equal repeat params are one, those without any are one each."""
    listed = list(repeats)
    return len({repeat_key(each) for each in listed if each}) + sum(not each for each in listed)


def merged(points: Sequence[EvidencePoint]) -> tuple[tuple[EvidencePoint, ...], tuple[str, ...]]:
    """Return one point for each repeat, and what that made one of, a phrase each.

    Runs with equal values of all repeat params, as of one seed five times, are the same repeat run again: five of them
    say nothing of what another seed would give. They become their mean, under the first one's id. Runs without any
    repeat param stay as they are, and so do folds of runs that nothing but these tells apart.

    Args:
        points: With finite values.
    """
    values = Counter(each.run for each in points)
    groups: dict[Hashable, list[EvidencePoint]] = {}
    labels: dict[tuple[str, ...], str] = {}
    for each in points:
        own = _own(each, values[each.run])
        key = repeat_key(each.repeat)
        groups.setdefault(key if own else (each.run, key), []).append(each)
    for same in groups.values():
        if len(same) > 1:
            runs = tuple(each.run for each in same)
            own = _own(same[0], values[same[0].run])
            labels[runs] = ", ".join(f"{name}={value!r:.40}" for name, value in own.items())
    said = [f"{len(runs)} runs of {label}" for runs, label in labels.items()]
    phrases = [f"{each} count as one repeat, their mean" for each in said[:_SHOWN]]
    if (more := len(said) - _SHOWN) > 0:
        phrases.append(f"runs of {more} further repeats count as one each, their mean")
    return tuple(_mean(same) for same in groups.values()), tuple(phrases)


def _own(point: EvidencePoint, values: int) -> dict[str, Any]:
    """Return the repeat params of the run itself: not which of its folds a value is, where it has several."""
    return {name: value for name, value in point.repeat.items() if values == 1 or not is_fold(name)}


def _mean(same: Sequence[EvidencePoint]) -> EvidencePoint:
    first, values = same[0], [each.value for each in same]
    if len(set(values)) == 1:
        return first  # a mean might be off by its rounding
    return EvidencePoint(first.run, mean_of(values), first.repeat)


def mean_of(values: Sequence[float]) -> float:
    """Return the mean of finite numbers, also of such whose sum is none."""
    try:
        return math.fsum(values) / len(values)
    except OverflowError:
        return math.fsum(value / len(values) for value in values)
