"""Where the values of a param lie along an axis: numbers, choices, and trials that do not have it."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tracking.analysis.trials import label, present

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]

ABSENT = "not set"
"""The label of the place where trials lie that do not have the param."""
OTHER = "others"
"""The label of the place that all but the most frequent choices share."""
MAX_CHOICES = 40
"""So many choices have a place of their own."""
LARGEST = 1.7e308
"""Axes end there, near the greatest number that there is."""


class Scale(StrEnum):
    """How values become positions."""

    LINEAR = "linear"
    LOG = "log"
    CHOICES = "choices"


@dataclass(frozen=True, slots=True)
class ValueAxis:
    """The values of one column along one axis.

    Attributes:
        column: Of the trial frame.
        scale: A position is a number, its logarithm to base 10, or the place of a choice from 0.
        positions: Shape `(trials,)`; NaN for what has no place (NaN, infinities, 0 or less on a logarithmic axis).
        ticks: Where to put labels, ascending.
        labels: One per tick: text from the user's program among them.
        low: Lower end of the axis.
        high: Upper end of it; above `low`.
        absent: Where trials lie that do not have the param, below the others; None where all have it.
    """

    column: str
    scale: Scale
    positions: Floats
    ticks: Floats
    labels: tuple[str, ...]
    low: float
    high: float
    absent: float | None = None


def axis_of(column: pd.Series, *, log: bool = False) -> ValueAxis:
    """Return the axis of a column of a trial frame.

    Args:
        column: Params or values.
        log: Whether numbers are to be shown by their logarithm; not done where one of them is 0 or below.
    """
    there = present(column)
    name = str(column.name)
    if column.dtype == object or column.dtype == bool:
        return _choices(name, column, there)
    numbers = column.to_numpy(dtype=np.float64, na_value=np.nan)
    finite = np.isfinite(numbers)
    log = log and bool(finite.any()) and bool((numbers[finite] > 0).all())
    positions = np.full(len(numbers), np.nan)
    positions[finite] = np.log10(numbers[finite]) if log else numbers[finite]
    low, high = (
        (float(positions[finite].min()), float(positions[finite].max())) if finite.any() else (0.0, 1.0)
    )
    if not high > low:
        room = 0.5 if log or low == 0 else abs(low) * 0.05
        low, high = low - room, high + room
    ticks = _powers(low, high) if log else _round_numbers(low, high)
    labels = tuple(f"{10.0**tick:.6g}" if log else f"{tick:.6g}" for tick in ticks)
    absent = None
    if name.startswith("params.") and not there.all():
        absent = max(low - 0.12 * (high - low), -LARGEST)
        positions[~there] = absent
        ticks, labels, low = np.concatenate([[absent], ticks]), (ABSENT, *labels), absent
    return ValueAxis(name, Scale.LOG if log else Scale.LINEAR, positions, ticks, labels, low, high, absent)


def _choices(name: str, column: pd.Series, there: NDArray[np.bool_]) -> ValueAxis:
    texts = [label(value) if have else None for value, have in zip(column.array, there, strict=True)]
    often = Counter(text for text in texts if text is not None)
    kept = sorted(sorted(often, key=lambda text: (-often[text], text))[:MAX_CHOICES], key=_in_order)
    place = {text: float(number) for number, text in enumerate(kept)}
    rest = float(len(kept))
    labels = [*kept, OTHER] if len(often) > len(kept) else kept
    absent = None if there.all() else -1.0
    lying = [-1.0 if text is None else place.get(text, rest) for text in texts]
    ticks = np.arange(len(labels), dtype=np.float64)
    if absent is not None:
        labels, ticks = [ABSENT, *labels], np.concatenate([[absent], ticks])
    low, high = (float(ticks[0]), float(ticks[-1])) if len(ticks) else (0.0, 0.0)
    if not high > low:
        low, high = low - 0.5, high + 0.5
    return ValueAxis(name, Scale.CHOICES, np.array(lying), ticks, tuple(labels), low, high, absent)


def _in_order(text: str) -> tuple[int, float, str]:
    """Sort numbers by value and before words."""
    try:
        number = float(text)
    except ValueError:
        return 1, 0.0, text
    return (0, number, text) if math.isfinite(number) else (1, 0.0, text)


def _powers(low: float, high: float) -> Floats:
    """Return ticks of a logarithmic axis: powers of ten, with 2 and 5 between them where there are few."""
    first, last = math.floor(low), math.ceil(high)
    stride = max(1, math.ceil((last - first) / 8))
    exponents = np.arange(first, last + 1, stride, dtype=np.float64)
    for steps in ((1.0,), (1.0, 2.0, 5.0), tuple(map(float, range(1, 10)))):
        ticks = np.sort(np.add.outer(exponents, np.log10(steps)).reshape(-1))
        ticks = ticks[(ticks >= low - 1e-9) & (ticks <= high + 1e-9)]
        if len(ticks) >= 3 or stride > 1:
            return np.asarray(ticks)
    return np.array([low, high]) if len(ticks) < 2 else np.asarray(ticks)


def _round_numbers(low: float, high: float) -> Floats:
    """Return four to nine ticks at multiples of 1, 2, 2.5 or 5 times a power of ten."""
    span = high - low
    if not math.isfinite(span) or span <= 0 or not low + span / 5 > low:
        return np.array([low, high])
    power = 10.0 ** math.floor(math.log10(span / 5))
    if power == 0:
        return np.array([low, high])
    step = next(unit * power for unit in (1.0, 2.0, 2.5, 5.0, 10.0) if unit * power >= span / 6 * 0.999)
    first = math.ceil(low / step - 1e-9)
    return np.asarray(np.arange(first, math.floor(high / step + 1e-9) + 1, dtype=np.float64) * step)
