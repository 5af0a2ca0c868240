"""Parallel coordinates of a sweep as a plain Plotly figure, and what a brush on it stands for. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from tracking.analysis.axes import Scale
from tracking.analysis.parallel import ParallelCoordinates
from tracking.analysis.trials import PARAM, VALUE
from tracking.records import Goal
from tracking.ui.charts import Figure
from tracking.ui.sweep_axes import LONG_LABEL, Drawn, labels_of
from tracking.ui.sweep_colours import BEST, NEUTRAL, TRIAL

if TYPE_CHECKING:
    import pandas as pd

MOST_LINES: Final = 500
KEPT_BEST: Final = 100
ROOM: Final = 100
"""Characters of names that fit beside each other above the axes of a chart on a small screen,"""
MOST_LEVEL: Final = 7
"""axes of which the names do; those of more are tilted where they are long,"""
TILTED, ANGLE = 14, -25
"""and have so many characters."""
MOST_CHOICES: Final = 16
"""Of an axis, which are named,"""
NOTHING: Final = "\u200b"
"""and a space without width, for the others."""
WIDTH: Final = 7
"""Of a character, in pixels."""
SCALE: Final = ((0.0, NEUTRAL), (0.6, TRIAL), (0.92, BEST), (1.0, BEST))

Brush = Mapping[str, Sequence[tuple[float, float]]]


def parallel_chart(
    found: ParallelCoordinates, frame: pd.DataFrame, column: str, goal: Goal | None
) -> tuple[Figure, Drawn]:
    """Return the lines of the trials, coloured by their rank on an objective, the best last and over the others.

    Args:
        found: Axes and rows.
        frame: As `trial_frame` makes it.
        column: Of the objective that colours.
        goal: Of that objective.
    """
    values = frame[column].to_numpy(dtype=np.float64)[found.rows]
    worth = values if goal is Goal.MAXIMIZE else -values
    order = np.argsort(worth, kind="stable")  # the best last
    # Equal values have one colour, the best of them all that of the best.
    rank = np.searchsorted(worth[order], worth, side="right") / len(order)
    kept = order[_kept(len(order))]
    dimensions = []
    tilted = len(found.axes) > MOST_LEVEL
    room = TILTED if tilted else min(LONG_LABEL, ROOM // len(found.axes))
    plain = [
        axis.column.removeprefix(PARAM if axis.column.startswith(PARAM) else VALUE) for axis in found.axes
    ]
    names = labels_of(plain, room)
    for axis, name in zip(found.axes, names, strict=True):
        positions = axis.positions[kept]
        dimension: dict[str, Any] = {
            "name": axis.column,
            "label": name,
            "values": np.where(np.isfinite(positions), positions, axis.low),
            "range": [axis.low, axis.high],
        }
        if axis.scale is Scale.CHOICES:
            # Each keeps its tick, to which a brush snaps; of many only so many are named as fit above each other. The
            # others have names that show nothing and yet differ: Plotly takes equal ones for one choice.
            last, step = len(axis.labels) - 1, -(-len(axis.labels) // MOST_CHOICES)
            named = [
                # The last one, which may stand for all others, has its name in any case.
                name
                if place == last or (place % step == 0 and place + step <= last)
                else NOTHING * (place + 1)
                for place, name in enumerate(labels_of(axis.labels, room))
            ]
            dimension |= {"tickvals": axis.ticks.tolist(), "ticktext": named}
        else:
            # With `tickvals` Plotly takes an axis for one of choices: it ends at the outer ticks, and a brush snaps
            # to them. The page's script writes these labels instead.
            dimension["labels"] = {"at": axis.ticks.tolist(), "text": list(axis.labels)}
        dimensions.append(dimension)
    trace: dict[str, Any] = {
        "type": "parcoords",
        "line": {
            "color": rank[kept],
            "cmin": 0.0,
            "cmax": 1.0,
            "colorscale": [list(stop) for stop in SCALE],
            "showscale": False,
        },
        "unselected": {"line": {"color": "#9c9c9c", "opacity": 0.12}},
        "dimensions": dimensions,
        "labelfont": {"size": 12},
        "tickfont": {"size": 11},
        "rangefont": {"size": 1, "color": "rgba(0,0,0,0)"},
    }
    # Labels stand to the left of an axis, and its name above the middle of it.
    shown = [len(each.strip(NOTHING)) for each in dimensions[0].get("ticktext", ())]
    beside = max([*shown, len(names[0]) // 2])
    top = 48
    if tilted and max(map(len, plain)) > ROOM // len(found.axes):
        trace["labelangle"] = ANGLE
        top = 80
    layout = {"margin": {"l": max(64, 12 + WIDTH * beside), "r": 64, "t": top, "b": 20}}
    return {"data": [trace], "layout": layout}, Drawn(len(kept), len(order))


def _kept(count: int) -> NDArray[np.int64]:
    """Return which places of an order, the best last, are drawn: the best, and the others evenly."""
    if count <= MOST_LINES:
        return np.arange(count)
    others = np.linspace(0, count - KEPT_BEST - 1, MOST_LINES - KEPT_BEST).round().astype(np.int64)
    return np.concatenate([others, np.arange(count - KEPT_BEST, count)])


def checked_brush(given: object, columns: Sequence[str]) -> dict[str, tuple[tuple[float, float], ...]]:
    """Return what the browser sent if it is a brush: ranges by the column of their axis."""
    if not isinstance(given, Mapping):
        return {}
    found = {}
    for column in columns:
        ranges = given.get(column)
        if not isinstance(ranges, list | tuple):
            continue
        pairs = [ranges] if len(ranges) == 2 and not isinstance(ranges[0], list | tuple) else ranges
        kept = tuple(
            (float(pair[0]), float(pair[1]))
            for pair in pairs
            if isinstance(pair, list | tuple)
            and len(pair) == 2
            and all(isinstance(end, int | float) and np.isfinite(end) for end in pair)
        )
        if kept:
            found[column] = kept
    return found
