"""Which schema a store has, and how it is made or brought up to date.

Opening a store of the current schema reads one row, and a new one is made of `schema.sql`: neither imports alembic.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from tracking.config import StoreLocation
from tracking.database.quiet import alembic_quiet
from tracking.errors import StoreBusy, StoreDamaged, StoreError, StoreTooNew
from tracking.spool.lock import wait_lock

CURRENT = "0005"
"""Revision of the tables in `tables.py`: the newest file of `migrations/`."""

VERSION_TABLE = "podium_schema"
APPLICATION_ID = 0x506F6475  # "Podu"
SCHEMA = Path(__file__).with_name("schema.sql")

# Guard rails, made again after every migration: a batch rebuild of a table drops its triggers.
TRIGGERS = {
    "sessions_ingested_only_grows": """
        CREATE TRIGGER sessions_ingested_only_grows BEFORE UPDATE OF ingested ON sessions
        WHEN NEW.ingested < OLD.ingested
        BEGIN SELECT RAISE(ABORT, 'a session never goes back'); END""",
    "runs_uid_is_fixed": """
        CREATE TRIGGER runs_uid_is_fixed BEFORE UPDATE OF uid ON runs
        WHEN NEW.uid <> OLD.uid
        BEGIN SELECT RAISE(ABORT, 'the id of a run never changes'); END""",
    "study_journal_is_fixed": """
        CREATE TRIGGER study_journal_is_fixed BEFORE UPDATE ON study_journal
        BEGIN SELECT RAISE(ABORT, 'the journal of a study never changes'); END""",
    "study_journal_only_grows": """
        CREATE TRIGGER study_journal_only_grows BEFORE DELETE ON study_journal
        BEGIN SELECT RAISE(ABORT, 'the journal of a study only grows'); END""",
    "registry_journal_is_fixed": """
        CREATE TRIGGER registry_journal_is_fixed BEFORE UPDATE ON registry_journal
        BEGIN SELECT RAISE(ABORT, 'the journal of the registry never changes'); END""",
    "registry_journal_only_grows": """
        CREATE TRIGGER registry_journal_only_grows BEFORE DELETE ON registry_journal
        BEGIN SELECT RAISE(ABORT, 'the journal of the registry only grows'); END""",
    # Also REPLACE comes here, which removes a row without the trigger above.
    "registry_journal_follows": """
        CREATE TRIGGER registry_journal_follows BEFORE INSERT ON registry_journal
        WHEN NEW.position <> (SELECT coalesce(max(position), 0) + 1 FROM registry_journal)
          OR EXISTS (SELECT 1 FROM registry_journal WHERE digest = NEW.digest)
        BEGIN SELECT RAISE(ABORT, 'the journal of the registry only grows at its end'); END""",
    "model_versions_are_fixed": """
        CREATE TRIGGER model_versions_are_fixed BEFORE UPDATE ON model_versions
        BEGIN SELECT RAISE(ABORT, 'a version of a model never changes'); END""",
    "model_versions_are_kept": """
        CREATE TRIGGER model_versions_are_kept BEFORE DELETE ON model_versions
        BEGIN SELECT RAISE(ABORT, 'a version of a model is kept for good'); END""",
    "model_versions_follow": """
        CREATE TRIGGER model_versions_follow BEFORE INSERT ON model_versions
        WHEN NEW.number <> (SELECT coalesce(max(number), 0) + 1 FROM model_versions WHERE model_id = NEW.model_id)
        BEGIN SELECT RAISE(ABORT, 'the versions of a model are numbered in order'); END""",
    "models_are_made_once": """
        CREATE TRIGGER models_are_made_once BEFORE INSERT ON models
        WHEN EXISTS (SELECT 1 FROM models WHERE id = NEW.id OR key = NEW.key)
        BEGIN SELECT RAISE(ABORT, 'a model is there already'); END""",
    "models_name_is_fixed": """
        CREATE TRIGGER models_name_is_fixed BEFORE UPDATE OF id, name, key, created ON models
        WHEN NEW.id <> OLD.id OR NEW.name <> OLD.name OR NEW.key <> OLD.key OR NEW.created <> OLD.created
        BEGIN SELECT RAISE(ABORT, 'the name of a model never changes'); END""",
    "models_are_kept": """
        CREATE TRIGGER models_are_kept BEFORE DELETE ON models
        BEGIN SELECT RAISE(ABORT, 'a model is kept for good'); END""",
}


def stored_version(connection: sqlite3.Connection) -> str | None:
    """Return the schema's revision, or None when the database has no tables yet.

    Raises:
        StoreDamaged: The file is another program's database, or none at all.
    """
    try:
        tables = {
            row[0]
            for row in connection.execute("SELECT name FROM sqlite_master WHERE type IN ('table', 'view')")
        }
        if VERSION_TABLE not in tables:
            if tables:
                raise StoreDamaged(
                    "tracking.db is the database of another program: it has tables, but no "
                    f"{VERSION_TABLE}. It was left untouched; name another folder as the store."
                )
            return None
        row = connection.execute(f"SELECT version_num FROM {VERSION_TABLE}").fetchone()
    except sqlite3.DatabaseError as error:
        if getattr(error, "sqlite_errorname", "") in ("SQLITE_NOTADB", "SQLITE_CORRUPT"):
            raise StoreDamaged(
                f"tracking.db is damaged or no database ({error}). It was left untouched; put a backup in its "
                "place, or name another folder."
            ) from error
        raise
    if row is None:
        raise StoreDamaged(f"tracking.db is damaged: its {VERSION_TABLE} is empty. It was left untouched.")
    return str(row[0])


def describe(connection: sqlite3.Connection) -> list[str]:
    """Return the statements that make the tables and indexes of a database, without the guard rails, in order."""
    query = "SELECT sql FROM sqlite_master WHERE type <> 'trigger' AND name NOT LIKE 'sqlite~_%' ESCAPE '~'"
    found = connection.execute(f"{query} AND sql NOT NULL ORDER BY rowid").fetchall()
    return ["\n".join(map(str.rstrip, sql.strip().splitlines())) + ";" for (sql,) in found]


def make(connection: sqlite3.Connection) -> None:
    """Make the tables of the current schema in an empty database; the caller has begun the transaction."""
    lines = SCHEMA.read_text(encoding="utf-8").splitlines()
    # One by one: a whole script would end the transaction first.
    for statement in "\n".join(line for line in lines if not line.startswith("--")).split(";\n"):
        connection.execute(statement)
    connection.execute(f"INSERT INTO {VERSION_TABLE} (version_num) VALUES (?)", (CURRENT,))


def ensure_current(location: StoreLocation, *, busy_seconds: float = 30.0) -> None:
    """Make the store's database, or bring it to the current schema; nothing to do is the usual case.

    Any number of processes may call this at the same moment: one works, the others wait.

    Raises:
        StoreTooNew: A newer Podium wrote the store.
        StoreDamaged: The file is no Podium store.
        StoreError: It is locked for too long, or the migration failed (nothing has changed then).
    """
    try:
        if location.database.exists():
            with closing(_connect(location.database, busy_seconds)) as connection:
                version = stored_version(connection)
                if version == CURRENT:
                    # A copy that was put in place is not in this mode.
                    if connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
                        connection.execute("PRAGMA journal_mode=WAL")
                    return
            _refuse_newer(version)
        location.root.mkdir(parents=True, exist_ok=True)
        lock = wait_lock(location.root / "schema.lock")
        try:
            _migrate(location, busy_seconds)
        finally:
            lock.close()
    except sqlite3.OperationalError as error:
        if str(getattr(error, "sqlite_errorname", "")).startswith("SQLITE_BUSY"):
            raise StoreBusy(f"{location.database} stays locked by another process.") from error
        raise StoreError(
            f"{location.database} cannot be opened ({error}). Check that it is a file in a folder you may write."
        ) from error
    except OSError as error:
        raise StoreError(
            f"The store's folder {location.root} cannot be used ({error}). Name another one."
        ) from error


def _migrate(
    location: StoreLocation, busy_seconds: float, before_commit: Callable[[], None] | None = None
) -> None:
    with closing(_connect(location.database, busy_seconds)) as connection:
        mode = connection.execute("PRAGMA journal_mode=WAL").fetchone()[0]
        if mode != "wal":
            raise StoreError(
                f"{location.database} cannot be put into WAL mode (it stays '{mode}'). Name a folder on a local disk."
            )
        # Inside a transaction this pragma does nothing, and a rebuild would then delete the child rows.
        connection.execute("PRAGMA foreign_keys=OFF")
        connection.execute("BEGIN IMMEDIATE")
        try:
            version = stored_version(connection)
            if version == CURRENT:
                connection.execute("ROLLBACK")
                return
            _refuse_newer(version)
            if version is None:
                make(connection)
            else:
                _back_up(location, version)
                # alembic takes longer to import than everything else here together.
                with alembic_quiet():
                    from tracking.database.migrate import upgrade

                    upgrade(connection)
            for name, statement in TRIGGERS.items():
                connection.execute(f"DROP TRIGGER IF EXISTS {name}")
                connection.execute(statement)
            orphans = connection.execute("PRAGMA foreign_key_check").fetchall()
            if orphans:
                raise StoreError(f"The migration would leave rows without their parents: {orphans[:3]}")
            connection.execute(f"PRAGMA application_id={APPLICATION_ID}")
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise


class _OurTransaction(sqlite3.Connection):
    """A connection whose transaction neither SQLAlchemy nor alembic can end: they call these two."""

    def commit(self) -> None:
        pass

    def rollback(self) -> None:
        pass


def _connect(path: Path, busy_seconds: float) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=busy_seconds, isolation_level=None, factory=_OurTransaction)
    connection.execute("PRAGMA trusted_schema=OFF")
    return connection


def _refuse_newer(version: str | None) -> None:
    if version is not None and version > CURRENT:
        raise StoreTooNew(
            f"The store has schema {version}; this Podium knows up to {CURRENT}. "
            "Upgrade Podium (git pull, then make run), or name another store."
        )


def _back_up(location: StoreLocation, version: str) -> None:
    location.backups.mkdir(mode=0o700, exist_ok=True)
    moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
    target = location.backups / f"before-migration-from-{version}-{moment}.db"
    target.unlink(missing_ok=True)
    # As private as the store itself, whatever the umask: an empty file is filled, its rights stay.
    os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    # A second connection: it sees what is committed, while the first one keeps writers out.
    copy_database(location, target)


def copy_database(location: StoreLocation, target: Path) -> None:
    """Write the database as it is at this moment into one new file, while others write.

    Raises:
        StoreError: It is damaged, or the disk refuses.
    """
    try:
        with closing(_connect(location.database, 30.0)) as reader:
            reader.execute("VACUUM INTO ?", (str(target),))
    except sqlite3.DatabaseError as error:
        target.unlink(missing_ok=True)
        if getattr(error, "sqlite_errorname", "").startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
            raise StoreDamaged(f"{location.database} is damaged and cannot be copied ({error}).") from error
        raise StoreError(f"{location.database} could not be copied to {target} ({error}).") from error


def check_copy(path: Path) -> None:
    """Check that a file is a whole database of a store that this Podium can open.

    Raises:
        StoreDamaged: It is not.
        StoreTooNew: A newer Podium wrote it.
    """
    try:
        with closing(_connect(path, 30.0)) as connection:
            connection.execute("PRAGMA query_only=ON")
            version = stored_version(connection)
            if connection.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID or version is None:
                raise StoreDamaged("It holds a database that is no store's.")
            _refuse_newer(version)
            said = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
            known = set(TRIGGERS)
            for name, kind in connection.execute(
                "SELECT name, type FROM sqlite_master WHERE type IN ('trigger', 'view')"
            ):
                if name not in known:
                    raise StoreDamaged(f"Its database has a {kind} {name!r:.80} that no Podium made.")
    except sqlite3.DatabaseError as error:
        raise StoreDamaged(f"Its database is damaged ({error}).") from error
    if said != "ok":
        raise StoreDamaged(f"Its database is damaged ({said}).")
