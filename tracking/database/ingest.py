"""From a spool into the database, each record once.

One `SpoolIngest` follows one spool, in the process that writes it or in one that
found it left over. A step reads a stretch of the file, prepares blocks and summaries
without a lock, and then writes them in one transaction that first checks that the
session still stands where the stretch begins. Two processes may therefore work on
the same spool: the slower one finds its stretch already taken and reads on.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sqlalchemy import Connection, column, insert, select, table, update

from tracking.database import run_writes
from tracking.database.blocks import Columns, concatenate
from tracking.database.engine import Engines, write
from tracking.database.history import read_visible
from tracking.database.schema import CURRENT, VERSION_TABLE
from tracking.database.series import (
    EMPTY,
    SeriesChange,
    SeriesState,
    load_states,
    prepare_change,
    write_changes,
)
from tracking.database.summaries import add_summaries, replace_summary, summarize
from tracking.database.tables import MetricBlockRow, MetricSeriesRow, SessionRow
from tracking.errors import StoreError
from tracking.records import RunStatus
from tracking.spool.files import SpoolFiles
from tracking.spool.format import MAGIC, Event
from tracking.spool.reading import Batch, read_batch, read_shapes

sessions = SessionRow.__table__  # type: ignore[attr-defined]
series_table = MetricSeriesRow.__table__  # type: ignore[attr-defined]
blocks = MetricBlockRow.__table__  # type: ignore[attr-defined]

STRETCH = 8 << 20
"""Bytes of a spool per transaction: bounds memory, and how long the database is held."""

_VERSION: Any = select(column("version_num")).select_from(table(VERSION_TABLE))


class SchemaChanged(StoreError):
    """Another Podium migrated the store while this process was ingesting; the spool waits for a new one."""


class Overtaken(Exception):
    """Another process ingested the stretch first."""


@dataclass(slots=True)
class _Stretch:
    """A prepared stretch: everything computed, nothing written."""

    batch: Batch
    begin: int
    end: int
    points: dict[str, Columns] = field(default_factory=dict)
    summaries: dict[str, dict[str, Any]] = field(default_factory=dict)


class SpoolIngest:
    """Follows one spool; not for several threads at once."""

    def __init__(self, engines: Engines, files: SpoolFiles) -> None:
        self._engines = engines
        self._files = files
        self._shapes: dict[int, tuple[str, ...]] = {}
        self._states: dict[str, SeriesState] = {}
        self._session = self._run = self._experiment = 0
        self._offset = -1
        self._descriptor = os.open(files.records, os.O_RDONLY | os.O_CLOEXEC)
        self.sealed = False
        """Whether the database has everything, the session's end included."""
        self.ended = False
        """Whether the session's last event was read."""

    def close(self) -> None:
        """Close the file."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def behind(self) -> bool:
        """Whether the file holds more than was ingested."""
        return self._offset < 0 or os.fstat(self._descriptor).st_size > self._offset

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
        data = os.pread(self._descriptor, STRETCH, self._offset)
        stretch = self._read(data)
        if stretch is None:
            return False
        try:
            self._ingest(stretch, patience)
        except Overtaken:
            self._offset = -1
        return True

    def seal(self, *, patience: float, status: RunStatus | None = None) -> bool:
        """Say that nothing more will come: merge the open blocks and let the files go.

        Args:
            patience: As in `step`.
            status: The run's status if its owner left none: `lost` for a dead process.

        Returns:
            Whether `status` was set.
        """
        if self._offset < 0:
            self._take_over()
        if self.sealed:
            return False
        if not self._session:
            self.sealed = True  # died before its first event: there is nothing to keep
            return False
        last = _read_last(self._files)
        marked = False

        def work(connection: Connection) -> None:
            nonlocal marked
            self._check(connection)
            write_changes(connection, changes)
            marked = False
            self._apply_events(connection, last.events)
            if status is not None and not self._ended_by(last.events):
                marked = self._mark(connection, status)
            connection.execute(
                update(sessions)
                .where(sessions.c.id == self._session)
                .values(sealed=True, ingested=self._offset)
            )
            run_writes.bump(connection, self._experiment, self._run, structure=True)

        while True:
            with self._engines.readers.connect() as connection:
                changes = [
                    change
                    for state in self._states.values()
                    if (change := prepare_change(connection, state, EMPTY, final=True)).rows
                ]
            try:
                write(self._engines.writers, work, patience=patience)
                break
            except Overtaken:
                self._take_over()
                if self.sealed:
                    return False
        self.sealed = True
        return marked

    # Reading

    def _take_over(self) -> None:
        """Find out where the session stands, as a process does that did not ingest it so far."""
        self._states.clear()
        with self._engines.readers.connect() as connection:
            row = connection.execute(
                select(sessions.c.id, sessions.c.run_id, sessions.c.ingested, sessions.c.sealed).where(
                    sessions.c.spool == self._files.spool_id
                )
            ).first()
            if row is None:
                self._offset = len(MAGIC)
                return
            self._session, self._run, self._offset, self.sealed = row
            self._experiment = connection.execute(
                select(run_writes.runs.c.experiment_id).where(run_writes.runs.c.id == self._run)
            ).scalar_one()
            names = run_writes.metric_keys
            by_number = load_states(connection, self._run, self._session)
            query = select(names.c.id, names.c.name).where(
                names.c.id.in_(
                    select(series_table.c.key_id).where(series_table.c.session_id == self._session)
                )
            )
            self._states = {name: by_number[number] for number, name in connection.execute(query)}
        if not self._shapes:
            size = os.fstat(self._descriptor).st_size
            data = os.pread(self._descriptor, min(size, self._offset), 0)
            self._shapes = read_shapes(data, self._offset)

    def _read(self, data: bytes) -> _Stretch | None:
        batch = read_batch(data, self._shapes)
        if not batch.records and len(data) == STRETCH:
            # One record larger than a stretch: a param of many megabytes.
            size = os.fstat(self._descriptor).st_size
            batch = read_batch(os.pread(self._descriptor, size - self._offset, self._offset), self._shapes)
        if not batch.records:
            return None
        stretch = _Stretch(batch, self._offset, self._offset + batch.end)
        stretch.points = _by_key(batch, self._shapes)
        stretch.summaries = {
            key: summarize(steps, values) for key, (steps, values, _) in stretch.points.items()
        }
        return stretch

    # Writing

    def _ingest(self, stretch: _Stretch, patience: float) -> None:
        known = {key: columns for key, columns in stretch.points.items() if key in self._states}
        changes: list[SeriesChange] = []
        if known:
            with self._engines.readers.connect() as connection:
                changes = [prepare_change(connection, self._states[key], new) for key, new in known.items()]
        fresh: dict[str, SeriesState] = {}
        found = (self._session, self._run, self._experiment)

        def work(connection: Connection) -> list[SeriesChange]:
            nonlocal fresh
            self._session, self._run, self._experiment = found
            self._check(connection)
            events = stretch.batch.events
            if not self._session:
                self._session, self._run, self._experiment = run_writes.open_session(connection, events[0])
            fresh = self._new_series(connection, [key for key in stretch.points if key not in self._states])
            added = [prepare_change(connection, state, stretch.points[key]) for key, state in fresh.items()]
            write_changes(connection, changes + added)
            self._write_summaries(connection, stretch, fresh)
            structure = self._apply_events(connection, events)
            connection.execute(
                update(sessions).where(sessions.c.id == self._session).values(ingested=stretch.end)
            )
            run_writes.bump(
                connection, self._experiment, self._run, structure=structure, seen=_last_time(stretch)
            )
            return changes + added

        for change in write(self._engines.writers, work, patience=patience):
            change.done()
        self._states.update(fresh)
        self._offset = stretch.end
        self.ended = self.ended or self._ended_by(stretch.batch.events)

    def _check(self, connection: Connection) -> None:
        version = connection.execute(_VERSION).scalar()
        if version != CURRENT:
            raise SchemaChanged(f"the store was migrated from schema {CURRENT} to {version} meanwhile")
        stands = connection.execute(
            select(sessions.c.ingested, sessions.c.sealed).where(sessions.c.spool == self._files.spool_id)
        ).first()
        if stands is None and self._offset > len(MAGIC):
            raise StoreError("the session is gone from the database")
        if stands is not None and (stands[0] != self._offset or stands[1]):
            raise Overtaken

    def _new_series(self, connection: Connection, keys: list[str]) -> dict[str, SeriesState]:
        if not keys:
            return {}
        numbers = run_writes.key_numbers(connection, run_writes.metric_keys, keys)
        rows = [{"run_id": self._run, "key_id": numbers[key], "session_id": self._session} for key in keys]
        connection.execute(insert(series_table), rows)
        query = select(series_table.c.key_id, series_table.c.id).where(
            series_table.c.run_id == self._run, series_table.c.session_id == self._session
        )
        made = {row.key_id: row.id for row in connection.execute(query)}
        return {key: SeriesState(numbers[key], made[numbers[key]]) for key in keys}

    def _write_summaries(
        self, connection: Connection, stretch: _Stretch, fresh: dict[str, SeriesState]
    ) -> None:
        numbers = {key: (fresh.get(key) or self._states[key]).key_id for key in stretch.points}
        logged_again = self._logged_again(connection, stretch, numbers)
        added = [
            {"run_id": self._run, "key_id": numbers[key], **row}
            for key, row in stretch.summaries.items()
            if numbers[key] not in logged_again
        ]
        if added:
            add_summaries(connection, added)
        for number in logged_again:
            steps, values, _ = read_visible(connection, self._run, number)
            replace_summary(connection, {"run_id": self._run, "key_id": number, **summarize(steps, values)})

    def _logged_again(self, connection: Connection, stretch: _Stretch, numbers: dict[str, int]) -> set[int]:
        """Return the keys of which this stretch and another session have steps in common."""
        if not stretch.points:
            return set()
        resumed = connection.execute(
            select(sessions.c.id).where(
                sessions.c.run_id == self._run, sessions.c.owner, sessions.c.ordinal > 0
            )
        ).first()
        if resumed is None:
            return set()
        again: set[int] = set()
        for key, (steps, _, _) in stretch.points.items():
            overlap = connection.execute(
                select(blocks.c.id)
                .join(series_table, series_table.c.id == blocks.c.series_id)
                .where(
                    series_table.c.run_id == self._run,
                    series_table.c.key_id == numbers[key],
                    series_table.c.session_id != self._session,
                    blocks.c.min_step <= int(steps.max()),
                    blocks.c.max_step >= int(steps.min()),
                )
                .limit(1)
            ).first()
            if overlap is not None:
                again.add(numbers[key])
        return again

    def _apply_events(self, connection: Connection, events: list[Event]) -> bool:
        """Write the rows of events; returns whether they change the experiment's structure."""
        for event in events:
            kind = event["t"]
            if kind == "params":
                run_writes.set_params(connection, self._run, event["leaves"])
            elif kind == "tags":
                run_writes.set_tags(connection, self._run, event["tags"])
            elif kind == "notes":
                run_writes.set_column(connection, self._run, "notes", event["notes"])
            elif kind == "goal":
                run_writes.set_goal(connection, self._experiment, event["key"], event["goal"])
            elif kind == "repeat":
                run_writes.set_repeat(connection, self._experiment, event["vary"], event["ignore"])
            elif kind == "dropped":
                run_writes.set_dropped(connection, self._run, self._session, event["points"])
            elif kind == "final":
                run_writes.finish_run(
                    connection,
                    self._run,
                    self._session,
                    RunStatus(event["status"]),
                    event["time"],
                    event["seconds"],
                    event.get("error"),
                )
        return bool(events)

    def _mark(self, connection: Connection, status: RunStatus) -> bool:
        row = connection.execute(
            select(run_writes.runs.c.status, run_writes.runs.c.last_seen).where(
                run_writes.runs.c.id == self._run
            )
        ).one()
        if RunStatus(row[0]).is_final:
            return False
        reason = "The process ended without a word (killed, out of memory, or the machine went down)."
        return run_writes.finish_run(connection, self._run, self._session, status, row[1], None, reason)

    def _ended_by(self, events: list[Event]) -> bool:
        return any(event["t"] in ("final", "detached") for event in events)


