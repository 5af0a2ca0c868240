"""Stores of every released schema come up to date whole, and newer or foreign files are left alone."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import create_engine

import tracking
from tracking.config import StoreLocation
from tracking.database import migrate, schema
from tracking.database.engine import make_engine
from tracking.database.registry_tables import ModelRow
from tracking.database.study_tables import StudyRow
from tracking.errors import StoreDamaged, StoreTooNew

RunScript = Callable[..., "subprocess.CompletedProcess[str]"]
STORES = Path(__file__).parent / "stores"
RELEASED = sorted(path.stem for path in STORES.glob("*.db"))


def rows(database: Path) -> dict[str, list[dict[str, Any]]]:
    connection = sqlite3.connect(database)
    names = [
        name
        for (name,) in connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY 1"
        )
        if name != schema.VERSION_TABLE
    ]
    found = {}
    for name in names:
        cursor = connection.execute(f"SELECT * FROM {name} ORDER BY 1, 2")
        columns = [column[0] for column in cursor.description]
        found[name] = [
            {
                column: value.hex() if isinstance(value, bytes) else value
                for column, value in zip(columns, row, strict=True)
            }
            for row in cursor
        ]
    connection.close()
    return found


def put_old(folder: Path, release: str) -> StoreLocation:
    folder.mkdir()
    (folder / "tracking.db").write_bytes((STORES / f"{release}.db").read_bytes())
    return StoreLocation(folder)


def test_there_is_a_store_of_every_schema_before_this_one() -> None:
    known = [revision.revision for revision in migrate.revisions().walk_revisions()]
    assert known[0] == schema.CURRENT
    assert sorted(known)[:-1] == RELEASED


@pytest.mark.parametrize("release", RELEASED)
def test_upgrade_keeps_every_row(release: str, store_folder: Path) -> None:
    location = put_old(store_folder, release)
    expected = json.loads((STORES / f"{release}.json").read_text())
    assert rows(location.database) == expected
    schema.ensure_current(location)
    upgraded = rows(location.database)
    for table, old in expected.items():
        for before, after in zip(old, upgraded[table], strict=True):
            assert {column: after[column] for column in before} == before
    (backup,) = location.backups.iterdir()
    assert rows(backup) == expected
    assert backup.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("release", RELEASED)
def test_an_upgraded_store_works(release: str, store_folder: Path) -> None:
    put_old(store_folder, release)
    kept = json.loads((STORES / f"{release}.json").read_text())
    with tracking.open_store(store_folder) as store:
        found = store.search(limit=None, children=True)
        assert set(found["run"]) == {row["uid"] for row in kept["runs"] if row["deleted"] is None}
        studies = [row for row in kept.get("studies", ()) if row["deleted"] is None]
        assert [study.name for study in store.studies()] == [row["name"] for row in studies]
        assert [len(store.trials(row["name"])) for row in studies] == [row["trials"] for row in studies]
        seeds = found[found["name"] == "seed 1"]["run"].iloc[0]
        history = store.history(seeds, "loss")["value"]
        assert len(history) == 302
        assert history.isna().sum() == 1
        with tracking.start_run("digits", store=store_folder) as run:
            run.log({"loss": 1.0})
        assert store.run(run.id).status is tracking.RunStatus.FINISHED


def test_a_new_store_is_what_the_revisions_come_to() -> None:
    made, migrated = (sqlite3.connect(":memory:", isolation_level=None) for _ in range(2))
    schema.make(made)
    migrate.upgrade(migrated)
    assert schema.describe(made) == schema.describe(migrated), (
        "python -m tracking.database.migrate writes it anew"
    )
    tables = migrated.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    for (table,) in tables:
        held = [each.execute(f'SELECT * FROM "{table}"').fetchall() for each in (made, migrated)]
        assert held[0] == held[1], table
    made.close()
    migrated.close()


@pytest.mark.parametrize("release", RELEASED)
def test_an_upgraded_store_has_the_tables_of_a_new_one(
    release: str, store_folder: Path, tmp_path: Path
) -> None:
    upgraded, new = put_old(store_folder, release), StoreLocation(tmp_path / "new")
    found = []
    for location in (upgraded, new):
        schema.ensure_current(location)
        connection = sqlite3.connect(location.database)
        found.append(sorted(schema.describe(connection)))
        connection.close()
    assert found[0] == found[1]


def test_a_new_store_needs_no_alembic(run_script: RunScript, store_folder: Path) -> None:
    done = run_script(
        "import sys, tracking; tracking.open_store(sys.argv[1]); print('alembic' in sys.modules)",
        str(store_folder),
    )
    assert done.stdout == "False\n", done.stderr


def test_the_revisions_make_what_the_tables_say(store_folder: Path) -> None:
    location = StoreLocation(store_folder)
    schema.ensure_current(location)
    engine = make_engine(location.database, read_only=True)
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"version_table": schema.VERSION_TABLE, "compare_type": True}
        )
        assert StudyRow.metadata is ModelRow.metadata
        assert compare_metadata(context, ModelRow.metadata) == []
    engine.dispose()


def test_triggers_survive_a_rebuild_of_their_table(
    store_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    location = put_old(store_folder, RELEASED[0])
    schema.ensure_current(location)
    connection = sqlite3.connect(location.database)
    connection.execute(f"UPDATE {schema.VERSION_TABLE} SET version_num = ?", (RELEASED[-1],))
    connection.commit()
    connection.close()

    def upgrade(connection: sqlite3.Connection) -> None:
        engine = create_engine("sqlite://", creator=lambda: connection)
        with (
            engine.connect() as wrapped,
            Operations.context(MigrationContext.configure(wrapped, opts={"render_as_batch": True})) as op,
            op.batch_alter_table("sessions", recreate="always") as batch,
        ):
            batch.alter_column("host", nullable=True)
        names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
        assert ("sessions_ingested_only_grows",) not in names, "a rebuild drops the table's triggers"

    expected = rows(location.database)
    monkeypatch.setattr(migrate, "upgrade", upgrade)
    schema.ensure_current(location)
    assert rows(location.database) == expected, "a rebuild with foreign keys on would delete the child rows"
    connection = sqlite3.connect(location.database)
    with pytest.raises(sqlite3.IntegrityError, match="never goes back"):
        connection.execute("UPDATE sessions SET ingested = 0")
    with pytest.raises(sqlite3.IntegrityError, match="never changes"):
        connection.execute("UPDATE runs SET uid = uid || 'x'")
    connection.close()


def test_a_newer_store_is_refused_with_both_versions_named(store_folder: Path) -> None:
    tracking.open_store(store_folder).close()
    connection = sqlite3.connect(store_folder / "tracking.db")
    connection.execute(f"UPDATE {schema.VERSION_TABLE} SET version_num = '0099'")
    connection.commit()
    connection.close()
    with pytest.raises(StoreTooNew, match=rf"0099.*{schema.CURRENT}"):
        tracking.open_store(store_folder)


def test_a_newer_store_does_not_stop_a_training(store_folder: Path) -> None:
    test_a_newer_store_is_refused_with_both_versions_named(store_folder)
    with (
        pytest.warns(tracking.TrackingWarning, match="0099"),
        tracking.start_run("x", store=store_folder) as run,
    ):
        run.log({"loss": 1.0})
    assert len(list((store_folder / "spool").glob("*.spool"))) == 1, (
        "the run waits for a Podium that can read it"
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"this is no database at all, but long enough to be looked at " * 20, "no database"),
        (None, "another program"),
    ],
)
def test_foreign_files_are_left_untouched(content: bytes | None, message: str, store_folder: Path) -> None:
    store_folder.mkdir()
    database = store_folder / "tracking.db"
    if content is None:
        connection = sqlite3.connect(database)
        connection.execute("CREATE TABLE runs (name TEXT)")
        connection.commit()
        connection.close()
    else:
        database.write_bytes(content)
    before = database.read_bytes()
    with pytest.raises(StoreDamaged, match=message):
        tracking.open_store(store_folder)
    assert database.read_bytes() == before


def test_killed_during_a_migration_the_old_store_is_whole(run_script: RunScript, store_folder: Path) -> None:
    location = put_old(store_folder, RELEASED[0])
    expected = rows(location.database)
    done = run_script(
        """
        import os, signal, sys
        import tracking.database.migrate as migrate, tracking
        then = migrate.upgrade
        def upgrade(connection):
            then(connection)
            os.kill(os.getpid(), signal.SIGKILL)
        migrate.upgrade = upgrade
        tracking.open_store(sys.argv[1])
        """,
        str(store_folder),
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    connection = sqlite3.connect(location.database)
    assert connection.execute(f"SELECT version_num FROM {schema.VERSION_TABLE}").fetchone() == (RELEASED[0],)
    connection.close()
    assert rows(location.database) == expected
    with tracking.open_store(store_folder) as store:
        assert store.count(children=True) == len(expected["runs"])


def test_ingest_stops_when_another_podium_migrates_the_store(
    store_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tracking.open_store(store_folder).close()
    with tracking.start_run("x", store=store_folder) as run:
        run.log({"loss": 1.0})
        tracking.open_store(store_folder).run(run.id)
        connection = sqlite3.connect(store_folder / "tracking.db")
        connection.execute(f"UPDATE {schema.VERSION_TABLE} SET version_num = '0099'")
        connection.commit()
        with pytest.warns(tracking.TrackingWarning, match="0099"):
            run.log({"loss": 2.0})
            run.finish()
    connection.execute(f"UPDATE {schema.VERSION_TABLE} SET version_num = '{schema.CURRENT}'")
    connection.commit()
    connection.close()
    with tracking.open_store(store_folder) as store:
        store.recover()
        record = store.run(run.id)
        assert (record.status, record.metrics["loss"].count) == (tracking.RunStatus.FINISHED, 2)


def test_files_are_private_to_the_user(store_folder: Path) -> None:
    tracking.open_store(store_folder).close()
    assert os.stat(store_folder).st_mode & 0o077 == 0
    assert (store_folder / ".gitignore").read_text() == "*\n"
