"""`gc` removes what is in the trash and what nothing refers to, and nothing else whatever happens beside it."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from subprocess import Popen

import pytest

import tracking
from tracking.client.carrying import carry_bytes

StartScript = Callable[..., "Popen[str]"]


def log(store_folder: Path, *contents: str, folder: bool = False, parent: str | None = None) -> str:
    """Log files with these contents, or one folder of them; returns the run's id."""
    place = store_folder.parent / f"data{time.monotonic_ns()}"
    place.mkdir()
    with tracking.start_run(store=store_folder, capture=False, parent=parent) as run:
        for number, text in enumerate(contents):
            (place / f"{number}.txt").write_text(text)
            if not folder:
                run.log_artifact(place / f"{number}.txt")
        if folder:
            run.log_artifact(place, "folder")
    return run.id


def stored(store_folder: Path) -> set[str]:
    """Return the contents of the objects that are no list of files."""
    found = {path.read_bytes().decode() for path in (store_folder / "objects").glob("??/*")}
    return {text for text in found if not text.startswith('{"format"')}


def age(store_folder: Path) -> None:
    for place in ("objects", "logs"):
        for path in (store_folder / place).rglob("*"):
            if path.is_file():
                os.utime(path, (1, 1))


def test_a_purged_run_takes_only_what_is_its_own(store: tracking.Store, store_folder: Path) -> None:
    gone = log(store_folder, "own", "shared", "in folder")
    kept = log(store_folder, "shared")
    folder = log(store_folder, "in folder", folder=True)
    store.delete_run(gone)
    age(store_folder)
    plan = store.gc(dry_run=True)
    assert stored(store_folder) == {"own", "shared", "in folder"}
    assert [one.id for one in store.trash()] == [gone]
    done = store.gc()
    assert (plan.dry_run, done.dry_run) == (True, False)
    assert (plan.runs, plan.objects, plan.bytes) == (done.runs, done.objects, done.bytes)
    assert [(one.id, one.bytes) for one in done.runs] == [(gone, 3)]
    assert (done.objects, done.bytes) == (1, 3)
    assert stored(store_folder) == {"shared", "in folder"}
    assert store.trash() == [] and store.verify() == []
    assert store.open_artifact(kept, "0.txt").read() == b"shared"
    assert store.open_artifact(folder, "folder", path="0.txt").read() == b"in folder"
    for act in (store.run, store.restore, store.artifacts):
        with pytest.raises(tracking.NotFound):
            act(gone)


def test_everything_of_a_purged_run_leaves_the_database(store: tracking.Store, store_folder: Path) -> None:
    def sizes() -> dict[str, int]:
        connection = sqlite3.connect(store_folder / "tracking.db")
        names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {
            name: connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0]
            for name in names
            if not name.endswith("_keys")
        }

    log(store_folder, "keeps the experiment")
    before = sizes()
    with tracking.start_run(store=store_folder, capture=False, params={"lr": 1}, tags=["a"]) as run:
        for step in range(5000):
            run.log({"loss": step, "accuracy": step}, step=step)
        carry_bytes(run._session, {"t": "capture", "section": "diff", "data": {}}, b"a diff")
        event = {"t": "dataset", "name": "train", "digest": "d" * 64, "kind": "file"}
        carry_bytes(run._session, event, b"a dataset", field="object")
        (store_folder / "logs").mkdir(exist_ok=True)
        log_file = store_folder / "logs" / f"{run._session.writer.files.spool_id}.console"  # type: ignore[union-attr]
        log_file.write_text("printed")
    store.delete_run(run.id)
    age(store_folder)
    (report,) = store.gc().runs
    assert report.bytes == len("a diff") + len("a dataset") + len("printed")
    assert not log_file.exists()
    assert sizes() == before
    assert stored(store_folder) == {"keeps the experiment"}


def test_a_dataset_lives_as_long_as_one_of_its_users(store: tracking.Store, store_folder: Path) -> None:
    event = {"t": "dataset", "name": "train", "digest": "d" * 64, "kind": "file"}
    runs = []
    for _ in range(2):
        with tracking.start_run(store=store_folder, capture=False) as run:
            carry_bytes(run._session, event, b"a dataset", field="object")
        runs.append(run.id)
    age(store_folder)
    for run_id, left in zip(runs, ({"a dataset"}, set()), strict=True):
        store.delete_run(run_id)
        store.gc()
        assert stored(store_folder) == left
        assert len(store.dataset_users("d" * 64)) == len(left)


def test_what_is_fresh_is_spared_and_said(store: tracking.Store, store_folder: Path) -> None:
    run_id = log(store_folder, "fresh")
    store.delete_run(run_id)
    report = store.gc()
    assert [one.id for one in report.runs] == [run_id]
    assert report.objects == report.bytes == 0
    (spared,) = report.spared
    assert (spared.what, spared.bytes) == ("1 object", 5) and "24 hours" in spared.why
    age(store_folder)
    assert store.gc().objects == 1
    assert stored(store_folder) == set()


def test_bytes_logged_again_count_as_fresh(store: tracking.Store, store_folder: Path) -> None:
    store.delete_run(log(store_folder, "again"))
    age(store_folder)
    again = log(store_folder, "again")
    store.delete_run(again)
    store.gc()
    assert stored(store_folder) == {"again"}


