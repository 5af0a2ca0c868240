"""Processes that a dead worker of a sweep has left running: found by their group, or by the trial they name."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import signal
from collections.abc import Collection
from pathlib import Path
from typing import Any

import psutil

from tracking.config import StoreLocation

_SWEEPS = 3
"""A process may start another one while it is looked at."""
_LOG = logging.getLogger(__name__)


def record_of(path: Path) -> dict[str, Any]:
    """Return what a worker says of itself, empty where that cannot be read."""
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def lives(record: Path) -> bool:
    """Whether the process lives that a worker's record names: `pid`, and `started`, when that was created."""
    said = record_of(record)
    try:
        return bool(abs(psutil.Process(int(said["pid"])).create_time() - float(said["started"])) < 1)
    except (KeyError, ValueError, TypeError, OverflowError, psutil.Error):
        return False


def kill_group(location: StoreLocation, record: Path) -> None:
    """Kill what is left of the process group that a dead worker's record names."""
    said = record_of(record)
    try:
        group, began = int(said["group"]), float(said["began"])
    except (ValueError, KeyError, TypeError, OverflowError):
        return  # it had started nothing
    if group <= 1 or group == os.getpgrp() or psutil.boot_time() > began + 1:
        return
    try:
        # The number of a group is not given away while one of its processes lives; of its first one, it may be.
        if abs(psutil.Process(group).create_time() - began) > 1:
            return
    except psutil.NoSuchProcess:
        pass
    except psutil.Error:
        return
    stores = set()
    for pid in psutil.pids():
        with contextlib.suppress(psutil.Error, OSError):
            if os.getpgid(pid) == group:
                stores.add(_store_of(psutil.Process(pid)))
    if stores - {None} and _real(location) not in stores:
        return  # this store is a copy of one whose sweep goes on
    with contextlib.suppress(OSError):
        os.killpg(group, signal.SIGKILL)
        _LOG.warning("Killed the process group %d, which a dead worker of a sweep had left.", group)


def kill_marked(location: StoreLocation, runs: Collection[str]) -> int:
    """Kill this user's processes whose environment names the run of a trial in this store, wherever they went.

    Evaluations carry that mark, and hand it on to what they start, in a session of its own too.

    Returns:
        How many there were; those whose environment the system does not show stay.
    """
    wanted, root, user, killed = set(runs), _real(location), os.getuid(), 0
    for _ in range(_SWEEPS if wanted else 0):
        found = 0
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error, OSError):
                if process.pid == os.getpid() or process.uids().real != user:
                    continue
                if _variable(process, "TRACKING_TRIAL") in wanted and _store_of(process) == root:
                    process.kill()
                    found += 1
        killed += found
        if not found:
            break
    if killed:
        _LOG.warning("Killed %d processes of trials, which a dead worker of a sweep had left.", killed)
    return killed


def _store_of(process: psutil.Process) -> str | None:
    """Return the store's folder that a process was started for, None where nothing says it."""
    said = _variable(process, "TRACKING_STORE")
    return os.path.realpath(said) if said else None


def _variable(process: psutil.Process, name: str) -> str | None:
    """Return a variable that a process was started with, None where there is none or the system does not show it."""
    environment = process.as_dict(["environ"])["environ"]
    return None if environment is None else environment.get(name)


def _real(location: StoreLocation) -> str:
    return os.path.realpath(location.root)
