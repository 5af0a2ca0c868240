"""What every page starts with: navigation, the store, the error boundary.

A page is written inside one block::

    with frame.page("Runs") as store:
        ...

A bare `streamlit run` runs the page of a first deep link without app.py, because
the folder is called `pages/`; the block then declares the navigation itself.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, ParamSpec

import streamlit as st

from tracking import config
from tracking.ui import access, feedback, navigation

if TYPE_CHECKING:
    from streamlit.navigation.page import Page

    from tracking.store import Store

P = ParamSpec("P")

NAME: Final = "Podium"
PAGES: Final = Path(__file__).resolve().parents[2] / "pages"

PLACES: Final[Mapping[str, tuple[str, str, Literal["visible", "hidden"]]]] = {
    "/": ("overview.py", "Overview", "visible"),
    "/runs": ("runs.py", "Runs", "visible"),
    "/run": ("run.py", "Run", "hidden"),
    "/compare": ("compare.py", "Compare", "visible"),
    "/sweeps": ("sweeps.py", "Sweeps", "visible"),
    "/sweep": ("sweep.py", "Sweep", "hidden"),
    "/models": ("models.py", "Models", "visible"),
    "/model": ("model.py", "Model", "hidden"),
}
"""File, title and place in the menu of each page by its address; any other address is none of ours."""

_DECLARED: Final = "frame.declared"
# Streamlit writes white on the accent; on that of the dark page it would be 2.5:1. Dialogs and popovers stand outside
# of .stApp, where light-dark() does not know the theme: there the accent is one that carries white on either page.
STYLE: Final = """<style>
[data-tag], [data-testid^="stBaseButton-primary"]:not(:disabled) { color: light-dark(#ffffff, #14181d) !important; }
[data-tag]:not(.stApp *), [data-testid^="stBaseButton-primary"]:not(:disabled, .stApp *) {
  background-color: #2b6fbd !important; border-color: #2b6fbd !important; color: #ffffff !important;
}
[data-testid^="stBaseButton-primary"]:hover:not(:disabled, .stApp *) { background-color: #245f9f !important; }
</style>"""


def navigate() -> Page:
    """Declare page config and navigation; return the page that the address names."""
    st.set_page_config(page_title=NAME, layout="wide")
    st.session_state[_DECLARED] = True
    pages = [
        st.Page(
            PAGES / file,
            title=title,
            url_path=place.strip("/") or None,
            default=place == "/",
            visibility=visibility,
        )
        for place, (file, title, visibility) in PLACES.items()
    ]
    return st.navigation(pages, position="top")  # the width belongs to tables and curves


@contextmanager
def page(title: str) -> Iterator[Store]:
    """Open a page: the first call of every page script.

    Args:
        title: For the tab of the browser. Nothing is drawn.

    Yields:
        The dashboard's store, opened once per server.

    What is raised inside is drawn as a calm message; a store that cannot be
    opened ends the script with one.
    """
    if not st.session_state.get(_DECLARED, False):
        navigate()
    st.set_page_config(page_title=f"{title} · {NAME}", layout="wide")
    st.html(STYLE)
    access.announce_key()
    navigation.keep_history()
    with feedback.boundary():
        store: Store | None = None
        with feedback.boundary():
            store = _open(str(store_location().root))
        if store is None:
            st.stop()
        yield store


def live(*, every: float | None) -> Callable[[Callable[P, None]], Callable[P, None]]:
    """Make a function a live section: a fragment with the error boundary of a page.

    Args:
        every: Seconds between two redraws, or None for a section that redraws
            only when something in it is used.
    """

    def decorate(draw: Callable[P, None]) -> Callable[P, None]:
        @functools.wraps(draw)  # a fragment is known by the name of its function
        def guarded(*args: P.args, **kwargs: P.kwargs) -> None:
            with feedback.boundary():
                draw(*args, **kwargs)

        section: Callable[P, None] = st.fragment(guarded, run_every=every)
        return section

    return decorate


def store_location() -> config.StoreLocation:
    """Return the folder that the dashboard shows."""
    return config.locate_store()


def _close(store: Store) -> None:
    store.close()


@st.cache_resource(show_spinner=False, max_entries=8, on_release=_close)
def _open(root: str) -> Store:
    """Open a store once; while it is open, runs whose process died are taken in and marked lost."""
    from tracking.store import open_store  # with the database layer: not before a page is drawn

    return open_store(root)
