"""Which runs are open in this process, and which one `tracking.log` means."""

from __future__ import annotations

import os
import threading
import weakref
from contextvars import ContextVar
from typing import TYPE_CHECKING

from tracking.client.notices import tell

if TYPE_CHECKING:
    from tracking.client.run import Run

_open: list[tuple[bool, Run]] = []
"""Open runs this process started, the newest last, and whether the main thread started each."""
_mine: ContextVar[tuple[Run, ...]] = ContextVar("podium_runs", default=())
"""Runs that this thread or this asyncio task started."""
_handles: weakref.WeakSet[Run] = weakref.WeakSet()
"""Every handle that may hold a spool, attached ones included."""
_told: set[str] = set()


def push(run: Run) -> None:
    """Make `run` the active one of this thread or task."""
    remove(run)
    _open.append((threading.current_thread() is threading.main_thread(), run))
    _mine.set((*_mine.get(), run))
    note(run)


def note(run: Run) -> None:
    """Remember a handle for forks and the end of the process."""
    _handles.add(run)


def remove(run: Run) -> None:
    """Forget an ended run."""
    _open[:] = [entry for entry in _open if entry[1] is not run]
    _mine.set(tuple(one for one in _mine.get() if one is not run))


def current() -> Run | None:
    """Return the newest open run of this thread or task; where there is none, the main thread's.

    Never one that another worker thread started: its metrics are its own.
    """
    still_open = {id(run) for _, run in _open}
    for run in reversed(_mine.get()):
        if id(run) in still_open:
            return run
    return next((run for main, run in reversed(_open) if main), None)


def asked(verb: str) -> Run | None:
    """Return the run that a verb of the module speaks to; where there is none, warn once for this verb."""
    run = current()
    if run is None and verb not in _told:
        _told.add(verb)
        tell(f"tracking.{verb}() was called, but no run is active: start one with tracking.start_run().")
    return run


def open_runs() -> list[Run]:
    """Return every open run, the newest first."""
    return [run for _, run in reversed(_open)]


def handles() -> list[Run]:
    """Return every living handle."""
    return list(_handles)


def _after_fork() -> None:
    for run in handles():
        run._forked()


os.register_at_fork(after_in_child=_after_fork)
