"""How the metric of each trial came along, on a sweep's page; pruned trials end where they were pruned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
import streamlit as st

from tracking.analysis.curves import Curve, CurveOptions
from tracking.analysis.ranking import ranking
from tracking.analysis.reported import REPORTED
from tracking.analysis.trials import feasible, value_columns
from tracking.records import RunRecord
from tracking.sweep_records import SweepRecord
from tracking.ui import cache, format, sweep_cache, sweep_lanes
from tracking.ui.charts import Figure
from tracking.ui.live_chart import live_chart
from tracking.ui.markdown import escape

if TYPE_CHECKING:
    from tracking.store import Store

MOST_CURVES: Final = 60
BEST_CURVES: Final = 10
POINTS: Final = 200
HEIGHT: Final = 300


@dataclass(frozen=True, slots=True)
class _Chosen:
    """The trials whose curves are drawn.

    Attributes:
        rows: Of the frame, by run, in order of number.
        best: Row of the best trial, -1 where there is none.
        with_run: How many trials there are to choose from.
        over: The runs of those that had ended.
    """

    rows: dict[str, int]
    best: int
    with_run: int
    over: list[RunRecord]


@dataclass(frozen=True, slots=True)
class Drawn:
    """The curves as they are drawn.

    Attributes:
        figure: Of all of them.
        note: How many they are, and of how many.
        curves: How many they are.
        how: What made the metric: `logged` by the runs, or `reported` by an objective.
    """

    figure: Figure
    note: str
    curves: int
    how: str


def of(store: Store, record: SweepRecord, frame: pd.DataFrame, place: int) -> Drawn | None:
    """Return the curves of the best, the running and the newest trials; None where no trial has one."""
    wanted = record.objectives[place]
    column = value_columns(record.objectives)[place]

    def make(now: SweepRecord) -> _Chosen:
        trials = sweep_cache.frame(store, now)
        with_run = ~trials["run"].isna().to_numpy() & (trials["state"] != "waiting").to_numpy(dtype=bool)
        goal = now.objectives[place].goal
        best = ranking(trials, [column], [goal], top=BEST_CURVES, feasible=feasible(trials))
        rows = {str(trials["run"].iloc[row]): row for row in chosen(trials, with_run, best)}
        over = [run for run, row in rows.items() if trials["state"].iloc[row] != "running"]
        return _Chosen(
            rows, int(best[0]) if len(best) else -1, int(with_run.sum()), cache.known_runs(store, over)[0]
        )

    found = sweep_cache.made(store, record, f"curves {place}", make)
    runs, first = found.rows, found.best
    over = {run.id for run in found.over}
    going, _ = cache.known_runs(store, [run for run in runs if run not in over])
    known = sorted([*found.over, *going], key=lambda run: runs[run.id])
    options = CurveOptions(max_points=POINTS)
    # What a plain objective reports has a name of its own; of several objectives nothing is reported.
    for metric in (wanted.metric, REPORTED)[: 3 - len(record.objectives)]:
        curves = cache.curve_cache(store).curves(store, {run.id: run for run in known}, metric, options)
        several = {run: curve for run, curve in curves.items() if curve.total > 1}
        if several:
            break
    else:
        return None
    made: list[tuple[str, int, Curve]] = []
    for run, curve in several.items():
        row = runs[run]
        state = str(frame["state"].iloc[row])
        kind = "best" if row == first else state if state in sweep_lanes.KINDS else "complete"
        made.append((kind, int(frame["number"].iloc[row]), curve))
    figure, note = sweep_lanes.curves_chart(
        made, wanted, found.with_run if len(runs) == MOST_CURVES else len(made)
    )
    return Drawn(figure, note, len(made), "logged" if metric == wanted.metric else "reported")


def draw(record: SweepRecord, place: int, found: Drawn) -> None:
    """Draw the curves."""
    metric = record.objectives[place].metric
    st.markdown(f"**Curves** · {escape(format.shorten_key(metric, 60))} as it was {found.how}")
    with st.container(gap=None):
        live_chart(
            found.figure,
            key=f"sweep.curves.{record.study}.{place}",
            height=HEIGHT,
            alt=f"{metric} over the steps of {found.curves} trials; pruned ones end early",
        )
        st.caption(found.note)


def chosen(frame: pd.DataFrame, with_run: np.ndarray, best: np.ndarray) -> list[int]:
    """Return the rows of the trials to draw: the best, the running, then the newest, in order of number."""
    running = np.flatnonzero((frame["state"] == "running").to_numpy(dtype=bool) & with_run)[
        -MOST_CURVES // 2 :
    ]
    newest = np.flatnonzero(with_run)[::-1]
    order = [*(int(row) for row in best if with_run[row]), *map(int, running), *map(int, newest)]
    return sorted(list(dict.fromkeys(order))[:MOST_CURVES])
