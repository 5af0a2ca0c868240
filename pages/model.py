"""One model: its versions, who held which alias when, its gates and its journal."""

from __future__ import annotations

import streamlit as st

from tracking.ui import feedback, format, frame, state

with frame.page("Model") as store:
    st.title("Model")
    named = format.shorten(st.query_params.get(state.MODEL, ""), 80)
    feedback.empty(
        f"There is no model “{named}” in this store" if named else "The address names no model",
        "Choose one in the list. The link may have been cut, or be from another store.",
    )
    st.page_link(state.MODELS_PAGE, label="All models")
