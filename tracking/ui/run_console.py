"""What a run printed: the last lines, following while it runs, and a search over all of them."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Final

import streamlit as st

from tracking.records import RunRecord
from tracking.ui import captured, console_lines, feedback, format, run_downloads, run_state
from tracking.ui.markdown import escape
from tracking.ui.sizes import size

if TYPE_CHECKING:
    from tracking.store import Store

PAGE_LINES: Final = 1_000
"""Lines that are drawn at once; more make the browser slow."""
LINE_CHARACTERS: Final = 2_000
HEIGHT: Final = 560

_BEFORE: Final = "run.console.before"
"""Session: the number of the line after the last one shown; absent while the newest are followed."""


@dataclass(frozen=True, slots=True)
class Matches:
    """Lines that have a text in them.

    Attributes:
        lines: Number, from 1, and line of the last ones.
        total: How many there are.
    """

    lines: Sequence[tuple[int, str]]
    total: int


def show(store: Store, run: RunRecord) -> None:
    """Draw the console of a session; the reader chooses which."""
    consoles = console_lines.consoles(store, run)
    if not consoles:
        feedback.empty(
            "Nothing was printed",
            "What the script writes to the terminal is kept while its run is open, unless it was started "
            "with capture=False. Output of libraries in C goes past Python and is not seen.",
        )
        return
    labels = captured.session_labels([(console.spool, console.rank) for console in consoles])
    by_spool = {console.spool: console for console in consoles}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = consoles[-1].spool
        if len(consoles) > 1:
            chosen = st.selectbox(
                "Session",
                list(by_spool),
                format_func=lambda spool: labels.get(spool, spool),
                key="run.console.session",
                width=200,
            )
        wanted = st.text_input(
            "Search the console",
            key=run_state.FIND,
            bind="query-params",
            type="search",
            placeholder="Search, such as error",
            label_visibility="collapsed" if len(consoles) == 1 else "visible",
            width=360,
        )
        console = by_spool.get(chosen, consoles[-1])
        _download(store, run, console.spool)
    if console.cut_bytes:
        st.caption(
            f"{size(console.cut_bytes)} in the middle were dropped: the beginning and the end are kept."
        )
    if wanted:
        _found(console.lines, wanted)
    else:
        _page(console.lines, following=not run.status.is_final)


def matches(lines: Sequence[str], wanted: str, limit: int = PAGE_LINES) -> Matches:
    """Return the last lines that have the text in them, in any case, with their numbers."""
    sought = wanted.casefold()
    places = [place for place, line in enumerate(lines) if sought in line.casefold()]
    return Matches([(place + 1, lines[place]) for place in places[-limit:]], len(places))


def numbered(lines: Sequence[tuple[int, str]]) -> str:
    """Return lines as text with their numbers before them, each cut where it is very long."""
    width = len(f"{lines[-1][0]}") if lines else 0
    return "\n".join(f"{number:>{width}}  {_cut(line)}" for number, line in lines)


def _found(lines: Sequence[str], wanted: str) -> None:
    found = matches(lines, wanted)
    sought = escape(format.shorten(wanted, 60))
    shown = (
        "" if found.total == len(found.lines) else f"; the last {format.count(len(found.lines))} are shown"
    )
    count = (
        "No line has"
        if not found.total
        else "1 line has"
        if found.total == 1
        else f"{found.total:,} lines have"
    )
    st.caption(f"{count} “{sought}” among {format.count(len(lines))}{shown}")
    if found.lines:
        with st.container(
            height=HEIGHT if len(found.lines) > 24 else "content", border=False, key="run.console.found"
        ):
            st.code(numbered(found.lines), language=None, wrap_lines=True)


def _page(lines: Sequence[str], *, following: bool) -> None:
    total = len(lines)
    before = st.session_state.get(_BEFORE)
    end = total if not isinstance(before, int) else max(min(before, total), min(PAGE_LINES, total))
    start = max(0, end - PAGE_LINES)

    def go(to: int | None) -> None:
        if to is None or to >= total:
            st.session_state.pop(_BEFORE, None)
        else:
            st.session_state[_BEFORE] = to

    with st.container(horizontal=True, vertical_alignment="center"):
        where = (
            f"Lines {start + 1:,}–{end:,} of {total:,}"
            if total > PAGE_LINES
            else format.plural(total, "line")
        )
        st.caption(where, width="content")
        if total > PAGE_LINES:
            st.button(
                "Earlier",
                key="run.console.earlier",
                disabled=start == 0,
                on_click=go,
                args=(start,),
                type="tertiary",
            )
            st.button(
                "Later",
                key="run.console.later",
                disabled=end == total,
                on_click=go,
                args=(end + PAGE_LINES,),
                type="tertiary",
            )
            st.button(
                "Newest",
                key="run.console.newest",
                disabled=end == total,
                on_click=go,
                args=(None,),
                type="tertiary",
            )
        if following and end == total:
            st.caption("follows while the run is live", width="content")
    page = [(place + 1, lines[place]) for place in range(start, end)]
    with st.container(
        height=HEIGHT if len(page) > 24 else "content",
        autoscroll=end == total,
        border=False,
        key="run.console.page",
    ):
        st.code(numbered(page), language=None, wrap_lines=True)


def _cut(line: str) -> str:
    if len(line) <= LINE_CHARACTERS:
        return line
    return f"{line[:LINE_CHARACTERS]}… ({len(line) - LINE_CHARACTERS:,} more characters)"


def _download(store: Store, run: RunRecord, spool: str) -> None:
    def read() -> BinaryIO:
        texts = (console.text for console in store.console(run.id) if console.spool == spool)
        return io.BytesIO(next(texts, "").encode("utf-8", "backslashreplace"))

    run_downloads.button("Download", read, file_name=f"console-{run.id}.txt", key="run.console.download")
