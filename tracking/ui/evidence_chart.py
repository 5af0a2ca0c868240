"""Evidence as a chart: every run of both sides, pairs joined, and the interval of the difference below. Pure.

As in `tracking.ui.charts`, the theme is left to the browser. Both halves run along the metric's axis, so that
the spread of the runs can be held against the width of the interval.
"""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from tracking.analysis.evidence import matched
from tracking.analysis.evidence_repeats import mean_of
from tracking.records import Goal
from tracking.registry_records import Evidence, EvidencePoint
from tracking.ui import format
from tracking.ui.charts import Figure
from tracking.ui.sweep_axes import text

CANDIDATE: Final = "#f06c0c"
CHAMPION: Final = "#006cb4"
BESIDE: Final = "#9c84b4"
HEIGHT: Final = 330
"""Pixels with an interval; without one the lower half is left out."""
HEIGHT_WITHOUT: Final = 190
HEIGHT_ALONE: Final = 120
"""Of a candidate that has nobody to beat."""
MOST_POINTS: Final = 400
"""Of a side that are drawn, the extremes among them."""
LONGEST: Final = 40
_UPPER: Final = (0.46, 1.0)
_LOWER: Final = (0.0, 0.22)
_SPREAD: Final = 0.16
"""Of a lane, over which many points are spread so that they can be told apart."""
_FEW: Final = 12
_ROOM: Final = 0.08


@dataclass(frozen=True, slots=True)
class Lane:
    """One side of the picture.

    Attributes:
        place: Where it stands on the y axis.
        name: What the side is called.
        colour: Of its points.
        symbol: Of its points, as Plotly calls it.
        points: Those that are compared.
        alone: Those without a partner, where pairs are compared.
    """

    place: float
    name: str
    colour: str
    symbol: str
    points: Sequence[EvidencePoint]
    alone: Sequence[EvidencePoint]


def chart(evidence: Evidence, *, candidate: str, champion: str) -> Figure:
    """Return the picture of a comparison.

    Args:
        evidence: What was found; points that are not finite are left out.
        candidate: What the candidate is called, as `v7`.
        champion: What the other side is called, as `v3, the champion`.
    """
    pairs = _pairs(evidence)
    lanes = [
        Lane(1.0, candidate, CANDIDATE, "diamond", *_lane(evidence.candidate, [ours for ours, _ in pairs]))
    ]
    if any(math.isfinite(point.value) for point in evidence.champion):
        below = _lane(evidence.champion, [theirs for _, theirs in pairs])
        lanes.append(Lane(0.0, champion, CHAMPION, "circle", *below))
    traces: list[dict[str, Any]] = []
    if pairs:
        traces.append(_joined(pairs))
    for lane in lanes:
        traces += _drawn(lane)
    layout = _layout(evidence, lanes)
    if drawn := _interval(evidence):
        traces += drawn
        layout |= _lower_axes(evidence)
    else:
        layout["yaxis"]["domain"] = [0.0, 1.0]
    return {"data": traces, "layout": layout}


def height(evidence: Evidence) -> int:
    """Return the pixels that the chart of this evidence takes."""
    if not evidence.champion:
        return HEIGHT_ALONE
    return HEIGHT if _interval(evidence) else HEIGHT_WITHOUT


def alt(evidence: Evidence, *, candidate: str, champion: str) -> str:
    """Return what the chart shows, for those who cannot see it."""
    said = f"{evidence.metric} of {format.plural(_runs(evidence.candidate), 'run')} of {candidate}"
    if evidence.champion:
        said += f" and of {format.plural(_runs(evidence.champion), 'run')} of {champion}"
    if evidence.pairs:
        said += f", {format.plural(evidence.pairs, 'pair')} joined"
    if evidence.low is not None and evidence.high is not None:
        said += (
            f"; below, the difference {format.number(evidence.difference)} with its interval from "
            f"{format.number(evidence.low)} to {format.number(evidence.high)} against zero"
        )
    return f"{said}. {evidence.sentence}"


def _runs(points: Sequence[EvidencePoint]) -> int:
    # Of which each may have several folds.
    return len({point.run for point in points})


def _lane(
    points: Sequence[EvidencePoint], paired: Sequence[EvidencePoint]
) -> tuple[list[EvidencePoint], list[EvidencePoint]]:
    """Return the points of a side that are compared, and those without a partner; both finite."""
    found = [point for point in points if math.isfinite(point.value)]
    if not paired:
        return found, []
    known = set(map(id, paired))
    return [point for point in found if id(point) in known], [
        point for point in found if id(point) not in known
    ]


