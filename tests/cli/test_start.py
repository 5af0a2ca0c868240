"""The command line: the sample experiment trains, mistakes are one line."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import tracking
from tests.conftest import script_environment
from tracking.sample import EXPERIMENT, MODELS

QUICK = ["demo", "--seeds", "1", "--epochs", "3", "--pace", "0"]


def command(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tracking", *arguments],
        cwd=cwd,
        env=script_environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_demo_trains_every_model_for_every_seed(tmp_path: Path, store_folder: Path) -> None:
    done = command(
        "demo", "--store", str(store_folder), "--seeds", "2", "--epochs", "4", "--pace", "0", cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    store = tracking.open_store(store_folder)
    runs = store.search(experiment=EXPERIMENT)
    assert sorted(zip(runs["params.model"], runs["params.seed"], strict=True)) == sorted(
        (model, seed) for model in MODELS for seed in range(2)
    )
    assert set(runs["status"]) == {"finished"}
    history = store.history(runs["run"].tolist(), ["val_loss"])
    assert len(history) == len(runs) * 4
    # Real training: every model has learned something, and no two curves are the same.
    by_run = history.groupby("run")["value"]
    assert (by_run.last() < by_run.first()).all()
    assert by_run.last().nunique() == len(runs)
    store.close()


def test_demo_goes_to_the_nearest_store(tmp_path: Path) -> None:
    assert command(*QUICK, cwd=tmp_path).returncode == 0
    assert (tmp_path / ".tracking" / "tracking.db").exists()


def test_interrupted_demo_leaves_an_interrupted_run(tmp_path: Path, store_folder: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "tracking", "demo", "--store", str(store_folder), "--epochs", "10000"],
        cwd=tmp_path,
        env=script_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        while "mlp-0" not in (line := process.stdout.readline()):
            assert line, "the demo ended before its first run"
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 130
    assert "Traceback" not in errors
    store = tracking.open_store(store_folder)
    assert store.search()["status"].tolist() == ["interrupted"]
    store.close()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["demo", "--store", "postgresql://host/db"], "database URL"),
        (["demo", "--seeds", "0"], "seeds"),
        (["demo", "--epochs", "many"], "epochs"),
        (["no-such-command"], "no-such-command"),
    ],
)
def test_a_mistake_is_explained_without_a_traceback(arguments: list[str], says: str, tmp_path: Path) -> None:
    done = command(*arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / ".tracking").exists()


def test_a_reader_that_leaves_is_no_error(
    tmp_path: Path, start_script: Callable[..., subprocess.Popen[str]]
) -> None:
    process = start_script(
        "import sys; sys.argv[0] = 'tracking'; from tracking.__main__ import main; main()", *QUICK
    )
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    errors = process.stderr.read()
    process.wait(timeout=60)
    assert "Traceback" not in errors
    assert "BrokenPipe" not in errors
    assert (tmp_path / ".tracking").exists() or process.returncode != 0


def test_help_lists_the_commands(tmp_path: Path) -> None:
    done = command("--help", cwd=tmp_path)
    assert done.returncode == 0
    assert "demo" in done.stdout and "ui" in done.stdout
    assert not (tmp_path / ".tracking").exists()
