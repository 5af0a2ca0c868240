"""Locks that die with their process: a held one means somebody lives.

`flock` belongs to the open file, which a forked child shares. The descriptors are
therefore closed in forked children: a sleeping DataLoader worker must not keep a
dead run "running".
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import threading
import time
from pathlib import Path

WAIT_STEP = 0.005

_held: set[int] = set()
_table = threading.Lock()
"""Held while a descriptor is on its way into or out of `_held`; a fork waits for it, so that none slips through."""


class FileLock:
    """A held lock file. `release` removes the file, `close` only lets it go."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor = descriptor

    def release(self) -> None:
        """Remove the file, then let the lock go; nothing when it was let go already."""
        if self._descriptor in _held:
            self.path.unlink(missing_ok=True)
        self.close()

    def close(self) -> None:
        """Let the lock go and leave the file."""
        with _table:
            if self._descriptor in _held:
                _held.discard(self._descriptor)
                with contextlib.suppress(OSError):
                    os.close(self._descriptor)
            self._descriptor = -1


def try_lock(path: Path, *, create: bool = True, shared: bool = False) -> FileLock | None:
    """Take the lock at `path` without waiting.

    Args:
        path: The lock's file.
        create: Make the file when there is none.
        shared: Together with other shared holders, against exclusive ones.

    Returns:
        The lock, or None when a live process holds it (or, with `create=False`, when there is no file).

    Raises:
        OSError: The file cannot be made.
    """
    flags = os.O_RDWR | os.O_CLOEXEC | (os.O_CREAT if create else 0)
    while True:
        with _table:
            try:
                descriptor = os.open(path, flags, 0o600)
            except FileNotFoundError:
                if not create:
                    return None
                raise
            try:
                fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
                # Between open and flock the last holder may have removed the file: a lock on
                # a file without a name protects nothing.
                named = os.stat(path).st_ino == os.fstat(descriptor).st_ino
            except BlockingIOError:
                os.close(descriptor)
                return None
            except FileNotFoundError:
                named = False
            except BaseException:
                os.close(descriptor)
                raise
            if named:
                _held.add(descriptor)
                return FileLock(path, descriptor)
            os.close(descriptor)


def wait_lock(path: Path, *, shared: bool = False) -> FileLock:
    """Take the lock at `path`, waiting for it. For short critical sections between our own processes."""
    while True:
        lock = try_lock(path, shared=shared)
        if lock is not None:
            return lock
        time.sleep(WAIT_STEP)


def _before_fork() -> None:
    _table.acquire()


def _after_in_parent() -> None:
    _table.release()


def _close_in_child() -> None:
    global _table
    _table = threading.Lock()
    for descriptor in _held:
        with contextlib.suppress(OSError):
            os.close(descriptor)
    _held.clear()


os.register_at_fork(before=_before_fork, after_in_parent=_after_in_parent, after_in_child=_close_in_child)
