"""Another store is merged from the command line."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import tracking
from tests.cli.conftest import Command
from tests.database.stores import log_run


def test_merge_says_what_it_did(command: Command, store_folder: Path, tmp_path: Path) -> None:
    there = tmp_path / "there"
    ids = [log_run(there, seed) for seed in range(2)]
    done = command("merge", str(there))
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("2 runs added, 0 brought up to date, 0 unchanged; ")
    assert command("merge", str(there)).out.startswith(
        "0 runs added, 0 brought up to date, 2 unchanged; 0 files"
    )
    with tracking.open_store(store_folder) as store:
        assert sorted(store.search()["run"]) == sorted(ids)
    with tracking.open_store(there) as store:
        store.register("digits", ids[0], artifact="shared.txt")
    assert command("merge", str(there)).err.startswith("1 registered model stayed over there")


def test_what_was_left_out_is_listed_and_never_obeyed(command: Command, tmp_path: Path) -> None:
    there = tmp_path / "there"
    log_run(there, 1)
    log_run(there, 2)
    with closing(sqlite3.connect(there / "tracking.db")) as database:
        database.execute("UPDATE runs SET status = char(27) || '[31mred' WHERE id = 1")
        database.execute("UPDATE artifacts SET name = char(27) || ']0;x' || char(7) WHERE run_id = 2")
        database.commit()
    done = command("merge", str(there))
    assert done.code == 0 and done.out.startswith("1 runs added")
    assert "Left out:" in done.err and "is no status" in done.err
    assert "\x1b" not in done.err + done.out and "\x07" not in done.err


def test_bytes_that_did_not_come_are_listed(command: Command, tmp_path: Path) -> None:
    there = tmp_path / "there"
    run_id = log_run(there, 1)
    with tracking.open_store(there) as store:
        digest = store.artifacts(run_id)[0].digest
    (there / "objects" / digest[:2] / digest[2:]).unlink()
    done = command("merge", str(there))
    assert done.code == 0 and "Without their bytes" in done.err and run_id in done.err


def test_mistakes_are_explained(command: Command, store_folder: Path, tmp_path: Path) -> None:
    for other, says in ((tmp_path / "nothing", "no store"), (store_folder, "itself")):
        done = command("merge", str(other))
        assert done.code == 2 and says in done.err and done.err.count("\n") == 1
