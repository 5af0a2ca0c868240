"""What was captured around a run, by session: which there are, which one the reader looks at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import streamlit as st

from tracking.records import CaptureRecord
from tracking.ui import run_state
from tracking.ui.markdown import escape

_FAILED: Final = "error"


@dataclass(frozen=True, slots=True)
class Session:
    """One session's sections, by name.

    Attributes:
        spool: The session's name.
        label: How the reader tells it from the others.
        owner: Whether it owned the run.
        sections: What was captured.
    """

    spool: str
    label: str
    owner: bool
    sections: Mapping[str, CaptureRecord]

    def data(self, section: str) -> Mapping[str, Any]:
        """Return the values of a section, nothing when it is absent or failed."""
        record = self.sections.get(section)
        return {} if record is None or _FAILED in record.data else record.data

    def has(self, *sections: str) -> bool:
        """Whether one of the sections says anything, be it why it failed."""
        return any(section in self.sections for section in sections)


def sessions(captures: Sequence[CaptureRecord], *sections: str) -> list[Session]:
    """Return the sessions in which one of these sections was captured, the first one first."""
    by_spool: dict[str, dict[str, CaptureRecord]] = {}
    for record in captures:
        by_spool.setdefault(record.spool, {})[record.section] = record
    ranks = [(spool, next(iter(found.values())).rank) for spool, found in by_spool.items()]
    labels = session_labels(ranks)
    every = [
        Session(spool, labels[spool], any(record.owner for record in found.values()), found)
        for spool, found in by_spool.items()
    ]
    return [session for session in every if session.has(*sections)]


def session_labels(spools: Sequence[tuple[str, int | None]]) -> dict[str, str]:
    """Return what to call each session, given with its rank in the order they began."""
    count = Counter(rank for _, rank in spools)
    seen: Counter[int | None] = Counter()
    labels: dict[str, str] = {}
    for spool, rank in spools:
        seen[rank] += 1
        parts = [] if rank is None else [f"rank {rank}"]
        if rank is None or count[rank] > 1:
            parts.append(f"session {seen[rank]}")
        labels[spool] = ", ".join(parts)
    return labels


def choose(found: Sequence[Session]) -> Session:
    """Draw a choice between sessions where there are several; the newest owner of the run to begin with."""
    if len(found) == 1:
        return found[0]
    owners = [place for place, session in enumerate(found) if session.owner]
    by_spool = {session.spool: session for session in found}
    chosen = st.selectbox(
        "Session",
        list(by_spool),
        index=owners[-1] if owners else 0,
        format_func=lambda spool: by_spool[spool].label if spool in by_spool else spool,
        key=run_state.SESSION,
        help="The run was resumed, or has several processes; each is recorded on its own.",
        width=240,
    )
    return by_spool.get(chosen, found[0])


def say_failures(session: Session, *sections: str) -> None:
    """Draw why a section is missing, for those of these that failed."""
    for section in sections:
        record = session.sections.get(section)
        if record is not None and _FAILED in record.data:
            st.caption(escape(f"{section} could not be recorded: {record.data[_FAILED]}"))
