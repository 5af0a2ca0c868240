"""A row of small facts: a label over a value each, wrapping where it is narrow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import streamlit as st

from tracking.ui import format
from tracking.ui.markdown import escape

MAX_VALUE: Final = 60
"""Characters of a value; its tooltip has all of it."""


def show(facts: Mapping[str, str | None]) -> None:
    """Draw the facts that have a value. Both are shown as they are: not even an address becomes a link."""
    with st.container(horizontal=True, gap="medium"):
        for label, value in facts.items():
            if value:
                text = format.shorten(value, MAX_VALUE)
                with st.container(width="content", gap=None):
                    st.caption(escape(format.shorten(label, MAX_VALUE)))
                    st.text(text, help=None if text == value else escape(value))
