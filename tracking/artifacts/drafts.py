"""Bytes on their way into the store, in a file beside the objects or still in memory.

objects/.new-…      a draft, or the lock of several; its writer holds a lock on it
objects/.new-….7    one of several drafts that are written together
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from tracking.artifacts.copying import sync_paths
from tracking.spool.lock import FileLock, try_lock

DRAFT = ".new-"
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(slots=True)
class Draft:
    """Bytes on their way into the store.

    Attributes:
        digest: sha256 of the bytes, hexadecimal.
        size: How many there are.
        changed: The file changed while it was read, twice; these are the bytes that were read.
    """

    digest: str
    size: int
    changed: bool = False
    _path: Path | None = None
    _data: bytes | None = field(default=None, repr=False)
    _lock: FileLock | None = field(default=None, repr=False)

    def discard(self) -> None:
        """Remove what was written, unless it has its place already."""
        if self._path is not None:
            self._path.unlink(missing_ok=True)
            self._path = None
        self._data = None
        if self._lock is not None:
            self._lock.close()
            self._lock = None


def write_together(drafts: Iterable[Draft], lock: Path) -> None:
    """Write drafts that are in memory beside a lock that the caller holds, and make sure that they survive.

    All are written before the first one is synced, so that a file system with a journal commits them together.

    Raises:
        OSError: The disk refuses; the caller discards the drafts.
    """
    written = []
    for number, draft in enumerate(drafts):
        assert draft._data is not None
        path = lock.with_name(f"{lock.name}.{number}")
        with os.fdopen(os.open(path, _NEW, 0o600), "wb") as file:
            draft._path = path
            file.write(draft._data)
        written.append(path)
    # Opened again: hundreds at once would be more descriptors than a process may have.
    sync_paths(written)


def sweep_drafts(root: Path) -> int:
    """Remove what dead writers left half written below `root`; returns how many."""
    names = _drafts_in(root)
    removed = 0
    for name in {name.removeprefix(DRAFT).partition(".")[0] for name in names}:
        path = root / f"{DRAFT}{name}"
        # A lock goes last. Where it is missing all the same, nobody may take it meanwhile.
        lock = try_lock(path, create=path.name not in names)
        if lock is None:
            continue
        for each in _drafts_in(root):
            if each.startswith(f"{path.name}."):
                (root / each).unlink(missing_ok=True)
                removed += 1
        path.unlink(missing_ok=True)
        lock.close()
        removed += 1
    return removed


def _drafts_in(root: Path) -> set[str]:
    try:
        return {name for name in os.listdir(root) if name.startswith(DRAFT)}
    except (FileNotFoundError, NotADirectoryError):
        return set()
