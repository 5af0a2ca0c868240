"""Trash, clean-up, verification and backup from the command line."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import tracking
from tests.cli.conftest import Command


@pytest.fixture
def run_id(tmp_path: Path, store_folder: Path) -> str:
    (tmp_path / "a.txt").write_text("bytes of a file")
    with tracking.start_run("[31mred", store=store_folder, capture=False) as run:
        run.log_artifact(tmp_path / "a.txt")
    for path in (store_folder / "objects").glob("??/*"):
        os.utime(path, (1, 1))
    return run.id


def test_a_run_goes_to_the_trash_and_back(run_id: str, store_folder: Path, command: Command) -> None:
    done = command("delete", run_id[:18])
    assert done.code == 0 and f"restore {run_id}" in done.out, done.err
    listed = command("restore")
    assert listed.out.startswith(run_id) and "15 B" in listed.out
    assert command("restore", run_id).out == "1 run back.\n"
    assert command("restore").out == ""
    assert command("delete", "--experiment", "[31mred").code == 0
    assert command("restore", "[31mred").out == "1 run back.\n"


def test_gc_shows_its_plan_and_asks(run_id: str, store_folder: Path, command: Command) -> None:
    command("delete", run_id)
    for arguments, answer in (
        (["--dry-run"], ""),
        ([], "n\n"),
        ([], ""),
        (["--older-than", "1d"], "y\n"),
    ):
        done = command("gc", *arguments, answer=answer)
        assert ("--older-than" in arguments) == (run_id not in done.out.splitlines()[0])
        assert "gone:" not in done.out
    assert command("restore").out.startswith(run_id)
    done = command("gc", "--yes")
    assert "1 run and 1 object would go: 15 B." in done.out
    assert "1 run and 1 object gone: 15 B." in done.out
    assert command("gc").out == "0 runs and 0 objects would go: 0 B.\n"


def test_verify_lists_what_is_damaged_and_says_so_by_its_exit_code(
    run_id: str, store_folder: Path, command: Command
) -> None:
    done = command("verify")
    assert (done.code, done.out) == (0, "All is as it was logged: 1 object.\n")
    (path,) = (store_folder / "objects").glob("??/*")
    path.chmod(0o644)
    path.write_text("Bytes of a file")
    done = command("verify")
    assert done.code == 1
    assert done.out.startswith(f"damaged  run {run_id}  artifact a.txt")


def test_names_with_control_characters_are_shown_without_them(
    run_id: str, store_folder: Path, command: Command
) -> None:
    import sqlite3

    connection = sqlite3.connect(store_folder / "tracking.db")
    connection.execute("UPDATE runs SET name = ?", ("\x1b]0;title\x07\x1b[2Jname",))
    connection.execute("UPDATE artifacts SET name = ?, digest = ?", ("\x1b[31mred\r", "\x1b[2J"))
    connection.commit()
    connection.close()
    shown = command("verify").out
    command("delete", run_id)
    shown += command("restore").out
    done = command("gc", "--yes")
    shown += done.out + done.err
    assert "name" in shown and run_id in shown
    assert not {"\x1b", "\x07", "\r"} & set(shown)


def test_a_backup_comes_back(
    run_id: str, tmp_path: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = command("backup", "copy.zip")
    assert done.code == 0 and "copy.zip" in done.out, done.err
    done = command("backup", "--restore", "copy.zip", "--store", str(tmp_path / "back"))
    assert done.code == 0, done.err
    with tracking.open_store(tmp_path / "back") as store:
        assert store.open_artifact(run_id, "a.txt").read() == b"bytes of a file"


def test_a_backup_of_a_damaged_store_names_what_is_damaged_and_brings_the_rest_back(
    run_id: str, store_folder: Path, tmp_path: Path, command: Command
) -> None:
    (tmp_path / "b.txt").write_text("bytes of another file")
    (tmp_path / "c.txt").write_text("bytes of a third file")
    with tracking.start_run(store=store_folder, capture=False) as run:
        run.log_artifact(tmp_path / "b.txt")
        run.log_artifact(tmp_path / "c.txt")
    named = {}
    with tracking.open_store(store_folder) as store:
        for one in store.artifacts(run.id):
            named[one.name] = one.digest
    damaged, missing = (
        store_folder / "objects" / named[name][:2] / named[name][2:] for name in ("b.txt", "c.txt")
    )
    damaged.chmod(0o644)
    damaged.write_text("Bytes of another file")
    missing.unlink()

    file, back = tmp_path / "copy.zip", tmp_path / "back"
    done = command("backup", str(file))
    assert (done.code, done.out.split("  ")[0]) == (1, str(file))
    *lines, last = done.err.splitlines()
    assert lines == [
        f"damaged  run {run.id}  artifact b.txt  {named['b.txt']}",
        f"missing  run {run.id}  artifact c.txt  {named['c.txt']}",
    ]
    assert last.startswith("The backup is written, with everything else in it; 2 of")

    done = command("backup", "--restore", str(file), "--store", str(back))
    assert (done.code, done.out) == (1, f"The store is back in {back}\n")
    assert done.err.splitlines()[:-1] == lines
    assert "with everything else" in done.err.splitlines()[-1]
    verified = command("verify", "--store", str(back))
    assert verified.code == 1
    assert verified.out == "\n".join(lines).replace("damaged", "missing") + "\n"
    with tracking.open_store(back) as store:
        assert store.open_artifact(run_id, "a.txt").read() == b"bytes of a file"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["delete", "absent"], "no run 'absent'"),
        (["restore", "absent"], "no run 'absent'"),
        (["gc", "--older-than", "soon"], "12h"),
        (["backup", "--restore", "absent.zip"], "not empty"),
        (["backup", "nowhere/copy.zip"], "could not be written"),
    ],
)
def test_a_mistake_is_one_line(
    arguments: list[str], says: str, run_id: str, store_folder: Path, command: Command
) -> None:
    done = command(*arguments)
    assert done.code == 2
    assert says in done.err and done.err.count("\n") == 1
    assert "Traceback" not in done.err


def test_care_makes_no_store(tmp_path: Path, command: Command) -> None:
    for arguments in (["gc"], ["verify"], ["restore"], ["delete", "x"], ["backup", "x.zip"]):
        done = command(*arguments, "--store", str(tmp_path / "absent"))
        assert done.code == 2 and "no store" in done.err
    assert not (tmp_path / "absent").exists()


def test_to_delete_twice_says_that_there_was_nothing_to_delete(
    run_id: str, store_folder: Path, command: Command
) -> None:
    command("delete", run_id)
    done = command("delete", run_id)
    assert done.code == 0 and done.out == ""
    assert f"{run_id} is in the trash already" in done.err


def test_gc_without_an_answer_says_how_to_go_without_one(
    run_id: str, store_folder: Path, command: Command
) -> None:
    command("delete", run_id)
    done = command("gc")
    assert done.code == 1 and "--yes" in done.err and "Nothing was removed" in done.err
    assert run_id in command("restore").out
    assert command("gc", "--yes").code == 0
    assert command("restore").out == ""
