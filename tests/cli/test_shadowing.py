"""`python -m tracking` in a folder whose files have the names of the standard library's modules."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT, script_environment

NAMES = ("random", "argparse", "typing", "json", "dataclasses", "socket", "datetime", "typer", "difflib")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project with a script, and with modules that leave a trace when they are run."""
    for name in NAMES:
        (tmp_path / f"{name}.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'a').write({name!r})\n")
    (tmp_path / "train.py").write_text(
        'import argparse\nparser = argparse.ArgumentParser()\nparser.add_argument("--lr", type=float, default=0.1)\n'
        "parser.parse_args()\n"
    )
    return tmp_path


@pytest.mark.parametrize("arguments", [["targets"], ["init", "train.py"]])
def test_no_file_of_the_project_is_run(folder: Path, arguments: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tracking", "sweep", *arguments, "--store", str(folder / ".tracking")],
        cwd=folder,
        env=script_environment(),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert "lr" in done.stdout
    assert not (folder / "ran").exists()


def test_it_runs_from_its_own_checkout(tmp_path: Path) -> None:
    environment = script_environment()
    del environment["PYTHONPATH"]
    done = subprocess.run(
        [sys.executable, "-m", "tracking", "sweep", "targets", "--store", str(tmp_path / ".tracking")],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
