"""One process's part in a run: its spool, whether it owns the run, and its end."""

from __future__ import annotations

import signal
import threading
import time

from tracking.client.description import RunDescription, now_us
from tracking.client.ending import Ending
from tracking.client.ingester import Followed, ingester_for
from tracking.client.notices import Notices
from tracking.spool.files import SpoolFiles, make_folders
from tracking.spool.format import Event, pack_event
from tracking.spool.lock import FileLock
from tracking.spool.writer import SpoolWriter


class Session:
    """Writes what a run says in this process.

    Made by `owning`, `joining` or `attached`. A forked child inherits the object and turns it into
    an attached session of its own with the first thing it says.
    """

    def __init__(self, description: RunDescription, notices: Notices, *, owner: bool) -> None:
        self.description = description
        self.notices = notices
        self.owner = owner
        self.signalled: signal.Signals | None = None
        self.writer: SpoolWriter | None = None
        self.disabled = False
        self._followed: Followed | None = None
        self._ownership: FileLock | None = None
        self._mutex = threading.RLock()
        self._started = time.monotonic()

    @classmethod
    def owning(
        cls,
        description: RunDescription,
        first: list[Event],
        *,
        ownership: FileLock | None = None,
        attended: bool = False,
    ) -> Session:
        """Begin a run in this process, or go on with one; `first` is said at once with its beginning.

        Args:
            description: The run.
            first: Events.
            ownership: Of a run that is gone on with; held until the session ends.
            attended: Whether another process waits for this one, and brings in what it leaves.
        """
        session = cls(description, Notices(), owner=True)
        session._ownership = ownership
        if ownership is not None:
            session._started -= max(0.0, (now_us() - description.created) / 1e6)
        session._begin(first, attended=attended)
        return session

    @classmethod
    def joining(cls, description: RunDescription, first: list[Event], *, attended: bool = False) -> Session:
        """Begin a part of a run that no process but its study owns; `first` is said at once."""
        session = cls(description, Notices(), owner=False)
        session._begin(first, attended=attended)
        return session

    @classmethod
    def attached(cls, description: RunDescription) -> Session:
        """Take part in a run that another process owns; the spool begins with the first thing said."""
        return cls(description, Notices(), owner=False)

    @classmethod
    def silent(cls, description: RunDescription) -> Session:
        """Keep nothing: TRACKING_OFF."""
        session = cls(description, Notices(), owner=True)
        session.disabled = True
        return session

    def _begin(self, first: list[Event], *, attended: bool) -> None:
        self._open(first)
        if self.writer is not None:
            run_id = self.description.run_id
            self._followed = Followed(run_id, self.writer, self.notices, attended=attended)
            ingester_for(self.description.location).follow(self._followed)

    @property
    def spool_id(self) -> str | None:
        """The session's name; it begins now if it had not said anything. None when nothing can be kept."""
        writer = self.writer or self._open([])
        return None if writer is None else writer.files.spool_id

    @property
    def seconds(self) -> float:
        """Since the run's start."""
        return time.monotonic() - self._started

    def say(self, event: Event) -> None:
        """Append an event."""
        self.append(pack_event(event))

    def append(self, record: bytes, points: int = 0) -> None:
        """Append a framed record."""
        writer = self.writer or self._open([])
        if writer is not None:
            writer.append(record, points)

    def end(self, ending: Ending, seconds: float) -> None:
        """Say the session's last word and bring everything into the database, unless another process does."""
        if self.writer is None:
            if self._ownership is not None:
                self._ownership.release()
            return
        last: Event = {"t": "detached", "time": now_us()}
        if self.owner:
            last = {
                "t": "final",
                "status": ending.status.value,
                "error": ending.error,
                "time": now_us(),
                "seconds": self.seconds,
            }
        self.writer.close([last])
        if not self.owner and self._followed is None:
            self.writer.release()
            return
        self._say_what_is_missing()
        try:
            self._bring_in(seconds)
        finally:
            if self._ownership is not None:
                self._ownership.release()

    def _say_what_is_missing(self) -> None:
        assert self.writer is not None
        if self.writer.dropped_points:
            self.notices.once(
                "dropped",
                f"{self.writer.dropped_points:,} points of run {self.description.run_id} are missing: "
                "the disk was full. The count is shown with the run.",
            )

    def _bring_in(self, seconds: float) -> None:
        assert self.writer is not None
        if self._followed is not None and not ingester_for(self.description.location).finish(
            self._followed, seconds
        ):
            self.notices.once(
                "locked",
                f"run {self.description.run_id} could not be brought into the database within {seconds:g} s. It is "
                f"safe in {self.writer.files.records} and will be brought in by whoever opens the store next.",
            )

    def forked(self) -> None:
        """In a forked child: this is a child's session now, and says nothing before it is asked to."""
        self._mutex = threading.RLock()
        if self.writer is not None:
            self.writer.forget()
        self.writer = None
        self._followed = None
        self._ownership = None
        self.owner = False

    def _open(self, first: list[Event]) -> SpoolWriter | None:
        with self._mutex:
            if self.disabled or self.writer is not None:
                return self.writer
            description = self.description
            try:
                make_folders(description.location)
                files = SpoolFiles.new(description.location.spool, description.run_id)
                begin = description.begin(files.spool_id, owner=self.owner)
                self.writer = SpoolWriter(files, [begin, *first], self._trouble)
            except OSError as error:
                self.disabled = True
                self.notices.once(
                    "disk",
                    f"run {description.run_id} cannot be kept: {description.location.spool} refuses ({error}). "
                    "The script goes on without it. Make room or name another folder: TRACKING_STORE=/another/folder.",
                )
            return self.writer

    def _trouble(self, error: OSError) -> None:
        self.notices.once(
            "disk",
            f"the disk refuses to take more of run {self.description.run_id} ({error}). Up to 64 MB wait in memory; "
            "what does not fit is counted and shown with the run.",
        )
