"""Locks that die with their process: a held one means somebody lives.

`flock` belongs to the open file, which a forked child shares. The descriptors are
therefore closed in forked children: a sleeping DataLoader worker must not keep a
dead run "running".
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from pathlib import Path

_held: set[int] = set()


class FileLock:
    """A held lock file. `release` removes the file, `close` only lets it go."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor = descriptor
        _held.add(descriptor)

    def release(self) -> None:
        """Remove the file, then let the lock go; nothing when it was let go already."""
        if self._descriptor in _held:
            self.path.unlink(missing_ok=True)
        self.close()

    def close(self) -> None:
        """Let the lock go and leave the file."""
        if self._descriptor in _held:
            _held.discard(self._descriptor)
            with contextlib.suppress(OSError):
                os.close(self._descriptor)
        self._descriptor = -1


def try_lock(path: Path, *, create: bool = True) -> FileLock | None:
    """Take the lock at `path` without waiting.

    Returns:
        The lock, or None when a live process holds it (or, with `create=False`, when there is no file).

    Raises:
        OSError: The file cannot be made.
    """
    return _lock(path, fcntl.LOCK_EX | fcntl.LOCK_NB, create)


def wait_lock(path: Path) -> FileLock:
    """Take the lock at `path`, waiting for it. For short critical sections between our own processes."""
    lock = _lock(path, fcntl.LOCK_EX, True)
    assert lock is not None  # without LOCK_NB flock returns only with the lock
    return lock


def _lock(path: Path, how: int, create: bool) -> FileLock | None:
    flags = os.O_RDWR | os.O_CLOEXEC | (os.O_CREAT if create else 0)
    while True:
        try:
            descriptor = os.open(path, flags, 0o600)
        except FileNotFoundError:
            if not create:
                return None
            raise
        try:
            fcntl.flock(descriptor, how)
        except BlockingIOError:
            os.close(descriptor)
            return None
        except BaseException:
            os.close(descriptor)
            raise
        # Between open and flock the last holder may have removed the file: a lock on
        # a file without a name protects nothing.
        try:
            same = os.stat(path).st_ino == os.fstat(descriptor).st_ino
        except FileNotFoundError:
            same = False
        if same:
            return FileLock(path, descriptor)
        os.close(descriptor)


def _close_in_child() -> None:
    for descriptor in _held:
        with contextlib.suppress(OSError):
            os.close(descriptor)
    _held.clear()


os.register_at_fork(after_in_child=_close_in_child)
