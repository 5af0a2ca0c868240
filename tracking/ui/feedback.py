"""What a page says when there is nothing to show, or when something went wrong."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import streamlit as st

from tracking import errors
from tracking.errors import TrackingError
from tracking.ui.markdown import code as code_span
from tracking.ui.markdown import escape

_LOG: Final = logging.getLogger(__name__)

# Most particular first. The message of the error names the thing; this says what to do about it.
_NEXT_STEP: Final[tuple[tuple[type[TrackingError], str, str], ...]] = (
    (
        errors.StoreTooNew,
        "This store is newer than the dashboard",
        "Update Podium here, or open the store with the version that wrote it. Nothing was changed.",
    ),
    (
        errors.StoreBusy,
        "The store is busy",
        "Another process is writing for long. What runs log is kept meanwhile; reload the page in a moment.",
    ),
    (
        errors.StoreDamaged,
        "The store cannot be read",
        "Stop the processes that use it and look into its folder backups/ for a copy from before.",
    ),
    (
        errors.StoreError,
        "The store cannot be opened",
        "Check the folder, or name another one with TRACKING_STORE.",
    ),
    (
        errors.NotFound,
        "Not found",
        "It may have been deleted, or the link is from another store. Go to Runs to search.",
    ),
    (
        errors.NotAllowed,
        "Read only",
        "Paste the key that is printed in the terminal that started the dashboard.",
    ),
    (
        errors.MissingDependency,
        "A package is missing",
        "Install it where the dashboard runs, then start it again.",
    ),
)


def empty(title: str, next_step: str, *, code: str | None = None) -> None:
    """Say that there is nothing to show, and what to do next.

    Args:
        title: What is missing, in a few words.
        next_step: One or two sentences. Shown as they are, not as Markdown.
        code: A program to copy, shown as Python.
    """
    with st.container(border=True):
        st.markdown(f"**{escape(title)}**")
        st.markdown(escape(next_step))
        if code is not None:
            st.code(code, language="python")


def show_error(error: TrackingError) -> None:
    """Draw one expected error at its place: what happened, and the way on."""
    if isinstance(error, errors.FilterError):
        st.error(_of_filter(error))
        if error.source:
            st.code(error.pointer(), language=None)
        return
    for kind, title, next_step in _NEXT_STEP:
        if isinstance(error, kind):
            st.error(f"**{title}**  \n{escape(error)}  \n{escape(next_step)}")
            return
    st.error(escape(error))


def _of_filter(error: errors.FilterError) -> str:
    """Return the message with what was expected as code, for it holds examples to paste."""
    message, tail = str(error), f"Expected {error.expected}."
    if not error.expected or not message.endswith(tail):
        return escape(message)
    return f"{escape(message.removesuffix(tail))} Expected {code_span(error.expected)}"


def show_unexpected(error: Exception) -> None:
    """Log an error that nobody expected under an id, and draw a sentence that names the id."""
    number = secrets.token_hex(4)
    _LOG.error("Error %s while drawing a page", number, exc_info=error)
    st.error(
        "**Something went wrong on this page**  \nYour runs are not affected. Reload the page; if it stays, "
        f"the terminal that runs the dashboard has the details under the id `{number}`."
    )


@contextmanager
def boundary() -> Iterator[None]:
    """Draw what is raised inside as a calm message instead of a traceback.

    Streamlit's own control flow (rerun, stop, switch of page) is no `Exception`
    and passes through.
    """
    try:
        yield
    except TrackingError as error:
        show_error(error)
    except Exception as error:
        show_unexpected(error)
