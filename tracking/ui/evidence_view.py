"""Evidence on a page: the sentence, the picture, the numbers, and what was left out."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

import streamlit as st

from tracking.records import Goal
from tracking.registry_records import Evidence, EvidencePoint, Verdict
from tracking.ui import evidence_chart, facts, format
from tracking.ui.live_chart import live_chart
from tracking.ui.markdown import escape

MARKS: Final = {
    Verdict.BETTER: "✓",
    Verdict.WORSE: "✕",
    Verdict.NOT_DISTINGUISHABLE: "≈",
    Verdict.SINGLE_RUN: "?",
    Verdict.NO_CHAMPION: "–",
    Verdict.NO_DATA: "?",
}
METHODS: Final = {
    "paired": "in pairs of equal repeat params (paired t)",
    "corrected": "fold by fold, corrected (Nadeau and Bengio)",
    "welch": "all runs of both, no pairs (Welch)",
    "bootstrap": "all runs of both, resampled (bootstrap)",
}
FEW: Final = (
    "Fewer than five runs on a side: more runs of the same configuration decide it. Repeat… on the page of its run "
    "starts them."
)
MOST_LEFT_OUT: Final = 6
SENTENCE: Final = 600


def draw(evidence: Evidence, *, candidate: str, champion: str, key: str) -> None:
    """Draw how sure it is that one configuration is better than another.

    Args:
        evidence: What was found.
        candidate: What the candidate is called, as `v7`.
        champion: What the other side is called.
        key: Stays the same for the same comparison.
    """
    st.markdown(f"**{MARKS[evidence.verdict]}** {escape(format.shorten(evidence.sentence, SENTENCE))}")
    if evidence.candidate:
        live_chart(
            evidence_chart.chart(evidence, candidate=candidate, champion=champion),
            key=key,
            height=evidence_chart.height(evidence),
            alt=evidence_chart.alt(evidence, candidate=candidate, champion=champion),
        )
    facts.show(numbers(evidence))
    if evidence.few and evidence.candidate and evidence.champion and not one_group(evidence):
        st.caption(FEW)
    left_out(evidence)


def one_group(evidence: Evidence) -> bool:
    """Whether both sides are the same runs: more of them would tell nothing apart."""
    runs = {point.run for point in evidence.candidate}
    return bool(runs) and runs == {point.run for point in evidence.champion}


def left_out(evidence: Evidence) -> None:
    """Draw which runs did not count and why; nothing where all did."""
    said = [f"Not counted: {format.shorten(each, 200)}" for each in evidence.left_out[:MOST_LEFT_OUT]]
    if len(evidence.left_out) > MOST_LEFT_OUT:
        said.append(f"and {format.plural(len(evidence.left_out) - MOST_LEFT_OUT, 'reason')} more")
    if said:
        st.caption("  \n".join(map(escape, said)))


def numbers(evidence: Evidence) -> dict[str, str | None]:
    """Return what the sentence rests on, by its label; None where there is no such number."""
    found: dict[str, str | None] = dict.fromkeys(("difference", "interval", "effect", "chance", "method"))
    if evidence.difference is not None and math.isfinite(evidence.difference):
        found["difference"] = signed(evidence.difference)
    if evidence.low is not None and evidence.high is not None:
        found["interval"] = f"{signed(evidence.low)} to {signed(evidence.high)}"
    if evidence.effect is not None and math.isfinite(evidence.effect):
        found["effect"] = f"{signed(evidence.effect, 3)} sd"
    if evidence.probability is not None:
        found["chance"] = chance(evidence.probability)
    found["method"] = METHODS.get(evidence.method)
    labels = {
        "difference": "difference",
        "interval": f"{evidence.confidence:.0%} interval",
        "effect": "effect size",
        "chance": "chance of being better"
        + (f" by more than {format.number(evidence.margin, 3)}" if evidence.margin else ""),
        "method": "method",
    }
    shown = {labels[name]: value for name, value in found.items()}
    shown["pairs"] = format.count(evidence.pairs) if evidence.pairs else None
    shown["picked from"] = (
        format.plural(evidence.picked_from, "trial") if evidence.picked_from is not None else None
    )
    return shown


def signed(value: float, digits: int = 4) -> str:
    """Return a difference with its sign, which a plus tells from a value."""
    text = format.number(value, digits)
    return f"+{text}" if value > 0 else text


def chance(probability: float) -> str:
    """Return a probability in percent that never reads as certain where it is not."""
    if not math.isfinite(probability):
        return format.ABSENT
    if 0.0 < probability < 0.001:
        return "< 0.1 %"
    if 0.999 < probability < 1.0:
        return "> 99.9 %"
    return f"{100 * probability:.3g} %"


def from_journal(told: Mapping[str, Any]) -> Evidence | None:
    """Return the evidence that a row of the journal keeps, None where it has none that can be read.

    What another version of the program wrote may have more fields, or fewer.
    """
    try:
        return Evidence(
            metric=str(told["metric"]),
            at=str(told.get("at", "last")),
            goal=Goal(told["goal"]),
            method=str(told.get("method", "")),
            verdict=Verdict(told["verdict"]),
            sentence=str(told.get("sentence", "")),
            candidate=_points(told.get("candidate", ())),
            champion=_points(told.get("champion", ())),
            difference=_number(told.get("difference")),
            low=_number(told.get("low")),
            high=_number(told.get("high")),
            confidence=_number(told.get("confidence")) or 0.95,
            margin=_number(told.get("margin")) or 0.0,
            effect=_number(told.get("effect")),
            probability=_number(told.get("probability")),
            p_value=_number(told.get("p_value")),
            pairs=int(told.get("pairs") or 0),
            picked_from=told.get("picked_from"),
            left_out=tuple(map(str, told.get("left_out", ()))),
            few=bool(told.get("few")),
        )
    except (KeyError, TypeError, ValueError):
        return None


def _points(told: Any) -> tuple[EvidencePoint, ...]:
    return tuple(
        EvidencePoint(str(each["run"]), float(each["value"]), dict(each.get("repeat") or {})) for each in told
    )


def _number(told: Any) -> float | None:
    return None if told is None else float(told)
