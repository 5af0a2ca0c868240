"""The store's own files, known by what they are, whatever they are called.

To open and close SQLite's files in the process that has the database open would drop its locks, and
writes with them. Nothing that a user names may therefore lead there: not a folder around the store, not a
link, a bind mount or a hard link.
"""

from __future__ import annotations

import os
from pathlib import Path

from tracking.config import StoreLocation

_DATABASE = "tracking.db"


class OwnFiles:
    """Tells the files of one store from a user's, without opening any."""

    def __init__(self, location: StoreLocation) -> None:
        self._root = _identity_at(location.root)
        self._files = {
            identity
            for folder in (location.root, location.spool, location.logs, location.backups)
            for identity in _identities_in(folder)
        }

    def hold(self, found: os.stat_result) -> bool:
        """Whether this is the store's folder or one of its files other than objects."""
        identity = found.st_dev, found.st_ino
        return identity == self._root or identity in self._files

    def hold_path(self, path: str | os.PathLike[str]) -> bool:
        """Whether a path leads to the store's folder or below it."""
        place = Path(os.path.realpath(path))
        return self._root is not None and any(
            _identity_at(folder) == self._root for folder in (place, *place.parents)
        )


def is_store(names: set[str]) -> bool:
    """Whether a folder with these entries is a store: another one, which this process may have open too."""
    return _DATABASE in names and "spool" in names


def is_database_of_a_store(path: str | os.PathLike[str]) -> bool:
    """Whether a path leads to the database of any store."""
    place = Path(os.path.realpath(path))
    return place.name.startswith(_DATABASE) and (place.parent / "spool").is_dir()


def _identity_at(path: Path) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _identities_in(folder: Path) -> set[tuple[int, int]]:
    found: set[tuple[int, int]] = set()
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                try:
                    one = entry.stat(follow_symlinks=False)
                except OSError:
                    continue
                found.add((one.st_dev, one.st_ino))
    except OSError:
        pass
    return found
