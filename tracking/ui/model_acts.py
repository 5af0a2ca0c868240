"""Doing something with a model from a page: the key first, then the act, then what came of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import streamlit as st

from tracking.errors import TrackingError
from tracking.ui import access, feedback

_ERROR: Final = "model.error"
"""Session: (place, error) of the act that failed last."""
_DONE: Final = "model.done"
"""Session: what the act before came to, said once the page is drawn again."""


def act(place: str, work: Callable[[], str]) -> None:
    """Do something, in the script or in a callback.

    Args:
        place: Names the form or button: `show_error` of this place shows what went wrong.
        work: Does it and returns what came of it, as text and not Markdown.

    Errors stay at their place until the next act; nothing is raised.
    """
    st.session_state.pop(_ERROR, None)
    try:
        access.require_key()
        said = work()
    except TrackingError as error:
        st.session_state[_ERROR] = (place, error)
    else:
        st.session_state[_DONE] = said


def show_error(place: str) -> None:
    """Draw what went wrong at a place, if something did."""
    failed = st.session_state.get(_ERROR)
    if failed is not None and failed[0] == place:
        feedback.show_error(failed[1])


def succeeded() -> bool:
    """Whether the last act came to something."""
    return _ERROR not in st.session_state


def clear_error() -> None:
    """Forget what went wrong: another form has begun."""
    st.session_state.pop(_ERROR, None)


def say_what_came_of_it() -> None:
    """Draw once what the last act came to; each page calls it."""
    from tracking.ui.sweep_format import toast

    said = st.session_state.pop(_DONE, None)
    if said:
        st.toast(toast(said), duration="long")