def test_only_what_is_long_enough_in_the_trash_goes(store: tracking.Store, store_folder: Path) -> None:
    run_id = log(store_folder, "x")
    store.delete_run(run_id)
    age(store_folder)
    report = store.gc(older_than=timedelta(hours=1))
    assert report.runs == () and report.objects == 0
    assert [one.what for one in report.spared] == [run_id]
    time.sleep(0.05)
    assert [one.id for one in store.gc(older_than=timedelta(milliseconds=10)).runs] == [run_id]
    with pytest.raises(tracking.InvalidValue, match="timedelta"):
        store.gc(older_than=7)  # type: ignore[arg-type]


def test_a_run_whose_part_is_wanted_stays(store: tracking.Store, store_folder: Path) -> None:
    top = log(store_folder, "top")
    store.delete_run(top)
    child = log(store_folder, "late child", parent=top)
    age(store_folder)
    report = store.gc()
    assert report.runs == () and child in report.spared[0].why
    assert stored(store_folder) == {"top", "late child"}
    store.delete_run(child)
    assert {one.id for one in store.gc().runs} == {top, child}


def test_what_only_a_spool_knows_is_alive(
    store: tracking.Store, store_folder: Path, start_script: StartScript
) -> None:
    """A live process whose database stays locked: its artifacts are in its spool alone."""
    process = start_script(
        """
        import os, sys, tracking
        import tracking.client.ingester as ingester
        ingester.Ingester._look_after = lambda self, followed: None
        os.mkdir("data")
        open("data/inside.txt", "w").write("in a folder")
        open("file.txt", "w").write("a file")
        run = tracking.start_run(store=sys.argv[1], capture=False)
        run.log_artifact("data")
        run.log_artifact("file.txt")
        print(run.id, flush=True)
        sys.stdin.read()
        """,
        str(store_folder),
    )
    assert process.stdout is not None
    run_id = process.stdout.readline().strip()
    age(store_folder)
    report = store.gc()
    assert report.objects == 0
    assert stored(store_folder) == {"in a folder", "a file"}
    process.kill()
    process.wait()
    assert store.recover() == [run_id] or store.run(run_id).status == "lost"
    assert store.gc().objects == 0
    assert store.open_artifact(run_id, "data", path="inside.txt").read() == b"in a folder"
    store.delete_run(run_id)
    assert store.gc().objects == 3


def test_a_spool_kept_aside_as_damaged_keeps_its_bytes(store: tracking.Store, store_folder: Path) -> None:
    store.delete_run(log(store_folder, "referred to by a damaged spool"))
    (stored_path,) = (store_folder / "objects").glob("??/*")
    digest = stored_path.parent.name + stored_path.name
    aside = store_folder / "spool" / "someone.0123456789ab.damaged"
    aside.write_bytes(b"\0\1garbage" + f'{{"digest": "{digest}"'.encode() + b"\xff\xff")
    age(store_folder)
    assert store.gc().objects == 0
    aside.unlink()
    assert store.gc().objects == 1


def test_a_list_of_files_that_cannot_be_read_stops_the_clean_up(
    store: tracking.Store, store_folder: Path
) -> None:
    folder = log(store_folder, "inside", folder=True)
    store.delete_run(log(store_folder, "garbage"))
    age(store_folder)
    record = store.artifacts(folder)[0]
    path = store_folder / "objects" / record.digest[:2] / record.digest[2:]
    whole = path.read_bytes()
    for broken in (b"X" + whole[1:], None):
        path.unlink()
        if broken is not None:
            path.write_bytes(broken)
        for dry_run in (True, False):
            with pytest.raises(tracking.ArtifactDamaged, match=f"'folder' of run {folder}"):
                store.gc(dry_run=dry_run)
        if broken is None:
            path.touch()
    assert len(store.trash()) == 1
    assert {"inside", "garbage"} <= stored(store_folder)
    # Without the run nobody needs the list.
    store.delete_run(folder)
    assert {one.id for one in store.gc().runs} >= {folder}


def test_what_is_used_at_the_last_moment_stays(
    store: tracking.Store, store_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A writer finds its bytes there and touches them after the clean-up has looked at their age."""
    store.delete_run(log(store_folder, "again"))
    age(store_folder)
    real = os.rename

    def touching(source: Path, target: Path) -> None:
        if not Path(source).name.startswith("."):
            os.utime(source)
        real(source, target)

    with monkeypatch.context() as patched:
        patched.setattr(os, "rename", touching)
        assert store.gc().objects == 0
    assert stored(store_folder) == {"again"}


def test_a_killed_clean_up_is_made_good(store: tracking.Store, store_folder: Path) -> None:
    run_id = log(store_folder, "alive")
    (path,) = (store_folder / "objects").glob("??/*")
    path.rename(store_folder / "objects" / f".aside-{path.parent.name}{path.name}")
    path.parent.rmdir()
    store.gc()
    assert store.open_artifact(run_id, "0.txt").read() == b"alive"


def test_orphans_of_killed_writers_go(store: tracking.Store, store_folder: Path) -> None:
    log(store_folder, "kept")
    path = store_folder / "objects" / "ab" / ("0" * 62)
    path.parent.mkdir(exist_ok=True)
    path.write_text("orphan")
    assert store.gc().objects == 0
    age(store_folder)
    report = store.gc()
    assert (report.objects, report.bytes, report.runs) == (1, 6, ())
    assert stored(store_folder) == {"kept"}


def test_an_empty_store_is_clean(store: tracking.Store) -> None:
    report = store.gc()
    assert (report.runs, report.objects, report.bytes, report.spared) == ((), 0, 0, ())
