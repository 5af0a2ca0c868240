"""How the metric of each trial came along, on a sweep's page; pruned trials end where they were pruned."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
import streamlit as st

from tracking.analysis.curves import Curve, CurveOptions
from tracking.analysis.ranking import ranking
from tracking.analysis.reported import REPORTED
from tracking.analysis.trials import feasible, value_columns
from tracking.sweep_records import SweepRecord
from tracking.ui import cache, format, sweep_lanes
from tracking.ui.live_chart import live_chart
from tracking.ui.markdown import escape

if TYPE_CHECKING:
    from tracking.store import Store

MOST_CURVES: Final = 60
BEST_CURVES: Final = 10
POINTS: Final = 200
HEIGHT: Final = 300


def draw(store: Store, record: SweepRecord, frame: pd.DataFrame, place: int) -> None:
    """Draw the curves of the best, the running and the newest trials."""
    wanted = record.objectives[place]
    column = value_columns(record.objectives)[place]
    with_run = ~frame["run"].isna().to_numpy() & (frame["state"] != "waiting").to_numpy(dtype=bool)
    best = ranking(frame, [column], [wanted.goal], top=BEST_CURVES, feasible=feasible(frame))
    places = chosen(frame, with_run, best)
    runs = {str(frame["run"].iloc[place]): int(place) for place in places}
    known, _ = cache.known_runs(store, list(runs))
    options = CurveOptions(max_points=POINTS)
    # What a plain objective reports has a name of its own; of several objectives nothing is reported.
    for metric in (wanted.metric, REPORTED)[: 3 - len(record.objectives)]:
        curves = cache.curve_cache(store).curves(store, {run.id: run for run in known}, metric, options)
        several = {run: curve for run, curve in curves.items() if curve.total > 1}
        if several:
            break
    else:
        return
    first = int(best[0]) if len(best) else -1
    made: list[tuple[str, int, Curve]] = []
    for run, curve in several.items():
        row = runs[run]
        state = str(frame["state"].iloc[row])
        kind = "best" if row == first else state if state in sweep_lanes.KINDS else "complete"
        made.append((kind, int(frame["number"].iloc[row]), curve))
    figure, note = sweep_lanes.curves_chart(
        made, wanted, int(with_run.sum()) if len(places) == MOST_CURVES else len(made)
    )
    how = "logged" if metric == wanted.metric else "reported"
    st.markdown(f"**Curves** · {escape(format.shorten_key(wanted.metric, 60))} as it was {how}")
    with st.container(gap=None):
        live_chart(
            figure,
            key=f"sweep.curves.{record.study}.{place}",
            height=HEIGHT,
            alt=f"{wanted.metric} over the steps of {len(made)} trials; pruned ones end early",
        )
        st.caption(note)


def chosen(frame: pd.DataFrame, with_run: np.ndarray, best: np.ndarray) -> list[int]:
    """Return the rows of the trials to draw: the best, the running, then the newest, in order of number."""
    running = np.flatnonzero((frame["state"] == "running").to_numpy(dtype=bool) & with_run)[
        -MOST_CURVES // 2 :
    ]
    newest = np.flatnonzero(with_run)[::-1]
    order = [*(int(row) for row in best if with_run[row]), *map(int, running), *map(int, newest)]
    return sorted(list(dict.fromkeys(order))[:MOST_CURVES])
