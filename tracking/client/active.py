"""Which runs are open in this process, and which one `tracking.log` means."""

from __future__ import annotations

import os
import threading
import weakref
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tracking.client.run import Run

_stack: list[tuple[int, Run]] = []
"""Open runs this process started, the newest last, with the thread that started each."""
_handles: weakref.WeakSet[Run] = weakref.WeakSet()
"""Every handle that may hold a spool, attached ones included."""


def push(run: Run) -> None:
    """Make `run` the active one of this thread."""
    remove(run)
    _stack.append((threading.get_ident(), run))
    note(run)


def note(run: Run) -> None:
    """Remember a handle for forks and the end of the process."""
    _handles.add(run)


def remove(run: Run) -> None:
    """Forget an ended run."""
    _stack[:] = [entry for entry in _stack if entry[1] is not run]


def current() -> Run | None:
    """Return the newest open run of this thread, or of the process when the thread started none."""
    mine = threading.get_ident()
    for thread, run in reversed(_stack):
        if thread == mine:
            return run
    return _stack[-1][1] if _stack else None


def open_runs() -> list[Run]:
    """Return every open run, the newest first."""
    return [run for _, run in reversed(_stack)]


def handles() -> list[Run]:
    """Return every living handle."""
    return list(_handles)


def _after_fork() -> None:
    for run in handles():
        run._forked()


os.register_at_fork(after_in_child=_after_fork)
