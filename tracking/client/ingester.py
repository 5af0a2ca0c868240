"""The thread that brings spools into the database while a script trains.

One per process and store. It follows the spools of the runs this process owns and
those that their forked or spawned children write; children have no such thread.

A worker of a sweep brings in what the script of its trial has left. Such a script that is over soon is
spared loading the database layer, which takes longer than many a script; after `ATTENDED_SECONDS` its
points are to be seen all the same, and the thread begins.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from typing import TYPE_CHECKING

from tracking.client.notices import Notices
from tracking.config import StoreLocation
from tracking.errors import StoreBusy, StoreFull, TrackingError
from tracking.spool.files import leftover_spools
from tracking.spool.forking import working
from tracking.spool.writer import SpoolWriter

if TYPE_CHECKING:
    from tracking.database.engine import Engines
    from tracking.database.ingest import SpoolIngest

INTERVAL = 0.25
"""Seconds between two looks at the spools: a point is in the database well within a second."""
PATIENCE = 0.3
"""Seconds to wait for a locked database before looking after the next thing."""
CHILDREN_INTERVAL = 1.0
RETRY_SECONDS = 2.0
ATTENDED_SECONDS = 3.0
"""So long the spool of a process that somebody attends waits for its end."""


class Followed:
    """One spool of this process under the thread's care.

    Args:
        run_id: Of its run.
        writer: Of the spool.
        notices: Of the session.
        attended: Whether another process waits for this one, and brings in what it leaves.
    """

    def __init__(self, run_id: str, writer: SpoolWriter, notices: Notices, *, attended: bool = False) -> None:
        self.run_id = run_id
        self.writer = writer
        self.notices = notices
        self.ingest: SpoolIngest | None = None
        self.ending = False
        self.done = threading.Event()
        self.given_up = False
        self.retry_at = 0.0
        self.look_at_children = 0.0
        self.ingested = 0
        """Size of the spool at the beginning of the last step that found nothing more."""
        self.begins_at = time.monotonic() + ATTENDED_SECONDS if attended else 0.0
        self._attended, self._begun, self._left = attended, False, False
        self._mutex = threading.Lock()

    def begin(self) -> bool:
        """Return whether the spool is to be brought in from here on; it is not left to anybody then."""
        with self._mutex:
            self._begun = self._begun or (not self._left and time.monotonic() >= self.begins_at)
            return self._begun

    def leave(self) -> bool:
        """Return whether the spool is left to who attends this process: nothing is loaded for it then."""
        with self._mutex:
            loaded = "tracking.database.engine" in sys.modules  # by a script that reads the store itself
            self._left = self._left or (self._attended and not self._begun and not loaded)
            return self._left

    def forget_ingest(self) -> None:
        """Begin again from the spool's first byte, for another database."""
        if self.ingest is not None:
            self.ingest.close()
            self.ingest = None


