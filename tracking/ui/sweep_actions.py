"""What can be done with a sweep from its page: each press asks for the key, acts, and says what came of it."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import streamlit as st

from tracking.config import StoreLocation
from tracking.errors import TrackingError
from tracking.sweep_records import SweepRecord, SweepState
from tracking.ui import (
    access,
    feedback,
    format,
    frame,
    navigation,
    sweep_edit_forms,
    sweep_export,
    sweep_format,
)

if TYPE_CHECKING:
    from tracking.store import Store

_ERROR: Final = "sweep.error"
"""Session: (sweep, error) of the action that failed last."""
_ENDED: Final = frozenset(
    {SweepState.FINISHED, SweepState.STOPPED, SweepState.FAILED, SweepState.INTERRUPTED}
)


def show(store: Store, record: SweepRecord) -> None:
    """Draw the row of actions, as a section of its own: a form in it does not draw the page again."""

    @frame.live(every=None)
    def actions() -> None:
        """What can be done with the sweep."""
        allowed = access.gate("steer this sweep", key="sweep.access")
        with st.container(horizontal=True, vertical_alignment="center", gap="small", key="sweep.actions"):
            if allowed:
                _steering(store, record)
            sweep_export.show(store, record)
        failed = st.session_state.get(_ERROR)
        if failed is not None and failed[0] == record.name:
            feedback.show_error(failed[1])
        navigation.follow()

    actions()


def act(record: SweepRecord, work: Callable[[Any], Any]) -> None:
    """Do something with a sweep: `work` is given the module that steers sweeps.

    What came of it is said, and the page is drawn again; a refusal stays on the page until the next action.
    """
    access.require_key()
    from tracking.tuning import sweeps

    st.session_state.pop(_ERROR, None)
    try:
        done = work(sweeps)
    except TrackingError as error:
        st.session_state[_ERROR] = (record.name, error)
    else:
        sentence = getattr(done, "sentence", "")
        if sentence:
            st.toast(sweep_format.toast(sentence), duration="long")
    st.rerun()


def _steering(store: Store, record: SweepRecord) -> None:
    location, name = store.location, record.name
    if record.state in (SweepState.RUNNING, SweepState.WAITING) and st.button(
        "Pause", key="sweep.pause", help="No further trial begins; those that run go on to their end."
    ):
        act(record, lambda sweeps: sweeps.pause(location, name))
    if _can_resume(record) and st.button(
        "Resume",
        key="sweep.resume",
        type="primary",
        help="Goes on with what is left of the budget, also after the machine went down.",
    ):
        act(record, lambda sweeps: sweeps.resume(location, name))
    if record.state not in _ENDED:
        _stopping(store, record)
    failed = sum(len(group.trials) - group.retried for group in record.failures)
    if failed:
        with st.popover(f"Retry failed ({format.count(failed)})", key="sweep.retry.open"):
            sweep_edit_forms.retry(store, record, act)
    listed = record.sampler == "listed"  # it runs what its definition lists: more of it is a sweep of its own
    if not listed:
        with st.popover("Add trials", key="sweep.add.open"):
            sweep_edit_forms.add(store, record, act)
    with st.popover("Change", key="sweep.change.open"):
        sweep_edit_forms.change(store, record, act)
    if not listed:
        with st.popover("Duplicate", key="sweep.duplicate.open"):
            sweep_edit_forms.duplicate(store, record, act)


def _can_resume(record: SweepRecord) -> bool:
    if record.state is SweepState.PAUSED or record.state is SweepState.STOPPING:
        return True
    left = record.budget_trials is None or record.done < record.budget_trials
    if record.budget_seconds is not None and record.elapsed is not None:
        left = left and record.elapsed < record.budget_seconds
    return left and record.state in _ENDED - {SweepState.FINISHED}


def _stopping(store: Store, record: SweepRecord) -> None:
    location, name = store.location, record.name
    with st.popover("Stop", key="sweep.stop.open"):
        if st.button(
            "After the running trials",
            key="sweep.drain",
            width="stretch",
            help="No further trial begins, and the sweep ends with those that run. It can be resumed.",
        ):
            act(record, lambda sweeps: sweeps.stop(location, name))
        if st.button(
            "Now, ending the running trials",
            key="sweep.stop",
            width="stretch",
            help="Ends the trials that run: they do not count. The sweep can be resumed.",
        ):
            act(record, lambda sweeps: sweeps.stop(location, name, now=True))
        for worker in store.sweep(name).active:
            trial = "" if worker.trial is None else f" (trial {worker.trial})"
            if st.button(
                f"Only worker {worker.slot}{trial}",
                key=f"sweep.stop.{worker.token}",
                width="stretch",
                help="Ends this worker with its trial; the sweep goes on with one fewer.",
            ):
                act(record, functools.partial(_stop_worker, location, name, worker.token))


def _stop_worker(location: StoreLocation, name: str, token: str, sweeps: Any) -> Any:
    return sweeps.stop_worker(location, name, token)
