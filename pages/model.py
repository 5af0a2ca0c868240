"""One model: who holds its aliases, its versions, who held what when, its gates and its journal."""

from __future__ import annotations

from datetime import UTC, datetime

import streamlit as st

from tracking.errors import InvalidValue, NotFound
from tracking.ui import (
    cache,
    feedback,
    format,
    frame,
    gates_editor,
    model_head,
    model_journal,
    model_metrics,
    model_timeline,
    model_versions,
    navigation,
    promote_dialog,
    registry_cache,
    state,
    watch,
    zone,
)
from tracking.ui.live_chart import live_chart

TABS = ("Versions", "Journal", "Gates")

with frame.page("Model") as store:
    asked = st.query_params.get(state.MODEL, "")
    registry = registry_cache.revision(store)
    try:
        record = registry_cache.model(store, asked) if asked else None
    except (NotFound, InvalidValue):
        record = None
    if record is None:
        st.title("Model")
        named = format.shorten(asked, 80)
        feedback.empty(
            f"There is no model “{named}” in this store" if named else "The address names no model",
            "Choose one in the list. The link may have been cut, or be from another store.",
        )
        st.page_link(state.MODELS_PAGE, label="All models")
        st.stop()

    versions = registry_cache.versions(store, record.name)
    looked = versions[: model_versions.SHOWN]
    seen = registry_cache.runs_seen(store, looked)
    journal = registry_cache.journal(store, record.name)
    with st.container():
        model_head.heading(store, record, versions)
    with st.container():
        model_head.holders(store, record, versions, journal)
    if model_timeline.aliases(journal):
        figure, note = model_timeline.chart(journal, datetime.now(UTC), zone.reader_offset())
        live_chart(
            figure,
            key="model.timeline",
            height=model_timeline.height(journal),
            alt=model_timeline.alt(journal),
        )
        st.caption(note)

    versions_tab, journal_tab, gates_tab = st.tabs(
        TABS, key=state.TAB, on_change="rerun", bind="query-params"
    )
    if versions_tab.open:
        with versions_tab:
            runs = registry_cache.runs_of(store, looked)
            goals = cache.goals(store, sorted({version.experiment for version in versions}))
            shown = model_metrics.telling(record.gates, list(runs.values()), goals)
            with st.container():
                model_versions.show_table(store, record, versions, runs, shown)
            version = model_versions.chosen(record, versions)
            if version is not None:
                run = registry_cache.runs_of(store, [version]).get(version.run)
                model_versions.show_one(store, record, version, run, shown)
    if journal_tab.open:
        with journal_tab:
            model_journal.show(store, record.name)
    if gates_tab.open:
        with gates_tab:
            gates_editor.show(store, record)
    promote_dialog.show(store)
    navigation.follow()
    watch.rerun_when_changed(
        lambda: (registry_cache.revision(store), registry_cache.runs_seen(store, looked)), (registry, seen)
    )
