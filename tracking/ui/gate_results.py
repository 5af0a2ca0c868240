"""What each gate asked and found, a line each."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import streamlit as st

from tracking.registry_records import Evidence, Gate, GateKind, GateResult
from tracking.ui import format
from tracking.ui.markdown import escape

_MANY_DIGITS: Final = re.compile(r"-?\b\d+\.\d{6,}(e[+-]?\d+)?\b")


def asking(gates: Sequence[Gate], alias: str, number: int) -> str:
    """Return what is looked at while the gates of an alias are asked: loading takes longer than all the rest.

    Args:
        gates: Of the model.
        alias: What is to be given.
        number: Of the version.
    """
    asked = [gate for gate in gates if gate.alias in (None, alias)]
    if not asked:
        return "Comparing the runs…"
    said = f"Asking {format.plural(len(asked), 'gate')}"
    if any(gate.kind is GateKind.LOADS for gate in asked):
        return (
            f"{said}. One of them loads v{number} in a process of its own and lets it predict its logged example "
            "again, which takes some seconds…"
        )
    return f"{said} and comparing the runs…"


def draw(found: Sequence[GateResult], evidence: Evidence | None = None) -> None:
    """Draw what each gate asked and found, a line each, the refusing ones marked by a sign and a word.

    Args:
        found: Of each gate.
        evidence: What is drawn whole beside it, and not said twice.
    """
    with st.container(gap="xxsmall"):
        for each in found:
            mark = ":green[**✓**]" if each.passed else ":red[**✗**] **refused**"
            left, right = st.columns([2, 3], gap="small")
            left.markdown(f"{mark} {escape(format.shorten(each.asked, 200))}")
            right.markdown(f"found: {escape(_said(each, evidence))}")


def _said(result: GateResult, evidence: Evidence | None) -> str:
    """Return what a gate found, without what the evidence says, which stands whole below, beside its picture."""
    if evidence is None or not evidence.sentence or not result.found.startswith(evidence.sentence):
        return _found(result)
    more = result.found.removeprefix(evidence.sentence)
    return f"{evidence.verdict}, see below" + (f".{more}" if more else "")


def _found(result: GateResult) -> str:
    """Return what a gate found, numbers of many digits rounded; not onto the bound itself, which would read as met."""

    def rounded(number: re.Match[str]) -> str:
        short = f"{float(number[0]):.6g}"
        return number[0] if float(short) == result.gate.bound else short

    return format.shorten(_MANY_DIGITS.sub(rounded, result.found), 300)
