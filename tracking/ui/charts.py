"""Charts as plain Plotly figures. Pure: curves in, a dictionary out, nothing is drawn here.

Theme (fonts, grid, background) is left to the browser. Lines are SVG: the points
are reduced before they come here, and browsers allow only a few WebGL contexts.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tracking.analysis.curves import Axis, Curve, CurveOptions
from tracking.ui import format
from tracking.ui.colours import RunStyle

Figure = dict[str, Any]

POINTS_A_PAGE = 60_000
"""Points of all lines of a page together: about 1 MB as they are sent."""
POINTS_A_LINE = (150, 2_000)
FAR = 1e300
"""Beyond this or its inverse, Plotly chooses logarithmic axes that leave points out."""
MARGIN = 0.05
"""Share of the drawn values' span that is left free above and below."""
HOVERED_LINES = 10
"""Up to so many lines tell their values at one x together."""
HOVERED_NAME = 40
MARKED_POINTS = 40
"""Lines of at most this many points show each of them."""


@dataclass(frozen=True, slots=True)
class Line:
    """One run's curve on a chart. The name is stored text, shown as it is."""

    run: str
    name: str
    curve: Curve
    style: RunStyle


@dataclass(frozen=True, slots=True)
class TimeUnit:
    """The unit in which relative time is shown."""

    name: str
    seconds: float


def relative_unit(longest: float) -> TimeUnit:
    """Return the unit for runs of which the longest took `longest` seconds."""
    if longest < 300:
        return TimeUnit("seconds", 1.0)
    return TimeUnit("minutes", 60.0) if longest < 3 * 3600 else TimeUnit("hours", 3600.0)


