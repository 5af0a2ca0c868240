"""A row of small facts: a label over a value each, wrapping where it is narrow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import streamlit as st

from tracking.ui import format
from tracking.ui.markdown import escape

MAX_VALUE: Final = 60
"""Characters of a value; its tooltip has all of it."""
LONG_TEXT: Final = 600
MANY_LINES: Final = 8
BOX_HEIGHT: Final = 170
"""Pixels of the box in which a long text scrolls."""


def text_block(text: str) -> None:
    """Draw a text of any length as it is; a long one scrolls in a box of its own."""
    long = len(text) > LONG_TEXT or text.count("\n") >= MANY_LINES
    with st.container(height=BOX_HEIGHT if long else "content", border=long):
        st.text(format.readable(text))


def show(facts: Mapping[str, str | None]) -> None:
    """Draw the facts that have a value. Both are shown as they are: not even an address becomes a link."""
    with st.container(horizontal=True, gap="medium"):
        for label, value in facts.items():
            if value:
                text = format.shorten(value, MAX_VALUE)
                with st.container(width="content", gap=None):
                    st.caption(escape(format.shorten(label, MAX_VALUE)))
                    st.text(text, help=None if text == value else escape(value))
