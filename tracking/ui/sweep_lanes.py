"""Charts of how a sweep went: which worker ran which trial when, and how each trial's metric came along. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from tracking.analysis.curves import Curve
from tracking.analysis.timeline import Timeline
from tracking.sweep_records import SweepObjective
from tracking.ui import format
from tracking.ui.charts import Figure
from tracking.ui.sweep_axes import Drawn, drawn_note, text
from tracking.ui.sweep_colours import BEST, FAINT, RUNNING, STATES, TRIAL

MOST_BARS: Final = 240
KINDS: Final[Mapping[str, tuple[str, str, float]]] = {
    "pruned": ("pruned", FAINT, 1.0),
    "complete": ("complete", TRIAL, 1.0),
    "running": ("running", RUNNING, 1.6),
    "best": ("best", BEST, 2.6),
}
"""How curves are drawn, the later ones over the earlier: name, colour, width."""


def timeline_chart(found: Timeline, zone_offset: float) -> tuple[Figure, str]:
    """Return a bar for each trial in the lane of its worker, and how many of them are drawn.

    Args:
        found: The bars.
        zone_offset: Seconds that the reader's clock is ahead of UTC.
    """
    newest = np.argsort(found.bars["started"].to_numpy(dtype="M8[us]"), kind="stable")[-MOST_BARS:]
    bars = found.bars.iloc[newest]
    traces = []
    for state, colour in STATES.items():
        name = "failed" if state == "fail" else state
        here = bars[bars["state"] == state]
        if not len(here):
            continue
        start = here["started"].to_numpy(dtype="M8[us]").astype(np.int64) / 1e3 + zone_offset * 1e3
        ended = here["ended"].to_numpy(dtype="M8[us]").astype(np.int64) / 1e3 + zone_offset * 1e3
        lasted = np.maximum(ended - start, 1.0)
        traces.append(
            {
                "type": "bar",
                "orientation": "h",
                "base": start,
                "x": lasted,
                "y": here["lane"].to_numpy(),
                "name": name,
                "marker": {"color": colour, "line": {"width": 0}},
                "text": [
                    f"trial {number}, {name}, {format.duration(milliseconds / 1e3)}"
                    for number, milliseconds in zip(here["number"], lasted, strict=True)
                ],
                "textposition": "none",
                "hovertemplate": "%{text}<extra></extra>",
            }
        )
    lanes = list(range(found.lanes))
    busy = [f"worker {lane} · {round(100 * found.busy[lane])} %" for lane in lanes]
    layout: dict[str, Any] = {
        "barmode": "overlay",
        "bargap": 0.25,
        "margin": {"l": 8, "r": 12, "t": 8, "b": 40},
        "showlegend": True,
        "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        "hovermode": "closest",
        "xaxis": {
            "type": "date",
            "title": {"text": "time", "standoff": 6},
            "zeroline": False,
            "nticks": 6,
            "tickangle": 0,
        },
        "yaxis": {
            "tickmode": "array",
            "tickvals": lanes,
            "ticktext": busy,
            "range": [found.lanes - 0.5, -0.5],
            "fixedrange": True,
            "zeroline": False,
            "automargin": True,
        },
    }
    drawn = Drawn(len(bars), len(found.bars))
    note = drawn_note(drawn, "trial").replace("extremes kept", "the newest")
    return {"data": traces, "layout": layout}, f"{note} · % of its time a worker ran a trial"


def curves_chart(
    curves: Sequence[tuple[str, int, Curve]], wanted: SweepObjective, total: int
) -> tuple[Figure, str]:
    """Return the curves of trials over their steps, and how many of them are drawn.

    Args:
        curves: Kind (of `KINDS`), number of the trial, and curve of each.
        wanted: The objective whose metric it is.
        total: How many trials there are to choose from.
    """
    traces = []
    for kind, (name, colour, width) in KINDS.items():
        here = [(number, curve) for its, number, curve in curves if its == kind]
        if not here:
            continue
        # One trace for all of a kind: a gap of NaN ends each curve.
        x = np.concatenate([part for _, curve in here for part in (curve.x.astype(np.float64), [np.nan])])
        y = np.concatenate([part for _, curve in here for part in (curve.y, [np.nan])])
        numbers = np.concatenate([np.full(len(curve.x) + 1, float(number)) for number, curve in here])
        traces.append(
            {
                "type": "scatter",
                "mode": "lines",
                "x": x,
                "y": y,
                "customdata": numbers,
                "name": name,
                "opacity": 1.0 if kind == "best" else 0.75,
                "line": {"color": colour, "width": width, "dash": "dot" if kind == "pruned" else "solid"},
                "hovertemplate": f"trial %{{customdata}}, {name}, step %{{x}}: %{{y:.6~g}}<extra></extra>",
            }
        )
        if kind == "pruned":
            traces.append(_ends(here, colour))
    layout = {
        "margin": {"l": 8, "r": 12, "t": 8, "b": 40},
        "showlegend": True,
        "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        "hovermode": "closest",
        "xaxis": {"title": {"text": "step", "standoff": 6}, "zeroline": False},
        "yaxis": {
            "title": {"text": text(wanted.metric), "standoff": 6},
            "zeroline": False,
            "exponentformat": "e",
        },
    }
    note = format.plural(len(curves), "trial")
    if len(curves) < total:
        note = f"{format.count(len(curves))} of {format.plural(total, 'trial')}: the best, the running and the newest"
    ends = " · ✕ where a trial was pruned" if any(kind == "pruned" for kind, _, _ in curves) else ""
    return {"data": traces, "layout": layout}, note + ends


def _ends(here: Sequence[tuple[int, Curve]], colour: str) -> dict[str, Any]:
    """Return the marks where curves end."""
    ends = [(number, curve.x[-1], curve.y[-1]) for number, curve in here if len(curve.x)]
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [float(x) for _, x, _ in ends],
        "y": [float(y) for _, _, y in ends],
        "customdata": [number for number, _, _ in ends],
        "name": "pruned",
        "showlegend": False,
        "marker": {"color": colour, "symbol": "x", "size": 6},
        "hovertemplate": "trial %{customdata} was pruned here<extra></extra>",
    }
