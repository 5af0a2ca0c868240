"""Opening a store's database, as everything but a training script's hot path does."""

from __future__ import annotations

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
    except OSError as error:
        raise StoreError(
            f"The store's folder {location.root} cannot be made ({error}). Name another one."
        ) from error
    ensure_current(location, busy_seconds=busy_seconds)
    return Engines.of(location.database, busy_seconds=busy_seconds)
