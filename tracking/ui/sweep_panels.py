"""The charts of a sweep's page, from its trial frame as it is now."""

from __future__ import annotations

import functools
from datetime import UTC, datetime
from itertools import combinations, islice
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
import streamlit as st

from tracking.analysis.parallel import ParallelCoordinates, brushed, parallel
from tracking.analysis.ranking import ranking
from tracking.analysis.slices import slice_of
from tracking.analysis.timeline import Timeline, timeline
from tracking.analysis.trials import PARAM, VALUE, feasible, finished, value_columns
from tracking.sweep_records import SweepRecord
from tracking.ui import (
    feedback,
    format,
    state,
    sweep_cache,
    sweep_charts,
    sweep_curves,
    sweep_format,
    sweep_importances,
    sweep_lanes,
    sweep_names,
    sweep_parallel,
)
from tracking.ui.live_chart import Packed, live_chart, packed
from tracking.ui.markdown import escape
from tracking.ui.sweep_axes import Drawn, drawn_note
from tracking.ui.zone import reader_offset

if TYPE_CHECKING:
    from streamlit.elements.lib.grid_container import GridContainer

    from tracking.store import Store

HEIGHT: Final = 300
SMALL: Final = 200
FIRST_SLICES: Final = 10
MOST_PAIRS: Final = 6
MOST_AXES: Final = 12
NARROWEST: Final = 340
WIDE: Final = 440
"""Of a chart whose axis has clock times, which would stand on end in less."""
NARROW: Final = 220
LONG_SLICE: Final = 26
"""Characters of a param's name below its chart."""
MOST_IN_A_ROW: Final = 5
LIVE_SECONDS: Final = 2.0
"""Between two redraws of the charts while the sweep is live."""


def live_seconds(live: bool) -> float | None:
    """Return the interval of a section of charts, None when it need not redraw itself."""
    return LIVE_SECONDS if live else None


def draw(store: Store, record: SweepRecord, behind: str = "") -> None:
    """Draw everything that shows how the sweep went and what drives its result.

    Args:
        store: The store.
        record: What is drawn.
        behind: How far that is behind, as the end of a line.
    """
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
    ranked = sweep_importances.of(store, record, place, column).params is not None
    beside = (
        1 + ranked
    )  # charts of one objective: where it is not known what it hangs on, nothing stays empty
    grid = _grid(len(pairs) + beside if len(pairs) < 2 else 3)
    for number, pair in enumerate(pairs):
        with grid.cell():
            _front(store, record, pair, first=number == 0)
    if len(pairs) > 1:
        grid = _grid(beside)
    with grid.cell():
        _history(store, record, place, column, behind)
    with grid.cell() if ranked else st.container():
        sweep_importances.draw(store, record, place, column)
    _slices(store, record, place, column)
    curves = sweep_curves.of(store, record, frame, place)
    grid = _grid(1 if curves is None else 2, WIDE)
    with grid.cell():
        _timeline(store, record, frame)
    if curves is not None:
        with grid.cell():
            sweep_curves.draw(record, place, curves)


def _grid(columns: int, narrowest: int = NARROWEST) -> GridContainer:
    return st.grid(columns, min_column_width=narrowest, gap="medium")


