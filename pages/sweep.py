"""One sweep on one screen: where it stands, what it found, what drives the result, what can be done."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from tracking.errors import NotFound
from tracking.sweep_records import SweepRecord
from tracking.ui import (
    feedback,
    format,
    frame,
    navigation,
    promote_dialog,
    state,
    sweep_actions,
    sweep_cache,
    sweep_confirmation,
    sweep_failures,
    sweep_head,
    sweep_panels,
    sweep_story,
    sweep_trials,
    sweep_winner,
    watch,
)

with frame.page("Sweep") as store:
    asked = st.query_params.get(state.SWEEP, "")
    try:
        record = store.sweep(asked) if asked else None
    except NotFound:
        record = None
    if record is None:
        st.title("Sweep")
        named = format.shorten(asked, 80)
        feedback.empty(
            f"There is no sweep “{named}” in this store" if named else "The address names no sweep",
            "Choose one in the list. The link may have been cut, or be from another store.",
        )
        st.page_link(state.SWEEPS_PAGE, label="All sweeps")
        st.stop()

    name = record.name
    live = record.state.is_live

    def read() -> Callable[[], SweepRecord]:
        """What reads the sweep for a section, which is first drawn from what the page has just read."""
        return watch.first(record, lambda: store.sweep(name))

    of_heading, of_charts, of_trials, of_failures = read(), read(), read(), read()

    @frame.live(every=watch.live_seconds(live))
    def heading() -> None:
        """State, progress and the best as they are now."""
        found = of_heading()
        if sweep_head.outline(found) != sweep_head.outline(record):
            st.rerun()
        sweep_head.heading(found)
        sweep_head.best(found)
        navigation.follow()

    with st.container():
        heading()
    sweep_actions.show(store, record)

    @frame.live(every=sweep_panels.live_seconds(live))
    def charts() -> None:
        """How the sweep went, as it is now."""
        found = of_charts()
        if found.confirms is not None:
            sweep_confirmation.draw_own(store, found)
            return
        shown = sweep_cache.shown(store, found)
        sweep_panels.draw(store, shown, sweep_cache.behind_note(store, shown, found))

    @frame.live(every=sweep_panels.live_seconds(live))
    def trials() -> None:
        """Parallel coordinates and the table of the trials, which their brush narrows, as they are now."""
        shown = sweep_cache.shown(store, of_trials())
        confirms = shown.confirms is not None
        if confirms and sum(shown.trials.values()):
            st.subheader("Trials of this sweep")
        brushed, said = (None, "") if confirms else sweep_panels.draw_parallel(store, shown)
        sweep_trials.draw(store, shown, brushed, said)
        navigation.follow()

    @frame.live(every=None)
    def failures() -> None:
        """Why trials failed, and what was changed; what is opened here is read when it is opened."""
        found = of_failures()
        sweep_failures.draw(store, found)
        sweep_story.draw(found)

    with st.container():
        charts()
    with st.container():  # also while there is none: what follows stays in its place
        sweep_winner.show(store, record)
    sweep_confirmation.show(store, record)
    with st.container():
        trials()
    with st.container():
        failures()
    promote_dialog.show(store)
    if not live:
        seen = sweep_cache.standing_of(record)
        watch.rerun_when_changed(lambda: sweep_cache.standing(store, name), seen)
