"""The form that says what a model or a version is: its description and tags."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Final

import streamlit as st

from tracking.ui import model_acts

LONGEST: Final = 100_000


def edit(
    place: str,
    description: str,
    tags: Sequence[str],
    save: Callable[[str, Sequence[str]], None],
    *,
    height: int,
) -> None:
    """Draw the form, filled with what is saved.

    Args:
        place: Begins the keys of its fields; errors are shown there.
        description: As it is saved.
        tags: As they are saved.
        save: Saves the description and the tags that were entered.
        height: Of the field of the description, in pixels.
    """
    # Named after what is saved: what another tab saves meanwhile begins another form.
    saved = hashlib.blake2b(
        repr((description, tuple(tags))).encode("utf-8", "backslashreplace"), digest_size=6
    )
    key = saved.hexdigest()
    with st.form(f"{place}.{key}", border=False):
        text = st.text_area(
            "Description", description, key=f"{place}.description.{key}", max_chars=LONGEST, height=height
        )
        chosen = st.multiselect(
            "Tags",
            list(tags),
            default=list(tags),
            accept_new_options=True,
            key=f"{place}.tags.{key}",
            placeholder="Type a new one",
        )
        pressed = st.form_submit_button("Save", type="primary", key=f"{place}.do.{key}")
    if pressed:

        def work() -> str:
            save(text, chosen)
            return "Saved."

        model_acts.act(place, work)
        st.rerun()
    model_acts.show_error(place)
