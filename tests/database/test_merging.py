"""Another store comes home: whole, once, and whatever it holds."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

import tracking
from tests.database.stores import contents, copy_of, log_run
from tracking.records import RunStatus


def merge(source: Path, target: Path) -> Any:
    with tracking.open_store(target) as store:
        return store.merge(source)


def test_everything_comes_over_and_a_second_time_nothing(tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    ids = [log_run(there, seed) for seed in range(3)]
    report = merge(there, here)
    assert list(report.added) == ids and report.refused == report.missing == ()
    assert report.objects > 0
    first = contents(here)
    assert first == contents(there)
    again = merge(there, here)
    assert (again.added, again.updated, again.unchanged, again.objects) == ((), (), 3, 0)
    assert contents(here) == first


def test_a_repeated_merge_moves_no_revision(tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    run_id = log_run(there, 1)
    merge(there, here)
    with tracking.open_store(here) as store:
        before = store.revisions(), store.run_revision(run_id)
        store.merge(there)
        assert (store.revisions(), store.run_revision(run_id)) == before
        log_run(there, 2)
        store.merge(there)
        assert store.revisions() != before[0]


def test_what_is_here_stays_and_both_end_equal(tmp_path: Path) -> None:
    a, b = tmp_path / "a", tmp_path / "b"
    log_run(a, 1)
    log_run(b, 2)
    merge(a, b)
    merge(b, a)
    assert contents(a) == contents(b) and len(contents(a)["runs"]) == 2
    merge(a, b)
    assert contents(a) == contents(b)


def test_a_run_that_went_on_is_brought_up_to_date(tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    run_id = log_run(there, 1, steps=20)
    merge(there, here)
    with tracking.open_store(here) as store:
        store.set_notes(run_id, "mine")
        store.set_tags(run_id, ["kept"])
        store.set_name(run_id, "my name")
    with tracking.start_run(resume=run_id, store=there, capture=False) as run:
        for step in range(10, 30):
            run.log({"loss": 100.0 + step}, step=step)
        run.log_params({"later": True})
        run.set_tags(["theirs"])
    report = merge(there, here)
    assert list(report.updated) == [run_id]
    with tracking.open_store(here) as store, tracking.open_store(there) as other:
        record = store.run(run_id)
        assert (record.name, record.notes, record.tags) == ("my name", "mine", ("kept",))
        assert record.params["later"] is True
        assert record.metrics["loss"] == other.run(run_id).metrics["loss"]
        for superseded in (False, True):
            ours = store.history(run_id, "loss", superseded=superseded)
            assert ours.equals(other.history(run_id, "loss", superseded=superseded))
    assert merge(there, here).updated == ()


def test_a_run_that_goes_on_on_both_sides_has_both_sessions(tmp_path: Path) -> None:
    a, b = tmp_path / "a", tmp_path / "b"
    run_id = log_run(a, 1, steps=10)
    merge(a, b)
    for folder, value in ((a, 1000.0), (b, 2000.0)):
        with tracking.start_run(resume=run_id, store=folder, capture=False) as run:
            for step in range(5, 15):
                run.log({"loss": value + step}, step=step)
    merge(a, b)
    merge(b, a)
    assert contents(a) == contents(b)
    with tracking.open_store(a) as store:
        # The session that began last shows.
        assert store.run(run_id).metrics["loss"].last == 2014.0
        assert len(store.history(run_id, "loss", superseded=True)) == 30


def test_a_live_run_is_lost_here_until_it_ends_there(tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    run = tracking.start_run("live", store=there, capture=False)
    for step in range(5):
        run.log({"loss": float(step)}, step=step)
    merge(there, here)
    with tracking.open_store(here) as store:
        record = store.run(run.id)
        assert record.status is RunStatus.LOST and "had not ended" in (record.error or "")
        assert record.metrics["loss"].count == 5
    run.log({"loss": 9.0}, step=9)
    run.set_notes("at last")
    run.finish()
    assert list(merge(there, here).updated) == [run.id]
    with tracking.open_store(here) as store:
        record = store.run(run.id)
        assert (record.status, record.error, record.notes) == (RunStatus.FINISHED, None, "at last")
        assert record.metrics["loss"].last == 9.0
    assert contents(here) == contents(there)


def test_a_merge_back_never_touches_a_run_that_is_live_here(tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    run = tracking.start_run("live", store=here, capture=False)
    run.log({"loss": 1.0}, step=1)
    merge(here, there)
    # A copy of our own spool, read in over there, is ahead of our own database.
    copied = copy_of(here, tmp_path / "copied")
    run.log({"loss": 2.0}, step=2)
    for source in (there, copied):
        assert merge(source, here).updated == ()
    run.log({"loss": 3.0}, step=3)
    run.finish()
    with tracking.open_store(here) as store:
        assert store.run(run.id).status is RunStatus.FINISHED
        assert store.history(run.id, "loss")["value"].tolist() == [1.0, 2.0, 3.0]


def test_the_other_store_is_not_touched(tmp_path: Path) -> None:
    there = tmp_path / "there"
    log_run(there, 1)
    run = tracking.start_run("dead", store=there, capture=False)
    run.log({"loss": 1.0})
    copied = copy_of(there, tmp_path / "copied")
    run.finish()

    def state() -> dict[str, tuple[int, bytes]]:
        return {
            str(path.relative_to(copied)): (path.stat().st_mtime_ns, path.read_bytes())
            for path in sorted(copied.rglob("*"))
            if path.is_file()
        }

    before = state()
    assert any(name.endswith(".spool") for name in before)
    report = merge(copied, tmp_path / "here")
    assert len(report.added) == 2
    assert state() == before
    assert list((tmp_path / "here").glob(".merge-*")) == []


def test_an_older_store_is_migrated_in_the_copy(tmp_path: Path) -> None:
    there = tmp_path / "there"
    run_id = log_run(there, 1, carried=False)
    with closing(sqlite3.connect(there / "tracking.db")) as database:
        database.executescript(
            "DROP TABLE study_attributes; DROP TABLE study_params; DROP TABLE study_snapshots;"
            "DROP TABLE study_trials; DROP TABLE study_journal; DROP TABLE studies;"
            "DROP TABLE captures; DROP TABLE dataset_uses; DROP TABLE datasets; DROP TABLE artifacts;"
            "ALTER TABLE sessions DROP COLUMN rank; UPDATE podium_schema SET version_num = '0002'"
        )
    report = merge(there, tmp_path / "here")
    assert list(report.added) == [run_id]
    with closing(sqlite3.connect(there / "tracking.db")) as database:
        assert database.execute("SELECT version_num FROM podium_schema").fetchone() == ("0002",)


def alter(script: str) -> Callable[[Path], None]:
    def change(store: Path) -> None:
        with closing(sqlite3.connect(store / "tracking.db")) as database:
            database.executescript(script)

    return change


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
            "",
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


def test_ranks_of_one_run_on_two_machines_become_one_run(tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    run_id = log_run(here, 1)
    other = log_run(there, 2)
    alter(
        f"DROP TRIGGER runs_uid_is_fixed; UPDATE runs SET uid = '{run_id}' WHERE uid = '{other}';"
        f"UPDATE sessions SET spool = '{run_id}.0123456789ab', owner = 0, rank = 1"
    )(there)
    assert list(merge(there, here).updated) == [run_id]
    with tracking.open_store(here) as store:
        assert store.run(run_id).metrics["loss"].count == 100
        assert len(store.artifacts(run_id, superseded=True)) == 6


def test_the_trash_is_respected_on_both_sides(tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    gone, kept = log_run(there, 1), log_run(there, 2)
    alter(f"UPDATE runs SET deleted = 1 WHERE uid = '{gone}'")(there)
    assert list(merge(there, here).added) == [kept]
    alter(f"UPDATE runs SET deleted = 1 WHERE uid = '{kept}'")(here)
    assert merge(there, here).unchanged == 1
    with tracking.open_store(here) as store:
        assert store.run(kept).deleted


def test_goals_and_repeats_given_here_stay(tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    log_run(here, 1)
    log_run(there, 2)
    for folder, goal, vary in ((here, "minimize", ["a"]), (there, "maximize", ["b"])):
        with tracking.start_run("exp", store=folder, capture=False) as run:
            run.define_metric("shared", goal=goal)
            run.define_repeat(vary)
            if folder == there:
                run.define_metric("new", goal="maximize")
    merge(there, here)
    with tracking.open_store(here) as store:
        (experiment,) = store.experiments()
        assert experiment.goals["shared"] == "minimize" and experiment.goals["new"] == "maximize"
        assert experiment.vary == ("a",)
