"""The runs: filter, sort, choose columns, tick some to compare."""

from __future__ import annotations

import streamlit as st

from tracking.errors import FilterError, NotFound
from tracking.ui import cache, feedback, frame, registry_cache, runs_table, start_here, state, watch
from tracking.ui.runs_frame import unknown_names

with frame.page("Runs") as store:
    st.title("Runs")
    seen = (cache.revisions(store), registry_cache.revision(store))
    experiments = {experiment.name: experiment for experiment in cache.experiments(store)}

    if not any(experiment.runs for experiment in experiments.values()):
        start_here.show_program(frame.store_location())
        st.page_link(state.OVERVIEW_PAGE, label="Overview: run the sample experiment")
        watch.rerun_when_changed(lambda: (cache.revisions(store), registry_cache.revision(store)), seen)
        st.stop()

    asked = st.query_params.get(state.EXPERIMENT)
    if asked is not None and asked not in experiments:
        feedback.empty(
            f"No experiment named {asked[:100]!r} in this store",
            "It may have been deleted, or the link is from another store.",
        )
        st.page_link(state.RUNS_PAGE, label="All runs")
        st.stop()

    controls = runs_table.controls(store, experiments)
    state.remember_runs_query()
    query = controls.query(after=state.after())
    try:
        fits = cache.count(store, query)
        cache.search(store, query)
        st.session_state[state.READABLE_WHERE] = query.where
    except FilterError as error:
        with controls.error_place:
            feedback.show_error(error)
            # The table stays where it was while somebody mends the filter.
            before = runs_table.readable_query(store, query)
            if before is None:
                st.stop()
            st.caption(
                "The table shows the last filter that could be read."
                if before.where
                else "The table is not filtered until the filter can be read."
            )
        query = before
        fits = cache.count(store, query)
    except NotFound:
        # The run that the page of the table began after is gone: begin at the first one.
        state.set_after(None)
        st.rerun()

    if not fits:
        unknown = unknown_names(query.where, cache.keys(store, query.experiment))
        next_step = "Take something out of the filter, or choose another experiment."
        feedback.empty("No run fits", " ".join([*unknown, next_step]))
        st.page_link(state.RUNS_PAGE, label="All runs")
        watch.rerun_when_changed(lambda: (cache.revisions(store), registry_cache.revision(store)), seen)
        st.stop()

    live = any(
        experiment.live for experiment in experiments.values() if query.experiment in (None, experiment.name)
    )

    @frame.live(every=watch.live_seconds(live))
    def table() -> None:
        """The rows as they are now, with what can be done with the ticked ones."""
        runs_table.draw(store, query, controls.columns)
        if live and not runs_table.any_live(store, query):
            st.rerun()

    table()
    if not live:
        watch.rerun_when_changed(lambda: (cache.revisions(store), registry_cache.revision(store)), seen)
