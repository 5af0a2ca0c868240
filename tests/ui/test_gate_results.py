"""What a gate found, beside the evidence that is drawn with it."""

from __future__ import annotations

import pytest

from tracking.records import Goal
from tracking.registry_records import Evidence, Gate, GateKind, GateResult, Verdict
from tracking.ui import gate_results

WORSE = Evidence("acc", "last", Goal.MAXIMIZE, "welch", Verdict.WORSE, "Worse: acc is 0.1 lower.")


@pytest.mark.parametrize(
    ("found", "evidence", "said"),
    [
        (WORSE.sentence, WORSE, "worse, see below"),
        (f"{WORSE.sentence} m/2 is the last that was champion.", WORSE, "worse, see below. m/2 is the last"),
        (WORSE.sentence, None, WORSE.sentence),
        ("0.1234567890", WORSE, "0.123457"),
    ],
)
def test_the_evidence_is_not_said_twice(found: str, evidence: Evidence | None, said: str) -> None:
    result = GateResult(Gate(GateKind.BETTER, metric="acc"), False, "asked", found)
    assert gate_results._said(result, evidence).startswith(said)