def points_per_line(charts: int, lines: int) -> int:
    """Return how many points a line may have, with `charts` of `lines` lines on the page."""
    low, high = POINTS_A_LINE
    return min(high, max(low, POINTS_A_PAGE // max(1, charts * lines)))


def metric_chart(
    lines: Sequence[Line],
    options: CurveOptions,
    *,
    unit: TimeUnit | None = None,
    zone_offset: float = 0.0,
    legend: bool = False,
) -> Figure:
    """Return the figure of one metric.

    Smoothed lines are drawn over the faint raw ones. NaN, infinities and what a linear axis cannot
    reach are marks at the lower or upper edge, in the colour of the run: cross, triangle up, triangle
    down. While a part of x is in view, y fits the values there.

    Args:
        lines: One per run.
        options: As the curves were made.
        unit: Unit of relative time.
        zone_offset: Seconds that the reader's clock is ahead of UTC, for wall time.
        legend: Whether the names of the runs are listed under the chart.
    """
    unit = unit or TimeUnit("seconds", 1.0)
    traces: list[dict[str, Any]] = []
    for line in lines:
        x = _drawn_x(line.curve.x, options.axis, unit, zone_offset)
        if line.curve.raw_x is not None:
            traces.append(_raw_trace(line, _drawn_x(line.curve.raw_x, options.axis, unit, zone_offset)))
        traces.append(_line_trace(line, x, legend))
        if len(line.curve.marked_x):
            marked_x = _drawn_x(line.curve.marked_x, options.axis, unit, zone_offset)
            traces.append(_mark_trace(line, marked_x))
    few = len(lines) <= HOVERED_LINES
    if not few:
        for trace in traces:
            if "hovertemplate" in trace:  # one point is shown, that under the pointer: it says where it is
                trace["hovertemplate"] = "%{xaxis.title.text} %{x}: " + trace["hovertemplate"]
    layout = _layout(options, unit, legend, single=len(lines) == 1, few=few)
    if (fitting := _fitting_range(lines, options)) is not None:
        low, high = fitting
        # Not `range`: what the reader zooms to himself goes first, and a double click undoes that.
        layout["yaxis"]["autorangeoptions"] = {"include": [low, high], "clipmin": low, "clipmax": high}
    return {"data": traces, "layout": layout}


def points_note(curves: Sequence[Curve], *, zoomed: bool = False) -> str:
    """Return the line under a chart that says how much of the data it shows."""
    shown, total = sum(curve.shown for curve in curves), sum(curve.total for curve in curves)
    where = " in view" if zoomed else ""
    note = (
        f"{format.count(shown)} of {format.count(total)} points{where}, extremes kept"
        if shown < total
        else f"{format.plural(total, 'point')}{where}"
    )
    if non_finite := sum(curve.non_finite for curve in curves):
        note += f" · {format.count(non_finite)} not finite (✕ NaN, ▲ inf, ▼ -inf)"
    if beyond := sum(curve.beyond for curve in curves):
        note += f" · {format.count(beyond)} too large for a linear axis (▲ ▼), Log y draws them"
    if tiny := sum(curve.tiny for curve in curves):
        note += f" · {format.count(tiny)} within 1e-285 of 0 drawn as 0, Log y tells them apart"
    if hidden := sum(curve.hidden for curve in curves):
        note += f" · {format.count(hidden)} not above 0 cannot be drawn on a log axis"
    return note


def _fitting_range(lines: Sequence[Line], options: CurveOptions) -> tuple[float, float] | None:
    """Return the range of y that the drawn values need, None where Plotly chooses well.

    Plotly would fit y to all points while a part of x is in view, draw a constant
    between one less and one more whatever its size, and draw no axis at all to
    numbers near the ends of what a float holds.
    """
    values = _values_in_view(lines, options)
    values = values[values > 0] if options.log_y else values
    if not len(values):
        return None
    low, high = float(values.min()), float(values.max())
    if options.log_y:
        if options.visible is None and low > 1 / FAR and high < FAR:
            return None
        # Half a decade around a constant. Beyond the smallest and largest float there is nothing.
        bottom, top = math.log10(low), math.log10(high)
        margin = MARGIN * (top - bottom) or 0.5
        return 10.0 ** max(bottom - margin, -323.3), 10.0 ** min(top + margin, 308.254)
    if high == low:
        margin = abs(low) / 10 or 1.0
    elif options.visible is not None:
        margin = MARGIN * (high - low)
    else:
        return None
    return low - margin, high + margin


def _values_in_view(lines: Sequence[Line], options: CurveOptions) -> NDArray[np.float64]:
    found = [np.empty(0)]
    for line in lines:
        for x, y in ((line.curve.x, line.curve.y), (line.curve.raw_x, line.curve.raw)):
            if x is None or y is None:
                continue
            along: NDArray[Any] = x
            shown = np.isfinite(y)
            if options.visible is not None:
                shown &= (along >= options.visible[0]) & (along <= options.visible[1])
            found.append(y[shown])
    return np.concatenate(found)


def _drawn_x(x: NDArray[Any], axis: Axis, unit: TimeUnit, zone_offset: float) -> NDArray[Any]:
    if axis is Axis.RELATIVE:
        return np.asarray(x / unit.seconds)
    if axis is Axis.WALL:
        # Plotly's date axes take milliseconds and know no zones.
        return np.asarray(x / 1e3 + zone_offset * 1e3)
    if len(x) and np.abs(x).max() < 2**31:
        return np.asarray(x, dtype=np.int32)
    return np.asarray(x, dtype=np.float64)


def _line_trace(line: Line, x: NDArray[Any], legend: bool) -> dict[str, Any]:
    style, y = line.style, line.curve.y
    trace: dict[str, Any] = {
        "type": "scatter",
        "mode": "lines",
        "x": x,
        "y": y,
        "name": line.name,
        "legendgroup": line.run,
        "showlegend": legend,
        "line": {"color": style.colour, "width": 1.6, "dash": style.dash},
        "hovertemplate": "%{y:.6~g}<extra>%{fullData.name}</extra>",
    }
    marker: dict[str, Any] = {"color": style.colour, "size": 6, "symbol": style.symbol or "circle"}
    lonely = _lonely(y)
    if len(y) <= MARKED_POINTS:
        trace["mode"] = "lines+markers"
        trace["marker"] = {**marker, "size": 4 if style.symbol is None else 6}
    elif lonely.any():
        # A point between two gaps is no line; it would be invisible without a marker.
        trace["mode"] = "lines+markers"
        trace["marker"] = {**marker, "size": np.where(lonely, 5, 0).astype(np.int8)}
    elif style.symbol is not None:
        trace["mode"] = "lines+markers"
        trace["marker"] = {**marker, "maxdisplayed": 12}
    return trace


def _lonely(y: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which finite points have no finite neighbour."""
    gap = np.concatenate([[True], np.isnan(y), [True]])
    return np.asarray(~gap[1:-1] & gap[:-2] & gap[2:])


def _raw_trace(line: Line, x: NDArray[Any]) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines",
        "x": x,
        "y": line.curve.raw,
        "name": line.name,
        "legendgroup": line.run,
        "showlegend": False,
        "hoverinfo": "skip",
        "opacity": 0.28,
        "line": {"color": line.style.colour, "width": 1},
    }


def _mark_trace(line: Line, x: NDArray[Any]) -> dict[str, Any]:
    values = line.curve.marked_y
    symbols = ["x" if np.isnan(value) else f"triangle-{'up' if value > 0 else 'down'}" for value in values]
    return {
        "type": "scatter",
        "mode": "markers",
        "x": x,
        "y": np.where(values > 0, 0.97, 0.03),
        "yaxis": "y2",
        "name": line.name,
        "text": [format.number(float(value)) for value in values],
        "legendgroup": line.run,
        "showlegend": False,
        "cliponaxis": False,
        "marker": {"color": line.style.colour, "size": 7, "symbol": symbols},
        "hovertemplate": "%{text}<extra>%{fullData.name}</extra>",
    }


def _layout(
    options: CurveOptions, unit: TimeUnit, legend: bool, *, single: bool, few: bool
) -> dict[str, Any]:
    titles = {
        Axis.STEP: "step",
        Axis.RELATIVE: f"{unit.name} since the start",
        Axis.WALL: "time",
    }
    x_type = "date" if options.axis is Axis.WALL else "log" if options.log_x else "linear"
    return {
        "margin": {"l": 56, "r": 12, "t": 8, "b": 40},
        "showlegend": legend,
        "legend": {"orientation": "h", "y": -0.22, "yanchor": "top", "x": 0, "maxheight": 0.3},
        "hovermode": "x" if single else "x unified" if few else "closest",
        "hoverlabel": {"namelength": HOVERED_NAME},
        "dragmode": "zoom",
        "xaxis": {
            "type": x_type,
            "title": {"text": titles[options.axis], "standoff": 6},
            "unifiedhovertitle": {"text": f"{titles[options.axis]} %{{x}}"},
            "zeroline": False,
            "showspikes": True,
            "spikemode": "across",
            "spikethickness": 1,
            "spikedash": "dot",
        },
        "yaxis": {
            "type": "log" if options.log_y else "linear",
            "zeroline": False,
            "exponentformat": "e",
            "automargin": True,
        },
        # The edge on which NaN and infinities are marked, whatever y shows.
        "yaxis2": {"overlaying": "y", "range": [0, 1], "fixedrange": True, "visible": False},
    }
