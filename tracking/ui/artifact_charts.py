"""Confusion matrices and ROC or precision-recall curves as plain Plotly figures. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from tracking.ui import format
from tracking.ui.colours import DASHES, PALETTE

if TYPE_CHECKING:
    from tracking.store import preview_records as previews

Figure = dict[str, Any]

NORMALIZED: Final = ("Counts", "By true class", "By predicted class")
LABELLED_CLASSES: Final = 20
"""With more classes the numbers would not fit into the cells."""
LEVEL_CHARACTERS: Final = 45
"""Of the labels along an axis, each as long as the longest: with more they would not fit side by side."""
SHOWN_CURVES: Final = 30
CURVE_POINTS: Final = 1_000

_SHADES: Final = {"light": ("#f4f6f8", "#1d5796"), "dark": ("#1c2229", "#2f74b8")}


def matrix_values(counts: Sequence[Sequence[float]], normalized: str) -> NDArray[np.float64]:
    """Return a confusion matrix as counts or shares, NaN where a class has none.

    Args:
        counts: One row a true class; shape `(n, n)`.
        normalized: One of `NORMALIZED`.
    """
    values = np.asarray(counts, dtype=np.float64)
    if normalized == NORMALIZED[0]:
        return values
    total = values.sum(axis=1 if normalized == NORMALIZED[1] else 0, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        shares = values / total
    return np.where(total == 0, np.nan, shares)


def matrix_chart(matrix: previews.MatrixPreview, *, normalized: str, theme: str) -> Figure:
    """Return a confusion matrix as a heat map, true classes downwards.

    Args:
        matrix: Labels and counts.
        normalized: One of `NORMALIZED`.
        theme: "light" or "dark"; empty cells have the colour of its ground.
    """
    values = matrix_values(matrix.counts, normalized)
    share = normalized != NORMALIZED[0]
    low, high = _SHADES.get(theme, _SHADES["light"])
    places = list(range(len(matrix.labels)))
    # Labels may repeat or look like numbers: cells have places, and the axes write the labels at them.
    axis: dict[str, Any] = {
        "tickmode": "array" if len(places) <= 60 else "auto",
        "tickvals": places,
        "ticktext": [_literal(format.shorten(label, 24)) for label in matrix.labels],
        "showgrid": False,
        "zeroline": False,
        "automargin": True,
    }
    longest = max((len(text) for text in axis["ticktext"]), default=0)
    slanted = longest * len(places) > LEVEL_CHARACTERS
    cells = [[_cell(value, share) for value in row] for row in values.tolist()]
    truth = [[_literal(label)] * len(places) for label in matrix.labels]
    predicted = [[_literal(label) for label in matrix.labels]] * len(places)
    trace: dict[str, Any] = {
        "type": "heatmap",
        "x": places,
        "y": places,
        "z": [[None if math.isnan(value) else value for value in row] for row in values.tolist()],
        "text": cells,
        "customdata": [
            list(map(list, zip(*pair, strict=True))) for pair in zip(truth, predicted, strict=True)
        ],
        "zmin": 0,
        "zmax": 1 if share else max(1.0, float(np.nanmax(values, initial=0.0))),
        "colorscale": [[0, low], [1, high]],
        "showscale": len(places) > LABELLED_CLASSES,
        "xgap": 1 if len(places) <= LABELLED_CLASSES else 0,
        "ygap": 1 if len(places) <= LABELLED_CLASSES else 0,
        "hovertemplate": "true %{customdata[0]}<br>predicted %{customdata[1]}<br>%{text}<extra></extra>",
    }
    if len(places) <= LABELLED_CLASSES:
        trace["texttemplate"] = "%{text}"
    return {
        "data": [trace],
        "layout": {
            "margin": {"l": 60, "r": 8, "t": 8, "b": 50},
            # Slanted, a label ends under its cell; level, Plotly leaves out one that would pass the edge.
            "xaxis": {**axis, "title": {"text": "predicted"}, "tickangle": -35 if slanted else 0},
            "yaxis": {**axis, "title": {"text": "true"}, "autorange": "reversed"},
        },
    }


def curve_chart(preview: previews.CurvePreview) -> Figure:
    """Return ROC or precision-recall curves, with the area in the legend."""
    roc = preview.kind == "roc_curve"
    measure = "AUC" if roc else "AP"
    traces: list[dict[str, Any]] = []
    for place, curve in enumerate(preview.curves[:SHOWN_CURVES]):
        kept = _kept(len(curve.x))
        x, y = np.asarray(curve.x, dtype=np.float64)[kept], np.asarray(curve.y, dtype=np.float64)[kept]
        area = "undefined" if curve.area is None else format.number(curve.area, 4)
        trace: dict[str, Any] = {
            "type": "scatter",
            "mode": "lines+markers" if len(x) < 3 else "lines",
            "x": x,
            "y": y,
            "name": " ".join(
                filter(None, [curve.label, f"({measure} {area})" if curve.label else f"{measure} {area}"])
            ),
            "line": {
                "width": 2,
                "color": PALETTE[place % len(PALETTE)],
                "dash": DASHES[place // len(PALETTE) % len(DASHES)],
                "shape": "linear" if roc else "hv",
            },
            "hovertemplate": "%{x:.3f}, %{y:.3f}<extra>%{fullData.name}</extra>",
        }
        if curve.thresholds:
            trace["text"] = [
                "above every score" if (threshold := curve.thresholds[place]) is None else f"{threshold:.4g}"
                for place in kept
            ]
            trace["hovertemplate"] = "%{x:.3f}, %{y:.3f} at threshold %{text}<extra>%{fullData.name}</extra>"
        traces.append(trace)
    if roc:
        traces.append(
            {
                "type": "scatter",
                "mode": "lines",
                "x": [0, 1],
                "y": [0, 1],
                "name": "chance",
                "line": {"width": 1, "dash": "dot", "color": "#8a949e"},
                "hoverinfo": "skip",
            }
        )
    names = ("false positive rate", "true positive rate") if roc else ("recall", "precision")
    unit = {"range": [-0.01, 1.01], "zeroline": False}
    return {
        "data": traces,
        "layout": {
            "margin": {"l": 56, "r": 12, "t": 8, "b": 44},
            "showlegend": True,
            "legend": {"orientation": "h", "y": -0.2, "yanchor": "top", "x": 0},
            "xaxis": {**unit, "title": {"text": names[0]}},
            "yaxis": {**unit, "title": {"text": names[1]}},
        },
    }


def _kept(length: int) -> NDArray[np.intp]:
    """Return which points of a monotone curve are drawn, its ends among them."""
    if length <= CURVE_POINTS:
        return np.arange(length)
    return np.unique(np.linspace(0, length - 1, CURVE_POINTS).round().astype(np.intp))


def _cell(value: float, share: bool) -> str:
    if math.isnan(value):
        return format.ABSENT
    return f"{value:.2f}" if share else format.number(value)


def _literal(text: str) -> str:
    """Return a text that Plotly shows as it is: it reads a few tags."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
