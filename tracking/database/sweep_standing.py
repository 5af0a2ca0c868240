"""Which processes of a sweep live: read from the locks that they hold in the store's folder."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tracking.config import StoreLocation
from tracking.spool.lock import try_lock
from tracking.sweep_records import SweepWorker

_TOKEN = re.compile(r"([0-9]+)-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class Standing:
    """Who works on a study.

    Attributes:
        supervised: Whether a supervisor lives.
        awaited: Whether a process lives that will start one when an earlier study's trials have ended.
        workers: Those that live.
        seconds: How long supervisors have run, None where nothing says it.
        died: Whether a supervisor has died or was ended by a signal, and no other one was started since.
    """

    supervised: bool
    awaited: bool
    workers: tuple[SweepWorker, ...]
    seconds: float | None
    died: bool = False


def standing(location: StoreLocation, number: int, name: str) -> Standing:
    """Return who works on a study, by its number; its name is for the workers' records."""
    folder = location.sweeps / str(number)
    if not folder.is_dir():
        return Standing(False, False, (), None)
    # Before its lock, which is taken earlier: a record without a lock is that of a dead one. Who starts another
    # one removes it.
    recorded = (folder / "supervisor.json").exists()
    supervised = _held(folder / "supervisor.lock")
    return Standing(
        supervised=supervised,
        awaited=_held(folder / "handover.lock"),
        workers=tuple(_workers(folder / "workers", name)),
        seconds=_number(_read(folder / "clock.json").get("seconds")),
        died=recorded and not supervised,
    )


def _workers(folder: Path, study: str) -> list[SweepWorker]:
    found = []
    for lock in folder.glob("*.lock"):
        token = _TOKEN.fullmatch(lock.stem)
        if token is None or not _held(lock):
            continue
        said = _read(lock.with_suffix(".json"))
        pid, trial = said.get("pid"), said.get("trial")
        found.append(
            SweepWorker(
                token=lock.stem,
                slot=int(token[1]),
                pid=pid if isinstance(pid, int) else None,
                trial=trial if isinstance(trial, int) else None,
                study=study,
            )
        )
    return sorted(found, key=lambda worker: (worker.slot, worker.token))


def _held(path: Path) -> bool:
    if not path.exists():
        return False
    # Shared: several readers at once must not take each other for the holder.
    mine = try_lock(path, create=False, shared=True)
    if mine is not None:
        mine.close()
        return False
    return path.exists()


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
