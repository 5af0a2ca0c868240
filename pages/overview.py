"""What is there, and what is running now."""

from __future__ import annotations

from datetime import UTC, datetime

import streamlit as st

from tracking.ui import (
    cache,
    champion_list,
    frame,
    navigation,
    overview,
    registry_cache,
    start_here,
    state,
    sweep_list,
    watch,
)

with frame.page("Overview") as store:
    st.title("Overview")
    location = frame.store_location()
    seen = (cache.revisions(store), registry_cache.revision(store))
    experiments = [experiment for experiment in cache.experiments(store) if experiment.runs]

    if not experiments:

        @frame.live(every=watch.LIVE_SECONDS)
        def await_first_run() -> None:
            if store.count():
                st.rerun()
            start_here.show_program(location)
            start_here.sample_button(location)

        await_first_run()
        st.stop()

    live = any(experiment.live for experiment in experiments)

    @frame.live(every=watch.live_seconds(live))
    def sections() -> None:
        """Everything that moves while something runs."""
        now = datetime.now(UTC)
        current = [experiment for experiment in cache.experiments(store) if experiment.runs]
        if any(experiment.live for experiment in current) != live:
            st.rerun()
        sweep_list.going_on(store)
        overview.running_now(store)
        champion_list.draw(store, now)
        overview.experiments_table(store, current, now)
        overview.recent_runs(store)
        navigation.follow()

    sections()
    if not live:
        watch.rerun_when_changed(lambda: (cache.revisions(store), registry_cache.revision(store)), seen)
    st.page_link(state.RUNS_PAGE, label="All runs")
