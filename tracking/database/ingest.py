"""From a spool into the database, each record once.

One `SpoolIngest` follows one spool, in the process that writes it or in one that
found it left over. A step reads a stretch of the file, prepares blocks and summaries
without a lock, and then writes them in one transaction that first checks that the
session still stands where the stretch begins. Two processes may therefore work on
the same spool: the slower one finds its stretch already taken and reads on.
"""

from __future__ import annotations

import os
import time
from typing import Any

from sqlalchemy import Connection, column, select, table, update

from tracking.database import run_writes, session_rows
from tracking.database.engine import Engines, write
from tracking.database.run_writes import runs, sessions
from tracking.database.schema import CURRENT, VERSION_TABLE
from tracking.database.series import (
    EMPTY,
    SeriesState,
    load_states,
    prepare_change,
    write_changes,
)
from tracking.database.session_rows import Place
from tracking.database.stretch import Stretch, last_words, read_stretch
from tracking.errors import StoreError
from tracking.records import RunStatus
from tracking.spool.files import SpoolFiles, spools_of
from tracking.spool.format import MAGIC
from tracking.spool.reading import next_record, read_shapes

STRETCH = 8 << 20
"""Bytes of a spool per transaction: bounds memory, and how long the database is held."""

REBUILD_REST = 20
"""Summaries of a resumed run take whole histories to compute: how many times that long to rest in between."""

_VERSION: Any = select(column("version_num")).select_from(table(VERSION_TABLE))


class SchemaChanged(StoreError):
    """Another Podium migrated the store while this process was ingesting; the spool waits for a new one."""


class Overtaken(Exception):
    """Another process ingested the stretch first."""


