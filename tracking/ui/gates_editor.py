"""The gates of a model, one line each, read while they are written: what is wrong stands under the field."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import streamlit as st

from tracking.errors import InvalidValue, RunStateError
from tracking.registry_records import Gate, ModelRecord
from tracking.ui import access, format, model_acts
from tracking.ui.markdown import code, escape

if TYPE_CHECKING:
    from tracking.store import Store

LONGEST: Final = 20_000
MOST_LINES: Final = 100
_PLACE: Final = "gates"
FORMS: Final = (
    ("accuracy >= 0.9", "a metric's last value; also best(accuracy), min, max, mean, first"),
    ("better(accuracy, margin=0.01, confidence=0.95)", "than the holder of the alias, by its evidence"),
    ("repeats >= 5", "so many runs of the same configuration"),
    ("artifacts: report.csv", "that the run has to have"),
    ("clean git", "no tracked file was changed"),
    ("same data", "as the holder's run; one use alone: same data: train"),
    ("age <= 30 days", "of the version's run"),
    ("loads", "the model loads and predicts its logged example again"),
)


@dataclass(frozen=True, slots=True)
class Read:
    """What the lines come to: a gate or what is wrong with it, by number of the line."""

    gates: tuple[tuple[int, Gate], ...]
    wrong: tuple[tuple[int, str], ...]


def show(store: Store, record: ModelRecord) -> None:
    """Draw the gates as they are, and the field to change them where this session may act."""
    from tracking.registry import gate_text

    lines = [gate_text.print_gate(gate) for gate in record.gates]
    st.markdown(
        "A version gets an alias only when every gate passes. The journal keeps what they found at each promotion."
    )
    if not access.gate("change the gates", key="gates.access"):
        _words(record.gates)
        return
    left, right = st.columns(2, gap="large")
    with left:
        text = _field(record, lines)
        found = read(text)
        for number, sentence in found.wrong:
            st.error(escape(f"Line {number}: {sentence}"))
        _save(store, record, found, text, lines)
    with right:
        st.markdown("**They ask**")
        _words([gate for _, gate in found.gates])
        with st.expander("What a line can say", key="gates.forms", expanded=not record.gates):
            for form, meaning in FORMS:
                st.markdown(f"{code(form)} {escape(meaning)}")
            st.caption("Each may end in `for champion`: then only promotions to that alias are held to it.")


def _field(record: ModelRecord, lines: Sequence[str]) -> str:
    """Draw the field; return what stands in it."""
    place = f"gates.begun.{record.name}"
    begun: tuple[int, str] | None = st.session_state.get(place)
    saved = "\n".join(lines)
    if begun is None or f"gates.text.{record.name}.{begun[0]}" not in st.session_state:
        # A field that is not on the page begins with what is saved.
        begun = (begun[0] + 1 if begun else 0, saved)
        st.session_state[place] = begun
    number, began = begun

    def take() -> None:
        st.session_state[place] = (number + 1, saved)

    if began != saved:
        with st.container(border=True, key="gates.elsewhere"):
            st.markdown("**The gates were changed elsewhere since you began.** They are now:")
            st.code(saved or "none", language=None)
            st.button("Take these", key="gates.take", on_click=take, help="Drops what you typed here")
    text = st.text_area(
        "Gates, one a line",
        began,
        key=f"gates.text.{record.name}.{number}",
        max_chars=LONGEST,
        height=max(120, min(360, 22 * (len(lines) + 3))),
        placeholder="accuracy >= 0.9\nbetter(accuracy, margin=0.01)\nrepeats >= 5",
    )
    return text


def read(text: str) -> Read:
    """Return the gates of several lines, and what is wrong with the lines that are none."""
    from tracking.registry import gate_text

    gates, wrong = [], []
    lines = text.splitlines()
    for number, line in enumerate(lines[:MOST_LINES], start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        try:
            gates.append((number, gate_text.parse_gate(line)))
        except InvalidValue as error:
            wrong.append((number, format.shorten(str(error), 400)))
    if len(lines) > MOST_LINES:
        wrong.append((MOST_LINES + 1, f"A model has up to {MOST_LINES} gates here."))
    return Read(tuple(gates), tuple(wrong))


def _words(gates: Sequence[Gate]) -> None:
    """Draw what gates ask in plain words."""
    from tracking.registry import gate_text

    if not gates:
        st.caption("No gates: any version may get any alias.")
        return
    with st.container(gap=None):
        for gate in gates:
            only = f" (only for {escape(gate.alias)})" if gate.alias else ""
            st.markdown(f"- {escape(format.shorten(gate_text.asked_for(gate), 300))}{only}")


def _save(store: Store, record: ModelRecord, found: Read, text: str, lines: Sequence[str]) -> None:
    # Named after what would be saved: a second click of a double click finds another button.
    version = hashlib.blake2b(repr((text, lines)).encode(), digest_size=6).hexdigest()
    gates = [gate for _, gate in found.gates]
    same = not found.wrong and gates == list(record.gates)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        reason = st.text_input(
            "Reason", key=f"gates.reason.{version}", placeholder="may be left out", width=360, disabled=same
        )
        pressed = st.button(
            "Save the gates",
            type="primary",
            key=f"gates.save.{version}",
            disabled=same or bool(found.wrong),
        )
    if pressed:

        def work() -> str:
            if store.model(record.name).gates != record.gates:
                raise RunStateError(
                    "The gates have been changed elsewhere meanwhile. Nothing was saved; look again."
                )
            store.set_gates(record.name, gates, reason=reason)
            return f"{format.plural(len(gates), 'gate')} of {record.name} saved."

        model_acts.act(_PLACE, work)
        if model_acts.succeeded():
            st.session_state.pop(f"gates.begun.{record.name}", None)
        st.rerun()
    model_acts.show_error(_PLACE)