def _thinned(points: Sequence[EvidencePoint]) -> Sequence[EvidencePoint]:
    if len(points) <= MOST_POINTS:
        return points
    ordered = sorted(points, key=lambda point: point.value)
    step = (len(ordered) - 1) / (MOST_POINTS - 1)
    return [ordered[round(place * step)] for place in range(MOST_POINTS)]


def _pairs(evidence: Evidence) -> list[tuple[EvidencePoint, EvidencePoint]]:
    """Return the runs that were compared in pairs: candidate, champion."""
    if not evidence.pairs or not evidence.candidate or not evidence.champion:
        return []
    ours, theirs, names, _ = matched(evidence.candidate, evidence.champion)
    return list(zip(ours, theirs, strict=True)) if names else []


def _drawn(lane: Lane) -> list[dict[str, Any]]:
    traces = []
    if lane.alone:
        traces.append(_points(lane, _thinned(lane.alone), alone=True))
    if lane.points:
        traces += [_points(lane, _thinned(lane.points)), _mean(lane)]
    return traces


def _joined(pairs: Sequence[tuple[EvidencePoint, EvidencePoint]]) -> dict[str, Any]:
    x: list[float | None] = []
    y: list[float | None] = []
    for upper, lower in pairs:
        x += [upper.value, lower.value, None]
        y += [1.0, 0.0, None]
    return {
        "type": "scatter",
        "mode": "lines",
        "name": "pairs",
        "x": x,
        "y": y,
        "line": {"color": BESIDE, "width": 1},
        "opacity": 0.8,
        "hoverinfo": "skip",
    }


def _named(said: str) -> str:
    """Return a text for the chart: cut, and no markup in it."""
    return html.escape(format.shorten(said, LONGEST), quote=False)


def _points(lane: Lane, points: Sequence[EvidencePoint], *, alone: bool = False) -> dict[str, Any]:
    # Points of a pair stay on the line that joins them; many of a lane are spread beside it.
    spread = 0.0 if len(points) <= _FEW else _SPREAD
    heights = [lane.place + spread * ((number * 0.618034) % 1.0 - 0.5) * 2 for number in range(len(points))]
    return {
        "type": "scatter",
        "mode": "markers",
        "name": f"{_named(lane.name)}, without a partner" if alone else _named(lane.name),
        "x": [point.value for point in points],
        "y": heights,
        "marker": {"color": lane.colour, "size": 9, "symbol": f"{lane.symbol}-open"}
        if alone
        else {
            "color": lane.colour,
            "size": 9,
            "symbol": lane.symbol,
            "line": {"width": 1, "color": "rgba(255,255,255,0.7)"},  # between points that overlap
        },
        "customdata": [_hover(point) for point in points],
        "hovertemplate": "%{x:.6~g}%{customdata}<extra>%{fullData.name}</extra>",
    }


def _hover(point: EvidencePoint) -> str:
    said = ", ".join(f"{name} {format.param(value)}" for name, value in point.repeat.items())
    return f"<br>{_named(said)}" if said else f"<br>run {_named(point.run)}"


def _mean(lane: Lane) -> dict[str, Any]:
    mean = mean_of([point.value for point in lane.points])
    return {
        "type": "scatter",
        "mode": "lines",
        "name": f"mean of {_named(lane.name)}",
        "showlegend": False,
        "x": [mean, mean],
        "y": [lane.place - 0.3, lane.place + 0.3],
        "line": {"color": lane.colour, "width": 3},
        "hovertemplate": "mean %{x:.6~g}<extra>%{fullData.name}</extra>",
    }


_LARGEST = 1e303
"""Beyond, an axis with room around it has no ends."""


def _interval(evidence: Evidence) -> list[dict[str, Any]]:
    """Return the difference with its interval, nothing where there is none."""
    middle, low, high = evidence.difference, evidence.low, evidence.high
    if middle is None or low is None or high is None:
        return []
    if not all(abs(each) <= _LARGEST for each in (middle, low, high)):
        return []
    return [
        {
            "type": "scatter",
            "mode": "markers",
            "name": "difference",
            "showlegend": False,
            "xaxis": "x2",
            "yaxis": "y2",
            "x": [middle],
            "y": [0.0],
            "marker": {"color": CANDIDATE, "size": 11, "symbol": "diamond"},
            "error_x": {
                "type": "data",
                "symmetric": False,
                "array": [high - middle],
                "arrayminus": [middle - low],
                "color": CANDIDATE,
                "thickness": 2.5,
                "width": 7,
            },
            "hovertemplate": (
                f"difference %{{x:.4~g}}<br>{evidence.confidence:.0%} interval {format.number(low, 4)} to "
                f"{format.number(high, 4)}<extra></extra>"
            ),
        }
    ]


