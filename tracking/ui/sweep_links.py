"""Where a run is a trial of a sweep: a line on its page that leads to the sweep and to the trials beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from tracking.errors import NotFound
from tracking.records import RunRecord
from tracking.study_records import TrialRecord
from tracking.ui import format, state
from tracking.ui.markdown import escape

if TYPE_CHECKING:
    from tracking.store import Store


def trial_of(store: Store, run: RunRecord) -> None:
    """Draw which trial of which sweep a run is, or its parent; nothing for other runs."""
    found = store.trial_of_run(run.id) or (run.parent and store.trial_of_run(run.parent))
    if not found:
        return
    study, number = found
    try:
        name = store.sweep(study).name
    except NotFound:
        return  # a study of the user's own
    before, after = beside(store.sweep_trials(name, study=study, first=max(0, number - 1), limit=3), number)
    repeat = " (one of its repeats)" if run.parent and store.trial_of_run(run.id) is None else ""
    with st.container(horizontal=True, vertical_alignment="center", gap="medium", key="run.trial"):
        st.page_link(
            state.SWEEP_PAGE,
            label=f"Trial {number}{repeat} of sweep {escape(format.shorten(name, 60))}",
            query_params={state.SWEEP: name},
        )
        for trial, label in ((before, "← trial {}"), (after, "trial {} →")):
            if trial is not None and trial.run is not None:
                st.page_link(
                    state.RUN_PAGE, label=label.format(trial.number), query_params={state.RUN: trial.run}
                )


def beside(trials: list[TrialRecord], number: int) -> tuple[TrialRecord | None, TrialRecord | None]:
    """Return the trials before and after one, None where there is none."""
    by_number = {each.number: each for each in trials}
    return by_number.get(number - 1), by_number.get(number + 1)
