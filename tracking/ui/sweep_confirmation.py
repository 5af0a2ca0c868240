"""Confirming the winners of a sweep on its page: starting it, and what came of it."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

import streamlit as st

from tracking.analysis.confirmation import Confirmation
from tracking.analysis.confirmed import outcome
from tracking.errors import NotFound, TrackingError
from tracking.sweep_records import ConfirmationRecord, SweepRecord
from tracking.ui import (
    access,
    feedback,
    format,
    frame,
    grid,
    navigation,
    state,
    sweep_confirmed,
    sweep_format,
    sweep_winner,
    watch,
)
from tracking.ui.live_chart import live_chart
from tracking.ui.markdown import escape

if TYPE_CHECKING:
    from tracking.store import Store

TOP, REPEATS = 3, 5
MOST_TOP, MOST_REPEATS = 50, 100
HEIGHT: Final = 340
_ERROR: Final = "sweep.confirm.error"
"""Session: (sweep, error) of the last start that was refused."""
_FIELDS: Final = ("sweep.confirm.top", "sweep.confirm.repeats")
_CHOSEN: Final = "sweep.confirm.chosen"
"""Session: what the fields held last; they are gone while a confirmation runs, and forget it."""


def show(store: Store, record: SweepRecord) -> None:
    """Draw the section, live while fresh runs go on; nothing where there is nothing to confirm (yet)."""
    if record.confirms is not None:
        return
    there = store.confirmations(record.name)
    if not there and not record.best:
        return
    live = any(each.own.state.is_live for each in there)
    read = watch.first(there, lambda: store.confirmations(record.name))

    @frame.live(every=watch.live_seconds(live))
    def confirmation() -> None:
        """How the best configurations do on fresh runs, as it is now."""
        now = read()
        draw(store, record, now)  # first, as it takes a click that came in this very moment
        navigation.follow()
        if live and not any(each.own.state.is_live for each in now):
            st.rerun()  # nothing runs any more: the section need not draw itself again

    with st.container():
        confirmation()
    if not live:
        seen = [each.own.revision for each in there]
        watch.rerun_when_changed(
            lambda: tuple(each.own.revision for each in store.confirmations(record.name)), tuple(seen)
        )


def draw(store: Store, record: SweepRecord, there: list[ConfirmationRecord]) -> None:
    """Draw the form and each confirmation, the newest one first."""
    st.subheader("Confirm the winner")
    if not there:
        st.caption(
            "The best of many noisy scores is best partly by luck. Run the best configurations again, on seeds that no "
            "trial has used, and rank them by those runs alone."
        )
    # While one runs there is no button: a second click of a double click finds none.
    if not any(each.own.state.is_live for each in there) and record.best and access.may_act():
        _form(store, record, there)
    failed = st.session_state.get(_ERROR)
    if failed is not None and failed[0] == record.name:
        feedback.show_error(failed[1])
    for place, each in enumerate(_in_order(there)):
        if place == 0:
            _confirmation(store, record, each)
        else:
            with st.expander(
                escape(_heading(each)),
                key=f"sweep.confirm.earlier.{each.own.studies[0]}",
                on_change="rerun",
            ) as box:
                if box.open:
                    _confirmation(store, record, each)


def _in_order(there: list[ConfirmationRecord]) -> list[ConfirmationRecord]:
    """Return the newest ranking first: fresh runs of one trial alone, which rank nothing, do not take its place."""
    first = next((each for each in there if len(each.trials) > 1), None)
    return there if first is None else [first, *(each for each in there if each is not first)]


def _heading(record: ConfirmationRecord) -> str:
    name = format.shorten(record.own.name, 80)
    if len(record.trials) == 1:
        where = sweep_format.state(record.own.state)
        return f"Trial {record.trials[0].trial} alone, {len(record.values)} fresh runs: {name}, {where}"
    return f"Earlier: {name}"


def draw_own(store: Store, record: SweepRecord) -> None:
    """Draw, on the page of a sweep that confirms another one, what came of it so far."""
    try:
        there = store.confirmations(str(record.confirms))
    except NotFound:
        return  # the sweep that it confirms was deleted
    for each in there:
        if each.own.name == record.name:
            _confirmation(store, store.sweep(each.sweep), each, linked=False)


def _form(store: Store, record: SweepRecord, there: list[ConfirmationRecord]) -> None:
    for key, value in zip(_FIELDS, st.session_state.get(_CHOSEN, (TOP, REPEATS)), strict=True):
        st.session_state.setdefault(key, value)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="sweep.confirm"):
        top = st.number_input(
            "Best configurations",
            1,
            MOST_TOP,
            key=_FIELDS[0],
            width=160,
            help="Trials of the same configuration count once; of several objectives front by front.",
        )
        repeats = st.number_input(
            "Fresh runs of each",
            2,
            MOST_REPEATS,
            key=_FIELDS[1],
            width=160,
            help="With seeds that no trial has used; where the target takes none, by the same command.",
        )
        pressed = st.button(
            f"Confirm the top {int(top)}",
            key="sweep.confirm.do",
            help=f"Starts a sweep of {int(top) * int(repeats)} runs at most, which can be stopped and resumed.",
        )
    st.session_state[_CHOSEN] = (int(top), int(repeats))
    if pressed:
        _start(store, record, there, int(top), int(repeats))


def _start(
    store: Store, record: SweepRecord, there: list[ConfirmationRecord], top: int, repeats: int
) -> None:
    access.require_key()
    from tracking.tuning import sweeps

    st.session_state.pop(_ERROR, None)
    try:
        made = sweeps.confirm(
            store.location, record.name, top=top, repeats=repeats, key=start_key(record, there, top, repeats)
        )
    except TrackingError as error:
        st.session_state[_ERROR] = (record.name, error)
    else:
        st.toast(sweep_format.toast(f"{made.name} has started."), duration="long")
    st.rerun()


def start_key(record: SweepRecord, there: list[ConfirmationRecord], top: int, repeats: int) -> str:
    """Return what names a start, the same in every tab that shows the same."""
    seen = [record.studies[0], *(each.own.studies[0] for each in there), str(top), str(repeats)]
    return "confirm:" + hashlib.sha256("\0".join(seen).encode()).hexdigest()


def _confirmation(
    store: Store, sweep: SweepRecord, record: ConfirmationRecord, *, linked: bool = True
) -> None:
    own = record.own
    if linked:
        _state(own)
    st.caption(escape(_about(record)))
    place = 0
    if len(own.objectives) > 1:
        names = [sweep_format.objective(each) for each in own.objectives]
        place = st.selectbox(
            "Objective",
            range(len(names)),
            format_func=names.__getitem__,
            key=f"sweep.confirm.objective.{own.studies[0]}",
            width=320,
        )
    wanted = own.objectives[place]
    found = _found(str(store.location.root), own.studies[0], own.revision, place, record)
    st.markdown(escape(found.sentence))
    if sum(each.mean is not None for each in found.trials) > 1:  # one point has nothing to be seen against
        live_chart(
            sweep_confirmed.chart(found, wanted),
            key=f"sweep.confirm.chart.{own.studies[0]}.{place}",
            height=HEIGHT,
            alt=sweep_confirmed.alt(found, wanted),
        )
    sweep_winner.confirmed(store, sweep, record, found)
    by_row = {row: each.trial for row, each in enumerate(found.trials)}
    runs = {each.trial: each.run for each in record.trials}

    def open_row(row: int) -> None:
        run = runs.get(by_row.get(row, -1))
        if run is not None:
            navigation.open_run(run)

    grid.show(
        sweep_confirmed.table(record, found, wanted),
        alt=f"Configurations of {record.sweep} ranked by their fresh runs",
        key=f"sweep.confirm.table.{own.studies[0]}.{place}",
        on_open=open_row,
    )
    if len(found.trials) > 1 and any(each.low is not None for each in found.trials):
        st.caption(
            f"The chart and the table have the {found.level:.0%} interval of each configuration alone; the wider one "
            f"in the sentence holds for all {len(found.trials)} together, so also for whichever comes out first. Means "
            "are ranked, runs of equal seeds are not paired; a promotion pairs them, and may tell more apart."
        )
    for each in record.trials:
        if each.state == "fail" and each.reason:
            st.caption(escape(f"Trial {each.trial} is not confirmed. {format.shorten(each.reason, 400)}"))


def _state(own: SweepRecord) -> None:
    """Draw where a confirmation stands, with the way to its page."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.badge(
            sweep_format.state(own.state),
            color=sweep_format.state_colour(own.state),
            help=f"{own.state}: {sweep_format.state_meaning(own.state)}",
        )
        st.page_link(
            state.SWEEP_PAGE,
            label=escape(f"{format.shorten(own.name, 80)}: stop, resume, look at its trials"),
            query_params={state.SWEEP: own.name},
        )


def _about(record: ConfirmationRecord) -> str:
    runs = f"{format.plural(len(record.trials), 'configuration')}, {len(record.values)} fresh runs each"
    if record.vary is None:
        how = "by the same command, for the target takes no seed"
    else:
        shown = ", ".join(sweep_format.param(value) for value in record.values[:10])
        how = f"with {record.vary} {shown}{', …' * (len(record.values) > 10)}, which no trial has used"
    return f"{runs}, {how}"


@st.cache_resource(max_entries=16, show_spinner=False)
def _found(root: str, study: str, revision: int, objective: int, _record: ConfirmationRecord) -> Confirmation:
    return outcome(_record, objective)
