"""What dead processes left behind: their spools are ingested, their runs marked lost."""

from __future__ import annotations

import time

from tracking.config import StoreLocation
from tracking.database.engine import Engines
from tracking.database.ingest import SpoolIngest
from tracking.errors import StoreBusy
from tracking.records import RunStatus
from tracking.spool.files import SpoolFiles, leftover_spools
from tracking.spool.lock import try_lock


def recover(
    location: StoreLocation, engines: Engines, *, run: str | None = None, patience: float = 5.0
) -> list[str]:
    """Take in the spools of processes that are gone. Cheap when there are none.

    A spool belongs to a living process exactly while its lock is held; no clock and no
    pid decides. Several processes may recover at once: each spool goes to one of them.

    Args:
        location: The store.
        engines: On its database.
        run: Only the spools of this run.
        patience: Seconds in all to wait for a locked database; what remains is left for the next call.

    Returns:
        The ids of the runs that were marked lost.
    """
    lost: list[str] = []
    give_up = time.monotonic() + patience
    for files in leftover_spools(location.spool):
        run_id = files.spool_id.partition(".")[0]
        if run is not None and run_id != run:
            continue
        lock = try_lock(files.lock)
        if lock is None:
            continue
        try:
            if not files.records.exists():
                files.remove_records()  # died before its first event, or was ingested whole
                lock.release()
                continue
            if _take_in(files, engines, max(0.1, give_up - time.monotonic())):
                lost.append(run_id)
            files.remove_records()
            lock.release()
        except StoreBusy:
            break
        finally:
            lock.close()
    return lost


def _take_in(files: SpoolFiles, engines: Engines, patience: float) -> bool:
    ingest = SpoolIngest(engines, files)
    try:
        while ingest.step(patience=patience):
            pass
        return ingest.seal(patience=patience, status=RunStatus.LOST)
    finally:
        ingest.close()
