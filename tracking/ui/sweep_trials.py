"""The table of a sweep's trials on its page, with what can be done with the ticked ones."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from tracking.sweep_records import SweepRecord
from tracking.ui import format, grid, navigation, state, sweep_cache, sweep_format, sweep_trial_table
from tracking.ui.sweep_trial_table import BEST, LONGEST, NEWEST, OLDEST, Choice
from tracking.ui.zone import reader_zone

if TYPE_CHECKING:
    from tracking.store import Store

ROWS: Final = 14
_HELD: Final = "sweep.trials.held"
"""Session: (key of the table, numbers of its rows) as it was drawn last: what its ticks speak of."""
_GENERATION: Final = "sweep.trials.generation"


def controls(record: SweepRecord, frame: pd.DataFrame) -> Choice:
    """Draw the controls over the table; order, states and page are in the address."""
    there = sorted(set(sweep_trial_table.states(frame)))
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        order = st.segmented_control(
            "Order",
            [NEWEST, BEST, LONGEST, OLDEST],
            default=NEWEST,
            required=True,
            key="order",
            bind="query-params",
            on_change=_first_page,
        )
        states = st.pills(
            "State",
            there,
            selection_mode="multi",
            format_func=lambda said: sweep_format.trial_state_text(said).partition(" ")[
                2
            ],  # as in the address
            key=state.STATES,
            bind="query-params",
            on_change=_first_page,
        )
    chosen = (order or NEWEST) if order in (NEWEST, BEST, LONGEST, OLDEST) else NEWEST
    return Choice(chosen, tuple(states or ()), page=state.page())


def draw(store: Store, record: SweepRecord, brushed: frozenset[int] | None, brushed_text: str = "") -> None:
    """Draw the table as it is now; while rows are ticked they keep their places."""
    frame = sweep_cache.frame(store, record)
    if not len(frame):  # nothing to order: the charts' place says that no trial has begun
        return
    choice = replace(controls(record, frame), brushed=brushed)
    rows = sweep_trial_table.chosen(frame, record, choice, sweep_cache.front(store, record))
    if not len(rows):
        st.caption("No trial is in these states and ranges.")
        return
    here, page = sweep_trial_table.page_of(rows, choice.page)
    key = _table_key(record, replace(choice, page=page, brushed=None), brushed_text)
    here = _held(key, frame, here)
    shown = frame.iloc[here]
    best = {each.number for each in record.best if each.study == record.study}
    actions = st.container(horizontal=True, vertical_alignment="center", gap="small")
    zone, columns = reader_zone(), sweep_cache.varying(store, record)
    table = sweep_cache.made(
        store,
        record,
        f"table {zone} {hashlib.blake2b(here.tobytes(), digest_size=8).hexdigest()}",
        lambda _: sweep_trial_table.trials_table(shown, record, best, zone=zone, varying=columns),
        again=False,
    )
    runs = [None if pd.isna(run) else str(run) for run in shown["run"]]
    chosen = grid.choose(
        table,
        alt="Trials of the sweep with their state, values and params",
        key=key,
        rows=ROWS,
        on_open=lambda row: _open(runs[row]),
    )
    st.session_state[_HELD] = (key, shown["number"].tolist())
    with actions:
        _actions([run for row in chosen if (run := runs[row]) is not None], len(chosen))
    _pages(len(rows), len(here), page, len(frame), brushed_text)


def _open(run: str | None) -> None:
    if run is not None:
        navigation.open_run(run)


def _actions(runs: list[str], ticked: int) -> None:
    too_many = len(runs) > state.MAX_RUNS
    if st.button(
        f"Compare {len(runs)} trials" if len(runs) > 1 else "Compare",
        type="primary" if len(runs) > 1 else "secondary",
        disabled=len(runs) < 2 or too_many,
        key="sweep.compare",
        help=f"Tick two to {state.MAX_RUNS} trials at the left of the table",
    ):
        navigation.open_compare(runs)
    if not ticked:
        st.caption("Click a trial to open its run; tick two or more to compare them.")
        return
    st.button("Clear", key="sweep.clear", on_click=_forget)
    notes = [f"{format.plural(ticked, 'trial')} ticked"]
    if ticked > len(runs):
        notes.append(f"{format.count(ticked - len(runs))} without a run")
    if too_many:
        notes.append(f"a comparison takes up to {state.MAX_RUNS}")
    st.caption(", ".join(notes) + ".")


def _held(key: str, frame: pd.DataFrame, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the rows to draw: those of before while some of them are ticked, with their values as they are now."""
    held = st.session_state.get(_HELD)
    if held is None or held[0] != key or not grid.chosen_before(key):
        return rows
    places = {number: place for place, number in enumerate(frame["number"].tolist())}
    before = [places[number] for number in held[1] if number in places]
    return np.array(before, dtype=np.int64) if len(before) == len(held[1]) else rows


def _pages(total: int, shown: int, page: int, trials: int, brushed_text: str) -> None:
    size = sweep_trial_table.PAGE_SIZE

    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        first = page * size + 1
        where = (
            f"Showing {format.count(shown)} of {format.plural(total, 'trial')}"
            if total <= size
            else f"Showing {format.count(first)}–{format.count(first + shown - 1)} of {format.plural(total, 'trial')}"
        )
        if total < trials:
            where += f"; {format.count(trials)} in the sweep" + (f", {brushed_text}" if brushed_text else "")
        st.caption(where, width="content")
        if page:
            st.button("First page", key="sweep.trials.first", on_click=state.set_page, args=(0,))
            st.button("Previous", key="sweep.trials.previous", on_click=state.set_page, args=(page - 1,))
        if (page + 1) * size < total:
            st.button(f"Next {size}", key="sweep.trials.next", on_click=state.set_page, args=(page + 1,))


def _first_page() -> None:
    state.set_page(0)


def _forget() -> None:
    """Untick everything: the table gets a new identity."""
    st.session_state[_GENERATION] = int(st.session_state.get(_GENERATION, 0)) + 1


def _table_key(record: SweepRecord, choice: Choice, brushed_text: str) -> str:
    """Return the key of the table: another sweep, order or page is another table, where ticks are set anew."""
    asked = (record.study, choice, brushed_text, st.session_state.get(_GENERATION, 0))
    return f"sweep.trials.{hashlib.blake2b(repr(asked).encode(), digest_size=6).hexdigest()}"
