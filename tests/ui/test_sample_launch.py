"""The sample experiment is started once, and knows when it has ended."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

import pytest

from tracking.config import StoreLocation
from tracking.ui import sample_launch


@pytest.fixture
def location(tmp_path: Path) -> StoreLocation:
    return StoreLocation(tmp_path / "store", named=True)


def waiting_for(gate: Path) -> list[str]:
    """A process that says hello, then lives until somebody writes into the pipe."""
    return [sys.executable, "-c", f"print('hello', flush=True); open({str(gate)!r}).read()"]


def make_gate(folder: Path) -> Path:
    import os

    gate = folder / "gate"
    os.mkfifo(gate)
    return gate


def test_two_tabs_start_one_process(location: StoreLocation, tmp_path: Path) -> None:
    gate = make_gate(tmp_path)
    outcomes: list[bool] = []
    threads = [
        threading.Thread(
            target=lambda: outcomes.append(sample_launch.start(location, command=waiting_for(gate)))
        )
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == [False] * 7 + [True]
    assert sample_launch.is_running(location)
    waiters = [thread for thread in threading.enumerate() if thread.name == "podium-sample"]
    gate.write_text("go")  # opening the pipe waits for the process to open its end
    for thread in waiters:
        thread.join(30)
    assert not sample_launch.is_running(location)
    assert sample_launch.log_tail(location) == "hello"


def test_it_can_be_started_again_after_its_end(location: StoreLocation) -> None:
    for _ in range(2):
        assert sample_launch.start(location, command=[sys.executable, "-c", "pass"])
        for thread in threading.enumerate():
            if thread.name == "podium-sample":
                thread.join(30)


def test_nothing_runs_in_a_new_store(location: StoreLocation) -> None:
    assert not sample_launch.is_running(location)
    assert sample_launch.log_tail(location) == ""
    assert not location.root.exists()


def test_a_command_that_cannot_start_leaves_no_lock(location: StoreLocation) -> None:
    with pytest.raises(OSError):
        sample_launch.start(location, command=["/no/such/program"])
    assert not sample_launch.is_running(location)
