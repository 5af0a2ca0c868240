"""The models: who holds each alias, since when, and whether its bytes are there."""

from __future__ import annotations

import streamlit as st

from tracking.ui import frame, models_list

with frame.page("Models") as store:
    st.title("Models")
    models_list.show_empty(store)
