"""Frozen values about sweeps that cross the layers, and the names under which a study keeps its sweep."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from tracking.records import Goal

DEFINITION = "podium:definition"
"""System attribute of a study: {"text": the definition file, "edition": from 1, "short": what lists show of it}."""
PROJECT = "podium:project"
"""System attribute of a study: the absolute folder that the definition's paths start from."""
WANTED = "podium:wanted"
"""System attribute of a study: {"state": "run" | "pause" | "drain" | "stop", "at": ISO date}."""
STOP_WORKERS = "podium:stop_workers"
"""System attribute of a study: tokens of workers that are to leave."""
OUTCOME = "podium:outcome"
"""System attribute of a study: {"state": "finished" | "stopped" | "failed", "reason", "at"}, None while it goes on."""
PREVIOUS = "podium:previous"
"""System attribute of a study: the name of the one that it goes on with."""
NEXT = "podium:next"
"""System attribute of a study: the name of the one that goes on with it."""
BEFORE = "podium:before"
"""System attribute of a study: {"trials", "seconds"} of the budget that the sweep's earlier studies used."""
START_KEY = "podium:start_key"
"""System attribute of a study: what a caller named its start by, so that the same start is made once."""
CONFIRMS = "podium:confirms"
"""System attribute of a study whose sweep runs the best trials of another one again.

{"sweep": its name, "trials": [{"trial", "run", "values"}] as they are listed, "vary": the param that tells the fresh
runs apart or None, "values": what it is}.
"""
REPEATS_RUN = "podium:repeats_run"
"""System attribute of a study whose sweep runs the configuration of one run again, which is no trial of a sweep.

{"run": its id, "vary": the param that tells the fresh runs apart, "values": what it is}.
"""
EDIT = "podium:edit:"
"""Begins the system attributes of a study that are its edits, {"at", "what", "sentence", "trial"}; then a number."""

STOPPED = "stopped"
"""The cause of trials that somebody ended: neither a failure nor counted."""


class SweepState(StrEnum):
    """Where a sweep stands."""

    WAITING = "waiting"
    RUNNING = "running"
    PAUSED = "paused"
    STOPPING = "stopping"
    FINISHED = "finished"
    STOPPED = "stopped"
    FAILED = "failed"
    INTERRUPTED = "interrupted"

    @property
    def is_live(self) -> bool:
        """Whether processes work on it, or are about to."""
        return self in (SweepState.WAITING, SweepState.RUNNING, SweepState.STOPPING)


@dataclass(frozen=True, slots=True)
class SweepObjective:
    """What a sweep makes better: a metric, which direction is better, and which of its points counts."""

    metric: str
    goal: Goal | None
    at: str = "last"


@dataclass(frozen=True, slots=True)
class BestTrial:
    """A trial that no other one of the sweep is better than.

    Attributes:
        study: Name of the study that it is in.
        number: Its place there.
        run: Id of its run; None when that was removed for good.
        values: One per objective.
        params: By name.
    """

    study: str
    number: int
    run: str | None
    values: tuple[float, ...]
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FailureGroup:
    """Failed trials of one cause.

    Attributes:
        cause: Such as `error`, `no_metric`, `time_limit`, `worker_died`; `unknown` where nothing says it.
        sentence: What the latest of them says, empty where nothing does.
        trials: Their numbers in the sweep's present study, in order.
        retried: How many of them were tried again.
        earlier: How many more there are in earlier studies of the sweep.
    """

    cause: str
    sentence: str
    trials: tuple[int, ...]
    retried: int = 0
    earlier: int = 0


@dataclass(frozen=True, slots=True)
class SweepWorker:
    """A worker process that lives.

    Attributes:
        token: Its name.
        slot: Its place among the workers, from 0.
        pid: Of its process, None where unknown.
        trial: The number of the trial that it runs, None between trials.
        study: Name of the study that it works for.
    """

    token: str
    slot: int
    pid: int | None
    trial: int | None
    study: str


@dataclass(frozen=True, slots=True)
class SweepEdit:
    """A change of a sweep after its start.

    Attributes:
        at: When (UTC).
        what: The kind: `budget`, `workers`, `limits`, `space`, `retry`, `definition`, …
        sentence: What was changed and what followed from it.
        trial: The number of the next trial at that time, in `study`.
        study: Name of the study that it is recorded in.
        edition: Of the definition since then; the one before where the edit changed nothing in it.
    """

    at: datetime
    what: str
    sentence: str
    trial: int
    study: str
    edition: int


