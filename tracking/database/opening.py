"""Opening a store's database, as everything but a training script's hot path does."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from tracking.config import StoreLocation
from tracking.database.engine import BUSY_SECONDS, Engines
from tracking.database.filesystem import refuse_network_filesystem
from tracking.database.schema import ensure_current
from tracking.errors import StoreError
from tracking.spool.files import make_folders


def open_database(location: StoreLocation, *, busy_seconds: float = BUSY_SECONDS) -> Engines:
    """Return the engines of a store; made when absent, migrated when older.

    Raises:
        StoreTooNew: A newer Podium wrote it.
        StoreDamaged: The folder holds something else.
        StoreBusy: Another process keeps it locked.
        StoreError: It is on a network file system, or cannot be written.
    """
    refuse_network_filesystem(location.root)
    try:
        make_folders(location)
        _make_private(location.database)
    except OSError as error:
        raise StoreError(
            f"The store's folder {location.root} cannot be made ({error}). Name another one."
        ) from error
    ensure_current(location, busy_seconds=busy_seconds)
    return Engines.of(location.database, busy_seconds=busy_seconds)


def _make_private(database: Path) -> None:
    """Make the file, empty, so that only its owner can read it: SQLite would leave it to the umask.

    SQLite gives `-wal` and `-shm` the rights of the database.
    """
    with contextlib.suppress(FileExistsError):
        os.close(os.open(database, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
