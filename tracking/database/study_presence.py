"""Which trials a process has taken, so that they are not called running when it is gone.

A process that runs trials holds the lock of `sweeps/processes/<hex>.lock` in the store, and has written there which
ones it took, a line `<study> <trial>` each. When the lock is free the process is dead, and the runs of those of its
trials that have not ended are `lost`. The trials themselves stay as they are: what was asked for in one process may
be told in another, and the run is then what the trial is.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import secrets
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from sqlalchemy import Connection, select, update

from tracking.config import StoreLocation
from tracking.database import run_writes
from tracking.database.engine import Engines
from tracking.database.run_writes import runs
from tracking.database.study_ops import RUNNING
from tracking.database.study_rows import GONE, trials
from tracking.records import RunStatus
from tracking.spool.lock import FileLock, try_lock


class Presence:
    """What this process has taken in one store; use `presence_in`."""

    def __init__(self, location: StoreLocation) -> None:
        self._folder = presence_folder(location)
        self._mutex = threading.Lock()
        self._under_way: set[tuple[int, int]] = set()
        self._lock: FileLock | None = None

    def take(self, study: int, trial: int) -> None:
        """Note that this process runs a trial. Where the disk refuses, the trial runs all the same."""
        with self._mutex, contextlib.suppress(OSError):
            if self._lock is None:
                self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                self._lock = try_lock(self._folder / f"{secrets.token_hex(8)}.lock")
            if self._lock is not None:
                self._under_way.add((study, trial))
                with open(self._lock.path, "ab", buffering=0) as file:
                    file.write(b"%d %d\n" % (study, trial))

    def end(self, study: int, trial: int) -> None:
        """Note that a trial has ended, wherever it was taken."""
        self._under_way.discard((study, trial))

    def leave(self) -> None:
        """Let the lock go as the process ends; the file stays when there is something to find in it."""
        if self._lock is not None:
            if self._under_way:
                self._lock.close()
            else:
                self._lock.release()


def presence_folder(location: StoreLocation) -> Path:
    """Return where the processes that run trials keep their locks."""
    return location.sweeps / "processes"


_present: dict[str, Presence] = {}


def presence_in(location: StoreLocation) -> Presence:
    """Return what this process has taken in a store."""
    key = str(location.root)
    if key not in _present:
        _present.setdefault(key, Presence(location))
    return _present[key]


def mark_lost(location: StoreLocation, engines: Engines, *, patience: float = 5.0) -> list[str]:
    """Mark the runs lost whose trial a dead process had taken and not ended; returns their ids.

    Raises:
        StoreError: The database refuses.
    """
    found: list[str] = []
    for path in sorted(presence_folder(location).glob("*.lock")):
        lock = try_lock(path, create=False)
        if lock is None:
            continue
        try:
            found += engines.write(partial(_mark, taken=set(_taken(path))), patience=patience)
            lock.release()
        finally:
            lock.close()
    return found


def _taken(path: Path) -> Iterator[tuple[int, int]]:
    for line in path.read_bytes().splitlines():
        study, _, trial = line.partition(b" ")
        if study.isdigit() and trial.isdigit():
            yield int(study), int(trial)


def _mark(connection: Connection, taken: set[tuple[int, int]]) -> list[str]:
    found: list[str] = []
    for study, trial in taken:
        row = connection.execute(
            select(runs.c.id, runs.c.uid, runs.c.experiment_id, runs.c.last_seen)
            .join_from(trials, runs, runs.c.id == trials.c.run_id)
            .where(trials.c.study_id == study, trials.c.number == trial, trials.c.state == RUNNING)
            .where(runs.c.status == RunStatus.RUNNING.value, trials.c.session_id.is_not(None))
        ).first()
        if row is None:
            continue
        activity = run_writes.bump_experiment(connection, row.experiment_id, structure=True)
        connection.execute(
            update(runs)
            .where(runs.c.id == row.id)
            .values(
                status=RunStatus.LOST.value,
                ended=row.last_seen,
                error=GONE,
                revision=runs.c.revision + 1,
                activity=activity,
            )
        )
        found.append(row.uid)
    return found


def _leave_all() -> None:
    for presence in list(_present.values()):
        presence.leave()


def _forget_in_child() -> None:
    # The lock is the parent's, which has taken the trials; the lock module has closed it here.
    _present.clear()


atexit.register(_leave_all)
os.register_at_fork(after_in_child=_forget_in_child)
