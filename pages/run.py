"""One run: where it stands, what it measured, what it read, wrote and printed, and what it ran on."""

from __future__ import annotations

import streamlit as st

from tracking.errors import NotFound
from tracking.ui import (
    cache,
    champion_panel,
    chart_grid,
    controls,
    feedback,
    format,
    frame,
    promote_dialog,
    registry_cache,
    run_artifacts,
    run_code,
    run_console,
    run_data,
    run_details,
    run_environment,
    run_notes,
    run_state,
    run_system,
    state,
    sweep_links,
    watch,
)
from tracking.ui.runs_frame import is_system

FIRST_CHARTS = 12

with frame.page("Run") as store:
    run_id = state.run_id()
    try:
        run = cache.run(store, run_id) if run_id is not None else None
    except NotFound:
        run = None
    if run is None or run_id is None:
        st.title("Run")
        asked = format.shorten(st.query_params.get(state.RUN, ""), 80)
        if run_id is not None:
            title = f"There is no run {run_id} in this store"
        else:
            title = f"“{asked}” is not the id of a run" if asked else "The address names no run"
        feedback.empty(
            title,
            "Choose one in the table of runs. The link may have been cut."
            if run_id is None
            else "Choose one in the table of runs. It may have been deleted, or the link is from another store.",
        )
        st.page_link(state.RUNS_PAGE, label="All runs")
        st.stop()

    live = not run.status.is_final
    registered = registry_cache.revision(store)
    goals = cache.goals(store, [run.experiment])

    @frame.live(every=watch.live_seconds(live))
    def heading() -> None:
        """Name, status and progress as they are now."""
        now = cache.run(store, run_id)
        if live and now.status.is_final:
            st.rerun()
        run_details.heading(now, registry_cache.run_versions(store, run_id))

    # In a container: what follows must stay in its place, or fields there lose what is typed into them.
    with st.container():
        heading()
    sweep_links.trial_of(store, run)
    with st.container():
        if not live:
            champion_panel.show(store, run, key="run.champion")
    names = list(run_state.TABS)
    tabs = dict(
        zip(names, st.tabs(names, key=state.TAB, on_change="rerun", bind="query-params"), strict=True)
    )
    charts, params, metrics, notes = (
        tabs[name] for name in ("Charts", "Params", "Metrics", "Tags and notes")
    )
    if charts.open:
        with charts:
            chosen = controls.chart_controls(sorted(run.metrics, key=lambda key: (is_system(key), key)))

            @frame.live(every=watch.live_seconds(live))
            def drawn() -> None:
                """The charts, each of the points in its view."""
                chart_grid.draw(
                    store, [cache.run(store, run_id)], chosen, goals, owner=run_id, first=FIRST_CHARTS
                )

            drawn()
    if params.open:
        with params:
            run_details.params(run)
    if metrics.open:
        with metrics:

            @frame.live(every=watch.live_seconds(live))
            def summary() -> None:
                """The summary of each metric as it is now."""
                run_details.metrics(cache.run(store, run_id), goals)

            summary()
    for name, draw in (
        (run_state.ARTIFACTS, run_artifacts.show),
        ("Data", run_data.show),
        ("Code", run_code.show),
        ("Environment", run_environment.show),
        ("Console", run_console.show),
        ("System", run_system.show),
    ):
        if tabs[name].open:
            with tabs[name]:
                run_details.section(draw, store, run_id, every=watch.live_seconds(live))
    # Once begun it stays on the page behind the other tabs: what is typed and not saved is in the browser alone.
    if notes.open or run_notes.is_begun(run):
        with notes:
            run_notes.edit(store, run)
    promote_dialog.show(store)
    if not live:
        watch.rerun_when_changed(
            lambda: (store.run_revision(run_id), registry_cache.revision(store)),
            (run.revision, registered),
        )
