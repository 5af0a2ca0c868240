"""What a confirmation that the store has comes to, by the statistics of `tracking.analysis.confirmation`."""

from __future__ import annotations

from tracking.analysis.confirmation import Candidate, Confirmation, confirm
from tracking.sweep_records import ConfirmationRecord


def candidates(record: ConfirmationRecord, objective: int = 0) -> list[Candidate]:
    """Return the configurations with what their fresh runs gave so far, for one objective by its place."""
    return [
        Candidate(
            each.trial,
            each.scores[objective],
            tuple(None if fresh is None else fresh[objective] for fresh in each.fresh),
        )
        for each in record.trials
    ]


def outcome(record: ConfirmationRecord, objective: int = 0) -> Confirmation:
    """Return the ranking of the configurations by their fresh runs alone, for one objective by its place."""
    return confirm(candidates(record, objective), record.own.objectives[objective].goal)
