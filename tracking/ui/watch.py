"""Looks, while nothing runs, whether something has begun elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import TypeVar

import streamlit as st

from tracking.ui import dialogs, frame

Found = TypeVar("Found")

LIVE_SECONDS = 1.0
"""Between two redraws of a section in which something runs."""
IDLE_SECONDS = 3.0
"""Between two looks at the revisions of a page on which nothing runs; one small query."""


def live_seconds(live: bool) -> float | None:
    """Return the interval of a live section, None when it need not redraw itself."""
    return LIVE_SECONDS if live else None


def first(found: Found, read: Callable[[], Found]) -> Callable[[], Found]:
    """Return what gives `found`, which a page has just read, for the first draw of a section, and then reads again."""
    fresh = [found]
    return lambda: fresh.pop() if fresh else read()


def rerun_when_changed(read: Callable[[], Hashable], seen: Hashable) -> None:
    """Draw the whole page again once `read()` is no longer what was seen. Draws nothing itself, looks a while later.

    Not under an open dialog, which would lose what is typed into it; closing it draws the page.
    """

    now = first(seen, read)

    @frame.live(every=IDLE_SECONDS)
    def watch() -> None:
        if not dialogs.is_open() and now() != seen:
            st.rerun()

    watch()
