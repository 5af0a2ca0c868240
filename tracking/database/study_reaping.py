"""Trials whose worker died: they end as failed, and what their processes left running is killed.

A sweep's worker holds the lock `sweeps/<study>/workers/<token>.lock` in the store while it lives, and keeps beside
it in `<token>.json` which processes it has started: `group`, the number of their process group, and `began`, when
the group's first process was created, in seconds since 1970-01-01 UTC. Its trials name it by the token. A lock that
is free therefore says that its trials are nobody's; no pid and no clock decides. Whoever has the store open looks.
Only where the lock's file is gone, the process that the record names is asked for: `pid`, and `started`, its creation.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import select

from tracking.config import StoreLocation
from tracking.database.engine import Engines
from tracking.database.run_writes import runs
from tracking.database.study_journal import Journals
from tracking.database.study_leftovers import kill_group, kill_marked, lives
from tracking.database.study_ops import RUNNING, STATES, Op, OpCode
from tracking.database.study_rows import studies, trials
from tracking.spool.lock import try_lock
from tracking.study_records import CAUSE, REASON, WORKER

WORKER_DIED = "worker_died"
DIED = "The worker that ran this trial is gone: it was killed, or the machine went down."

_TOKEN = re.compile(r"[0-9]+-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class Reaped:
    """A trial that was ended because its worker is gone."""

    study: str
    trial: int
    worker: str


def worker_folder(location: StoreLocation, study: int) -> Path:
    """Return where the workers of a study keep their locks."""
    return location.sweeps / str(study) / "workers"


def reap(
    location: StoreLocation,
    engines: Engines,
    *,
    study: int | None = None,
    patience: float = 5.0,
    spare: Collection[str] = (),
) -> list[Reaped]:
    """End the trials of dead workers. Cheap when there are none; several processes may do it at once.

    Args:
        location: The store.
        engines: On its database.
        study: Only this one's, by number; then also trials whose worker left no trace at all.
        patience: Seconds to wait for a locked database.
        spare: Tokens of workers that the caller knows to live, should their locks be gone.

    Raises:
        StoreError: The database refuses.
    """
    found: list[Reaped] = []
    for number in _studies(location) if study is None else [study]:
        found += _reap_study(location, engines, number, patience)
    if study is not None:
        folder = worker_folder(location, study)

        def left_no_trace(token: str) -> bool:
            if token in spare or (folder / f"{token}.lock").exists():
                return False
            return not lives(folder / f"{token}.json")

        found += _end_trials(location, engines, study, left_no_trace, patience)
    return found


def _reap_study(location: StoreLocation, engines: Engines, study: int, patience: float) -> list[Reaped]:
    found: list[Reaped] = []
    for lock_file in sorted(worker_folder(location, study).glob("*.lock")):
        lock = try_lock(lock_file, create=False) if _TOKEN.fullmatch(lock_file.stem) else None
        if lock is None:
            continue
        try:
            record = lock_file.with_suffix(".json")
            kill_group(location, record)
            found += _end_trials(location, engines, study, lock_file.stem.__eq__, patience)
            record.unlink(missing_ok=True)
            lock.release()
        finally:
            lock.close()
    return found


def _studies(location: StoreLocation) -> Iterator[int]:
    with contextlib.suppress(FileNotFoundError):
        yield from sorted(int(name) for name in os.listdir(location.sweeps) if name.isdecimal())


def _end_trials(
    location: StoreLocation, engines: Engines, study: int, is_dead: Callable[[str], bool], patience: float
) -> list[Reaped]:
    query = (
        select(trials.c.number, trials.c.attributes, studies.c.name, runs.c.uid)
        .join_from(trials, studies)
        .outerjoin(runs, runs.c.id == trials.c.run_id)
        .where(trials.c.study_id == study, trials.c.state == RUNNING)
    )
    with engines.reading() as connection:
        rows = connection.execute(query).all()
    now = datetime.now(UTC).isoformat(timespec="microseconds")
    found: list[Reaped] = []
    ops: list[Op] = []
    marks: list[str] = []
    for number, attributes, name, run in rows:
        token = json.loads(attributes).get(WORKER)
        if not isinstance(token, str) or not _TOKEN.fullmatch(token) or not is_dead(token):
            continue
        found.append(Reaped(name, number, token))
        marks += [] if run is None else [run]
        about = {"worker_id": "", "trial_id": number}
        for key, value in ((REASON, DIED), (CAUSE, WORKER_DIED)):
            ops.append({"op_code": OpCode.SET_TRIAL_USER_ATTR.value, "user_attr": {key: value}, **about})
        ops.append(
            {
                "op_code": OpCode.SET_TRIAL_STATE_VALUES.value,
                "state": STATES.index("fail"),
                "values": None,
                "datetime_complete": now,
                **about,
            }
        )
    if ops:
        # While the trials still run: who comes after a kill in between finds them again.
        kill_marked(location, marks)
        journals = Journals(engines, patience=patience)
        try:
            journals.append(study, ops)
        finally:
            journals.close()
    return found
