"""What a sweep's page says about the trials of one study, from their rows: nothing is replayed.

A process keeps what the trials came to that had finished when it last looked, which nothing changes any more, and
reads the others only: while a sweep of ten thousand trials runs, that is asked for after each of them.
"""

from __future__ import annotations

import heapq
import json
import math
import re
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sqlalchemy import Connection, bindparam, case, select

from tracking.database.prepared import Prepared
from tracking.database.run_writes import runs
from tracking.database.study_ops import FINISHED, GOALS, STATES, load
from tracking.database.study_rows import constraints_in, trials
from tracking.records import Goal
from tracking.study_records import CAUSE, CONSTRAINTS, REASON, RETRY_OF, RUN
from tracking.sweep_records import STOPPED

UNKNOWN = "unknown"
LATEST = 20
"""So many of the latest trials say how fast it goes."""
KEPT = 256
"""Studies of which a process keeps what it knows."""

_Row = tuple[Any, ...]

# The attributes of most trials say nothing that is asked here, and reading JSON is what takes long.
_ROWS = Prepared(
    select(
        trials.c.number,
        trials.c.state,
        trials.c.started,
        trials.c.completed,
        trials.c.objectives,
        case(
            (trials.c.state == "fail", trials.c.attributes),
            (trials.c.attributes.like('%"podium:r%'), trials.c.attributes),
            (trials.c.attributes.like(f'%"{CONSTRAINTS}"%'), trials.c.attributes),
            else_=None,
        ),
    )
    .where(trials.c.study_id == bindparam("study"), trials.c.number >= bindparam("first"))
    .order_by(trials.c.number)
)
_ONE = Prepared(
    select(runs.c.uid, trials.c.params)
    .select_from(trials.outerjoin(runs, runs.c.id == trials.c.run_id))
    .where(trials.c.study_id == bindparam("study"), trials.c.number == bindparam("number"))
)


# What differs between sentences of one kind: numbers, quoted names, ids of runs.
_VARIES = re.compile(r"'[^']*'|\b[0-9a-z]{20}\b|[-+]?\d+(?:[.,:]\d+)*(?:e[-+]?\d+)?")


@dataclass(slots=True)
class Failures:
    """Failed trials of one cause in one study.

    Attributes:
        numbers: Of the trials.
        retried: How many of them are tried again.
        kinds: How many sentences of each kind there are, and the latest one of it.
    """

    numbers: list[int] = field(default_factory=list)
    retried: int = 0
    kinds: dict[str, tuple[int, str]] = field(default_factory=dict)

    def say(self, sentence: str) -> None:
        """Note why a further trial failed."""
        kind = _VARIES.sub("#", sentence)
        self.kinds[kind] = self.kinds.get(kind, (0, ""))[0] + 1, sentence

    def copy(self) -> Failures:
        """Return one that may take in more without changing this."""
        return Failures([*self.numbers], self.retried, {**self.kinds})

    @property
    def sentence(self) -> str:
        """The latest sentence; where there are several kinds, one of each of the two most frequent."""
        often = sorted(self.kinds.values(), key=lambda each: -each[0])
        if len(often) < 2:
            return often[0][1] if often else ""
        return " ".join(f"{count} of {len(self.numbers)}: {sentence}" for count, sentence in often[:2])


@dataclass(frozen=True, slots=True)
class Found:
    """A trial as it is compared: its values in the order of the objectives."""

    number: int
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Digest:
    """The trials of one study in short.

    Attributes:
        counts: How many of its own there are by state.
        taken_over: How many have the outcome of a run that was there before.
        done: How many of its own count against the budget.
        best: Those of its own that hold their constraints and that no other such one is better than.
        failures: By cause.
        latest: When the latest that count began and ended, in microseconds, in order of their end.
        next: The number that the next trial gets.
    """

    counts: dict[str, int]
    taken_over: int
    done: int
    best: tuple[Found, ...]
    failures: dict[str, Failures]
    latest: tuple[tuple[int, int], ...]
    next: int


