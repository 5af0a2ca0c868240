"""What dialog is open on a page: it stands in the session, so that the page may be drawn again under it."""

from __future__ import annotations

import re
from typing import Final, Protocol, TypeVar

import streamlit as st

_OPEN: Final = "dialog.open"


class Opened(Protocol):
    """What a dialog is about, and the page that opened it."""

    @property
    def page(self) -> str:
        """As `page` gave it; on another page the dialog is closed."""


Kind = TypeVar("Kind")


def page() -> str:
    """Return the address of this page, without what it shows."""
    return re.sub(r"[?#].*", "", st.context.url or "")


def open(what: Opened) -> None:
    """Remember what is open from now on."""
    st.session_state[_OPEN] = what


def opened(kind: type[Kind]) -> Kind | None:
    """Return what is open on this page, if it is of a kind."""
    found = st.session_state.get(_OPEN)
    return found if isinstance(found, kind) and is_open() else None


def is_open() -> bool:
    """Whether a dialog is open on this page."""
    found: Opened | None = st.session_state.get(_OPEN)
    return found is not None and found.page == page()


def close() -> None:
    """Forget what is open."""
    st.session_state.pop(_OPEN, None)


def take(what: Opened) -> bool:
    """Close this if it is open; whether it was. Of two presses of a double click the second one finds nothing."""
    if st.session_state.get(_OPEN) != what:
        return False  # something else is open by now, and stays
    close()
    return True
