"""The charts of a sweep's page, from its trial frame as it is now."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import combinations, islice
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
import streamlit as st

from tracking.analysis.parallel import ParallelCoordinates, brushed, parallel
from tracking.analysis.ranking import ranking
from tracking.analysis.slices import slice_of
from tracking.analysis.timeline import timeline
from tracking.analysis.trials import PARAM, finished, value_columns
from tracking.sweep_records import SweepRecord
from tracking.ui import (
    feedback,
    format,
    sweep_cache,
    sweep_charts,
    sweep_curves,
    sweep_format,
    sweep_importances,
    sweep_lanes,
    sweep_parallel,
)
from tracking.ui.charts import Figure
from tracking.ui.live_chart import live_chart
from tracking.ui.markdown import escape
from tracking.ui.sweep_axes import Drawn, drawn_note
from tracking.ui.zone import reader_offset

if TYPE_CHECKING:
    from tracking.store import Store

HEIGHT: Final = 300
SMALL: Final = 200
FIRST_SLICES: Final = 10
MOST_PAIRS: Final = 6
MOST_AXES: Final = 12
NARROWEST: Final = 380
NARROW: Final = 220
MOST_IN_A_ROW: Final = 5
LIVE_SECONDS: Final = 2.0
"""Between two redraws of the charts while the sweep is live."""


def live_seconds(live: bool) -> float | None:
    """Return the interval of a section of charts, None when it need not redraw itself."""
    return LIVE_SECONDS if live else None


def draw(store: Store, record: SweepRecord) -> None:
    """Draw everything that shows how the sweep went and what drives its result."""
    frame = sweep_cache.frame(store, record)
    columns = value_columns(record.objectives)
    if not finished(frame, columns).any():
        _nothing_finished(record, frame)
        if len(frame) and not frame["started"].isna().all():
            _timeline(store, record, frame)
        return
    place = _objective(record)
    column = columns[place]
    pairs = list(islice(combinations(range(len(columns)), 2), MOST_PAIRS))
    grid = st.grid(min(3, 2 + len(pairs)), min_column_width=NARROWEST, gap="medium")
    for number, pair in enumerate(pairs):
        with grid.cell():
            _front(store, record, frame, pair, first=number == 0)
    with grid.cell():
        _history(store, record, frame, place, column)
    with grid.cell():
        sweep_importances.draw(store, record, frame, place, column)
    _slices(store, record, frame, place, column)
    grid = st.grid(2, min_column_width=NARROWEST, gap="medium")
    with grid.cell():
        _timeline(store, record, frame)
    with grid.cell():
        sweep_curves.draw(store, record, frame, place)


def draw_parallel(store: Store, record: SweepRecord) -> tuple[frozenset[int] | None, str]:
    """Draw parallel coordinates; returns the numbers of the brushed trials, None without a brush, and its text."""
    frame = sweep_cache.frame(store, record)
    columns = value_columns(record.objectives)
    values = frame[list(columns)].to_numpy(dtype=np.float64)
    if (finished(frame, columns) & np.isfinite(values).all(axis=1)).sum() < 2:
        return None, ""
    params = sweep_importances.varying_when_complete(store, record, frame, columns[0])
    axes = [*params[: max(1, MOST_AXES - len(columns))], *columns]
    column = columns[_objective_before(record)]

    def make() -> tuple[ParallelCoordinates, Figure, Drawn]:
        found = parallel(frame, axes, log=sweep_cache.logarithmic(store, record))
        goal = record.objectives[columns.index(column)].goal
        return found, *sweep_parallel.parallel_chart(found, frame, column, goal)

    found, figure, drawn = sweep_cache.made(store, record, f"parallel {column}", make)
    st.subheader("Parallel coordinates and trials")
    view = live_chart(
        figure,
        key=f"sweep.parallel.{record.study}.{len(axes)}",
        height=HEIGHT,
        alt=f"A line for each of {drawn.shown} trials across {len(axes)} axes: params, then objectives",
    )
    brush = sweep_parallel.checked_brush(view.brush, axes)
    more = (
        f" · {len(params) - len(axes) + len(columns)} more params"
        if len(params) + len(columns) > len(axes)
        else ""
    )
    st.caption(
        f"{drawn_note(drawn, 'complete trial')}{more} · orange is best · drag along an axis to keep a range in the "
        "table below, click beside it to let go"
    )
    if not brush:
        return None, ""
    rows = brushed(found, brush)
    said = ", ".join(name.partition(".")[2] for name in brush)
    return frozenset(
        frame["number"].to_numpy()[rows].tolist()
    ), f"brushed by {escape(format.shorten(said, 80))}"


def _nothing_finished(record: SweepRecord, frame: pd.DataFrame) -> None:
    if not len(frame):
        if record.state.is_live:
            feedback.empty(
                "No trial has begun", "The first ones appear here as soon as its workers have started."
            )
        else:
            feedback.empty("No trial has begun", "Resume starts the first ones.")
        return
    running = int((frame["state"] == "running").sum())
    failed = int((frame["state"] == "fail").sum())
    if running:
        feedback.empty(
            "No trial has finished",
            f"{format.plural(running, 'trial')} running; charts begin with the first one that completes.",
        )
    elif failed == len(frame):
        feedback.empty("Every trial failed", "Below is why, with the traceback and what each one printed.")
    else:
        feedback.empty("No trial is complete", "Those so far were pruned, failed, or wait to run.")


def _objective(record: SweepRecord) -> int:
    """Let the reader choose the objective that the charts are of; returns its place."""
    if len(record.objectives) == 1:
        return 0
    names = {place: sweep_format.objective(each) for place, each in enumerate(record.objectives)}
    chosen = st.segmented_control(
        "Charts of",
        list(names),
        format_func=lambda place: escape(format.shorten(names[place], 40)),
        default=0,
        required=True,
        key=_objective_key(record),
    )
    return int(chosen or 0)


def _objective_before(record: SweepRecord) -> int:
    chosen = st.session_state.get(_objective_key(record))
    return chosen if isinstance(chosen, int) and 0 <= chosen < len(record.objectives) else 0


def _objective_key(record: SweepRecord) -> str:
    return f"sweep.objective.{record.name}"


def _history(store: Store, record: SweepRecord, frame: pd.DataFrame, place: int, column: str) -> None:
    wanted = record.objectives[place]
    edits = [edit for edit in record.edits if edit.study == record.study]
    figure, note = sweep_cache.made(
        store, record, f"history {place}", lambda: sweep_charts.history(frame, column, wanted, edits)
    )
    st.markdown(f"**Best so far** · {escape(sweep_format.objective(wanted))}")
    with st.container(gap=None):
        live_chart(
            figure,
            key=f"sweep.history.{record.study}.{place}",
            height=HEIGHT,
            alt=f"{wanted.metric} of each trial, with the best so far",
        )
        st.caption(note + (" · ▼ where the sweep was changed" if edits else ""))


def _slices(store: Store, record: SweepRecord, frame: pd.DataFrame, place: int, column: str) -> None:
    wanted = record.objectives[place]
    best = ranking(frame, [column], [wanted.goal], top=1)
    names = sweep_importances.order(store, record, frame, place, column)
    if not names:
        return
    st.markdown(f"**Each param against {escape(format.shorten_key(wanted.metric, 60))}**")
    grid = st.grid(min(MOST_IN_A_ROW, len(names)), min_column_width=NARROW, gap="small")
    log = sweep_cache.logarithmic(store, record)
    shown = names[: st.session_state.get(_slices_key(record), FIRST_SLICES)]
    for name in shown:

        def make(name: str = name) -> tuple[Figure, Drawn]:
            found = slice_of(frame, name, column, log=name in log)
            return sweep_charts.slice_chart(
                found, name.removeprefix(PARAM), wanted, int(best[0]) if len(best) else None
            )

        figure, drawn = sweep_cache.made(store, record, f"slice {place} {name}", make)
        with grid.cell(), st.container(gap=None):
            live_chart(
                figure,
                key=f"sweep.slice.{record.study}.{place}.{name}",
                height=SMALL,
                alt=f"{wanted.metric} by {name.removeprefix(PARAM)}, {drawn.shown} trials",
            )
            if drawn.shown < drawn.total:
                st.caption(drawn_note(drawn, "trial"))
    if len(names) > len(shown):
        _more(record, len(shown), len(names))


def _more(record: SweepRecord, shown: int, total: int) -> None:
    def show_more() -> None:
        st.session_state[_slices_key(record)] = shown + 2 * FIRST_SLICES

    st.button(
        f"Show {format.plural(min(2 * FIRST_SLICES, total - shown), 'more param')}",
        key="sweep.slices.more",
        on_click=show_more,
    )


def _slices_key(record: SweepRecord) -> str:
    return f"sweep.slices.shown.{record.name}"


def _front(
    store: Store, record: SweepRecord, frame: pd.DataFrame, pair: tuple[int, int], *, first: bool
) -> None:
    """Draw two objectives against each other with the Pareto front; the first chart says what that is."""
    columns = value_columns(record.objectives)
    front = sweep_cache.front(store, record)
    if front is None:
        return
    one, other = (record.objectives[place] for place in pair)

    def make() -> tuple[Figure, Drawn]:
        values = frame[list(columns)].to_numpy(dtype=np.float64)
        rows = np.flatnonzero(finished(frame, columns) & np.isfinite(values).all(axis=1))
        numbers = frame["number"].to_numpy()[rows]
        joined = len(columns) == 2
        return sweep_charts.front_chart(
            values[rows][:, pair], numbers, front[rows], (one, other), joined=joined
        )

    figure, drawn = sweep_cache.made(store, record, f"front {pair}", make)
    st.markdown(f"**Pareto front** · {escape(format.shorten(f'{other.metric} by {one.metric}', 60))}")
    with st.container(gap=None):
        live_chart(
            figure,
            key=f"sweep.front.{record.study}.{pair}",
            height=HEIGHT,
            alt=f"{other.metric} against {one.metric}, the trials on the front marked",
        )
        note = drawn_note(drawn, "complete trial")
        if first:
            more = "; of all objectives together, so no line in two of them" if len(columns) > 2 else ""
            note += (
                f" · {format.count(int(front.sum()))} on the front: no other trial is as good in every objective "
                f"and better in one{more}"
            )
        st.caption(note)


def _timeline(store: Store, record: SweepRecord, frame: pd.DataFrame) -> None:
    found = (
        timeline(frame, datetime.now(UTC))
        if record.trials.get("running")
        else sweep_cache.made(store, record, "lanes", lambda: timeline(frame, datetime.now(UTC)))
    )
    if not len(found.bars):
        return
    figure, note = sweep_lanes.timeline_chart(found, reader_offset())
    st.markdown("**Workers**")
    with st.container(gap=None):
        live_chart(
            figure,
            key=f"sweep.timeline.{record.study}",
            height=min(HEIGHT, 110 + 34 * max(2, found.lanes)),
            alt=f"Which of {found.lanes} workers ran which trial when",
        )
        st.caption(note)
