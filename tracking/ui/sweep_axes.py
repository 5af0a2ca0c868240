"""Axes of a sweep's charts, and the line that says how much of it a chart shows. Pure."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from tracking.analysis.axes import Scale, ValueAxis
from tracking.analysis.reduction import reduce
from tracking.analysis.trials import PARAM
from tracking.ui import format, sweep_names

if TYPE_CHECKING:
    import pandas as pd

LONG_LABEL: Final = 18
SHORT_LABEL: Final = 6
CHOICE_ROOM: Final = 26
"""Characters of labels of choices that fit beside each other below a small chart."""
ROOM: Final = 24
"""Characters of labels of numbers that fit below a small chart."""
LONG_TITLE: Final = 32
WIDE_RANGE: Final = 100.0
"""Positive values that differ by more than this factor may be drawn by their logarithm where nothing says how,"""
LOW_MEDIAN: Final = 0.15
"""and are, where half of them lie in so small a share of their range."""
SAMPLE_SEED: Final = 0
BREAKS: Final = "breaks a constraint"
"""What is said of a complete trial that does not count as a result."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """How many of how many."""

    shown: int
    total: int


def drawn_note(drawn: Drawn, noun: str) -> str:
    """Return the line under a chart that says how many trials it shows."""
    if drawn.shown < drawn.total:
        return f"{format.count(drawn.shown)} of {format.plural(drawn.total, noun)} drawn, extremes kept"
    return format.plural(drawn.total, noun)


def text(name: str) -> str:
    """Return a name for a chart: cut, and no markup in it."""
    return html.escape(format.shorten_key(name, LONG_TITLE), quote=False)


def labels_of(values: Sequence[str], limit: int = LONG_LABEL) -> list[str]:
    """Return the labels of an axis: cut so that they can be told apart, and no markup in them."""
    cut = sweep_names.short(values, max(SHORT_LABEL, min(limit, LONG_LABEL)))
    return [html.escape(cut[value], quote=False) for value in values]


def cloud(x: NDArray[Any], y: NDArray[np.float64], most: int) -> NDArray[np.int64]:
    """Return the places, ascending, of at most `most` points that look like all of them: extremes and a sample.

    The extremes alone would draw the two edges of a cloud and nothing between. The sample is the same each time.

    Args:
        x: Shape `(n,)`, ascending.
        y: Shape `(n,)`, finite.
        most: At least 32.
    """
    if len(x) <= most:
        return np.arange(len(x), dtype=np.int64)
    extremes = reduce(x, y, most // 4)
    sample = np.random.default_rng(SAMPLE_SEED).permutation(len(x))[: most - len(extremes)]
    return np.union1d(extremes, sample)


def axis_layout(axis: ValueAxis, most: int = 4) -> dict[str, Any]:
    """Return what a Plotly axis takes to be this one.

    Args:
        axis: The axis.
        most: So many labels of numbers fit beside each other; choices have one each.
    """
    room = CHOICE_ROOM // max(1, len(axis.labels)) if axis.scale is Scale.CHOICES else LONG_LABEL
    ticks, labels = axis.ticks.tolist(), labels_of(axis.labels, room)
    if axis.scale is not Scale.CHOICES:
        placed = [place for place, tick in enumerate(ticks) if tick != axis.absent]
        whole = [place for place in placed if ticks[place] == round(ticks[place])]
        if axis.scale is Scale.LOG and 2 <= len(whole) < len(placed):
            placed = whole  # powers of ten
        every = -(-len(placed) // most)
        while len(placed[::every]) > 2 and sum(len(labels[place]) + 2 for place in placed[::every]) > ROOM:
            every += 1
        kept = placed[::every] if placed else []
        kept = [place for place, tick in enumerate(ticks) if place in kept or tick == axis.absent]
        ticks, labels = [ticks[place] for place in kept], [labels[place] for place in kept]
    # Beside a first and a last choice there is room for the labels, which Plotly leaves out where they are cut.
    beside = 0.5 if axis.scale is Scale.CHOICES else 0.04 * (axis.high - axis.low)
    return {
        "tickmode": "array",
        "tickvals": ticks,
        "ticktext": labels,
        "tickangle": 0 if sum(map(len, labels)) <= CHOICE_ROOM else "auto",
        "range": [axis.low - beside, axis.high + beside],
    }


def logarithmic(frame: pd.DataFrame, said: dict[str, bool]) -> frozenset[str]:
    """Return the columns of params that are drawn by their logarithm.

    Args:
        frame: As `trial_frame` makes it.
        said: Of the params in the definition, whether they are drawn evenly in it. Others are judged by their range.
    """
    found = set()
    for column in frame.columns:
        name = column.removeprefix(PARAM)
        if not column.startswith(PARAM) or frame[column].dtype == object:
            continue
        if name in said:
            if said[name]:
                found.add(column)
            continue
        values = frame[column].to_numpy(dtype=np.float64, na_value=np.nan)
        values = values[np.isfinite(values)]
        if not len(values) or values.min() <= 0 or values.max() / values.min() <= WIDE_RANGE:
            continue
        if (np.median(values) - values.min()) / (values.max() - values.min()) < LOW_MEDIAN:
            found.add(column)
    return frozenset(found)
