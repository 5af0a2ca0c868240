"""What the sessions of a run printed, as lines of plain text, kept while nothing new comes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st

from tracking.records import RunRecord
from tracking.ui.ansi import plain

if TYPE_CHECKING:
    from tracking.store import Store


@dataclass(frozen=True, slots=True)
class Console:
    """What one session printed, as lines of plain text.

    Attributes:
        spool: The session's name.
        rank: Its rank in a distributed run, or None.
        lines: As `ansi.plain` leaves them.
        cut_bytes: How much was dropped between head and tail.
    """

    spool: str
    rank: int | None
    lines: Sequence[str]
    cut_bytes: int


def consoles(store: Store, run: RunRecord) -> list[Console]:
    """Return what each session of a run has printed so far, those that printed nothing left out."""
    return [
        Console(
            printed.spool,
            printed.rank,
            _lines(len(printed.text), hash(printed.text), printed.text),
            printed.cut_bytes,
        )
        for printed in store.console(run.id)
        if printed.text
    ]


@st.cache_resource(max_entries=16, show_spinner=False)
def _lines(length: int, content: int, _text: str) -> tuple[str, ...]:
    return tuple(plain(_text).rstrip("\n").split("\n"))
