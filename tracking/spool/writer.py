"""Appending to a spool: one `os.write` a record, and what to do when the disk is full."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections import deque
from collections.abc import Callable

from tracking.spool.files import RESERVE_BYTES, SpoolFiles
from tracking.spool.format import MAGIC, Event, pack_event
from tracking.spool.lock import wait_lock

MEMORY_LIMIT = 64 << 20
RETRY_SECONDS = 0.25


class SpoolWriter:
    """The writing end of one session, for any number of threads of one process.

    What `append` returned for has reached the kernel and survives the process. When
    the disk has no room, the file is cut back to its last whole record, records wait
    in memory (at most `MEMORY_LIMIT` bytes, then their points are counted as
    dropped), and each later call tries again, at most every `RETRY_SECONDS`.

    Args:
        files: Where the session's files go; their folder exists.
        first: Events that stand in the file before anybody can see it.
        on_trouble: Called with the error when the disk first refuses a record.

    Raises:
        OSError: The files cannot be made.
    """

    def __init__(self, files: SpoolFiles, first: list[Event], on_trouble: Callable[[OSError], None]) -> None:
        self.files = files
        self.dropped_points = 0
        self._on_trouble = on_trouble
        # Re-entrant: a signal handler may finish the run in the middle of an append.
        self._mutex = threading.RLock()
        self._waiting: deque[tuple[bytes, int]] = deque()
        self._waiting_bytes = 0
        self._told_dropped = 0
        self._behind = False
        self._next_try = 0.0
        self._closed = False
        # Waiting, for nobody but a recovery that has just seen the file and is about to let it go.
        self._lock = wait_lock(files.lock)
        try:
            head = MAGIC + b"".join(map(pack_event, first))
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
            self._descriptor = os.open(files.unfinished, flags, 0o600)
            written = os.write(self._descriptor, head)
            if written != len(head):
                raise OSError(28, "no room for a new run", str(files.unfinished))
            _reserve(files)
            os.rename(files.unfinished, files.records)
        except BaseException:
            files.remove_records()
            self._lock.release()
            raise
        self._identity = _identity(os.fstat(self._descriptor))
        self.size = len(head)
        """Bytes in the file so far, all of them whole records."""

    @property
    def is_behind(self) -> bool:
        """Whether the disk refused records, which wait in memory now."""
        return self._behind

    def append(self, record: bytes, points: int = 0) -> None:
        """Write one framed record; never raises.

        Args:
            record: From `tracking.spool.format`.
            points: Metric points in it, for the count of what was dropped.
        """
        with self._mutex:
            if self._behind and time.monotonic() >= self._next_try:
                self.write_waiting()
            if not self._behind:
                try:
                    if os.write(self._descriptor, record) == len(record):
                        self.size += len(record)
                        return
                    os.ftruncate(self._descriptor, self.size)
                    error = OSError(28, "No space left on device")
                except OSError as refused:
                    if self._descriptor < 0:
                        return
                    error = refused
                    with contextlib.suppress(OSError):
                        os.ftruncate(self._descriptor, self.size)
                self._on_trouble(error)
                self._behind = True
                self._next_try = time.monotonic() + RETRY_SECONDS
            self._keep(record, points)

    def write_waiting(self) -> bool:
        """Try to write what waits in memory; returns whether nothing waits any more."""
        with self._mutex:
            while self._waiting:
                record, points = self._waiting[0]
                if not self._write_whole(record):
                    self._next_try = time.monotonic() + RETRY_SECONDS
                    return False
                self._waiting.popleft()
                self._waiting_bytes -= len(record)
            if self._told_dropped < self.dropped_points:
                record = pack_event({"t": "dropped", "points": self.dropped_points})
                if not self._write_whole(record):
                    return False
                self._told_dropped = self.dropped_points
            self._behind = False
            return True

    def close(self, final: list[Event]) -> None:
        """Write the session's last events, into the reserve if the disk is still full, and let the lock go.

        What still waits in memory then is dropped and counted.
        """
        with self._mutex:
            if self._closed:
                return
            records = [pack_event(event) for event in final]
            self._closed = True
            for record in records:
                self.append(record)
            if not self.write_waiting():
                self._write_last(final)
            if self._descriptor >= 0:
                os.close(self._descriptor)
            self._descriptor = -1

    def release(self) -> None:
        """Let the lock go: from now on anybody may ingest the rest."""
        self._lock.close()

    def remove(self) -> None:
        """Remove the session's files; the database has everything."""
        self.files.remove_records()
        self._lock.release()

    def is_in_place(self) -> bool:
        """Whether the file still has its name, and the descriptor is still that of the file."""
        # Not while another thread is closing it.
        with self._mutex:
            try:
                named = _identity(os.stat(self.files.records))
                mine = named if self._descriptor < 0 else _identity(os.fstat(self._descriptor))
            except OSError:
                return False
            return named == mine == self._identity

    def abandon(self) -> None:
        """Write nothing any more: the file is gone, or the descriptor is somebody else's by now."""
        with self._mutex:
            self._closed = True
            self._descriptor = -1
            self._waiting.clear()

    def forget(self) -> None:
        """In a forked child: close the inherited file without a word."""
        self._closed = True
        self._mutex = threading.RLock()
        with contextlib.suppress(OSError):
            os.close(self._descriptor)
        self._descriptor = -1
        self._waiting.clear()

    def _keep(self, record: bytes, points: int) -> None:
        if self._waiting_bytes + len(record) > MEMORY_LIMIT and points:
            self.dropped_points += points
            return
        self._waiting.append((record, points))
        self._waiting_bytes += len(record)

    def _write_whole(self, record: bytes) -> bool:
        try:
            if os.write(self._descriptor, record) == len(record):
                self.size += len(record)
                return True
        except OSError:
            pass
        with contextlib.suppress(OSError):
            os.ftruncate(self._descriptor, self.size)
        return False

    def _write_last(self, final: list[Event]) -> None:
        self.dropped_points += sum(points for _, points in self._waiting)
        events = [record for record, points in self._waiting if not points]
        self._waiting.clear()
        head = MAGIC + pack_event({"t": "dropped", "points": self.dropped_points})
        text = head + b"".join(events)
        if len(text) > RESERVE_BYTES:
            # A long traceback does not fit the reserve; the status matters more.
            short = [{**event, "error": str(event.get("error") or "")[-1000:]} for event in final]
            text = head + b"".join(map(pack_event, short))
        with contextlib.suppress(OSError):
            descriptor = os.open(self.files.last, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                os.pwrite(descriptor, text.ljust(RESERVE_BYTES, b"\0"), 0)
            finally:
                os.close(descriptor)


def _identity(found: os.stat_result) -> tuple[int, int]:
    return found.st_dev, found.st_ino


def _reserve(files: SpoolFiles) -> None:
    # Blocks that are already the file's own can be written when the disk is full.
    descriptor = os.open(files.last, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        os.write(descriptor, bytes(RESERVE_BYTES))
    finally:
        os.close(descriptor)
