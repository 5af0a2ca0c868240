"""The sweeps: how far each is, its best result, and a way to start another."""

from __future__ import annotations

import streamlit as st

from tracking.ui import (
    frame,
    launch_form,
    launch_state,
    live_chart,
    navigation,
    state,
    sweep_cache,
    sweep_list,
    watch,
)

with frame.page("Sweeps") as store:
    if state.NEW_SWEEP in st.query_params:
        launch_form.show(store)
        st.stop()

    st.title("Sweeps")
    st.page_link(state.SWEEPS_PAGE, label="New sweep", query_params={state.NEW_SWEEP: launch_state.CHOOSING})
    seen = sweep_cache.all_standing(store)
    records = store.sweeps()

    if not records:
        sweep_list.show_empty(frame.store_location())
        watch.rerun_when_changed(lambda: sweep_cache.all_standing(store), seen)
        st.stop()

    live = any(record.state.is_live for record in records)

    @frame.live(every=watch.live_seconds(live))
    def table() -> None:
        """The sweeps as they are now."""
        if sweep_list.draw(store) != live:
            st.rerun()
        navigation.follow()

    table()
    live_chart.load_soon()
    if not live:
        watch.rerun_when_changed(lambda: sweep_cache.all_standing(store), seen)
