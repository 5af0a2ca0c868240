"""Charts of a sweep as plain Plotly figures: its history, slices, front, importances. Pure.

As in `tracking.ui.charts`: the theme is left to the browser, and of many trials so many are drawn as can be told
apart, extremes kept.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from tracking.analysis.axes import Scale, ValueAxis
from tracking.analysis.best_so_far import best_so_far
from tracking.analysis.pareto import front_line
from tracking.analysis.slices import Slice
from tracking.analysis.trials import feasible, finished
from tracking.records import Goal
from tracking.sweep_records import SweepEdit, SweepObjective
from tracking.ui import format
from tracking.ui.charts import Figure
from tracking.ui.sweep_axes import BREAKS, Drawn, axis_layout, cloud, drawn_note, text
from tracking.ui.sweep_colours import BEST, FAINT, TRIAL

if TYPE_CHECKING:
    import pandas as pd

MOST_POINTS: Final = 1_000
MOST_OF_A_SLICE: Final = 200
MOST_FAINT: Final = 250
FEWEST_FOR_VIEW: Final = 5
"""Complete trials from which they alone decide what the first view shows."""
FEW_TRIALS: Final = 8
FAR_OFF: Final = 4.0
"""So many times the range of the better three quarters: what lies beyond is left out of the first view."""


def history(
    frame: pd.DataFrame,
    column: str,
    wanted: SweepObjective,
    edits: Sequence[SweepEdit] = (),
    *,
    with_best: bool = True,
) -> tuple[Figure, str]:
    """Return the cloud of trials with the best so far, and the line that says how many of them are drawn.

    Args:
        frame: As `trial_frame` makes it.
        column: Of the objective.
        wanted: The objective.
        edits: Of the sweep's present study, each a mark where it was made.
        with_best: Whether to draw the best so far: of one among several objectives it says little.
    """
    held = feasible(frame)
    found = best_so_far(frame, column, wanted.goal, feasible=held)
    numbers, values = found["number"].to_numpy(), found["value"].to_numpy(dtype=np.float64)
    finite = np.isfinite(values)
    kept = cloud(numbers[finite], values[finite], MOST_POINTS)
    x, y = numbers[finite][kept], values[finite][kept]
    name = html.escape(format.shorten_key(wanted.metric, 40), quote=False)
    traces = [_points(x, y, "complete", TRIAL, f"trial %{{x}}: {name} %{{y:.6~g}}<extra></extra>", 0.8)]
    pruned = _pruned(frame, column)
    if len(pruned[0]):
        traces.append(
            _points(
                *pruned,
                "pruned, as far as it came",
                FAINT,
                f"trial %{{x}}, pruned at {name} %{{y:.6~g}}<extra></extra>",
                0.9,
                "circle-open",
            )
        )
    if with_best and len(numbers):
        traces.append(_best_line(found, int(frame["number"].max())))
    if edits:
        traces.append(_edit_marks(edits))
    layout = _layout(text(wanted.metric), "trial", legend=True)
    # The first trial stands whole beside the axis.
    layout["xaxis"]["autorangeoptions"] = {"clipmin": -max(0.5, 0.01 * len(frame))}
    if len(frame) < FEW_TRIALS:
        layout["xaxis"]["dtick"] = 1  # there is no trial 0.5
    low, high, beyond = first_view(values[finite], wanted.goal)
    # Pruned trials ended early, far from where they would have come: they must not press the others together.
    outside = int(((pruned[1] < low) | (pruned[1] > high)).sum()) if len(kept) >= FEWEST_FOR_VIEW else 0
    if beyond or outside:
        layout["yaxis"]["autorangeoptions"] = {"clipmin": low, "clipmax": high}
    layout["shapes"] = [_line_at(edit.trial - 0.5) for edit in edits]
    layout["yaxis2"] = {"overlaying": "y", "range": [0, 1], "fixedrange": True, "visible": False}
    note = drawn_note(Drawn(len(kept), len(numbers)), "complete trial")
    if breaking := int((~held & finished(frame, [column])).sum()):
        note += f" · {format.count(breaking)} of them break a constraint, and are not the best so far"
    if odd := int((~finite).sum()):
        note += f" · {format.count(odd)} infinite"
    if beyond:
        note += f" · {format.plural(beyond, 'trial')} far off, beyond the first view"
    if outside:
        note += f" · {format.count(outside)} pruned beyond the first view"
    return {"data": traces, "layout": layout}, note


def first_view(values: NDArray[np.float64], goal: Goal | None) -> tuple[float, float, int]:
    """Return the range that shows what matters, and how many values lie beyond it.

    A few trials that diverged would press all others into one line. Left out are at most a quarter of them, on the
    worse side, and only where they are far from the others.
    """
    if not len(values):
        return 0.0, 1.0, 0
    loss = -values if goal is Goal.MAXIMIZE else values
    best, upper = float(loss.min()), float(np.quantile(loss, 0.75))
    limit = upper + FAR_OFF * (upper - best)
    far = loss > limit
    if not far.any() or upper <= best:
        room = 0.06 * float(values.max() - values.min()) or 0.05 * abs(best) or 0.5
        return float(values.min()) - room, float(values.max()) + room, 0
    ends = sorted((best - 0.05 * (limit - best), float(loss[~far].max()) + 0.05 * (limit - best)))
    low, high = (-ends[1], -ends[0]) if goal is Goal.MAXIMIZE else (ends[0], ends[1])
    return low, high, int(far.sum())


def slice_chart(found: Slice, name: str, wanted: SweepObjective, best: int | None) -> tuple[Figure, Drawn]:
    """Return one param against an objective, and how many of its trials are drawn.

    Args:
        found: The points.
        name: Of the param.
        wanted: The objective.
        best: Place of the best trial in the frame, None where there is none.
    """
    placed = np.isfinite(found.axis.positions)
    order = np.argsort(found.axis.positions[placed], kind="stable")
    x, y = found.axis.positions[placed][order], found.values[placed][order]
    kept = cloud(x, y, MOST_OF_A_SLICE)
    traces = [_points(x[kept], y[kept], "trials", TRIAL, "%{y:.6~g}<extra></extra>", 0.75, size=5)]
    if found.axis.scale is Scale.CHOICES:  # below the axis they may be cut
        traces[0]["text"] = _choices(found.axis, x[kept])
        traces[0]["hovertemplate"] = "%{text}: %{y:.6~g}<extra></extra>"
    if best is not None and (here := np.flatnonzero(found.rows[placed] == best)).size:
        place = found.axis.positions[placed][here[0]]
        traces.append(
            _points(
                [place],
                [found.values[placed][here[0]]],
                "best",
                BEST,
                "best: %{y:.6~g}<extra></extra>",
                1,
                size=9,
            )
        )
    layout = _layout("", text(name), legend=False)
    layout["xaxis"].update(axis_layout(found.axis))
    low, high, beyond = first_view(found.values, wanted.goal)
    if beyond:
        layout["yaxis"]["autorangeoptions"] = {"clipmin": low, "clipmax": high}
    layout["margin"] = {"l": 8, "r": 8, "t": 8, "b": 36}
    return {"data": traces, "layout": layout}, Drawn(len(kept), len(x))


def _choices(axis: ValueAxis, positions: NDArray[np.float64]) -> list[str]:
    named = dict(zip(axis.ticks.tolist(), axis.labels, strict=True))
    return [
        html.escape(format.shorten(named.get(place, ""), 60), quote=False) for place in positions.tolist()
    ]


def front_chart(
    values: NDArray[np.float64],
    numbers: NDArray[np.int64],
    front: NDArray[np.bool_],
    pair: tuple[SweepObjective, SweepObjective],
    *,
    joined: bool,
    feasible: NDArray[np.bool_] | None = None,
) -> tuple[Figure, Drawn]:
    """Return two objectives against each other, the trials on the front marked.

    Args:
        values: Shape `(trials, 2)`, finite.
        numbers: Of the trials.
        front: Which of them are on the front of all objectives.
        pair: The two.
        joined: Whether the front is a line: that of more than two objectives is none here.
        feasible: Which of them hold their constraints; None: all do.
    """
    held = np.ones(len(values), dtype=bool) if feasible is None else feasible
    kept = _few(values, np.flatnonzero(~front & held), MOST_POINTS)
    broken = _few(values, np.flatnonzero(~front & ~held), MOST_FAINT)
    names = [html.escape(format.shorten_key(each.metric, 40), quote=False) for each in pair]
    hover = f"trial %{{customdata}}<br>{names[0]} %{{x:.6~g}}<br>{names[1]} %{{y:.6~g}}<extra></extra>"
    traces = [_points(values[kept, 0], values[kept, 1], "other trials", TRIAL, hover, 0.8)]
    traces[0]["customdata"] = numbers[kept].astype(np.float64)
    if len(broken):
        outside = _points(
            values[broken, 0], values[broken, 1], BREAKS, FAINT, hover, 0.9, symbol="x-thin-open", size=7
        )
        outside["customdata"] = numbers[broken].astype(np.float64)
        traces.append(outside)
    ahead = front_line(values, [each.goal for each in pair], front)[:MOST_POINTS]
    best = _points(values[ahead, 0], values[ahead, 1], "on the front", BEST, hover, 1, size=8)
    best["customdata"] = numbers[ahead].astype(np.float64)
    if joined:
        # A step: between two trials of the front nothing is known to be better than the worse of both.
        best.update(mode="lines+markers", line={"color": BEST, "width": 1, "dash": "dot", "shape": "hv"})
    traces.append(best)
    layout = _layout(axis_title(pair[1]), axis_title(pair[0]), legend=True)
    return {"data": traces, "layout": layout}, Drawn(len(kept) + len(broken) + len(ahead), len(values))


def _few(values: NDArray[np.float64], rows: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    """Return those of the rows to draw as a cloud."""
    order = rows[np.argsort(values[rows, 0], kind="stable")]
    return order[cloud(values[order, 0], values[order, 1], most)] if len(order) else order


def axis_title(wanted: SweepObjective) -> str:
    """Return the title of an objective's axis: its name, and which way is better."""
    better = (
        ""
        if wanted.goal is None
        else " (more is better)"
        if wanted.goal is Goal.MAXIMIZE
        else " (less is better)"
    )
    return text(wanted.metric) + better


