"""The journal of a model: every row with what decided it, whether the chain is whole, and the export."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import pandas as pd
import streamlit as st

from tracking.records import Goal
from tracking.registry_records import Gate, GateKind, JournalEntry, JournalKind, RegistryReport
from tracking.ui import (
    evidence_view,
    facts,
    format,
    gate_results,
    grid,
    registry_cache,
    run_downloads,
    state,
)
from tracking.ui.markdown import escape
from tracking.ui.models_list import OVERRIDDEN
from tracking.ui.tables import MAX_CELL, Cells, Table, TableColumn
from tracking.ui.zone import reader_zone

if TYPE_CHECKING:
    from tracking.store import Store

SHOWN: Final = 500
ROWS: Final = 10
MOST_PROBLEMS: Final = 20
GATES: Final = 32
GONE: Final = 5
"""Ids of runs that are gone."""
REASON: Final = 60
"""Characters of a cell; the row that is open has the whole."""
_VERIFIED: Final = "journal.verified"
"""Session: (store, revision, report, when) of the last look at the whole registry."""
KINDS: Final = {
    JournalKind.REGISTER: "+ registered",
    JournalKind.PROMOTE: "▲ promoted",
    JournalKind.REFUSE: "✕ refused",
    JournalKind.ROLLBACK: "↩ rolled back",
    JournalKind.RETIRE: "○ retired",
    JournalKind.GATES: "≡ gates set",
}


def table(journal: Sequence[JournalEntry]) -> Table:
    """Return the journal as a table.

    Args:
        journal: In the order to show.
    """
    cells = Cells()
    opens = TableColumn("Row", help="Click to see gates, evidence and digests below", width=64, pinned=True)
    cells.put_names("name", [f"#{entry.position}" for entry in journal], opens)
    when = [entry.at for entry in journal]
    cells.put("at", pd.Series(pd.to_datetime(when, utc=True)), TableColumn("When", width=136))
    cells.texts["at"] = [format.moment(each, reader_zone()) for each in when]
    cells.put_names("what", [_what(entry) for entry in journal], TableColumn("What"))
    cells.put_names("alias", [entry.alias or "" for entry in journal], TableColumn("Alias", width=72), 24)
    cells.put_names("change", [change(entry) for entry in journal], TableColumn("From → to", width=88), 24)
    cells.put_names("by", [entry.by for entry in journal], TableColumn("By", width=64), 28)
    passed = [format.shorten(_passed(entry), GATES) for entry in journal]
    cells.put_names("gates", passed, TableColumn("Gates", width=72), GATES)
    cells.put_names("verdict", [_verdict(entry) for entry in journal], TableColumn("Evidence", width=88), 32)
    why = [format.shorten(entry.reason, REASON) for entry in journal]
    cells.put_names("reason", why, TableColumn("Reason"), REASON)
    cells.put_names(
        "digest",
        [entry.digest[:12] for entry in journal],
        TableColumn("Digest", help="Start of the sha256 over the row and the digest of the row before"),
    )
    return cells.table()


def change(entry: JournalEntry) -> str:
    """Return from which version to which one a row moves its alias: `v3 → v4`."""
    if entry.kind is JournalKind.REGISTER:
        return f"v{entry.version}"
    if entry.kind is JournalKind.GATES:
        return ""
    before = "nobody" if entry.previous is None else f"v{entry.previous}"
    if entry.kind is JournalKind.REFUSE:
        return f"not v{entry.version}"
    return f"{before} → {'nobody' if entry.version is None else f'v{entry.version}'}"


def _what(entry: JournalEntry) -> str:
    return KINDS[entry.kind] + f", {OVERRIDDEN}" * entry.overridden


def _passed(entry: JournalEntry) -> str:
    if entry.kind is JournalKind.GATES:
        lines = _lines(entry.details)
        return f"{format.count(len(lines))} set: {'; '.join(lines)}" if lines else "none any more"
    if not entry.gates:
        return ""
    return f"{sum(each.passed for each in entry.gates)} of {len(entry.gates)} passed"


def _verdict(entry: JournalEntry) -> str:
    found = evidence_view.from_journal(entry.evidence) if entry.evidence else None
    return "" if found is None else f"{evidence_view.MARKS[found.verdict]} {found.verdict}"


def show(store: Store, name: str) -> None:
    """Draw the rows of a model with the one that is open, and what proves them."""
    journal = registry_cache.journal(store, name)
    newest = list(reversed(journal))[:SHOWN]

    def open_row(row: int) -> None:
        if 0 <= row < len(newest):
            st.query_params[state.ROW] = str(newest[row].position)

    grid.show(
        table(newest),
        alt=f"Journal of {name}, the newest row first",
        key="model.journal",
        rows=ROWS,
        on_open=open_row,
    )
    if len(journal) > len(newest):
        st.caption(f"The newest {format.count(len(newest))} of {format.plural(len(journal), 'row')}.")
    asked = st.query_params.get(state.ROW, "")
    opened = next((entry for entry in reversed(journal) if str(entry.position) == asked), None)
    if opened is not None:
        one(store, opened)
    proof(store)


def one(store: Store, entry: JournalEntry) -> None:
    """Draw a row whole, and how many runs of its evidence were deleted for good since."""
    with st.container(border=True, key="journal.one"):
        st.markdown(f"**Row {entry.position}**: {escape(_what(entry))} {escape(change(entry))}")
        facts.show(
            {
                "when": format.moment(entry.at, reader_zone()),
                "alias": entry.alias,
                "by": entry.by,
                "digest": entry.digest[:24] + "…",
                "of the row before": entry.previous_digest[:24] + "…",
            }
        )
        if entry.reason:
            st.caption("Why all the same" if entry.overridden else "Reason")
            facts.text_block(entry.reason)
        if entry.kind is JournalKind.REFUSE and (problem := entry.details.get("problem")):
            st.caption("Why it was refused")
            facts.text_block(str(problem))
        if entry.kind is JournalKind.GATES:
            _new_gates(entry.details)
        found = evidence_view.from_journal(entry.evidence) if entry.evidence else None
        gate_results.draw(entry.gates, found)
        if found is not None:
            evidence_view.draw(
                found,
                candidate=f"v{entry.version}",
                champion=_other_side(entry),
                key=f"journal.evidence.{entry.position}",
            )
        if gone := store.gone_evidence([entry]).get(entry.position):
            st.caption(_gone(entry, gone))


def _other_side(entry: JournalEntry) -> str:
    """Return whom the evidence of a row was against."""
    if entry.previous is not None:
        return f"v{entry.previous}, {entry.alias}"
    rival = entry.details.get("rival")
    return f"v{rival}, the last {entry.alias}" if isinstance(rival, int) else "nobody"


def _gone(entry: JournalEntry, gone: Sequence[str]) -> str:
    verb = "was" if len(gone) == 1 else "were"
    named = ", ".join(format.shorten(run, 40) for run in gone[:GONE]) + ("…" if len(gone) > GONE else "")
    return (
        f"{format.count(len(gone))} of the {format.plural(len(entry.evidence_runs), 'run')} of this evidence {verb} "
        f"deleted for good since; what they had logged stands here: {escape(named)}"
    )


def _new_gates(details: Mapping[str, Any]) -> None:
    lines = _lines(details)
    st.caption(f"Gates from then on: {format.count(len(lines))}")
    st.code("\n".join(lines) or "none", language=None)


def _lines(details: Mapping[str, Any]) -> list[str]:
    told = details.get("gates")
    return list(map(_gate_line, told)) if isinstance(told, list) else []


def _gate_line(told: Any) -> str:
    """Return a gate of the journal as a line; one that this version cannot read as it is written."""
    from tracking.registry.gate_text import print_gate

    try:
        fields = {name: value for name, value in told.items() if value is not None}
        fields["kind"] = GateKind(fields["kind"])
        if "goal" in fields:
            fields["goal"] = Goal(fields["goal"])
        if "names" in fields:
            fields["names"] = tuple(map(str, fields["names"]))
        return format.shorten(print_gate(Gate(**fields)), MAX_CELL)
    except (AttributeError, KeyError, TypeError, ValueError):
        return format.shorten(format.param(told), MAX_CELL)


def proof(store: Store) -> None:
    """Draw the head of the chain, the button that computes it anew, and the export."""
    head = registry_cache.head(store)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(f"Head of the journal of all models: `{head[:24]}…`", width="content")
        if st.button(
            "Verify",
            key="journal.verify",
            help="Reads every row and the bytes of every version once more; nothing is changed",
        ):
            with st.spinner("Reading the registry…"):
                revision = registry_cache.revision(store)
                report = store.verify_registry()
                st.session_state[_VERIFIED] = (
                    str(store.location.root),
                    revision,
                    report,
                    datetime.now().astimezone(),
                )
        run_downloads.button(
            "Export (JSON lines)",
            lambda: io.BytesIO("".join(f"{line}\n" for line in store.export_journal()).encode()),
            file_name=f"registry-journal-{head[:12]}.jsonl",
            key="journal.export",
        )
    checked = verified(store)
    if checked is None:
        st.caption(
            "A head kept elsewhere proves later that no row was taken away. `tracking registry verify` does the same "
            "in a terminal."
        )
        return
    report, when = checked
    if not report.problems:
        st.success(
            f"✓ {format.plural(report.rows, 'row')} and {format.plural(report.versions, 'version')} are as they were "
            f"written; head `{report.head[:24]}…`. Verified {format.moment(when, reader_zone())}."
        )
        return
    said = "  \n".join(escape(problem) for problem in report.problems[:MOST_PROBLEMS])
    st.error(f"**{format.plural(len(report.problems), 'problem')} in the registry**  \n{said}")


def verified(store: Store) -> tuple[RegistryReport, datetime] | None:
    """Return what this session found when it verified the registry as it is now, and when; None before that."""
    kept = st.session_state.get(_VERIFIED)
    if kept is None or kept[:2] != (str(store.location.root), registry_cache.revision(store)):
        return None
    return kept[2], kept[3]