class SpoolIngest:
    """Follows one spool; not for several threads at once."""

    def __init__(self, engines: Engines, files: SpoolFiles) -> None:
        self._engines = engines
        self._files = files
        self._shapes: dict[int, tuple[str, ...]] = {}
        self._states: dict[str, SeriesState] = {}
        self._place: Place | None = None
        self._offset = -1
        self._skipped = 0  # bytes behind the offset that are damaged
        self._again: set[int] = set()
        self._rebuild_at = 0.0
        self._descriptor = os.open(files.records, os.O_RDONLY | os.O_CLOEXEC)
        self.sealed = False
        """Whether the database has everything, the session's end included."""

    def close(self) -> None:
        """Close the file."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    @property
    def offset(self) -> int:
        """How far into the spool the database is, as far as this process knows; -1 before the first step."""
        return self._offset

    def step(self, *, patience: float) -> bool:
        """Ingest one stretch; returns whether there was one.

        Raises:
            StoreBusy: The database stayed locked for `patience` seconds.
            SchemaChanged: The store has another schema by now.
            StoreError: The database refuses.
        """
        if self._offset < 0:
            self._take_over()
        if self.sealed:
            return False
        stretch = self._next_stretch()
        if stretch is None:
            return False
        try:
            self._ingest(stretch, patience)
        except Overtaken:
            self._offset = -1
        return True

    def damage(self) -> int | None:
        """Return where whole records go on behind a damaged place; None when nothing but a torn end is left."""
        if self.sealed:
            return None
        begin = self._offset + self._skipped
        rest = os.pread(self._descriptor, os.fstat(self._descriptor).st_size - begin, begin)
        found = next_record(rest, 0)
        return None if found is None else begin + found

    def go_on_at(self, place: int) -> None:
        """Read on behind a damaged place."""
        self._skipped = place - self._offset

    def seal(self, *, patience: float, status: RunStatus | None = None) -> bool:
        """Say that nothing more will come: merge the open blocks and let the files go.

        Args:
            patience: As in `step`.
            status: The run's status if its owner left none: `lost` for a dead process.

        Returns:
            Whether `status` was set.
        """
        while True:
            if self._offset < 0:
                self._take_over()
            if self.sealed:
                return False
            try:
                marked = self._seal(patience, status)
            except Overtaken:
                self._offset = -1
                continue
            self.sealed = True
            return marked

    def _seal(self, patience: float, status: RunStatus | None) -> bool:
        place = self._place
        if place is None:
            if os.fstat(self._descriptor).st_size > len(MAGIC):
                raise StoreError("its beginning is damaged, so that nobody knows which run it belongs to")
            return False  # died before its first event: there is nothing to keep
        self._rebuild(patience)
        events = last_words(self._files)
        alone = not any(
            other.spool_id != self._files.spool_id
            for other in spools_of(self._files.folder, self._files.spool_id.partition(".")[0])
        )
        with self._engines.readers.connect() as connection:
            merged = [prepare_change(connection, state, EMPTY, final=True) for state in self._states.values()]

        def work(connection: Connection) -> bool:
            self._check(connection)
            write_changes(connection, [change for change in merged if change.rows])
            session_rows.apply_events(connection, place, events)
            marked = status is not None and session_rows.mark_gone(connection, place, status, alone=alone)
            connection.execute(
                update(sessions)
                .where(sessions.c.id == place.session)
                .values(sealed=True, ingested=self._offset)
            )
            run_writes.bump(connection, place.experiment, place.run, structure=True)
            return marked

        return write(self._engines.writers, work, patience=patience)

    def _take_over(self) -> None:
        """Find out where the session stands, as a process does that did not ingest it so far."""
        self._states.clear()
        with self._engines.readers.connect() as connection:
            row = connection.execute(
                select(
                    sessions.c.id,
                    sessions.c.run_id,
                    runs.c.experiment_id,
                    sessions.c.ingested,
                    sessions.c.sealed,
                )
                .join(runs, runs.c.id == sessions.c.run_id)
                .where(sessions.c.spool == self._files.spool_id)
            ).first()
            if row is None:
                self._place, self._offset = None, len(MAGIC)
                if os.pread(self._descriptor, len(MAGIC), 0) != MAGIC:
                    raise StoreError("its first bytes are not those of a spool that this Podium can read")
                return
            self._place = Place(row.id, row.run_id, row.experiment_id)
            self._offset, self.sealed = row.ingested, row.sealed
            self._states = load_states(connection, row.run_id, row.id)
            if session_rows.is_resumed(connection, row.run_id):
                # What the one before still had to compute is not known: everything is.
                self._again = {state.key_id for state in self._states.values()}
        self._shapes = read_shapes(os.pread(self._descriptor, self._offset, 0), self._offset)

    def _next_stretch(self) -> Stretch | None:
        begin = self._offset + self._skipped
        data = os.pread(self._descriptor, STRETCH, begin)
        stretch = read_stretch(data, self._shapes, begin)
        if stretch is None and len(data) == STRETCH:
            # One record larger than a stretch: a param of many megabytes.
            rest = os.fstat(self._descriptor).st_size - begin
            stretch = read_stretch(os.pread(self._descriptor, rest, begin), self._shapes, begin)
        return stretch

    def _ingest(self, stretch: Stretch, patience: float) -> None:
        # New series get their numbers in the transaction; their blocks are encoded before it like the others.
        fresh = {key: SeriesState(0, 0) for key in stretch.points if key not in self._states}
        states = self._states | fresh
        with self._engines.readers.connect() as connection:
            changes = {
                key: prepare_change(connection, states[key], columns)
                for key, columns in stretch.points.items()
            }

        again: set[int] = set()

        def work(connection: Connection) -> Place:
            nonlocal again
            self._check(connection)
            place = self._place or self._open_session(connection, stretch)
            for key, numbers in session_rows.new_series(connection, place, fresh).items():
                changes[key].number(*numbers)
            write_changes(connection, list(changes.values()))
            keys = {key: states[key].key_id for key in stretch.points}
            again = session_rows.add_to_summaries(connection, place, stretch, keys)
            structure = session_rows.apply_events(connection, place, stretch.events)
            connection.execute(
                update(sessions).where(sessions.c.id == place.session).values(ingested=stretch.end)
            )
            run_writes.bump(
                connection, place.experiment, place.run, structure=structure, seen=stretch.last_time
            )
            return place

        self._place = write(self._engines.writers, work, patience=patience)
        for change in changes.values():
            change.done()
        self._states = states
        self._offset, self._skipped = stretch.end, 0
        self._again |= again
        if self._again and time.monotonic() >= self._rebuild_at:
            self._rebuild(patience)

    def _rebuild(self, patience: float) -> None:
        """Bring the summaries of steps that were logged again up to date; a small part of the time at most."""
        if self._again and self._place is not None:
            begun = time.monotonic()
            session_rows.rebuild_summaries(self._engines, self._place, self._again, patience=patience)
            self._again.clear()
            ended = time.monotonic()
            self._rebuild_at = ended + REBUILD_REST * (ended - begun)

    def _open_session(self, connection: Connection, stretch: Stretch) -> Place:
        if not stretch.events or stretch.events[0].get("t") != "begin":
            raise StoreError("its beginning is damaged, so that nobody knows which run it belongs to")
        return Place(*run_writes.open_session(connection, stretch.events[0]))

    def _check(self, connection: Connection) -> None:
        version = connection.execute(_VERSION).scalar()
        if version != CURRENT:
            raise SchemaChanged(f"The store was migrated from schema {CURRENT} to {version} meanwhile.")
        stands = connection.execute(
            select(sessions.c.ingested, sessions.c.sealed).where(sessions.c.spool == self._files.spool_id)
        ).first()
        if stands is None:
            if self._place is not None:
                raise StoreError("The session is gone from the database.")
        elif self._place is None or stands.ingested != self._offset or stands.sealed:
            raise Overtaken
