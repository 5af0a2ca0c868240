"""One sweep on one screen: where it stands, what it found, what drives the result, what can be done."""

from __future__ import annotations

import streamlit as st

from tracking.errors import NotFound
from tracking.ui import (
    feedback,
    format,
    frame,
    navigation,
    state,
    sweep_actions,
    sweep_cache,
    sweep_head,
    sweep_trials,
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
    drawn_at = record

    @frame.live(every=watch.live_seconds(live))
    def heading() -> None:
        """State, progress and the best as they are now."""
        now = store.sweep(name)
        if (now.state, now.reason, now.edition) != (drawn_at.state, drawn_at.reason, drawn_at.edition):
            st.rerun()
        sweep_head.heading(now)
        sweep_head.best(now)
        navigation.follow()

    with st.container():
        heading()
    sweep_actions.show(store, record)

    @frame.live(every=watch.live_seconds(live))
    def trials() -> None:
        """The table of the trials as they are now."""
        sweep_trials.draw(store, store.sweep(name), None)
        navigation.follow()

    trials()
    if not live:
        seen = sweep_cache.standing_of(record)
        watch.rerun_when_changed(lambda: sweep_cache.standing(store, name), seen)
