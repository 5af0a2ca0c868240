"""Trash, clean-up, verification and backup from the command line."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import tracking
from tests.conftest import script_environment


def command(
    store_folder: Path, *arguments: str, answer: str | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tracking", *arguments, "--store", str(store_folder)],
        cwd=store_folder.parent,
        env=script_environment(),
        input=answer or "",
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.fixture
def run_id(tmp_path: Path, store_folder: Path) -> str:
    (tmp_path / "a.txt").write_text("bytes of a file")
    with tracking.start_run("[31mred", store=store_folder, capture=False) as run:
        run.log_artifact(tmp_path / "a.txt")
    for path in (store_folder / "objects").glob("??/*"):
        os.utime(path, (1, 1))
    return run.id


def test_a_run_goes_to_the_trash_and_back(run_id: str, store_folder: Path) -> None:
    done = command(store_folder, "delete", run_id[:18])
    assert done.returncode == 0 and f"restore {run_id}" in done.stdout, done.stderr
    listed = command(store_folder, "restore")
    assert listed.stdout.startswith(run_id) and "15 B" in listed.stdout
    assert command(store_folder, "restore", run_id).stdout == "1 run back.\n"
    assert command(store_folder, "restore").stdout == ""
    assert command(store_folder, "delete", "--experiment", "[31mred").returncode == 0
    assert command(store_folder, "restore", "[31mred").stdout == "1 run back.\n"


def test_gc_shows_its_plan_and_asks(run_id: str, store_folder: Path) -> None:
    command(store_folder, "delete", run_id)
    for arguments, answer in (
        (["--dry-run"], None),
        ([], "n\n"),
        ([], None),
        (["--older-than", "1d"], "y\n"),
    ):
        done = command(store_folder, "gc", *arguments, answer=answer)
        assert ("--older-than" in arguments) == (run_id not in done.stdout.splitlines()[0])
        assert "gone:" not in done.stdout
    assert command(store_folder, "restore").stdout.startswith(run_id)
    done = command(store_folder, "gc", "--yes")
    assert "1 run and 1 object would go: 15 B." in done.stdout
    assert "1 run and 1 object gone: 15 B." in done.stdout
    assert command(store_folder, "gc").stdout == "0 runs and 0 objects would go: 0 B.\n"


def test_verify_lists_what_is_damaged_and_says_so_by_its_exit_code(run_id: str, store_folder: Path) -> None:
    done = command(store_folder, "verify")
    assert (done.returncode, done.stdout) == (0, "All is as it was logged: 1 object.\n")
    (path,) = (store_folder / "objects").glob("??/*")
    path.chmod(0o644)
    path.write_text("Bytes of a file")
    done = command(store_folder, "verify")
    assert done.returncode == 1
    assert done.stdout.startswith(f"damaged  run {run_id}  artifact a.txt")


def test_names_with_control_characters_are_shown_without_them(run_id: str, store_folder: Path) -> None:
    import sqlite3

    connection = sqlite3.connect(store_folder / "tracking.db")
    connection.execute("UPDATE runs SET name = ?", ("\x1b]0;title\x07\x1b[2Jname",))
    connection.execute("UPDATE artifacts SET name = ?, digest = ?", ("\x1b[31mred\r", "\x1b[2J"))
    connection.commit()
    connection.close()
    shown = command(store_folder, "verify").stdout
    command(store_folder, "delete", run_id)
    shown += command(store_folder, "restore").stdout
    done = command(store_folder, "gc", "--yes")
    shown += done.stdout + done.stderr
    assert "name" in shown and run_id in shown
    assert not {"\x1b", "\x07", "\r"} & set(shown)


def test_a_backup_comes_back(run_id: str, store_folder: Path, tmp_path: Path) -> None:
    done = command(store_folder, "backup", "copy.zip")
    assert done.returncode == 0 and "copy.zip" in done.stdout, done.stderr
    done = command(tmp_path / "back", "backup", "--restore", "copy.zip")
    assert done.returncode == 0, done.stderr
    with tracking.open_store(tmp_path / "back") as store:
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
def test_a_mistake_is_one_line(arguments: list[str], says: str, run_id: str, store_folder: Path) -> None:
    done = command(store_folder, *arguments)
    assert done.returncode == 2
    assert says in done.stderr and done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr


def test_care_makes_no_store(tmp_path: Path) -> None:
    for arguments in (["gc"], ["verify"], ["restore"], ["delete", "x"], ["backup", "x.zip"]):
        done = command(tmp_path / "absent", *arguments)
        assert done.returncode == 2 and "no store" in done.stderr
    assert not (tmp_path / "absent").exists()