def planned_trials(budget: int | None, size: int | None, begun: int) -> int | None:
    """Return how many trials a sweep comes to, None where only time ends it.

    Args:
        budget: How many trials may count, or None.
        size: How many configurations the sampler goes through, or None.
        begun: Trials that count already, run or wait: queued by hand, there may be more than the sampler has.
    """
    if size is None:
        return budget
    return max(size, begun) if budget is None else min(budget, max(size, begun))


@dataclass(frozen=True, slots=True)
class SweepRecord:
    """One sweep as the store has it at one moment, over all of its studies.

    Attributes:
        name: Of the sweep, and of its first study.
        state: A `SweepState`, which is a string.
        reason: A sentence that says why it is in that state, or what is under way; may be empty.
        experiment: Where the runs of its trials are.
        objectives: What it makes better.
        target: What is tuned, in short: `train.py`, `train.py:train`, `digits: label`.
        sampler: Name of the sampler, None where the definition does not say.
        pruner: Name of the pruner, or None.
        notes: Of the definition.
        text: The definition file as it is now.
        edition: How often it was written, from 1.
        project: The folder that its paths start from, or None.
        trials: How many there are by state: running, complete, pruned, fail, waiting. Taken-over ones are not.
        taken_over: Finished trials and runs from elsewhere that the present study knows.
        done: Trials that count against the budget.
        budget_trials: How many may count, or None.
        budget_seconds: How long supervisors may run, or None.
        elapsed: How many seconds they have, None where unknown.
        best: The best trial; of several objectives the Pareto set, in order of the first one.
        rate: Trials per hour at the latest, None where there are too few to tell.
        eta: Seconds until the budget is used up at that rate, None where nothing can be told.
        workers: How many are wanted, or None.
        active: Those that live.
        failures: Failed trials by cause, the most frequent first; stopped ones are no failures.
        edits: In order.
        created: When it was started (UTC).
        studies: Names of its studies, the present one last.
        revision: Grows with every operation on them.
        confirms: Name of the sweep whose best trials it runs again, None for any other one.
        repeats_run: Id of the run whose configuration it runs again, None for any other one.
        size: How many configurations its sampler goes through, None where there is no end of them or no telling.
    """

    name: str
    state: SweepState
    reason: str
    experiment: str
    objectives: tuple[SweepObjective, ...]
    target: str
    sampler: str | None
    pruner: str | None
    notes: str
    text: str
    edition: int
    project: str | None
    trials: Mapping[str, int]
    taken_over: int
    done: int
    budget_trials: int | None
    budget_seconds: float | None
    elapsed: float | None
    best: tuple[BestTrial, ...]
    rate: float | None
    eta: float | None
    workers: int | None
    active: tuple[SweepWorker, ...]
    failures: tuple[FailureGroup, ...]
    edits: tuple[SweepEdit, ...]
    created: datetime
    studies: tuple[str, ...]
    revision: int
    confirms: str | None = None
    repeats_run: str | None = None
    size: int | None = None

    @property
    def planned(self) -> int | None:
        """How many trials count in the end at most: those of the budget, or fewer where the sampler has no more."""
        begun = self.done + self.trials.get("running", 0) + self.trials.get("waiting", 0)
        return planned_trials(self.budget_trials, self.size, begun)

    @property
    def study(self) -> str:
        """Name of the study that it works in now."""
        return self.studies[-1]


@dataclass(frozen=True, slots=True)
class ConfirmedTrial:
    """A trial of a sweep whose configuration is run again.

    Attributes:
        trial: Its number in the sweep's study.
        run: Id of its run there, None where that is not known.
        scores: Its values in the sweep, one per objective.
        params: The configuration, without the param that tells the fresh runs apart.
        state: Of the fresh runs together: waiting, running, complete or fail.
        fresh: The values of each fresh run that has ended, one per objective; None for one that gave none.
        number: Number of the trial that they are, in the sweep that confirms; None as long as there is none.
        fresh_run: Id of the run that the fresh runs are children of, or None.
        reason: Why there are none or too few, empty where all is well.
    """

    trial: int
    run: str | None
    scores: tuple[float, ...]
    params: Mapping[str, Any]
    state: str
    fresh: tuple[tuple[float, ...] | None, ...]
    number: int | None
    fresh_run: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class ConfirmationRecord:
    """A sweep that runs the best trials of another one again, on fresh repeats.

    Attributes:
        sweep: Name of the one that is confirmed.
        own: The one that confirms, with its state and progress: it is steered like any other one.
        vary: The param that tells the fresh runs apart; None: nothing does.
        values: What it is, one for each fresh run.
        trials: In the order of the sweep's scores.
    """

    sweep: str
    own: SweepRecord
    vary: str | None
    values: tuple[Any, ...]
    trials: tuple[ConfirmedTrial, ...]
