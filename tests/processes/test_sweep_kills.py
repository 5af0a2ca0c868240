"""Each trial once, and runs that stay true, whoever is killed and however many take part."""

from __future__ import annotations

import random
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

import tracking
from tests.conftest import SOAK
from tests.processes.sweep_processes import SweepProcesses
from tests.tuning.projection import differences
from tracking.study_records import CAUSE, RETRY_OF
from tracking.tuning.execution.places import workers

StartScript = Callable[..., "subprocess.Popen[str]"]
KILLS = 50 if SOAK else 4


@pytest.fixture
def sweep(tmp_path: Path) -> Iterator[SweepProcesses]:
    found = SweepProcesses(tmp_path)
    yield found
    found.end()


CLAIMER = """
import sys
from pathlib import Path
import optuna
from tracking.config import StoreLocation
from tracking.spool.lock import wait_lock
from tracking.tuning.execution.claims import claim
from tracking.tuning.execution.outcomes import Outcome, State
from tracking.tuning.execution.places import SweepPlaces
from tracking.tuning.execution.trials import tell
from tracking.tuning.storage import StudyStorage

location, token = StoreLocation(Path(sys.argv[1]), named=True), sys.argv[3]
storage = StudyStorage(location)
number = storage.get_study_id_from_name(sys.argv[2])
study = optuna.Study(sys.argv[2], storage)
places = SweepPlaces(location, number)
lock = wait_lock(places.worker_lock(token))
print("ready", flush=True)
sys.stdin.readline()
while (found := claim(storage, number, places, token)) is not None:
    x = optuna.Trial(study, found.trial_id).suggest_float("x", 0, 1)
    assert tell(study, found, Outcome(State.COMPLETE, (x,)))
    print(found.number, flush=True)
lock.release()
"""


def test_eight_workers_claim_each_queued_trial_once_and_keep_to_the_budget(
    sweep: SweepProcesses, start_script: StartScript
) -> None:
    sweep.make(workers=8, more="[budget]\ntrials = 125")
    sweep.places.make()
    for number in range(120):
        sweep.study.enqueue_trial({"x": number / 120})
    root = str(sweep.location.root)
    claimers = [start_script(CLAIMER, root, "s", f"{slot}-{slot:012x}") for slot in range(8)]
    for claimer in claimers:
        assert claimer.stdout is not None and claimer.stdout.readline() == "ready\n", claimer.communicate()
    for claimer in claimers:
        assert claimer.stdin is not None
        claimer.stdin.write("go\n")
        claimer.stdin.flush()
    claimed: list[int] = []
    for claimer in claimers:
        said, errors = claimer.communicate(timeout=200)
        assert claimer.returncode == 0, errors
        claimed += map(int, said.split())
    # All that were queued, and what the budget had left.
    assert sorted(claimed) == list(range(125))
    trials = sweep.trials()
    assert {trial.state for trial in trials} == {"complete"}
    assert sorted(trial.params["x"] for trial in trials[:120]) == [number / 120 for number in range(120)]
    assert differences(sweep.location.root, "s") == []


MARKED = """
import argparse, os, time, tracking
parser = argparse.ArgumentParser()
parser.add_argument("--x", type=float)
x = parser.parse_args().x
with open("marks", "a") as marks:
    marks.write(f"{x!r}\\n")
run = tracking.start_run()
for step in range(3):
    run.log({"accuracy": x}, step=step)
run.finish()
"""


@pytest.mark.timeout(1500 if SOAK else 300)
def test_every_queued_trial_runs_once_under_a_supervisor(sweep: SweepProcesses) -> None:
    count, crew = (120, 8) if SOAK else (6, 3)
    sweep.write(MARKED)
    sweep.make(workers=crew, more=f"[budget]\ntrials = {count}")
    for number in range(count):
        sweep.study.enqueue_trial({"x": number / count})
    assert sweep.run(600)["state"] == "finished"
    trials = sweep.trials()
    assert [(trial.state, trial.values) for trial in trials] == [
        ("complete", (number / count,)) for number in range(count)
    ]
    marks = Counter((sweep.project / "marks").read_text().split())
    assert marks == Counter(repr(number / count) for number in range(count))
    assert differences(sweep.location.root, "s") == []


LONG = MARKED.replace("for step in range(3):", "for step in range(6):\n    time.sleep(0.05)")


@pytest.mark.timeout(1500 if SOAK else 300)
def test_runs_are_true_after_workers_and_supervisors_were_killed(sweep: SweepProcesses) -> None:
    draw = random.Random(11)
    sweep.write(LONG)
    sweep.make(workers=2, more="[limits]\nfailures = 1000\n[budget]\ntrials = 100000")
    sweep.start()
    killed: Counter[str] = Counter()
    give_up = time.monotonic() + (1200 if SOAK else 150)
    for number in range(KILLS):
        assert time.monotonic() < give_up, sweep.log()
        before = len(sweep.states())
        sweep.wait(lambda before=before: len(sweep.states()) > before + 1)  # type: ignore[misc]
        time.sleep(draw.uniform(0, 0.3))
        alive = workers(sweep.location, sweep.number)
        who = ["worker", "supervisor", "both"][number % 3]
        if who != "worker":
            sweep.supervisors[-1].kill()
            sweep.supervisors[-1].wait()
        if who != "supervisor":
            for victim in alive if who == "both" else alive[: draw.randrange(2)] or alive[-1:]:
                try:
                    psutil.Process(victim.pid).kill()
                except psutil.NoSuchProcess:
                    continue
        killed[who] += 1
        if who != "worker":
            sweep.start()
    states = sweep.states()
    text = sweep.get("podium:definition")["text"]
    sweep.define(text.replace("trials = 100000", f"trials = {states.count('COMPLETE') + 4 + KILLS}"), 2)
    assert sweep.finish(300)["state"] == "finished"
    trials = sweep.trials()
    assert {trial.state for trial in trials} == {"complete", "fail"}
    died = [trial for trial in trials if trial.state == "fail"]
    assert {trial.attributes[CAUSE] for trial in died} == {"worker_died"}
    # What died was tried again, with what was known of its configuration.
    again = {trial.attributes[RETRY_OF]: trial for trial in trials if RETRY_OF in trial.attributes}
    assert all(number in {trial.number for trial in died} for number in again)
    assert all(
        trial.params.items() <= again[trial.number].params.items() for trial in died if trial.number in again
    )
    assert differences(sweep.location.root, "s") == []
    with tracking.open_store(sweep.location.root) as store:
        store.rebuild_study("s")
    assert differences(sweep.location.root, "s") == []
    assert sum(killed.values()) == KILLS