def _by_key(batch: Batch, shapes: dict[int, tuple[str, ...]]) -> dict[str, Columns]:
    """Return each key's points in the order of writing."""
    parts: dict[str, list[tuple[Any, Columns]]] = {}
    for shape, (order, steps, times, values) in batch.points.items():
        for place, key in enumerate(shapes[shape]):
            parts.setdefault(key, []).append((order, (steps, values[:, place], times)))
    by_key: dict[str, Columns] = {}
    for key, found in parts.items():
        columns = concatenate([part for _, part in found])
        if len(found) > 1:
            places = np.argsort(np.concatenate([order for order, _ in found]), kind="stable")
            columns = columns[0][places], columns[1][places], columns[2][places]
        by_key[key] = columns
    return by_key


def _last_time(stretch: _Stretch) -> int:
    times = [int(times[-1]) for _, _, times, _ in stretch.batch.points.values()]
    times += [int(event.get("time") or 0) for event in stretch.batch.events]
    return max(times, default=0)


def _read_last(files: SpoolFiles) -> Batch:
    """Return what was written into the reserve when the disk was full; empty as a rule."""
    try:
        data = files.last.read_bytes()
    except FileNotFoundError:
        return Batch()
    return read_batch(data, {}, start=len(MAGIC)) if data.startswith(MAGIC) else Batch()
