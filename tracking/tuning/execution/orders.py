"""What is wanted of a sweep, as the attributes of its study say, and whether it has done enough."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from optuna.trial import FrozenTrial, TrialState

from tracking.errors import NotFound
from tracking.study_records import CAUSE, CAUSES, REASON, RETRY_OF, RUN
from tracking.sweep_records import (
    BEFORE,
    DEFINITION,
    OUTCOME,
    PREVIOUS,
    PROJECT,
    STOP_WORKERS,
    STOPPED,
    WANTED,
)
from tracking.tuning.definition import SweepDefinition
from tracking.tuning.definition_file import read_definition
from tracking.tuning.execution.outcomes import duration

RUNS, PAUSE, DRAIN, STOP = "run", "pause", "drain", "stop"


@dataclass(frozen=True, slots=True)
class Orders:
    """What is wanted of a sweep at one moment.

    Attributes:
        definition: As it is now.
        edition: Of the definition.
        text: Of the definition.
        project: The folder that its paths start from.
        wanted: run, pause, drain or stop.
        since: When that was said, None where nobody did.
        leaving: Tokens of workers that are to leave at once.
        outcome: How it ended, None while it goes on.
        trials_before: Of the budget, what the sweep's earlier studies used.
        seconds_before: The same for the time.
        goes_on: Whether it is the next study of an earlier one.
    """

    definition: SweepDefinition
    edition: int
    text: str
    project: Path
    wanted: str
    since: datetime | None
    leaving: frozenset[str]
    outcome: Mapping[str, Any] | None
    trials_before: int = 0
    seconds_before: float = 0.0
    goes_on: bool = False


def read_orders(attributes: Mapping[str, Any]) -> Orders:
    """Return what a study's system attributes say.

    Raises:
        NotFound: The study is no sweep.
        InvalidDefinition: Its definition cannot be read.
    """
    said = attributes.get(DEFINITION)
    if not isinstance(said, Mapping) or "text" not in said:
        raise NotFound("This study is no sweep: it has no definition.")
    wanted = attributes.get(WANTED) or {}
    before = attributes.get(BEFORE) or {}
    text = str(said["text"])
    return Orders(
        definition=_definition(text),
        edition=int(said.get("edition", 1)),
        text=text,
        project=Path(str(attributes.get(PROJECT) or ".")),
        wanted=str(wanted.get("state", RUNS)),
        since=_moment(wanted.get("at")),
        leaving=frozenset(map(str, attributes.get(STOP_WORKERS) or ())),
        outcome=attributes.get(OUTCOME) or None,
        trials_before=int(before.get("trials") or 0),
        seconds_before=float(before.get("seconds") or 0.0),
        goes_on=bool(attributes.get(PREVIOUS)),
    )


@lru_cache(maxsize=8)
def _definition(text: str) -> SweepDefinition:
    return read_definition(text)


def _moment(text: Any) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a sweep may start another trial.

    Attributes:
        goes_on: It may.
        state: What it comes to else: finished or failed.
        reason: A sentence.
        used: Trials that count against the budget, those that run included.
    """

    goes_on: bool
    state: str = ""
    reason: str = ""
    used: int = 0


def judge(orders: Orders, trials: Sequence[FrozenTrial], spent: float) -> Verdict:
    """Return whether a sweep may start another trial, by its budget and by failures in a row.

    Args:
        orders: What is wanted of it.
        trials: Of its study.
        spent: Seconds that its supervisors have run.
    """
    limit = orders.definition.limits.failures
    if limit is not None:
        streak = failures_in_a_row(trials, orders.since, limit)
        if len(streak) >= limit:
            return Verdict(False, "failed", failure_sentence(streak))
    budget = orders.definition.budget
    mine = [trial for trial in trials if counts(trial)]
    retried = retried_numbers(trials)
    ended = [trial for trial in mine if trial.state.is_finished() and trial.number not in retried]
    running = sum(trial.state is TrialState.RUNNING for trial in mine)
    used = orders.trials_before + len(ended) + running
    if budget.trials is not None and used >= budget.trials:
        return Verdict(False, "finished", f"Its budget of {budget.trials} trials is used.", used)
    if budget.seconds is not None and spent + orders.seconds_before >= budget.seconds:
        return Verdict(False, "finished", f"Its budget of {duration(budget.seconds)} is used.", used)
    return Verdict(True, used=used)


def counts(trial: FrozenTrial) -> bool:
    """Whether a trial is the sweep's own, and nobody stopped it."""
    return RUN not in trial.user_attrs and not (
        trial.state is TrialState.FAIL and trial.user_attrs.get(CAUSE) == STOPPED
    )


def retried_numbers(trials: Sequence[FrozenTrial]) -> set[int]:
    """Return the numbers of the trials that others try again."""
    return {trial.user_attrs[RETRY_OF] for trial in trials if RETRY_OF in trial.user_attrs}


def failures_in_a_row(
    trials: Sequence[FrozenTrial], since: datetime | None, limit: int | None = None
) -> list[FrozenTrial]:
    """Return the failed trials after the last one that did not fail, in order of their end.

    Those that somebody stopped, that are tried again, or that ended before `since` do not count. Once there are
    as many as `limit`, a trial that was under way by then takes nothing back, however it ends.
    """
    retried = retried_numbers(trials)
    ended = [
        (trial.datetime_complete.astimezone(UTC), trial)
        for trial in trials
        if trial.state.is_finished()
        and trial.datetime_complete is not None
        and counts(trial)
        and trial.number not in retried
    ]
    ended.sort(key=lambda pair: (pair[0], pair[1].number))
    streak: list[FrozenTrial] = []
    reached: datetime | None = None
    for when, trial in ended:
        if since is not None and when <= since:
            continue
        if trial.state is TrialState.FAIL:
            streak.append(trial)
            if limit is not None and len(streak) == limit:
                reached = when
        elif (
            reached is None or trial.datetime_start is None or trial.datetime_start.astimezone(UTC) > reached
        ):
            # Of those that began later somebody has let the sweep go on, under another limit.
            streak.clear()
            reached = None
    return streak


def failure_sentence(streak: Sequence[FrozenTrial]) -> str:
    """Return one sentence for failures in a row: how many there are of each cause, and what the last one said."""
    causes = Counter(str(trial.user_attrs.get(CAUSE, "unknown")) for trial in streak)
    said = [(count, CAUSES.get(cause, cause)) for cause, count in causes.most_common()]
    last = str(streak[-1].user_attrs.get(REASON, "")).strip() or "it says nothing"
    numbers = ", ".join(str(trial.number) for trial in streak[-5:])
    which = f"trial {numbers}" if len(streak) == 1 else f"the last are trials {numbers}"
    if len(said) == 1:
        return f"{len(streak)} trials in a row {said[0][1]} ({which}). The latest: {last}"
    grouped = ", ".join(f"{count} {words}" for count, words in said)
    return f"{len(streak)} trials in a row failed: {grouped} ({which}). The latest: {last}"
