"""Frozen values about studies and their trials that cross the layers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tracking.records import Goal

WORKER = "podium:worker"
"""User attribute of a trial: the token of the sweep's worker that runs it."""
REASON = "podium:reason"
"""User attribute of a trial: a sentence that says why it ended as it did; its run shows it as the error."""
CAUSE = "podium:cause"
"""User attribute of a trial: the kind of its failure, by which failures are counted."""
CAUSES = {
    "error": "ended with an error",
    "no_metric": "logged no value for the objective",
    "not_a_number": "came to no number",
    "time_limit": "took longer than the limit",
    "memory_limit": "took more memory than the limit",
    "killed": "killed from outside",
    "worker_died": "lost their worker",
    "start_failed": "could not be started",
    "incomplete": "ended before all repeats had run",
    "bad_params": "given params that the target does not take",
    "unknown": "failed, and nothing says why",
}
"""What is said of trials that failed, by the kind of their failure."""
TRACEBACK = "podium:traceback"
"""User attribute of a trial: the traceback of the user's code that ended it, shortened."""
RUN = "podium:run"
"""User attribute of a trial: the id of a run that was there before, whose outcome the study takes over."""
RETRY_OF = "podium:retry_of"
"""User attribute of a trial: the number of the failed one that it tries again."""
PLACE = "podium:place"
"""User attribute of a trial: which of the configurations it is that its sweep lists, from 0."""
CONSTRAINTS = "podium:constraints"
"""Attribute of a trial's row, which no user attribute is: what `trial.set_constraint` said, by name."""
REPEATS = "podium:repeats"
"""User attribute of a trial: the values of its repeats, whose mean is its value; None for one that is missing.

Of several objectives each of them is a list."""


@dataclass(frozen=True, slots=True)
class StudyRecord:
    """One Optuna study as the store has it at one moment.

    Attributes:
        name: Of the study.
        experiment: Where the runs of its trials are.
        directions: One goal per objective; None for one that was never set.
        metrics: The metric of a trial's run that each objective is.
        created: When it was made (UTC).
        trials: How many trials there are by state: running, complete, pruned, fail, waiting.
        revision: Grows with every operation on the study or one of its trials.
    """

    name: str
    experiment: str
    directions: tuple[Goal | None, ...]
    metrics: tuple[str, ...]
    created: datetime
    trials: Mapping[str, int]
    revision: int


@dataclass(frozen=True, slots=True)
class TrialRecord:
    """One trial of a study.

    Attributes:
        number: Its place in the study, from 0.
        run: Id of its run; None when that was removed for good.
        state: running, complete, pruned, fail or waiting.
        started: When it began to run (UTC), None while it waits.
        completed: When it ended (UTC), or None.
        values: One per objective, None as long as there are none.
        params: By name, as the objective got them.
        attributes: What `trial.set_user_attr` said.
        constraints: What `trial.set_constraint` said, by name; one that is above 0 is broken.
    """

    number: int
    run: str | None
    state: str
    started: datetime | None
    completed: datetime | None
    values: tuple[float, ...] | None
    params: Mapping[str, Any] = field(default_factory=dict)
    attributes: Mapping[str, Any] = field(default_factory=dict)
    constraints: Mapping[str, float] = field(default_factory=dict)

    @property
    def feasible(self) -> bool:
        """Whether it holds every constraint; a trial without any does."""
        return all(value <= 0 for value in self.constraints.values())

    @property
    def duration(self) -> float | None:
        """Seconds from start to end, None where one of them is missing."""
        if self.started is None or self.completed is None:
            return None
        return (self.completed - self.started).total_seconds()
