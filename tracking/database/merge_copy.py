"""A private copy of another store's database and spools: the other one is only ever read.

It may have come by rsync, perhaps half-way, or from somebody else. What must not be in it is refused
here; single rows are looked at where they are read (`merge_rows`).
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import stat
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select

from tracking.config import StoreLocation
from tracking.database.engine import Engines
from tracking.database.opening import open_database
from tracking.database.recovery import recover
from tracking.database.run_writes import runs
from tracking.database.schema import TRIGGERS, stored_version
from tracking.errors import NotFound, StoreDamaged, StoreError
from tracking.records import RunStatus
from tracking.spool.files import leftover_spools, make_folders

CHUNK = 1 << 20
TRIES = 3
PAUSE = 0.05
"""Seconds; more than the grain of a file's time."""
READ_IN_SECONDS = 600.0
_LIVE = {status.value for status in RunStatus if not status.is_final}


@dataclass(frozen=True, slots=True)
class SourceCopy:
    """Another store as it was at one moment.

    Attributes:
        engines: On the copy of its database, brought to the current schema, spools read in.
        unended: Ids of the runs that had not ended there.
    """

    engines: Engines
    unended: frozenset[str]


def copy_source(source: StoreLocation, private: StoreLocation) -> SourceCopy:
    """Copy a store's database and spools, and read the spools in.

    Args:
        source: The other store; nothing in it changes.
        private: An empty folder of our own.

    Raises:
        NotFound: There is no store.
        StoreTooNew: A newer Podium wrote it.
        StoreDamaged: It is damaged, half copied, or holds what no store of Podium has.
        StoreError: It cannot be read.
    """
    if not source.database.exists() and not any(leftover_spools(source.spool)):
        raise NotFound(f"There is no store at {source.root}: name the folder that holds tracking.db.")
    make_folders(private)
    try:
        # Spools first: what is read in over there meanwhile is then in the database, which is copied later.
        for files in leftover_spools(source.spool):
            for path in (files.records, files.last):
                copy_plain_file(path, private.spool / path.name)
        if source.database.exists():
            _copy_database(source.database, private.database)
    except OSError as error:
        raise StoreError(f"The store {source.root} cannot be read ({error}).") from error
    if private.database.exists():
        check_copy(private.database, source.root)
    engines = open_database(private)
    try:
        before = _statuses(engines)
        recover(private, engines, patience=READ_IN_SECONDS)
        after = _statuses(engines)
    except BaseException:
        engines.dispose()
        raise
    unended = (
        uid
        for uid, status in after.items()
        # What our reading in marked lost may be alive on its machine: nobody here can know.
        if status in _LIVE or (status == RunStatus.LOST and before.get(uid) != RunStatus.LOST)
    )
    return SourceCopy(engines, frozenset(unended))


def check_copy(database: Path, origin: Path) -> None:
    """Refuse a database that is damaged or holds what no store of Podium has: views, other triggers.

    Raises:
        StoreDamaged: With what is wrong.
    """
    try:
        with closing(sqlite3.connect(database, isolation_level=None)) as connection:
            connection.execute("PRAGMA trusted_schema=OFF")
            connection.execute("PRAGMA cell_size_check=ON")
            _check_kind(connection, origin)
            listed = list(connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_master"))
            for kind, name, _, sql in listed:
                text = " ".join(str(sql or "").split())
                ours = kind == "trigger" and text == " ".join(TRIGGERS.get(name, "").split())
                virtual = text.upper().startswith("CREATE VIRTUAL")
                if kind not in ("table", "index", "trigger") or (kind == "trigger" and not ours) or virtual:
                    what = "virtual table" if virtual else kind
                    raise StoreDamaged(
                        f"{origin} holds a {what} {str(name)!r:.80}, which no store of Podium has. "
                        "Nothing was merged; do not trust where it comes from."
                    )
            found = str(connection.execute("PRAGMA quick_check(1)").fetchone()[0])
    except sqlite3.DatabaseError as error:
        raise StoreDamaged(_torn(origin, str(error))) from error
    if found != "ok":
        raise StoreDamaged(_torn(origin, found))


def copy_plain_file(source: Path, target: Path) -> bool:
    """Copy a regular file without following links; returns False when there is none.

    Raises:
        OSError: It cannot be read, or the disk refuses.
    """
    try:
        descriptor = os.open(source, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return False
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return False
        with open(target, "wb") as copy:
            shutil.copyfileobj(file, copy, CHUNK)
    return True


def _copy_database(source: Path, target: Path) -> None:
    log, log_copy = source.with_name(source.name + "-wal"), target.with_name(target.name + "-wal")
    for path in (source, log):
        if path.is_symlink() or (path.exists() and not path.is_file()):
            raise StoreError(f"{path} is no plain file. Copy the store itself, then merge.")
    for _ in range(TRIES):
        before = _stamp(source), _stamp(log)
        if _copied_by_child([source, target, log, log_copy]) and before == (_stamp(source), _stamp(log)):
            return
        time.sleep(PAUSE)
    # It is being written without a pause. Then its writers keep its shared memory, and one more reader
    # changes nothing.
    for path in (target, log_copy):
        path.unlink(missing_ok=True)
    with (
        closing(sqlite3.connect(f"{source.as_uri()}?mode=ro", uri=True, timeout=30.0)) as reader,
        closing(sqlite3.connect(target)) as copy,
    ):
        reader.backup(copy)


# Copies pairs of files; of links and what is no file it makes nothing.
_COPYING = """
import os, shutil, stat, sys
for source, target in zip(sys.argv[1::2], sys.argv[2::2]):
    if os.path.lexists(target):
        os.unlink(target)
    try:
        file = os.fdopen(os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb")
    except FileNotFoundError:
        continue
    if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        with open(target, "wb") as copy:
            shutil.copyfileobj(file, copy, 1 << 20)
"""


def _copied_by_child(paths: list[Path]) -> bool:
    """Copy pairs of files in a process of its own.

    Closing a database's file takes away the locks that SQLite holds on it in the same process, which may
    be logging to that very store.
    """
    command = [sys.executable, "-I", "-S", "-c", _COPYING, *map(str, paths)]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    return done.returncode == 0 and paths[1].exists()


def _stamp(path: Path) -> tuple[int, int, int] | None:
    with contextlib.suppress(FileNotFoundError):
        found = os.stat(path, follow_symlinks=False)
        return found.st_ino, found.st_size, found.st_mtime_ns
    return None


def _statuses(engines: Engines) -> dict[str, str]:
    with engines.reading() as connection:
        return {row.uid: row.status for row in connection.execute(select(runs.c.uid, runs.c.status))}


def _check_kind(connection: sqlite3.Connection, origin: Path) -> None:
    try:
        stored_version(connection)
    except StoreDamaged as error:
        raise StoreDamaged(
            f"{origin} cannot be merged: {error} If it was half copied, copy it again."
        ) from error


def _torn(origin: Path, why: str) -> str:
    return f"The database in {origin} is damaged or half copied ({why}). Copy the store again, then merge."