class Ingester:
    """See the module. Use `ingester_for`."""

    def __init__(self, location: StoreLocation) -> None:
        self.location = location
        self._followed: dict[str, Followed] = {}
        self._children: dict[str, SpoolIngest] = {}
        self._wake = threading.Event()
        self._progress = threading.Condition()
        self._engines: Engines | None = None
        self._database: tuple[int, int] | None = None
        self._recovered = False
        self._thread: threading.Thread | None = None

    def follow(self, followed: Followed) -> None:
        """Begin to ingest a spool."""
        self._followed[followed.writer.files.spool_id] = followed
        self._wake.set()  # with nothing to follow the thread sleeps for good
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="podium-ingest", daemon=True)
            self._thread.start()

    def finish(self, followed: Followed, seconds: float) -> bool:
        """Ingest the rest of a closed spool and remove its files.

        Returns:
            Whether that was done within `seconds`, or left to who attends this process; if not, the next opener
            does it.
        """
        if followed.leave():
            self._leave(followed)
            return True
        followed.begins_at = 0.0
        followed.ending = True
        self._wake.set()
        done = followed.done.wait(seconds)
        if not done:
            followed.given_up = True
        return done

    def drain(self, seconds: float = 2.0) -> None:
        """Wait until everything said before this call is in the database, or `seconds` are over."""
        wanted = [(followed, followed.writer.size) for followed in list(self._followed.values())]
        deadline = time.monotonic() + seconds
        for followed, _ in wanted:
            followed.look_at_children = followed.begins_at = 0.0
        with self._progress:
            while any(f.ingested < size and not (f.given_up or f.done.is_set()) for f, size in wanted):
                self._wake.set()
                if not self._progress.wait(min(0.1, deadline - time.monotonic())):
                    if time.monotonic() >= deadline:
                        return

    # The thread

    def _work(self) -> None:
        while True:
            self._wake.wait(INTERVAL if self._followed else None)
            self._wake.clear()
            for followed in list(self._followed.values()):
                with working():
                    try:
                        self._guarded(followed)
                    except Exception:  # while telling of a failure: this thread is all the runs have
                        followed.retry_at = time.monotonic() + RETRY_SECONDS
            with self._progress:
                self._progress.notify_all()

    def _guarded(self, followed: Followed) -> None:
        if followed.given_up:
            self._leave(followed)
            return
        if not followed.begin():
            return
        if time.monotonic() < followed.retry_at and not followed.ending:
            return
        try:
            self._look_after(followed)
        except StoreBusy:
            self._put_off(
                followed, "locked", f"the database {self.location.database} is locked by another process."
            )
            followed.retry_at = time.monotonic() + PATIENCE
        except StoreFull as error:
            self._give_up_for_now(followed, "disk", str(error))
        except TrackingError as error:
            self._give_up_for_now(followed, "database", str(error))
        except Exception as error:
            self._give_up_for_now(followed, "bug", f"ingest failed ({type(error).__name__}: {error}).")

    def _give_up_for_now(self, followed: Followed, kind: str, why: str) -> None:
        self._put_off(followed, kind, why)
        followed.retry_at = time.monotonic() + RETRY_SECONDS
        if followed.ending:
            self._leave(followed)

    def _put_off(self, followed: Followed, kind: str, why: str) -> None:
        records = followed.writer.files.records
        followed.notices.once(
            kind,
            f"{why} Run {followed.run_id} is kept in the spool ({records}) and will be brought in later.",
        )

    def _look_after(self, followed: Followed) -> None:
        if not followed.writer.is_in_place():
            followed.notices.once(
                "gone",
                f"the spool of run {followed.run_id} is gone from {self.location.spool}: the store was deleted or "
                "moved while the run was on. What it said since the last look is lost, and nothing more of it is kept.",
            )
            followed.writer.abandon()
            self._leave(followed)
            return
        engines = self._open()
        if followed.ingest is None:
            from tracking.database.ingest import SpoolIngest

            followed.ingest = SpoolIngest(engines, followed.writer.files)
        size = followed.writer.size
        ending = followed.ending
        # Up to what was there at the beginning: a loop that logs without a pause must not keep this thread.
        while followed.ingest.offset < size and followed.ingest.step(patience=PATIENCE):
            pass
        if ending or time.monotonic() >= followed.look_at_children:
            followed.look_at_children = time.monotonic() + CHILDREN_INTERVAL
            self._follow_children(followed.run_id, engines)
        followed.ingested = size
        if ending:
            followed.ingest.seal(patience=PATIENCE)
            followed.writer.remove()
            self._leave(followed)

    def _open(self) -> Engines:
        if self._engines is not None and self._database != _identity(self.location):
            # Deleted, moved or replaced since: what went into the old file would be seen by nobody.
            self._engines.dispose()
            self._engines = None
            for followed in self._followed.values():
                followed.forget_ingest()
        if self._engines is None:
            # The first import of the database layer takes longer than everything before it.
            from tracking.database.opening import open_database

            self._engines = open_database(self.location, busy_seconds=PATIENCE)
            self._database = _identity(self.location)
        if not self._recovered:
            from tracking.database.recovery import recover

            self._recovered = True
            recover(self.location, self._engines, patience=PATIENCE)
        return self._engines

    def _follow_children(self, run_id: str, engines: Engines) -> None:
        """Ingest what other processes say to the run, and end the sessions of those that are gone."""
        from tracking.database.ingest import SpoolIngest
        from tracking.database.recovery import recover

        others = [
            files
            for files in leftover_spools(self.location.spool)
            if files.spool_id.startswith(f"{run_id}.") and files.spool_id not in self._followed
        ]
        for files in others:
            ingest = self._children.get(files.spool_id)
            try:
                if ingest is None:
                    ingest = self._children[files.spool_id] = SpoolIngest(engines, files)
            except FileNotFoundError:
                continue
            while ingest.step(patience=PATIENCE):
                pass
        if others:
            recover(self.location, engines, run=run_id, patience=PATIENCE)
        here = {files.spool_id for files in others if files.records.exists()}
        for spool_id in [one for one in self._children if one.startswith(f"{run_id}.") and one not in here]:
            self._children.pop(spool_id).close()

    def _leave(self, followed: Followed) -> None:
        self._followed.pop(followed.writer.files.spool_id, None)
        followed.forget_ingest()
        followed.writer.release()
        followed.done.set()


def _identity(location: StoreLocation) -> tuple[int, int] | None:
    """Return which file the database is, whatever its name; None when there is none."""
    try:
        found = os.stat(location.database)
    except OSError:
        return None
    return found.st_dev, found.st_ino


_ingesters: dict[str, Ingester] = {}


def ingester_for(location: StoreLocation) -> Ingester:
    """Return this process's ingester of a store."""
    key = str(location.root)
    if key not in _ingesters:
        _ingesters[key] = Ingester(location)
    return _ingesters[key]


def drain_store(location: StoreLocation) -> None:
    """Let a query see what this process has logged."""
    ingester = _ingesters.get(str(location.root))
    if ingester is not None:
        ingester.drain()


def _after_in_child() -> None:
    # Children have no ingester: their parent follows what they write.
    _ingesters.clear()


os.register_at_fork(after_in_child=_after_in_child)
