"""The models: who holds each alias, since when, what is newer, and whether the bytes are there."""

from __future__ import annotations

from datetime import UTC, datetime

import streamlit as st

from tracking.ui import (
    cache,
    frame,
    grid,
    model_acts,
    model_journal,
    models_list,
    navigation,
    registry_cache,
    watch,
)
from tracking.ui.format import count, plural
from tracking.ui.markdown import escape

with frame.page("Models") as store:
    st.title("Models")
    model_acts.say_what_came_of_it()
    registry, runs = registry_cache.revision(store), cache.revisions(store)
    found = models_list.rows(store)
    looked = [version for row in found for version in row.looked]
    seen = registry_cache.runs_seen(store, looked)

    if not found:
        models_list.show_empty(store, frame.store_location())
    else:
        with st.container():
            grid.show(
                models_list.table(found, datetime.now(UTC)),
                alt="Models with the holders of their aliases, their newest version and their health",
                key="models.table",
                rows=20,
                on_open=lambda row: navigation.open_model(found[row].record.name),
            )
        total = len(registry_cache.models(store))
        st.caption(f"Showing {count(len(found))} of {plural(total, 'model')}. Click a name to open one.")
        for row in found:
            for problem in row.problems:
                draw = st.error if problem.grave else st.warning
                draw(f"**{escape(row.record.name)}**: {escape(problem.sentence)}")
        st.subheader("Journal", anchor=False)
        model_journal.proof(store)
    navigation.follow()
    if found:
        watch.rerun_when_changed(
            lambda: (registry_cache.revision(store), registry_cache.runs_seen(store, looked)),
            (registry, seen),
        )
    else:  # a run that logs a model is what the page waits for
        watch.rerun_when_changed(
            lambda: (registry_cache.revision(store), cache.revisions(store)), (registry, runs)
        )
