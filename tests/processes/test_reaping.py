"""Trials of dead workers end, and nothing that they started goes on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import optuna
import psutil
import pytest

import tracking
from tracking.database.opening import open_database
from tracking.database.study_presence import mark_lost
from tracking.database.study_reaping import DIED, reap, worker_folder
from tracking.records import RunStatus
from tracking.spool.lock import try_lock
from tracking.store import Store
from tracking.study_records import CAUSE, WORKER
from tracking.tuning.storage import StudyStorage

TOKEN = "0-0123456789ab"


@contextmanager
def process_group(*, leader_stays: bool) -> Iterator[tuple[int, int, float]]:
    """Start a process with a child in a group of their own; yields group, child and when it began."""
    wait = "child.wait()" if leader_stays else "pass"
    process = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import subprocess, sys\n"
            "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
            f"print(child.pid, flush=True)\n{wait}\n",
        ],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    began = psutil.Process(process.pid).create_time()
    assert process.stdout is not None
    child = int(process.stdout.readline())
    if not leader_stays:
        process.wait(30)
    try:
        yield process.pid, child, began
    finally:
        for pid in (child, process.pid):
            if psutil.pid_exists(pid):
                psutil.Process(pid).kill()
        process.wait(30)
        process.stdout.close()


def eventually(check: Callable[[], bool], seconds: float = 60) -> bool:
    deadline = time.monotonic() + seconds
    while not check():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def is_gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def claimed(store: Store, token: str = TOKEN) -> tuple[optuna.Study, int, Path]:
    """Return a study with a running trial of a worker, the study's number and the worker's folder."""
    study = tracking.create_study("sweep", store=store)
    trial = study.ask()
    trial.set_user_attr(WORKER, token)
    storage = study._storage
    assert isinstance(storage, StudyStorage)
    folder = worker_folder(store.location, study._study_id)
    folder.mkdir(parents=True)
    return study, study._study_id, folder


@pytest.mark.parametrize("leader_stays", [True, False], ids=["leader there", "leader gone"])
def test_the_trial_of_a_dead_worker_ends_with_its_processes(store: Store, leader_stays: bool) -> None:
    study, _, folder = claimed(store)
    with process_group(leader_stays=leader_stays) as (group, child, began):
        (folder / f"{TOKEN}.json").write_text(json.dumps({"group": group, "began": began}))
        (folder / f"{TOKEN}.lock").touch()
        assert eventually(lambda: study.trials[0].state.is_finished()), "the open store looks by itself"
        assert eventually(lambda: is_gone(child))
    (trial,) = study.trials
    assert (trial.state.name, trial.user_attrs[CAUSE]) == ("FAIL", "worker_died")
    (record,) = store.trials("sweep")
    assert record.run is not None
    run = store.run(record.run)
    assert (run.status, run.error) == (RunStatus.FAILED, DIED)
    assert eventually(lambda: not list(folder.iterdir()))


def test_what_lives_is_left_alone(store: Store) -> None:
    study, number, folder = claimed(store)
    foreign = study.ask()  # of a process of the user's own
    engines = open_database(store.location)
    lock = try_lock(folder / f"{TOKEN}.lock")
    assert lock is not None
    with process_group(leader_stays=True) as (group, child, began):
        record = folder / f"{TOKEN}.json"
        record.write_text(json.dumps({"group": group, "began": began}))
        assert reap(store.location, engines, study=number) == []
        lock.close()
        # The number belongs to another process by now; its worker is dead all the same.
        record.write_text(json.dumps({"group": group, "began": began - 1000}))
        reap(store.location, engines, study=number)
        assert eventually(lambda: study.trials[0].state.is_finished())
        assert not is_gone(child)
    assert not study.trials[foreign.number].state.is_finished()
    engines.dispose()


def test_a_worker_that_left_no_trace_is_dead_for_who_asks_for_its_sweep(store: Store) -> None:
    study, number, folder = claimed(store)
    engines = open_database(store.location)
    assert reap(store.location, engines) == []
    for nonsense in (
        "[]",
        "{",
        '{"group": 1, "began": 0}',
        json.dumps({"group": os.getpgrp(), "began": 9e9}),
    ):
        (folder / f"{TOKEN}.json").write_text(nonsense)
        (folder / "notes.lock").touch()
        reap(store.location, engines)
    (found,) = reap(store.location, engines, study=number)
    assert (found.study, found.trial, found.worker) == ("sweep", 0, TOKEN)
    assert study.trials[0].state.name == "FAIL"
    assert (folder / "notes.lock").exists()
    engines.dispose()


@contextmanager
def escaped(**environment: str) -> Iterator[int]:
    """Start a process in a session of its own with some environment; yields its pid."""
    process = subprocess.Popen(
        [sys.executable, "-c", "print('there', flush=True); import time; time.sleep(600)"],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    assert process.stdout is not None and process.stdout.readline()
    try:
        yield process.pid
    finally:
        process.kill()
        process.wait(30)
        process.stdout.close()


@pytest.mark.parametrize("trace", ["free lock", "no trace"])
def test_processes_that_left_the_group_go_by_the_trial_that_they_name(store: Store, trace: str) -> None:
    study, number, folder = claimed(store)
    root = str(store.location.root)
    run = str(store.trials("sweep")[0].run)
    engines = open_database(store.location)
    with (
        escaped(TRACKING_STORE=root, TRACKING_TRIAL=run) as child,
        escaped(TRACKING_STORE=root, TRACKING_TRIAL=run + "0") as of_another_trial,
        escaped(TRACKING_STORE=root + "2", TRACKING_TRIAL=run) as of_another_store,
    ):
        if trace == "free lock":
            (folder / f"{TOKEN}.lock").touch()
        reap(store.location, engines, study=number)  # or the open store has, just now
        assert eventually(lambda: study.trials[0].state.is_finished())
        assert eventually(lambda: is_gone(child))
        assert not is_gone(of_another_trial) and not is_gone(of_another_store)
    engines.dispose()


def test_a_copy_of_a_store_kills_nothing_of_the_original(store: Store) -> None:
    study, number, folder = claimed(store)
    engines = open_database(store.location)
    with escaped(TRACKING_STORE=str(store.location.root) + "2") as pid:
        began = psutil.Process(pid).create_time()
        (folder / f"{TOKEN}.json").write_text(json.dumps({"group": pid, "began": began}))
        (folder / f"{TOKEN}.lock").touch()
        reap(store.location, engines, study=number)
        assert eventually(lambda: study.trials[0].state.is_finished())
        assert not is_gone(pid)
    engines.dispose()


def test_a_living_worker_whose_lock_was_removed_is_not_dead(store: Store) -> None:
    study, number, folder = claimed(store)
    engines = open_database(store.location)
    started = psutil.Process().create_time()
    record = folder / f"{TOKEN}.json"
    record.write_text(json.dumps({"pid": os.getpid(), "started": started}))
    assert reap(store.location, engines, study=number) == []
    record.unlink()
    assert reap(store.location, engines, study=number, spare=[TOKEN]) == []
    record.write_text(json.dumps({"pid": os.getpid(), "started": started - 1000}))
    (found,) = reap(store.location, engines, study=number)
    assert found.worker == TOKEN and study.trials[0].state.name == "FAIL"
    engines.dispose()


TAKER = """
import os, signal, sys, tracking
study = tracking.create_study("own", store=sys.argv[1])
done, left = study.ask(), study.ask()
study.tell(done, 1.0)
print("asked", flush=True)
if sys.argv[2] == "killed":
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("how", ["killed", "ended"])
def test_a_trial_whose_process_is_gone_does_not_run(
    store: Store, run_script: Callable[..., subprocess.CompletedProcess[str]], how: str
) -> None:
    done = run_script(TAKER, str(store.location.root), how)
    assert done.stdout == "asked\n", done.stderr
    first, second = (store.run(str(trial.run)) for trial in store.trials("own"))
    assert first.status is RunStatus.FINISHED
    assert eventually(lambda: store.run(second.id).status is RunStatus.LOST), "the open store looks by itself"
    assert "is gone" in str(store.run(second.id).error)
    assert eventually(lambda: not list((store.location.sweeps / "processes").iterdir()))
    # Told elsewhere, as ask-and-tell allows.
    study = optuna.load_study(study_name="own", storage=tracking.study_storage(store))
    study.tell(1, 2.0)
    run = store.run(second.id)
    assert (run.status, run.error) == (RunStatus.FINISHED, None)


def test_a_trial_under_way_here_is_not_lost(store: Store) -> None:
    study = tracking.create_study("own", store=store)
    trial = study.ask()
    study.enqueue_trial({"x": 1})
    del study
    engines = open_database(store.location)
    assert mark_lost(store.location, engines) == []
    again = optuna.load_study(study_name="own", storage=tracking.study_storage(store))
    assert store.run(str(store.trials("own")[0].run)).status is RunStatus.RUNNING
    again.tell(trial.number, 1.0)
    engines.dispose()
