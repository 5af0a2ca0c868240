"""Starting fresh runs of a run's configuration from a page, and what was started."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import streamlit as st

from tracking.errors import NotFound, TrackingError
from tracking.records import RunRecord
from tracking.sweep_records import SweepRecord
from tracking.ui import access, feedback, format, state, sweep_format
from tracking.ui.markdown import escape

if TYPE_CHECKING:
    from tracking.store import Store

RUNS, MOST = 5, 100
SHOWN: Final = 60
_ERROR: Final = "repeat.error"
"""Session: (run, error) of the last start that was refused."""


def started(store: Store, run: RunRecord) -> list[SweepRecord]:
    """Return the sweeps that run a run's configuration again, the one that was started last first."""
    found = store.trial_of_run(run.id) or (run.parent and store.trial_of_run(run.parent))
    if not found:
        return _repeating(store, run.id)
    study, number = found
    try:
        sweep = store.sweep(study)
    except NotFound:
        return []  # a study of the user's own
    if sweep.repeats_run is not None:
        return _repeating(store, sweep.repeats_run)
    confirmed, trial = sweep.name, run.id if store.trial_of_run(run.id) is not None else run.parent
    if sweep.confirms is not None:
        confirmed = sweep.confirms
        mine = [each for each in store.confirmations(confirmed) if each.own.name == sweep.name]
        trial = next((each.run for one in mine for each in one.trials if each.number == number), None)
    return [
        each.own
        for each in store.confirmations(confirmed)
        if any(one.run == trial for one in each.trials if one.run is not None)
    ]


def draw(store: Store, run: RunRecord, there: Sequence[SweepRecord], *, key: str) -> None:
    """Draw a field and a button that start fresh runs; while some go on there is no button.

    Args:
        store: That has the run.
        run: To run again.
        there: What was started before.
        key: Distinguishes several forms on one page.
    """
    access_given = access.may_act()
    if access_given and not any(each.state.is_live for each in there):
        runs = st.number_input(
            "Fresh runs",
            2,
            MOST,
            RUNS,
            key=f"{key}.repeat.runs",
            width=120,
            help="Of the same configuration, with seeds that it has not had. Five or more tell the noise.",
        )
        if st.button(
            f"Repeat it {int(runs)} times",
            key=f"{key}.repeat",
            help="Starts a small sweep that runs the same configuration again. It can be stopped and resumed.",
        ):
            _start(store, run, there, int(runs))


def outcome(run: RunRecord, there: Sequence[SweepRecord]) -> None:
    """Draw what was started last, or why nothing was."""
    failed = st.session_state.get(_ERROR)
    if failed is not None and failed[0] == run.id:
        feedback.show_error(failed[1])
    if there:
        newest = there[0]
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.badge(
                sweep_format.state(newest.state),
                color=sweep_format.state_colour(newest.state),
                help=f"{newest.state}: {sweep_format.state_meaning(newest.state)}",
            )
            more = f" and {format.plural(len(there) - 1, 'sweep')} before" if len(there) > 1 else ""
            st.page_link(
                state.SWEEP_PAGE,
                label=escape(f"Fresh runs: {format.shorten(newest.name, SHOWN)}{more} →"),
                query_params={state.SWEEP: newest.name},
            )


def start_key(run: RunRecord, there: Sequence[SweepRecord], runs: int) -> str:
    """Return what names a start, the same in every tab that shows the same."""
    seen = [run.id, *(each.studies[0] for each in there), str(runs)]
    return "repeat:" + hashlib.sha256("\0".join(seen).encode()).hexdigest()


def _repeating(store: Store, run_id: str) -> list[SweepRecord]:
    return [each for each in store.sweeps() if each.repeats_run == run_id]


def _start(store: Store, run: RunRecord, there: Sequence[SweepRecord], runs: int) -> None:
    access.require_key()
    from tracking.tuning import sweeps

    st.session_state.pop(_ERROR, None)
    try:
        made = sweeps.repeat(store.location, run.id, runs=runs, key=start_key(run, there, runs))
    except TrackingError as error:
        st.session_state[_ERROR] = (run.id, error)
    else:
        st.toast(sweep_format.toast(f"{made.name} has started."), duration="long")
    st.rerun()
