"""Where a sweep keeps its files, and who of its processes lives."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tracking.config import StoreLocation
from tracking.spool.lock import try_lock

REQUEST, RESULT = "request.json", "result.json"
"""In an evaluation's folder: what the evaluator is to do, and what came of it."""

_TOKEN = re.compile(r"([0-9]+)-[0-9a-f]{12}")


def new_token(slot: int) -> str:
    """Return a name for a worker that no other one has or had."""
    return f"{slot}-{os.urandom(6).hex()}"


def slot_of(token: str) -> int:
    """Return the slot in a worker's token; raises ValueError for what is none."""
    found = _TOKEN.fullmatch(token)
    if found is None:
        raise ValueError(f"{token!r} is no worker's token")
    return int(found[1])


@dataclass(frozen=True, slots=True)
class SweepPlaces:
    """The files of one sweep; nothing here touches the disk but `make`.

    Attributes:
        location: Of the store.
        study: The number of the sweep's study.
    """

    location: StoreLocation
    study: int

    @property
    def folder(self) -> Path:
        return self.location.sweeps / str(self.study)

    @property
    def supervisor_lock(self) -> Path:
        """Held by the supervisor while it lives."""
        return self.folder / "supervisor.lock"

    @property
    def supervisor_record(self) -> Path:
        """The supervisor's process, as JSON."""
        return self.folder / "supervisor.json"

    @property
    def ask_lock(self) -> Path:
        """Held while a trial is claimed or put in the queue."""
        return self.folder / "ask.lock"

    @property
    def clock(self) -> Path:
        """How many seconds supervisors have run, as JSON."""
        return self.folder / "clock.json"

    @property
    def workers(self) -> Path:
        return self.folder / "workers"

    def worker_lock(self, token: str) -> Path:
        """Held by a worker while it lives."""
        return self.workers / f"{token}.lock"

    def worker_record(self, token: str) -> Path:
        """What a worker does now, as JSON; see `WorkerRecord`."""
        return self.workers / f"{token}.json"

    def evaluation(self, trial: int, repeat: int | None = None) -> Path:
        """Return the folder of an evaluation's request and result; it goes when the evaluation is over."""
        return self.folder / "trials" / _name(trial, repeat)

    @property
    def logs(self) -> Path:
        return self.location.logs / "sweeps" / str(self.study)

    @property
    def supervisor_log(self) -> Path:
        return self.logs / "supervisor.log"

    def log(self, trial: int, repeat: int | None = None) -> Path:
        """Return the file that keeps what an evaluation printed; read it with `logs.read_log`."""
        return self.logs / f"trial-{_name(trial, repeat)}.log"

    def make(self) -> None:
        """Make the folders, private to the user."""
        for folder in (self.folder, self.workers, self.folder / "trials", self.logs):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def _name(trial: int, repeat: int | None) -> str:
    return str(trial) if repeat is None else f"{trial}.{repeat}"


@dataclass(frozen=True, slots=True)
class WorkerRecord:
    """What a worker does now.

    Attributes:
        token: Of the worker.
        slot: Its place among the sweep's workers, from 0.
        pid: Of its process.
        trial: The number of the trial that it runs, None while it runs none.
        group: The process group of the evaluation under way, or None.
        began: When the group's first process was created, in seconds since 1970-01-01 UTC.
        told: How many trials it has brought to an end.
    """

    token: str
    slot: int
    pid: int
    trial: int | None = None
    group: int | None = None
    began: float | None = None
    told: int = 0


def write_json(path: Path, value: Any) -> None:
    """Replace a file by a value as JSON, at once, private to the user."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(value, file)
    os.replace(draft, path)


def read_json(path: Path) -> dict[str, Any] | None:
    """Return the object in a JSON file, None when there is none or it cannot be read."""
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def is_held(lock: Path) -> bool:
    """Whether a living process holds the lock at a path."""
    if not lock.exists():
        return False
    # Shared: several who ask at once must not take each other for the holder.
    mine = try_lock(lock, create=False, shared=True)
    if mine is not None:
        mine.close()
        return False
    return lock.exists()


def is_alive(location: StoreLocation, study: int) -> bool:
    """Whether a supervisor of the sweep lives."""
    return is_held(SweepPlaces(location, study).supervisor_lock)


def workers(location: StoreLocation, study: int) -> list[WorkerRecord]:
    """Return the sweep's living workers, in order of slot."""
    places = SweepPlaces(location, study)
    found = []
    for record in places.workers.glob("*.json"):
        said = read_json(record)
        if said is None or _TOKEN.fullmatch(record.stem) is None:
            continue
        if is_held(places.worker_lock(record.stem)):
            found.append(
                WorkerRecord(
                    record.stem,
                    slot_of(record.stem),
                    int(said.get("pid", 0)),
                    said.get("trial"),
                    said.get("group"),
                    said.get("began"),
                    int(said.get("told", 0)),
                )
            )
    return sorted(found, key=lambda worker: (worker.slot, worker.token))
