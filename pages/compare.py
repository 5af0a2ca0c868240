"""Several runs side by side: curves over each other, params that differ, metrics."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from tracking.ui import (
    cache,
    chart_grid,
    compare_champion,
    comparison,
    controls,
    feedback,
    format,
    frame,
    model_metrics,
    navigation,
    origins,
    promote_dialog,
    registry_cache,
    state,
    watch,
)
from tracking.ui.runs_frame import metric_order, system_keys

FIRST_CHARTS = 6

with frame.page("Compare") as store:
    st.title("Compare")
    named = state.run_ids()
    asked = named[: state.MAX_RUNS]
    runs, unknown = cache.known_runs(store, asked)
    comparison.choose_runs(store, runs)

    if unknown:
        st.warning(
            f"{format.plural(len(unknown), 'run')} of the {len(asked)} in the address "
            f"{'is' if len(unknown) == 1 else 'are'} not in this store."
        )
    if len(named) > len(asked):
        st.warning(
            f"Showing {len(runs)} of {format.plural(len(named), 'run')}: a comparison takes up to "
            f"{state.MAX_RUNS}, for more curves over each other cannot be told apart."
        )
    if not runs:
        feedback.empty(
            "No runs to compare", "Tick two or more runs in the table of runs, or choose them above."
        )
        st.page_link(state.RUNS_PAGE, label="All runs")
        st.stop()

    with st.container():
        compare_champion.offer(store, runs)
    with st.container():
        compare_champion.show(store, runs)
    ids = [run.id for run in runs]
    names = {run.experiment for run in runs}
    goals = cache.goals(store, sorted(names))
    keys = metric_order(runs, goals)
    live = any(not run.status.is_final for run in runs)
    chosen = controls.chart_controls([*keys, *system_keys(runs)])

    @frame.live(every=watch.live_seconds(live))
    def drawn() -> None:
        """Curves and tables of the runs as they are now."""
        now, _ = cache.known_runs(store, ids)
        if live and all(run.status.is_final for run in now):
            st.rerun()
        # What a study was told is left out where it is the metric itself, unless it was chosen.
        shown = chosen.metrics or model_metrics.plain(metric_order(now, goals), goals)
        chart_grid.draw(
            store, now, replace(chosen, metrics=tuple(shown)), goals, owner="compare", first=FIRST_CHARTS
        )
        comparison.metrics(now, shown, goals)
        comparison.params(now)
        origins.differences(store, now)
        navigation.follow()

    drawn()
    promote_dialog.show(store)
    if not live:
        seen = (cache.revisions(store), registry_cache.revision(store))
        watch.rerun_when_changed(lambda: (cache.revisions(store), registry_cache.revision(store)), seen)
