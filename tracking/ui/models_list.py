"""The list of models, and what it says where there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import streamlit as st

from tracking.ui import feedback, state

if TYPE_CHECKING:
    from tracking.store import Store

PROGRAM: Final = """\
run.log_model(estimator, "model", input_example=X[:5])      # in the training script
store.register("digits", run.id)                            # or register it with Promote… on the page of the run
"""


def show_empty(store: Store) -> None:
    """Say that there is no model, and how one comes about."""
    feedback.empty(
        "No models yet",
        "A model is a name for the versions that come from runs: each is one logged model that never changes. "
        "An alias such as champion says which of them is in use, and moves only past the model's gates.",
        code=PROGRAM,
    )
    st.page_link(state.RUNS_PAGE, label="All runs")
