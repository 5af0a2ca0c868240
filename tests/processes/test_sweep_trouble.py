"""A sweep outlives a locked database, and nothing of it outlives the sweep."""

from __future__ import annotations

import contextlib
import sqlite3
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

import tracking
from tests.conftest import SOAK
from tests.processes.sweep_processes import SweepProcesses
from tests.tuning.projection import differences
from tracking.study_records import CAUSE, REASON, REPEATS
from tracking.tuning.execution.places import workers

LOCKED_SECONDS = 100 if SOAK else 8


@pytest.fixture
def sweep(tmp_path: Path) -> Iterator[SweepProcesses]:
    found = SweepProcesses(tmp_path)
    yield found
    found.end()


def test_limits_hold_and_trials_end_while_the_database_is_locked(sweep: SweepProcesses) -> None:
    sweep.write(
        """
import argparse, pathlib, sys, time, tracking
parser = argparse.ArgumentParser()
parser.add_argument("--x", type=float)
x = parser.parse_args().x
with tracking.start_run() as run:
    run.log({"accuracy": x})
    pathlib.Path("began").touch()
    while x < 0:
        time.sleep(0.1)
        run.log({"accuracy": x})
"""
    )
    sweep.make(
        space="[space.x]\nlow = -1.0\nhigh = 1.0",
        more='[limits]\ntime = "10s"\n[budget]\ntrials = 2\n[[start_with]]\nx = -0.5\n[[start_with]]\nx = 0.5',
    )
    sweep.start()
    sweep.wait((sweep.project / "began").exists)
    (worker,) = workers(sweep.location, sweep.number)
    assert worker.group is not None
    script = psutil.Process(worker.group)
    with contextlib.closing(sqlite3.connect(sweep.location.database, isolation_level=None)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        locked = time.monotonic()
        # Its client waits for the database as long as it ever does, and gets SIGKILL after the grace.
        sweep.wait(lambda: not script.is_running() or script.status() == psutil.STATUS_ZOMBIE)
        while time.monotonic() - locked < LOCKED_SECONDS:
            time.sleep(0.1)
        holder.execute("ROLLBACK")
    assert sweep.finish(180)["state"] == "finished"
    late, good = sweep.trials()
    assert (late.state, late.attributes[CAUSE]) == ("fail", "time_limit")
    assert "The last 'accuracy' it logged was -0.5" in late.attributes[REASON]
    assert (good.state, good.values) == ("complete", (0.5,))
    assert differences(sweep.location.root, "s") == []


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux hands orphans on")
def test_children_in_a_session_of_their_own_go_with_a_killed_worker(sweep: SweepProcesses) -> None:
    sweep.write(
        """
import os, pathlib, sys, time
if not os.path.exists("child"):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            pathlib.Path("child").write_text(str(os.getpid()))
            time.sleep(600)
        os._exit(0)
    time.sleep(600)
import tracking
with tracking.start_run() as run:
    run.log({"accuracy": 1.0})
"""
    )
    sweep.make(more="[budget]\ntrials = 1")
    sweep.start()
    child = sweep.wait(lambda: _number(sweep.project / "child"))
    (worker,) = workers(sweep.location, sweep.number)
    psutil.Process(worker.pid).kill()
    sweep.wait(lambda: not psutil.pid_exists(child) or psutil.Process(child).status() == "zombie")
    assert sweep.finish()["state"] == "finished"
    assert sweep.states() == ["FAIL", "COMPLETE"]


@pytest.mark.soak
def test_each_configuration_of_a_grid_is_tried_once_whatever_becomes_of_its_supervisors(
    sweep: SweepProcesses,
) -> None:
    sweep.write(
        """
import argparse, time, tracking
parser = argparse.ArgumentParser()
parser.add_argument("--x", type=float)
parser.add_argument("--kind")
options = parser.parse_args()
with tracking.start_run() as run:
    run.log({"accuracy": options.x})
    time.sleep(0.2)
"""
    )
    sweep.make(
        workers=2,
        space='[space.x]\nlow = 0.0\nhigh = 1.0\nstep = 0.25\n[space.kind]\nchoices = ["a", "b"]',
        more='[sampler]\nname = "grid"',
    )
    for ended in (2, 5) if SOAK else (3,):
        sweep.start()
        sweep.wait(lambda ended=ended: sweep.states().count("COMPLETE") >= ended)  # type: ignore[misc]
        sweep.supervisors[-1].kill()
        sweep.supervisors[-1].wait()
    assert sweep.run()["state"] == "finished"
    trials = sweep.trials()
    assert {trial.state for trial in trials} == {"complete"}
    tried = sorted((trial.params["x"], trial.params["kind"]) for trial in trials)
    assert tried == [(number / 4, kind) for number in range(5) for kind in "ab"]


def test_a_trial_of_repeats_is_pruned_between_them(sweep: SweepProcesses) -> None:
    sweep.write(
        """
import argparse, tracking
parser = argparse.ArgumentParser()
parser.add_argument("--x", type=float)
parser.add_argument("--seed", type=int)
options = parser.parse_args()
with tracking.start_run() as run:
    run.log({"accuracy": options.x + options.seed, "cost": 1.0})
"""
    )
    sweep.make(
        more='[pruner]\nname = "median"\nn_startup_trials = 1\n[repeats]\nvary = "seed"\ncount = 2\n'
        "[budget]\ntrials = 2\n[[start_with]]\nx = 0.75\n[[start_with]]\nx = 0.25",
    )
    assert sweep.run()["state"] == "finished"
    good, poor = sweep.trials()
    assert (good.state, good.values) == ("complete", (1.25,))
    assert (poor.state, poor.values, poor.attributes[REPEATS]) == ("pruned", (0.25,), [0.25, None])
    assert poor.attributes[REASON] == "The pruner ended it after 1 of 2 repeats (seed=0: 0.25)."
    with tracking.open_store(sweep.location.root) as store:
        reported = store.history([str(good.run)], "intermediate_value")
    assert reported["value"].tolist() == [0.75, 1.25]


def test_several_objectives_have_a_value_each(sweep: SweepProcesses) -> None:
    sweep.write(
        """
import argparse, tracking
parser = argparse.ArgumentParser()
parser.add_argument("--x", type=float)
x = parser.parse_args().x
with tracking.start_run() as run:
    for step in range(3):
        run.log({"accuracy": x + step, "cost": x * step})
"""
    )
    sweep.make(
        more='[[objectives]]\nmetric = "cost"\ngoal = "minimize"\nat = "mean"\n[budget]\ntrials = 2\n'
        "[[start_with]]\nx = 0.5"
    )
    assert sweep.run()["state"] == "finished"
    first = sweep.trials()[0]
    assert (first.state, first.values) == ("complete", (2.5, 0.5))
    assert differences(sweep.location.root, "s") == []


def _number(path: Path) -> int:
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return 0
