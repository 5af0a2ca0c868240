"""The two engines, and the one way to run a write transaction.

Every statement that only SQLite knows is here or in `schema.py`.
"""

from __future__ import annotations

import os
import random
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import DatabaseError, OperationalError
from sqlalchemy.pool import QueuePool

from tracking.database.blocks import BlockDamaged
from tracking.database.prepared import driver_execute
from tracking.errors import StoreBusy, StoreDamaged, StoreError, StoreFull

Result = TypeVar("Result")

BUSY_SECONDS = 30.0
# Locked for now; the same transaction may succeed a moment later.
RETRYABLE = ("SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_PROTOCOL")
NO_ROOM = ("SQLITE_FULL", "SQLITE_IOERR")


def make_engine(path: Path, *, read_only: bool = False, busy_seconds: float = BUSY_SECONDS) -> Engine:
    """Return an engine on the database file at `path`.

    Writing engines begin every transaction with BEGIN IMMEDIATE: a deferred one that
    first reads and then writes fails at once under concurrency, whatever the busy
    timeout. Reading engines refuse to write. Both survive a fork.

    Args:
        path: The real path of the file, on a local disk.
        read_only: For queries.
        busy_seconds: How long SQLite waits for a lock before it gives up.
    """
    engine = create_engine(
        URL.create("sqlite", database=str(path)),
        poolclass=QueuePool,
        pool_size=5,
        max_overflow=20,
        pool_timeout=busy_seconds + 5,
        connect_args={"timeout": busy_seconds},
        hide_parameters=True,
    )

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: object) -> None:
        # The driver must not begin transactions of its own, which would be deferred.
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in (
            "synchronous=NORMAL",
            "foreign_keys=ON",
            "journal_size_limit=67108864",
            "trusted_schema=OFF",  # a store may come from somebody else
            "cell_size_check=ON",
            "mmap_size=0",
            "temp_store=MEMORY",
            "cache_size=-16000",
            *(("query_only=ON",) if read_only else ()),
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    begin = "BEGIN" if read_only else "BEGIN IMMEDIATE"

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        driver_execute(connection, begin)

    _engines.add(engine)
    return engine


_engines: weakref.WeakSet[Engine] = weakref.WeakSet()


def _dispose_in_child() -> None:
    # Closing an inherited connection would take the parent's locks with it.
    for engine in list(_engines):
        engine.dispose(close=False)


os.register_at_fork(after_in_child=_dispose_in_child)


@dataclass(frozen=True, slots=True)
class Engines:
    """The two engines of one database."""

    writers: Engine
    readers: Engine

    @classmethod
    def of(cls, path: Path, *, busy_seconds: float = BUSY_SECONDS) -> Engines:
        """Return engines on the database file at `path`; connections are made when needed."""
        return cls(
            make_engine(path, busy_seconds=busy_seconds),
            make_engine(path, read_only=True, busy_seconds=busy_seconds),
        )

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Give a connection for queries; the driver's errors become ours."""
        try:
            with self.readers.connect() as connection:
                yield connection
        except DatabaseError as error:
            raise translated(error) from error
        except BlockDamaged as error:
            raise StoreDamaged(
                f"The metric history in {self.readers.url.database} is damaged: {error}."
            ) from error

    def write(self, work: Callable[[Connection], Result], *, patience: float = BUSY_SECONDS) -> Result:
        """Run `work` in one write transaction; see `write`."""
        return write(self.writers, work, patience=patience)

    def write_durably(
        self, work: Callable[[Connection], Result], *, patience: float = BUSY_SECONDS
    ) -> Result:
        """Run `work` as `write` does; when this returns, it outlasts a loss of power."""

        def attempt() -> Result:
            with self.writers.connect() as connection:
                # Before the transaction begins: inside of one the pragma does nothing.
                driver = connection.connection.driver_connection
                driver.execute("PRAGMA synchronous=FULL")  # type: ignore[union-attr]
                try:
                    with connection.begin():
                        return work(connection)
                finally:
                    driver.execute("PRAGMA synchronous=NORMAL")  # type: ignore[union-attr]

        return retried(self.writers, attempt, patience=patience)

    def check(self) -> None:
        """Read the whole database once; raises StoreDamaged when it is not as SQLite wrote it."""
        with self.reading() as connection:
            said = [str(row[0]) for row in connection.exec_driver_sql("PRAGMA quick_check(10)")]
        if said != ["ok"]:
            raise StoreDamaged(
                f"The database {self.readers.url.database} is damaged ({'; '.join(said)}). Put a backup in its place."
            )

    def dispose(self) -> None:
        """Close their connections."""
        self.writers.dispose()
        self.readers.dispose()


def checkpoint_rarely(connection: Connection) -> None:
    """Let the write-ahead log grow to 16 MB before it is copied into the database, which waits for the disk.

    For a connection of many small transactions: every thousand pages, as SQLite does by itself, is every
    hundred of them.
    """
    driver_execute(connection, "PRAGMA wal_autocheckpoint=4000")


def error_name(error: BaseException) -> str:
    """Return SQLite's name of a driver error (`SQLITE_BUSY`, …), or an empty string."""
    origin = getattr(error, "orig", error)
    return str(getattr(origin, "sqlite_errorname", "") or "")


def is_busy(error: BaseException) -> bool:
    """Whether the same transaction may succeed later."""
    return isinstance(error, OperationalError) and error_name(error).startswith(RETRYABLE)


def write(engine: Engine, work: Callable[[Connection], Result], *, patience: float = BUSY_SECONDS) -> Result:
    """Run `work` in one write transaction; the whole of it again while the database is locked.

    Args:
        engine: A writing engine.
        work: Gets the connection; may run more than once, so it must not change
            anything but the database.
        patience: Seconds after which locked becomes an error.

    Raises:
        StoreBusy: Another process held the lock for longer than `patience`.
        StoreError: The database refuses for another reason.
    """

    def attempt() -> Result:
        with engine.begin() as connection:
            return work(connection)

    return retried(engine, attempt, patience=patience)


def retried(engine: Engine, attempt: Callable[[], Result], *, patience: float) -> Result:
    """Run a whole transaction, again while the database is locked; raises as `write` does."""
    give_up = time.monotonic() + patience
    while True:
        try:
            return attempt()
        except DatabaseError as error:
            if not is_busy(error):
                raise translated(error) from error
            if time.monotonic() >= give_up:
                raise busy(engine, patience) from error
            time.sleep(random.uniform(0.005, 0.05))


def busy(engine: Engine, patience: float) -> StoreBusy:
    """Return the error for a database that stayed locked."""
    path = engine.url.database
    return StoreBusy(
        f"{path} stayed locked by another process for {patience:g} s. "
        f"Wait for it to end, or find it with: lsof {path}"
    )


def translated(error: DatabaseError) -> StoreError:
    """Return our error for one of the driver's."""
    name = error_name(error)
    if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
        return StoreDamaged(
            f"The database file is damaged or no database ({error.orig}). Nothing was changed; "
            "put a backup in its place."
        )
    if name.startswith(NO_ROOM):
        return StoreFull(f"The database could not grow ({error.orig}). Make room on the disk and try again.")
    if name.startswith("SQLITE_READONLY"):
        return StoreError("The store is read-only for this user. Check the rights of its folder.")
    return StoreError(f"The database refused: {error.orig}")