def _layout(evidence: Evidence, lanes: Sequence[Lane]) -> Figure:
    return {
        "margin": {"l": 8, "r": 16, "t": 8, "b": 36},
        "showlegend": False,
        "hovermode": "closest",
        "dragmode": "zoom",
        "xaxis": {
            "title": {"text": _title(evidence), "standoff": 4},
            "zeroline": False,
            "exponentformat": "e",
            "anchor": "y",
            **_around([point.value for lane in lanes for point in (*lane.points, *lane.alone)]),
        },
        "yaxis": {
            "tickmode": "array",
            "tickvals": [lane.place for lane in lanes],
            "ticktext": [f"{_named(lane.name)}<br>{_counted(lane)}" for lane in lanes],
            "range": [-0.5 if len(lanes) > 1 else 0.5, 1.5],
            "domain": list(_UPPER),
            "fixedrange": True,
            "zeroline": False,
            "showgrid": False,
            "automargin": True,
        },
    }


def _counted(lane: Lane) -> str:
    compared, every = _runs(lane.points), _runs([*lane.points, *lane.alone])
    of = f"{format.count(compared)} of " if compared < every else ""
    return of + format.plural(every, "run")


def _around(values: Sequence[float]) -> dict[str, Any]:
    """Return the range around a value that all runs have; Plotly's would be one below to one above it."""
    if len(set(values)) != 1 or not 0.0 < abs(values[0]) <= _LARGEST:
        return {}
    room = abs(values[0]) * _ROOM
    return {"range": [values[0] - room, values[0] + room]}


def _title(evidence: Evidence) -> str:
    at = "" if evidence.at == "last" else f" ({evidence.at})"
    better = "more" if evidence.goal is Goal.MAXIMIZE else "less"
    return f"{text(evidence.metric)}{at}, {better} is better"


def _lower_axes(evidence: Evidence) -> Figure:
    """Return the axes of the difference, with zero, the margin and the side on which the candidate is better."""
    sign = 1.0 if evidence.goal is Goal.MAXIMIZE else -1.0
    ends = [0.0, sign * evidence.margin, evidence.low or 0.0, evidence.high or 0.0]
    low, high = min(ends), max(ends)
    room = _ROOM * (high - low) or abs(high) * _ROOM or 1.0
    # Both sides of zero belong to the picture, whatever was found.
    low, high = min(low, -3 * room), max(high, 3 * room)
    shapes = [_line(0.0, "solid")]
    notes = []
    if evidence.margin:
        shapes.append(_line(sign * evidence.margin, "dash"))
        notes.append(_note(sign * evidence.margin, f"margin {format.number(evidence.margin, 3)}"))
    # The region in which the candidate counts as better.
    start, end = sign * evidence.margin, (high + room if sign > 0 else low - room)
    shapes.append(
        {
            "type": "rect",
            "xref": "x2",
            "yref": "y2 domain",
            "x0": start,
            "x1": end,
            "y0": 0,
            "y1": 1,
            "fillcolor": CANDIDATE,
            "opacity": 0.1,
            "line": {"width": 0},
            "layer": "below",
        }
    )
    better = "better →" if sign > 0 else "← better"
    return {
        "shapes": shapes,
        "annotations": [
            *notes,
            {
                "xref": "x2 domain",
                "yref": "y2 domain",
                "x": 0.995 if sign > 0 else 0.005,
                "xanchor": "right" if sign > 0 else "left",
                "y": 1.0,
                "yanchor": "top",
                "text": better,
                "showarrow": False,
                "font": {"size": 11},
            },
        ],
        "xaxis2": {
            "title": {"text": f"difference, with its {evidence.confidence:.0%} interval", "standoff": 4},
            "anchor": "y2",
            "range": [low - room, high + room],
            "zeroline": False,
            "exponentformat": "e",
        },
        "yaxis2": {
            "anchor": "x2",
            "domain": list(_LOWER),
            "range": [-1, 1],
            "tickmode": "array",
            "tickvals": [0.0],
            "ticktext": ["difference"],
            "fixedrange": True,
            "zeroline": False,
            "showgrid": False,
            "automargin": True,
        },
    }


def _line(x: float, dash: str) -> dict[str, Any]:
    return {
        "type": "line",
        "xref": "x2",
        "yref": "y2 domain",
        "x0": x,
        "x1": x,
        "y0": 0,
        "y1": 1,
        "line": {"color": BESIDE, "width": 2, "dash": dash},
    }


def _note(x: float, said: str) -> dict[str, Any]:
    return {
        "xref": "x2",
        "yref": "y2 domain",
        "x": x,
        "y": 1.0,
        "yanchor": "bottom",
        "text": said,
        "showarrow": False,
        "font": {"size": 11},
    }