def _pruned(frame: pd.DataFrame, column: str) -> tuple[NDArray[Any], NDArray[Any]]:
    values = frame[column].to_numpy(dtype=np.float64)
    rows = np.flatnonzero((frame["state"] == "pruned").to_numpy(dtype=bool) & np.isfinite(values))
    numbers = frame["number"].to_numpy()[rows]
    kept = cloud(numbers, values[rows], MOST_FAINT) if len(rows) else rows
    return numbers[kept], values[rows][kept]


def _best_line(found: pd.DataFrame, last: int) -> dict[str, Any]:
    improved = found["improved"].to_numpy(dtype=bool) & np.isfinite(found["best"].to_numpy(dtype=np.float64))
    x, y = found["number"].to_numpy()[improved], found["best"].to_numpy(dtype=np.float64)[improved]
    if len(x):
        x, y = np.append(x, max(last, x[-1])), np.append(y, y[-1])
    return {
        "type": "scatter",
        "mode": "lines",
        "line": {"color": BEST, "width": 2, "shape": "hv"},
        "x": x,
        "y": y,
        "name": "best so far",
        "hoverinfo": "skip",
    }


def _edit_marks(edits: Sequence[SweepEdit]) -> dict[str, Any]:
    said = [html.escape(format.shorten(edit.sentence, 120), quote=False) for edit in edits]
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [edit.trial - 0.5 for edit in edits],
        "y": [0.98] * len(edits),
        "yaxis": "y2",
        "text": said,
        "name": "changed",
        "marker": {"symbol": "triangle-down", "size": 9, "color": "#846000"},
        "hovertemplate": "%{text}<extra></extra>",
        "cliponaxis": False,
    }


def _line_at(x: float) -> dict[str, Any]:
    line = {"color": "#846000", "width": 1, "dash": "dot"}
    return {
        "type": "line",
        "x0": x,
        "x1": x,
        "y0": 0,
        "y1": 1,
        "yref": "paper",
        "line": line,
        "layer": "below",
    }


def _points(
    x: Any, y: Any, name: str, colour: str, hover: str, opacity: float, symbol: str = "circle", size: int = 6
) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "markers",
        "x": x,
        "y": y,
        "name": name,
        "marker": {"color": colour, "size": size, "opacity": opacity, "symbol": symbol},
        "hovertemplate": hover,
    }


def _layout(y: str, x: str, *, legend: bool) -> dict[str, Any]:
    return {
        "margin": {"l": 8, "r": 12, "t": 8, "b": 40},
        "showlegend": legend,
        "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        "hovermode": "closest",
        "dragmode": "zoom",
        "xaxis": {"title": {"text": x, "standoff": 6}, "zeroline": False},
        "yaxis": {
            "title": {"text": y, "standoff": 6},
            "zeroline": False,
            "exponentformat": "e",
            "automargin": True,
        },
    }
