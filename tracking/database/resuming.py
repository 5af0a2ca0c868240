"""Going on with a run: what it is, and whether its process is gone."""

from __future__ import annotations

from tracking.config import StoreLocation
from tracking.database.opening import open_database
from tracking.database.recovery import recover
from tracking.database.run_queries import owner_spool, run_record
from tracking.errors import RunStateError
from tracking.records import RunRecord
from tracking.spool.files import SpoolFiles
from tracking.spool.lock import try_lock


def resumable_run(location: StoreLocation, run_id: str) -> RunRecord:
    """Return a run that no live process owns, with all it has said.

    Raises:
        NotFound: There is no such run.
        RunStateError: Its process is alive.
        StoreError: The store cannot be opened.
    """
    engines = open_database(location)
    try:
        recover(location, engines, run=run_id)
        with engines.reading() as connection:
            record = run_record(connection, run_id)
            spool_id = owner_spool(connection, run_id)
    finally:
        engines.dispose()
    if spool_id is not None and _is_alive(SpoolFiles(location.spool, spool_id)):
        raise RunStateError(
            f"Run {run_id} is being logged by a live process. End that one first, or start a new run."
        )
    return record


def _is_alive(files: SpoolFiles) -> bool:
    lock = try_lock(files.lock, create=False)
    if lock is None:
        return files.lock.exists()
    lock.close()
    return False