def draw_parallel(store: Store, record: SweepRecord) -> tuple[frozenset[int] | None, str]:
    """Draw parallel coordinates; returns the numbers of the brushed trials, None without a brush, and its text."""
    frame = sweep_cache.frame(store, record)
    columns = value_columns(record.objectives)
    values = frame[list(columns)].to_numpy(dtype=np.float64)
    if (finished(frame, columns) & np.isfinite(values).all(axis=1)).sum() < 2:
        if len(frame):
            st.subheader("Trials")
        return None, ""
    params = sweep_importances.varying_when_complete(store, record, columns[0])
    axes = [*params[: max(1, MOST_AXES - len(columns))], *columns]
    column = columns[_objective_before(record)]

    key = f"sweep.parallel.{record.study}.{len(axes)}"

    def make(now: SweepRecord) -> tuple[ParallelCoordinates, Packed, Drawn]:
        trials = sweep_cache.frame(store, now)
        found = parallel(trials, axes, log=sweep_cache.logarithmic(store, now))
        figure, drawn = sweep_parallel.parallel_chart(found, trials, column, goal)
        return found, packed(figure, key=key), drawn

    goal = record.objectives[columns.index(column)].goal
    found, figure, drawn = sweep_cache.made(store, record, f"parallel {column} {axes}", make)
    st.subheader("Parallel coordinates and trials")
    view = live_chart(
        figure,
        key=key,
        brushed_by=sweep_parallel.checked_brush(state.brush(), axes),
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
    names = _objective_names(record)
    if st.session_state.get(state.OBJECTIVE, names[0]) not in names:  # of another sweep
        del st.session_state[state.OBJECTIVE]
    chosen = st.segmented_control(
        "Charts of",
        names,
        format_func=lambda name: escape(format.shorten(name, 40)),
        default=names[0],
        required=True,
        key=state.OBJECTIVE,
        bind="query-params",
    )
    return names.index(chosen) if chosen in names else 0


def _objective_before(record: SweepRecord) -> int:
    chosen, names = st.session_state.get(state.OBJECTIVE), _objective_names(record)
    return names.index(chosen) if chosen in names and len(names) > 1 else 0


def _objective_names(record: SweepRecord) -> list[str]:
    return [column.removeprefix(VALUE) for column in value_columns(record.objectives)]


def _history(store: Store, record: SweepRecord, place: int, column: str, behind: str) -> None:
    wanted = record.objectives[place]
    edits = [edit for edit in record.edits if edit.study == record.study]

    key = f"sweep.history.{record.study}.{place}"

    def make(now: SweepRecord) -> tuple[Packed, str]:
        marks = [edit for edit in now.edits if edit.study == now.study]
        figure, note = sweep_charts.history(sweep_cache.frame(store, now), column, wanted, marks)
        return packed(figure, key=key), note

    figure, note = sweep_cache.made(store, record, f"history {place}", make)
    st.markdown(f"**Best so far** · {escape(sweep_format.objective(wanted))}")
    with st.container(gap=None):
        live_chart(
            figure,
            key=key,
            height=HEIGHT,
            alt=f"{wanted.metric} of each trial, with the best so far",
        )
        st.caption(note + (" · ▼ where the sweep was changed" if edits else "") + behind)


def _slices(store: Store, record: SweepRecord, place: int, column: str) -> None:
    wanted = record.objectives[place]
    names = sweep_importances.order(store, record, place, column)
    if not names:
        return
    st.markdown(f"**Each param against {escape(format.shorten_key(wanted.metric, 60))}**")
    short = sweep_names.short([name.removeprefix(PARAM) for name in names], LONG_SLICE)
    shown = names[: st.session_state.get(_slices_key(record), FIRST_SLICES)]
    rows = -(-len(shown) // MOST_IN_A_ROW)
    grid = st.grid(-(-len(shown) // rows), min_column_width=NARROW, gap="small")
    for name in shown:
        key = f"sweep.slice.{record.study}.{place}.{name}"

        def make(now: SweepRecord, name: str = name, key: str = key) -> tuple[Packed, Drawn]:
            log = sweep_cache.logarithmic(store, now)
            found = slice_of(sweep_cache.frame(store, now), name, column, log=name in log)
            best = _best(store, now, place, column)
            figure, drawn = sweep_charts.slice_chart(found, short[name.removeprefix(PARAM)], wanted, best)
            return packed(figure, key=key), drawn

        figure, drawn = sweep_cache.made(store, record, f"slice {place} {name}", make)
        with grid.cell(), st.container(gap=None):
            live_chart(
                figure,
                key=key,
                height=SMALL,
                alt=f"{wanted.metric} by {name.removeprefix(PARAM)}, {drawn.shown} trials",
            )
            if drawn.shown < drawn.total:
                st.caption(drawn_note(drawn, "trial"))
    if len(names) > len(shown):
        _more(record, len(shown), len(names))


def _best(store: Store, record: SweepRecord, place: int, column: str) -> int | None:
    """Return the row of the best trial of an objective, None where there is none."""

    def make(now: SweepRecord) -> int | None:
        trials = sweep_cache.frame(store, now)
        best = ranking(trials, [column], [now.objectives[place].goal], top=1, feasible=feasible(trials))
        return int(best[0]) if len(best) else None

    return sweep_cache.made(store, record, f"best {place}", make)


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


def _front(store: Store, record: SweepRecord, pair: tuple[int, int], *, first: bool) -> None:
    """Draw two objectives against each other with the Pareto front; the first chart says what that is."""
    columns = value_columns(record.objectives)
    front = sweep_cache.front(store, record)
    if front is None:
        return
    one, other = (record.objectives[place] for place in pair)

    key = f"sweep.front.{record.study}.{pair}"

    def make(now: SweepRecord) -> tuple[Packed, Drawn]:
        trials, on_front = sweep_cache.frame(store, now), sweep_cache.front(store, now)
        values = trials[list(columns)].to_numpy(dtype=np.float64)
        rows = np.flatnonzero(finished(trials, columns) & np.isfinite(values).all(axis=1))
        ahead = np.zeros(len(rows), dtype=bool) if on_front is None else on_front[rows]
        figure, drawn = sweep_charts.front_chart(
            values[rows][:, pair],
            trials["number"].to_numpy()[rows],
            ahead,
            (one, other),
            joined=len(columns) == 2,
            feasible=feasible(trials)[rows],
        )
        return packed(figure, key=key), drawn

    figure, drawn = sweep_cache.made(store, record, f"front {pair}", make)
    st.markdown(f"**Pareto front** · {escape(format.shorten(f'{other.metric} by {one.metric}', 60))}")
    with st.container(gap=None):
        live_chart(
            figure,
            key=key,
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


def _lanes(store: Store, record: SweepRecord) -> Timeline:
    return timeline(sweep_cache.frame(store, record), datetime.now(UTC))


def _timeline(store: Store, record: SweepRecord, frame: pd.DataFrame) -> None:
    found = sweep_cache.made(store, record, "lanes", functools.partial(_lanes, store)).at(datetime.now(UTC))
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
