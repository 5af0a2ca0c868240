"""A gate between our threads and a fork.

A child inherits every mutex in the state it had at the fork, those inside SQLite
included; one that a thread of ours held would never be released there. Our threads
therefore hold the gate while they work, and a fork waits for it, though not for ever.
"""

from __future__ import annotations

# Has hooks of its own for forks. Imported by a thread while a fork waits for the gate, its release would be called
# without its acquire and complain.
import logging  # noqa: F401
import os
import threading

# Its hooks must be there before the ones below: what is registered last is called first at a fork, and a thread that
# works under the gate takes the table of locks inside of it. The other way round each fork would wait for a thread
# that waits for the fork.
import tracking.spool.lock  # noqa: F401

FORK_WAITS = 2.0
"""Seconds: a fork may be late because of us, it never hangs."""

_gate = threading.Lock()
_used = False
_held_for_fork = False


def working() -> threading.Lock:
    """Return the gate, to be held (`with working():`) for a stretch of work well below a second."""
    global _used
    _used = True
    return _gate


def _before() -> None:
    global _held_for_fork
    _held_for_fork = _used and _gate.acquire(timeout=FORK_WAITS)


def _after_in_parent() -> None:
    global _held_for_fork
    if _held_for_fork:
        _held_for_fork = False
        _gate.release()


def _after_in_child() -> None:
    global _gate, _held_for_fork, _used
    _gate = threading.Lock()
    _held_for_fork = _used = False


os.register_at_fork(before=_before, after_in_parent=_after_in_parent, after_in_child=_after_in_child)