class _Tally:
    """What the trials come to so far, taken in one by one in order of number."""

    def __init__(self, goals: Sequence[Goal | None]) -> None:
        self.next = 0
        self._goals = goals
        self._counts = dict.fromkeys(STATES, 0)
        self._taken_over = 0
        self._failed: dict[str, Failures] = {}
        self._retried: set[int] = set()
        self._ended: dict[int, tuple[int, int] | None] = {}
        self._best: tuple[Found, ...] = ()

    def copy(self) -> _Tally:
        """Return one that takes in more without changing this."""
        other = _Tally(self._goals)
        other.next, other._best, other._taken_over = self.next, self._best, self._taken_over
        other._counts, other._retried, other._ended = {**self._counts}, {*self._retried}, {**self._ended}
        other._failed = {cause: group.copy() for cause, group in self._failed.items()}
        return other

    def take(self, rows: Sequence[_Row]) -> None:
        """Take in trials, as `_ROWS` reads them."""
        said = {row[0]: found for row, found in _with(rows, 5)}
        values = {row[0]: found for row, found in _with(rows, 4)}
        complete: list[Found] = []
        for number, state, started, completed, _, _ in rows:
            about = said.get(number, {})
            self.next = number + 1
            if isinstance(before := about.get(RETRY_OF), int):
                self._retried.add(before)
            if RUN in about:
                self._taken_over += 1
                continue
            self._counts[state] += 1
            cause = _text(about.get(CAUSE)) or UNKNOWN
            if state == "fail" and cause != STOPPED:
                group = self._failed.setdefault(cause, Failures())
                group.numbers.append(number)
                if sentence := _text(about.get(REASON)):
                    group.say(sentence)
            if state in FINISHED and not (state == "fail" and cause == STOPPED):
                known = started is not None and completed is not None
                self._ended[number] = (completed, started) if known else None
            held = all(value <= 0 for value in constraints_in(about).values())
            if state == "complete" and number in values and held:
                complete.append(Found(number, tuple(values[number])))
        if complete:
            rivals = sorted((*self._best, *complete), key=lambda each: each.number)
            self._best = better(rivals, self._goals)

    def digest(self) -> Digest:
        """Return what they come to."""
        for group in self._failed.values():
            group.retried = sum(number in self._retried for number in group.numbers)
        again = self._ended.keys() & self._retried
        lasted = (when for number, when in self._ended.items() if when is not None and number not in again)
        return Digest(
            counts={**self._counts},
            taken_over=self._taken_over,
            done=len(self._ended) - len(again),
            best=self._best,
            failures={cause: group.copy() for cause, group in self._failed.items()},
            latest=tuple((began, end) for end, began in sorted(heapq.nlargest(LATEST, lasted))),
            next=self.next,
        )


class _Study:
    """What a process knows of one study."""

    def __init__(self, directions: Sequence[int]) -> None:
        self.lock = threading.Lock()
        self.revision = -1
        self.settled = _Tally([GOALS.get(each) for each in directions])
        self.digest = self.settled.digest()

    def look(self, connection: Connection, study: int, revision: int) -> Digest:
        """Return the digest at a revision or a later one."""
        with self.lock:
            if self.revision < revision:
                rows = _ROWS.rows(connection, study=study, first=self.settled.next)
                finished = next(
                    (place for place, row in enumerate(rows) if row[1] not in FINISHED), len(rows)
                )
                self.settled.take(rows[:finished])
                now = self.settled.copy()
                now.take(rows[finished:])
                self.revision, self.digest = revision, now.digest()
            return self.digest


_kept: dict[tuple[str, int, int], _Study] = {}
_table = threading.Lock()


def digest(
    connection: Connection,
    database: str,
    study: int,
    created: int,
    revision: int,
    directions: Sequence[int],
) -> Digest:
    """Return a study's digest; the one of before while nothing has happened to the study.

    Args:
        connection: To the store's database.
        database: Its path.
        study: Number of the study.
        created: When it was, which tells it from that of another database in the same place.
        revision: How many operations on it there were, read before this call.
        directions: Optuna's numbers, one per objective.
    """
    key = database, study, created
    with _table:
        known = _kept.pop(key, None) or _Study(directions)
        while len(_kept) >= KEPT:
            _kept.pop(next(iter(_kept)))
        _kept[key] = known
    return known.look(connection, study, revision)


def _with(rows: Sequence[tuple[Any, ...]], place: int) -> list[tuple[tuple[Any, ...], Any]]:
    """Return the rows that have JSON in a column, with its value; one call for all of them."""
    having = [row for row in rows if row[place] is not None]
    return list(zip(having, load(row[place] for row in having), strict=True))


def better(found: Sequence[Found], goals: Sequence[Goal | None]) -> tuple[Found, ...]:
    """Return the trials that no other one is better than, in order of their first value, the best one first.

    Of one objective that is the first one that is best. Of several it is the Pareto set (what is as good in
    each and better in one dominates), where of equal trials the first one stands for all. NaN is never best.
    """
    signs = [-1.0 if goal is Goal.MAXIMIZE else 1.0 for goal in goals]
    fitting = [
        each
        for each in found
        if len(each.values) == len(signs) and not any(math.isnan(value) for value in each.values)
    ]
    if not fitting or not signs:
        return ()
    if len(signs) == 1:
        return (min(fitting, key=lambda each: (signs[0] * each.values[0], each.number)),)
    losses = np.array([each.values for each in fitting]) * np.array(signs)
    # In this order nothing that comes later can dominate what came before.
    order = np.lexsort((np.arange(len(fitting)), *losses.T[::-1]))
    front = np.empty_like(losses)
    kept: list[Found] = []
    for place in order:
        if not np.any(np.all(front[: len(kept)] <= losses[place], axis=1)):
            front[len(kept)] = losses[place]
            kept.append(fitting[place])
    return tuple(kept)


def run_and_params(connection: Connection, study: int, number: int) -> tuple[str | None, dict[str, Any]]:
    """Return the id of a trial's run, and the trial's params."""
    row = _ONE.first(connection, study=study, number=number)
    return (None, {}) if row is None else (row[0], json.loads(row[1]))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else "" if value is None else str(value)
