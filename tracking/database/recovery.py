"""What dead processes left behind: their spools are ingested, their runs marked lost."""

from __future__ import annotations

import logging
import threading
import time

from tracking.config import StoreLocation
from tracking.database.engine import Engines
from tracking.database.ingest import SpoolIngest
from tracking.errors import StoreBusy, TrackingError
from tracking.records import RunStatus
from tracking.spool.files import SpoolFiles, leftover_spools
from tracking.spool.forking import working
from tracking.spool.lock import try_lock

INTERVAL = 2.0
"""Seconds between two looks: a dead run is lost well within 10 s."""
FIRST_SECONDS = 2.0

_LOG = logging.getLogger(__name__)
_told: set[str] = set()


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
        patience: Seconds in all; what remains is left for the next call.

    Returns:
        The ids of the runs that were marked lost.
    """
    lost: list[str] = []
    give_up = time.monotonic() + patience
    for files in leftover_spools(location.spool):
        run_id = files.spool_id.partition(".")[0]
        if run is not None and run_id != run:
            continue
        if time.monotonic() >= give_up:
            break
        lock = None
        try:
            lock = try_lock(files.lock)
            if lock is None:
                continue
            if not files.records.exists():
                files.remove_records()  # died before its first event, or was ingested whole
                lock.release()
            elif (marked := _take_in(files, engines, give_up)) is not None:
                if marked:
                    lost.append(run_id)
                lock.release()
        except StoreBusy:
            break
        except (TrackingError, OSError, ValueError, LookupError, TypeError) as error:
            # One spool that cannot be read in must not keep the others out; it stays where it is.
            if files.spool_id not in _told:
                _told.add(files.spool_id)
                _LOG.warning("The spool %s could not be read in and is left there: %s", files.records, error)
        finally:
            if lock is not None:
                lock.close()
    return lost


def _take_in(files: SpoolFiles, engines: Engines, give_up: float) -> bool | None:
    """Ingest a spool whole; returns whether its run was marked lost, None when time ran out before the end."""
    ingest = SpoolIngest(engines, files)
    try:
        while ingest.step(patience=max(0.1, give_up - time.monotonic())):
            if time.monotonic() >= give_up:
                return None
        damage = ingest.damage()
        if damage is not None:
            return _keep_aside(files, ingest, damage, give_up)
        marked = ingest.seal(patience=max(0.1, give_up - time.monotonic()), status=RunStatus.LOST)
        files.remove_records()
        return marked
    finally:
        ingest.close()


def _keep_aside(files: SpoolFiles, ingest: SpoolIngest, damage: int, give_up: float) -> bool | None:
    """Take in what stands behind a damaged place, and keep the file; a torn end is no damage."""
    bad = 0
    place: int | None = damage
    while place is not None:
        bad += 1
        ingest.go_on_at(place)
        while ingest.step(patience=max(0.1, give_up - time.monotonic())):
            pass
        place = ingest.damage()
    marked = ingest.seal(patience=max(0.1, give_up - time.monotonic()), status=RunStatus.LOST)
    kept = files.records.with_suffix(".damaged")
    files.records.rename(kept)
    files.remove_records()
    _LOG.warning(
        "A spool was damaged in %d places; what could be read is in the database. It is kept: %s", bad, kept
    )
    return marked


class Recovery:
    """A thread that recovers every few seconds as long as a store is open, and ends trials of dead workers."""

    def __init__(self, location: StoreLocation, engines: Engines) -> None:
        self._location = location
        self._engines = engines
        self._stop = threading.Event()
        # At once and in the caller's time, so that its first query is true; what takes longer goes on behind.
        self._once(FIRST_SECONDS)
        self._thread = threading.Thread(target=self._work, name="podium-recovery", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread; returns when it no longer uses the engines, or after a second."""
        self._stop.set()
        if self._thread is not threading.current_thread():
            self._thread.join(1.0)

    def _work(self) -> None:
        while not self._stop.wait(INTERVAL):
            self._once(INTERVAL)

    def _once(self, seconds: float) -> None:
        try:
            with working():
                recover(self._location, self._engines, patience=seconds)
                if self._location.sweeps.is_dir():
                    # These build the tables of studies, which a store of runs alone does not need.
                    from tracking.database.study_presence import mark_lost
                    from tracking.database.study_reaping import reap

                    reap(self._location, self._engines, patience=seconds)
                    mark_lost(self._location, self._engines, patience=seconds)
        except Exception as error:  # a busy disk: the next time will do
            _LOG.info("Runs whose process died could not be looked for: %s", error)
