"""Starts the sample experiment as a process of its own, once however often it is asked for."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from tracking.config import StoreLocation

LOCK_FILE = "sample.lock"
LOG_FILE = "sample.log"


def start(location: StoreLocation, *, command: Sequence[str] | None = None) -> bool:
    """Start the sample experiment on the store, unless one that was started here still runs.

    The process is a session of its own: closing the browser or stopping the
    dashboard does not end it. What it prints goes to a file in the store's logs.
    It inherits a locked file, and the lock goes when it dies: two tabs, two
    dashboards or a double click start one.

    Args:
        location: The store.
        command: What to run instead of `python -m tracking demo`.

    Returns:
        Whether a process was started.
    """
    location.logs.mkdir(parents=True, exist_ok=True)
    lock = _take_lock(location.logs / LOCK_FILE)
    if lock is None:
        return False
    try:
        with (location.logs / LOG_FILE).open("wb") as log:
            process = subprocess.Popen(
                command or [sys.executable, "-m", "tracking", "demo", "--store", str(location.root)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                cwd=Path(__file__).resolve().parents[2],  # where `tracking` can be imported, installed or not
                pass_fds=(lock,),
            )
    finally:
        os.close(lock)
    # Somebody has to wait for it, or it stays a zombie when it ends.
    threading.Thread(target=process.wait, name="podium-sample", daemon=True).start()
    return True


def is_running(location: StoreLocation) -> bool:
    """Whether the process that was started last still runs."""
    path = location.logs / LOCK_FILE
    lock = _take_lock(path) if path.exists() else -1
    if lock is None:
        return True
    if lock >= 0:
        os.close(lock)
    return False


def log_tail(location: StoreLocation, size: int = 2_000) -> str:
    """Return the end of what the process printed, "" if it printed nothing."""
    try:
        return (location.logs / LOG_FILE).read_bytes()[-size:].decode(errors="replace").strip()
    except OSError:
        return ""


def _take_lock(path: Path) -> int | None:
    """Return the descriptor of the locked file, None when a live process holds it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor
