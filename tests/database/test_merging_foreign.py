"""Stores from elsewhere: damaged, hostile, older, newer, half copied."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

import tracking
from tests.database.stores import alter, contents, log_run, merge


def test_an_older_store_is_migrated_in_the_copy(tmp_path: Path) -> None:
    there = tmp_path / "there"
    run_id = log_run(there, 1, carried=False)
    with closing(sqlite3.connect(there / "tracking.db")) as database:
        database.executescript(
            "DROP TABLE registry_journal; DROP TABLE version_notes; DROP TABLE model_versions; DROP TABLE models;"
            "DROP TABLE study_attributes; DROP TABLE study_params; DROP TABLE study_snapshots;"
            "DROP TABLE study_trials; DROP TABLE study_journal; DROP TABLE studies;"
            "DROP TABLE captures; DROP TABLE dataset_uses; DROP TABLE datasets; DROP TABLE artifacts;"
            "ALTER TABLE sessions DROP COLUMN rank; UPDATE podium_schema SET version_num = '0002'"
        )
    report = merge(there, tmp_path / "here")
    assert list(report.added) == [run_id]
    with closing(sqlite3.connect(there / "tracking.db")) as database:
        assert database.execute("SELECT version_num FROM podium_schema").fetchone() == ("0002",)


def cut_short(store: Path) -> None:
    with closing(sqlite3.connect(store / "tracking.db")) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    os.truncate(store / "tracking.db", (store / "tracking.db").stat().st_size // 2)


@pytest.mark.parametrize(
    ("change", "error", "says"),
    [
        (alter("UPDATE podium_schema SET version_num = '9999'"), tracking.StoreTooNew, "9999"),
        (alter("CREATE VIEW tempting AS SELECT * FROM runs"), tracking.StoreDamaged, "view 'tempting'"),
        (
            alter("CREATE TRIGGER bad AFTER UPDATE ON sessions BEGIN DELETE FROM runs; END"),
            tracking.StoreDamaged,
            "trigger 'bad'",
        ),
        (
            alter(
                "DROP TRIGGER runs_uid_is_fixed; CREATE TRIGGER runs_uid_is_fixed AFTER INSERT ON runs "
                "BEGIN DELETE FROM runs; END"
            ),
            tracking.StoreDamaged,
            "trigger 'runs_uid_is_fixed'",
        ),
        (alter("CREATE VIRTUAL TABLE v USING fts5(x)"), tracking.StoreDamaged, "virtual table"),
        (cut_short, tracking.StoreDamaged, "half copied"),
        (
            lambda store: (store / "tracking.db").write_bytes(b"nothing of the kind"),
            tracking.StoreDamaged,
            "no database",
        ),
        (lambda store: shutil.rmtree(store), tracking.NotFound, "no store"),
    ],
)
def test_what_is_no_store_is_refused(
    tmp_path: Path, change: Callable[[Path], None], error: type[Exception], says: str
) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    log_run(there, 1)
    log_run(here, 2)
    before = contents(here)
    change(there)
    with pytest.raises(error, match=says):
        merge(there, here)
    assert contents(here) == before
    assert list(here.glob(".merge-*")) == []


def test_a_store_is_not_merged_with_itself(tmp_path: Path) -> None:
    log_run(tmp_path / "here", 1)
    (tmp_path / "link").symlink_to(tmp_path / "here")
    for name in ("here", "link"):
        with pytest.raises(tracking.InvalidValue, match="itself"):
            merge(tmp_path / name, tmp_path / "here")


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE runs SET name = 'a' || char(27) || 'b' WHERE id = 1",
        "UPDATE runs SET status = 'fine' WHERE id = 1",
        "UPDATE runs SET created = 'yesterday' WHERE id = 1",
        "UPDATE runs SET parent = '../../x' WHERE id = 1",
        "UPDATE runs SET notes = x'00ff' WHERE id = 1",
        "UPDATE runs SET name = CAST(x'ff' AS TEXT) WHERE id = 1",
        "DROP TRIGGER runs_uid_is_fixed; UPDATE runs SET uid = '../../etc' WHERE id = 1",
        "UPDATE sessions SET spool = '../../x.0123456789ab' WHERE run_id = 1",
        "UPDATE sessions SET ingested = 'all' WHERE run_id = 1",
        "UPDATE params SET kind = 'pickle' WHERE run_id = 1",
        "UPDATE params SET kind = 'int', text = 'many' WHERE run_id = 1",
        "UPDATE tags SET tag = char(7) || tag WHERE run_id = 1",
        "UPDATE metric_blocks SET data = x'01' WHERE series_id = 1",
        "UPDATE metric_blocks SET data = zeroblob(100000000) WHERE series_id = 1",
    ],
)
def test_a_run_that_breaks_the_rules_is_left_out_and_the_others_come(tmp_path: Path, change: str) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    log_run(there, 1)
    good = log_run(there, 2)
    alter(change)(there)
    report = merge(there, here)
    assert list(report.added) == [good]
    assert len(report.refused) == 1
    with tracking.open_store(here) as store:
        assert store.search()["run"].tolist() == [good]
        assert store.experiments()[0].runs == 1


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "/etc/passwd", "a\\b", "C:x", "%2e%2e/x", "nul", "x" * 300, ""]
)
def test_a_hostile_artifact_name_is_left_out(tmp_path: Path, name: str) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    run_id = log_run(there, 1)
    with closing(sqlite3.connect(there / "tracking.db")) as database:
        database.execute("UPDATE artifacts SET name = ? WHERE id = 1", (name,))
        database.commit()
    report = merge(there, here)
    assert list(report.added) == [run_id] and "artifact" in report.refused[0]
    with tracking.open_store(here) as store, tracking.open_store(there) as other:
        assert len(store.artifacts(run_id, superseded=True)) == (
            len(other.artifacts(run_id, superseded=True)) - 1
        )


@pytest.mark.parametrize("harm", ["missing", "flipped", "link", "fifo"])
def test_bytes_that_did_not_come_whole_come_the_next_time(tmp_path: Path, harm: str) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    run_id = log_run(there, 1)
    with tracking.open_store(there) as store:
        digest = store.artifacts(run_id)[0].digest
    path = there / "objects" / digest[:2] / digest[2:]
    kept = path.read_bytes()
    path.unlink()
    if harm == "flipped":
        path.write_bytes(bytes([kept[0] ^ 1]) + kept[1:])
    elif harm == "link":
        path.symlink_to("/etc/passwd")
    elif harm == "fifo":
        os.mkfifo(path)
    report = merge(there, here)
    assert list(report.added) == [run_id] and len(report.missing) == 1
    assert run_id in report.missing[0]
    assert not (here / "objects" / digest[:2] / digest[2:]).exists()
    path.unlink(missing_ok=True)
    path.write_bytes(kept)
    report = merge(there, here)
    assert (report.unchanged, report.objects, report.missing) == (1, 1, ())
    assert contents(here) == contents(there)


def test_another_run_of_the_same_id_is_left_out(tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    run_id = log_run(here, 1)
    other = log_run(there, 2)
    spool = f"{run_id}.0123456789ab"
    alter(
        f"DROP TRIGGER runs_uid_is_fixed; UPDATE runs SET uid = '{run_id}' WHERE uid = '{other}';"
        f"UPDATE sessions SET spool = '{spool}'"
    )(there)
    before = contents(here)
    report = merge(there, here)
    assert "another run of this id" in report.refused[0] and report.added == ()
    assert contents(here)["runs"] == before["runs"]


def test_a_link_in_place_of_the_database_is_not_followed(tmp_path: Path) -> None:
    here, there, real = tmp_path / "here", tmp_path / "there", tmp_path / "real"
    log_run(real, 1)
    there.mkdir()
    (there / "tracking.db").symlink_to(real / "tracking.db")
    with pytest.raises(tracking.StoreError):
        merge(there, here)
    assert contents(here)["runs"] == {}
