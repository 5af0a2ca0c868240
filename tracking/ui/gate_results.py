"""What each gate asked and found, a line each."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import streamlit as st

from tracking.registry_records import Evidence, GateResult
from tracking.ui import format
from tracking.ui.markdown import code, escape

_MANY_DIGITS: Final = re.compile(r"-?\b\d+\.\d{6,}(e[+-]?\d+)?\b")


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
            left.markdown(f"{mark} {code(format.shorten(each.asked, 200))}")
            # What the evidence says stands whole below, beside its picture.
            below = evidence is not None and each.found == evidence.sentence
            said = f"{evidence.verdict}, see below" if evidence and below else _found(each)
            right.markdown(f"found: {escape(said)}")


def _found(result: GateResult) -> str:
    """Return what a gate found, numbers of many digits rounded; not onto the bound itself, which would read as met."""

    def rounded(number: re.Match[str]) -> str:
        short = f"{float(number[0]):.6g}"
        return number[0] if float(short) == result.gate.bound else short

    return format.shorten(_MANY_DIGITS.sub(rounded, result.found), 300)
