"""Promotion: gates on a snapshot, then one short transaction that checks that nothing of it has moved.

What gates get is a `Context`, whose fields are all of one moment: `connection` is in a read transaction. `gates.py`
has `evaluate(context) -> tuple[GateResult, ...]`, one result for each of `context.gates`, in their order; a gate that
does not pass is a result, never an exception. A gate that compares with the holder calls `context.evidence`, which
remembers what it was asked, so that the journal and the page show the evidence that decided. A gate that reads runs
other than the candidate's, the holder's and those of evidence says so with `context.note`: before the promotion is
written, it is checked that none of them has changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tracking.artifacts.objects import Objects
from tracking.records import ArtifactRecord, CaptureRecord, DatasetRecord, Goal, RunRecord
from tracking.registry_records import Evidence, Gate, VersionRecord

Compare = Callable[[str, str, Goal | None, float, float], Evidence]


@dataclass(frozen=True, slots=True)
class Context:
    """What the gates of one promotion read.

    Attributes:
        connection: To the store's database, in a read transaction: what it reads is of the same moment.
        objects: Of the store, for bytes; `candidate.digest` names the model's.
        alias: That the candidate would get.
        gates: Those of the model that are asked for this alias.
        candidate: The version.
        holder: Who has the alias now, None for nobody.
        run: The candidate's run.
        artifacts: The candidate run's, superseded ones left out.
        datasets: That the candidate's run used.
        captures: What was recorded around the candidate's run.
        holder_run: The holder's run, None without a holder.
        holder_datasets: That the holder's run used.
        goals: Which direction is better, by metric, as defined for the candidate's experiment.
        now: The time that ages are counted to (UTC).
        compare: Gives evidence for metric, at, goal, margin and confidence; `evidence` asks it once.
        compared: The evidence that was asked for, by what was asked.
        read: Ids of further runs that gates read.
    """

    connection: Any
    objects: Objects
    alias: str
    gates: tuple[Gate, ...]
    candidate: VersionRecord
    holder: VersionRecord | None
    run: RunRecord
    artifacts: tuple[ArtifactRecord, ...]
    datasets: tuple[DatasetRecord, ...]
    captures: tuple[CaptureRecord, ...]
    holder_run: RunRecord | None
    holder_datasets: tuple[DatasetRecord, ...]
    goals: Mapping[str, Goal]
    now: datetime
    compare: Compare
    compared: dict[tuple[str, str, Goal | None, float, float], Evidence] = field(default_factory=dict)
    read: set[str] = field(default_factory=set)

    def evidence(
        self,
        metric: str,
        *,
        at: str = "last",
        goal: Goal | None = None,
        margin: float = 0.0,
        confidence: float = 0.95,
    ) -> Evidence:
        """Return how sure it is that the candidate is better than the holder, also where nobody holds the alias.

        Args:
            metric: What to compare.
            at: Which of its points.
            goal: Which direction is better; None for what the metric was defined with.
            margin: By how much.
            confidence: Of the one-sided verdict.
        """
        asked = (metric, at, goal, margin, confidence)
        if asked not in self.compared:
            found = self.compare(*asked)
            self.compared[asked] = found
            self.note(point.run for point in (*found.candidate, *found.champion))
        return self.compared[asked]

    def note(self, runs: Iterable[str]) -> None:
        """Say that a gate has read these runs: the promotion is evaluated anew when one of them changes."""
        self.read.update(runs)
