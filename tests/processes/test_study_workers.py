"""Several processes on one study: each trial once, and runs that stay true when workers are killed."""

from __future__ import annotations

import os
import random
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import optuna

import tracking
from tests.conftest import SOAK
from tests.tuning.projection import differences

StartScript = Callable[..., "subprocess.Popen[str]"]
KILLS = 50 if SOAK else 15
TRIALS = 120 if SOAK else 60

WORKER = """
import sys, optuna, tracking
optuna.logging.set_verbosity(optuna.logging.ERROR)
study = tracking.create_study("s", store=sys.argv[1], load_if_exists=True)

def objective(trial):
    for step in range(3):
        trial.report(step / 2, step)
    trial.set_user_attr("pid", sys.argv[2])
    x = trial.suggest_float("x", 0, 1)
    if trial.suggest_categorical("kind", ["a", "b"]) == "a":
        trial.suggest_int("depth", 1, 5)
    return x

print("ready", flush=True)
sys.stdin.readline()
while True:
    study.optimize(objective, n_trials=1)
    if len(sys.argv) > 3 and not study.get_trials(deepcopy=False, states=[optuna.trial.TrialState.WAITING]):
        break
"""


def test_each_enqueued_trial_runs_once(store_folder: Path, start_script: StartScript) -> None:
    study = tracking.create_study("s", store=store_folder)
    for number in range(TRIALS):
        study.enqueue_trial({"x": number / TRIALS, "kind": "b"})
    workers = [start_script(WORKER, str(store_folder), str(number), "drain") for number in range(8)]
    for worker in workers:
        assert worker.stdout is not None and worker.stdout.readline() == "ready\n"
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write("go\n")
        worker.stdin.flush()
    for worker in workers:
        _, errors = worker.communicate(timeout=200)
        assert worker.returncode == 0, errors
    trials = study.get_trials()
    enqueued = trials[:TRIALS]
    assert {trial.state.name for trial in trials} == {"COMPLETE"}
    assert sorted(trial.value for trial in enqueued if trial.value is not None) == [
        n / TRIALS for n in range(TRIALS)
    ]
    # Each objective that ran is one trial: none was run by two.
    with tracking.open_store(store_folder) as store:
        assert store.count(experiment="s") == len(trials)
        ran = Counter(
            int(run["metrics.intermediate_value"] == 1.0) for _, run in store.search(limit=None).iterrows()
        )
        assert ran == {1: len(trials)}
        points = store.history(list(store.search(limit=None)["run"]), "intermediate_value")
        assert len(points) == 3 * len(trials)
    assert differences(store_folder, "s") == []


def test_runs_are_true_after_workers_were_killed(store_folder: Path, start_script: StartScript) -> None:
    draw = random.Random(4)
    study = tracking.create_study("s", store=store_folder)

    def start(number: int) -> subprocess.Popen[str]:
        worker = start_script(WORKER, str(store_folder), str(number))
        assert worker.stdin is not None
        worker.stdin.write("go\n")
        worker.stdin.flush()
        return worker

    workers = [start(number) for number in range(3)]
    killed, give_up = 0, time.monotonic() + 240
    while killed < KILLS and time.monotonic() < give_up:
        before = len(study.get_trials(deepcopy=False))
        while len(study.get_trials(deepcopy=False)) < before + 2 and time.monotonic() < give_up:
            time.sleep(0.02)
        time.sleep(draw.uniform(0, 0.1))
        worker = workers.pop(draw.randrange(len(workers)))
        assert worker.poll() is None, worker.communicate()
        worker.kill()
        worker.wait()
        killed += 1
        workers.append(start(3 + killed))
    for worker in workers:
        worker.kill()
        worker.wait()
    assert killed == KILLS
    states = Counter(trial.state.name for trial in study.get_trials())
    assert states["COMPLETE"] > KILLS / 4
    # What was under way when its worker died is still running to Optuna; a trial that nobody holds is told.
    for trial in study.get_trials(states=[optuna.trial.TrialState.RUNNING]):
        study.tell(trial.number, state=optuna.trial.TrialState.FAIL)
    assert differences(store_folder, "s") == []
    with tracking.open_store(store_folder) as store:
        store.rebuild_study("s")
    assert differences(store_folder, "s") == []


def test_a_forked_child_and_its_parent_run_trials_of_their_own(store_folder: Path) -> None:
    study = tracking.create_study("s", store=store_folder, sampler=optuna.samplers.RandomSampler())
    study.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=2)
    children = []
    for _ in range(3):
        child = os.fork()
        if not child:
            try:
                study.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=15)
                os._exit(0)
            finally:
                os._exit(1)
        children.append(child)
    study.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=15)
    assert [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children] == [0, 0, 0]
    trials = study.get_trials()
    assert [trial.state.name for trial in trials] == ["COMPLETE"] * 62
    assert all(trial.params["x"] == trial.value for trial in trials)
    assert differences(store_folder, "s") == []
