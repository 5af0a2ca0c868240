"""What a confirmation found as a chart and a table. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

import pandas as pd

from tracking.analysis.confirmation import Confirmation, Confirmed
from tracking.sweep_records import ConfirmationRecord, ConfirmedTrial, SweepObjective
from tracking.ui import format, sweep_format
from tracking.ui.charts import Figure
from tracking.ui.sweep_axes import text
from tracking.ui.sweep_colours import BEST, NEUTRAL, TRIAL
from tracking.ui.tables import Table, TableColumn

ROOM: Final = 0.08
"""Share of the range that is left free around the points."""
_STATES: Final = {
    "waiting": "○ waiting",
    "running": "● running",
    "complete": "✓ complete",
    "fail": "✕ failed",
    "pruned": "⊘ pruned",
}


def chart(found: Confirmation, wanted: SweepObjective) -> Figure:
    """Return the sweep's scores against the means of the fresh runs, with the line on which there is no luck.

    Args:
        found: The ranking; configurations without a fresh value are left out.
        wanted: The objective.
    """
    ran = [each for each in found.trials if each.mean is not None]
    scores = [each.score for each in ran]
    ends = [end for each in ran for end in (each.mean, each.low, each.high) if end is not None]
    # The scores are close to each other; where the line crosses them belongs to the picture.
    across, up = _with_room(scores), _with_room([*scores, *ends])
    low, high = min(across[0], up[0]), max(across[1], up[1])
    name = text(wanted.metric)
    traces: list[dict[str, Any]] = [
        {
            "type": "scatter",
            "mode": "lines",
            "name": "as good as in the sweep",
            "x": [low, high],
            "y": [low, high],
            "line": {"color": NEUTRAL, "width": 1.5, "dash": "dash"},
            "hoverinfo": "skip",
        }
    ]
    for first, label, colour in ((True, "best of the fresh runs", BEST), (False, "the others", TRIAL)):
        chosen = [each for each in ran if (each.rank == 1) is first]
        if chosen:
            traces.append(_points(chosen, label, colour, found.level))
    return {"data": traces, "layout": _layout(name, across, up)}


def _points(chosen: Sequence[Confirmed], label: str, colour: str, level: float) -> dict[str, Any]:
    means = [each.mean or 0.0 for each in chosen]
    return {
        "type": "scatter",
        "mode": "markers+text",
        "name": label,
        "x": [each.score for each in chosen],
        "y": means,
        "text": [str(each.trial) for each in chosen],
        "textposition": "middle right",
        "marker": {"color": colour, "size": 9},
        "error_y": {
            "type": "data",
            "symmetric": False,
            "array": [(mean if each.high is None else each.high) - mean for each, mean in _with(chosen)],
            "arrayminus": [mean - (mean if each.low is None else each.low) for each, mean in _with(chosen)],
            "color": colour,
            "thickness": 1.5,
            "width": 5,
        },
        "customdata": [
            [format.number(each.low), format.number(each.high), format.number(each.luck, 3), each.runs]
            for each in chosen
        ],
        "hovertemplate": (
            "trial %{text}: %{x:.6~g} in the sweep, %{y:.6~g} over %{customdata[3]} fresh runs<br>"
            f"{level:.0%} interval of it alone %{{customdata[0]}} to %{{customdata[1]}}, luck %{{customdata[2]}}"
            "<extra></extra>"
        ),
    }


def _with(chosen: Sequence[Confirmed]) -> list[tuple[Confirmed, float]]:
    return [(each, each.mean or 0.0) for each in chosen]


def _with_room(values: Sequence[float]) -> tuple[float, float]:
    finite = [each for each in values if math.isfinite(each)]
    low, high = (min(finite), max(finite)) if finite else (0.0, 1.0)
    room = (high - low) * ROOM or abs(high) * ROOM or 1.0
    return low - room, high + room


def _layout(name: str, across: tuple[float, float], up: tuple[float, float]) -> dict[str, Any]:
    axis = {"zeroline": False, "exponentformat": "e", "automargin": True}
    return {
        "margin": {"l": 8, "r": 24, "t": 8, "b": 40},
        "showlegend": True,
        "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        "hovermode": "closest",
        "dragmode": "zoom",
        "xaxis": {**axis, "range": list(across), "title": {"text": f"{name} in the sweep", "standoff": 6}},
        "yaxis": {**axis, "range": list(up), "title": {"text": f"{name} over fresh runs", "standoff": 6}},
    }


def alt(found: Confirmation, wanted: SweepObjective) -> str:
    """Return what the chart shows, for those who cannot see it."""
    ran = sum(each.mean is not None for each in found.trials)
    return (
        f"{wanted.metric} in the sweep against its mean over fresh runs, for {format.plural(ran, 'configuration')}, "
        f"with intervals and the line on which both are the same. {found.sentence}"
    )


def table(record: ConfirmationRecord, found: Confirmation, wanted: SweepObjective) -> Table:
    """Return the configurations ranked by their fresh runs alone."""
    by_number = {each.trial: each for each in record.trials}
    trials = [by_number[each.trial] for each in found.trials]
    metric = format.shorten_key(wanted.metric, 24)
    cells: dict[str, Sequence[Any]] = {
        "rank": [each.rank for each in found.trials],
        "name": [f"trial {each.trial}" for each in found.trials],
        "state": [_state(each, len(record.values)) for each in trials],
        "score": [each.score for each in found.trials],
        "mean": [each.mean for each in found.trials],
        "low": [each.low for each in found.trials],
        "high": [each.high for each in found.trials],
        "luck": [each.luck for each in found.trials],
        "chance": [each.best_chance for each in found.trials],
        "params": [_params(each) for each in trials],
    }
    frame = pd.DataFrame(
        {
            name: pd.Series(list(values), dtype=object if name in ("name", "state", "params") else "float64")
            for name, values in cells.items()
        }
    )
    numbers = ("score", "mean", "low", "high", "luck")
    texts = {name: format.number_column(list(cells[name])) for name in numbers}
    texts["rank"] = ["" if each.rank is None else str(each.rank) for each in found.trials]
    texts["chance"] = ["" if each.best_chance is None else f"{each.best_chance:.0%}" for each in found.trials]
    level = f"{found.level:.0%}"
    columns = {
        "rank": TableColumn("rank", "By the fresh runs alone.", "right"),
        "name": TableColumn("trial", "Press to open its run in the sweep."),
        "state": TableColumn("fresh runs"),
        "score": TableColumn(f"{metric} in the sweep", "What it was chosen for: partly luck.", "right"),
        "mean": TableColumn("confirmed", "Mean of the fresh runs.", "right"),
        "low": TableColumn(
            f"{level} alone, from",
            "Lower end of the mean's interval (Student's t), of this configuration by itself.",
            "right",
        ),
        "high": TableColumn("to", "Upper end of the same interval.", "right"),
        "luck": TableColumn(
            "luck", "How much better the sweep's score was than the confirmed mean.", "right"
        ),
        "chance": TableColumn(
            "best", "Probability that its true mean is the best one of these configurations.", "right"
        ),
        "params": TableColumn("params"),
    }
    return Table(frame, columns, texts)


def _state(trial: ConfirmedTrial, runs: int) -> str:
    there = sum(each is not None for each in trial.fresh)
    return f"{_STATES.get(trial.state, trial.state)} {there} of {runs}"


def _params(trial: ConfirmedTrial) -> str:
    return ", ".join(f"{name} {sweep_format.param(value)}" for name, value in trial.params.items())
