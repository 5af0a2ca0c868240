"""A sweep does what is asked of it while it runs: pause, stop, fewer workers, another supervisor."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.processes.sweep_processes import SweepProcesses
from tests.tuning.projection import differences
from tracking.study_records import CAUSE, REASON, RETRY_OF
from tracking.sweep_records import OUTCOME, STOP_WORKERS
from tracking.tuning.execution.places import WorkerRecord, is_alive, workers

# Each trial waits until its file is there: the test decides how long it lasts.
HELD = """
import argparse, os, time, tracking
parser = argparse.ArgumentParser()
parser.add_argument("--x", type=float)
x = parser.parse_args().x
run = tracking.start_run()
open(f"began-{os.getpid()}", "w").close()
while not (os.path.exists("go") or os.path.exists(f"go-{os.getpid()}")):
    time.sleep(0.02)
run.log({"accuracy": x})
run.finish()
"""


@pytest.fixture
def sweep(tmp_path: Path) -> Iterator[SweepProcesses]:
    found = SweepProcesses(tmp_path)
    found.write(HELD)
    yield found
    found.end()


def held(sweep: SweepProcesses, count: int = 1) -> list[WorkerRecord]:
    """Wait until so many trials are under way; returns their workers."""

    def under_way() -> list[WorkerRecord]:
        found = [each for each in workers(sweep.location, sweep.number) if each.group is not None]
        began = [each for each in found if (sweep.project / f"began-{each.group}").exists()]
        return began if len(began) == count else []

    return list(sweep.wait(under_way))


def let_go(sweep: SweepProcesses, worker: WorkerRecord | None = None) -> None:
    """Let the trial of one worker end, or all trials from now on."""
    (sweep.project / ("go" if worker is None else f"go-{worker.group}")).touch()


def hold(sweep: SweepProcesses) -> None:
    (sweep.project / "go").unlink()


def test_a_paused_sweep_begins_nothing_and_goes_on_when_asked(sweep: SweepProcesses) -> None:
    sweep.make(more="[budget]\ntrials = 3")
    sweep.start()
    (worker,) = held(sweep)
    sweep.want("pause")
    let_go(sweep, worker)
    sweep.wait(lambda: not workers(sweep.location, sweep.number))
    assert sweep.states() == ["COMPLETE"]
    assert is_alive(sweep.location, sweep.number)
    let_go(sweep)
    sweep.want("run")
    assert sweep.finish()["state"] == "finished"
    assert sweep.states() == ["COMPLETE"] * 3


def test_a_worker_whose_lock_was_removed_makes_it_again(sweep: SweepProcesses) -> None:
    sweep.make(more="[budget]\ntrials = 1")
    sweep.start()
    (before,) = held(sweep)
    shutil.rmtree(sweep.places.workers, ignore_errors=True)
    (after,) = sweep.wait(lambda: workers(sweep.location, sweep.number))
    assert after == before
    let_go(sweep)
    assert sweep.finish()["state"] == "finished"
    assert sweep.states() == ["COMPLETE"]
    assert list(sweep.places.workers.iterdir()) == []


def test_a_drained_sweep_brings_its_trials_to_the_end(sweep: SweepProcesses) -> None:
    sweep.make(workers=2)
    sweep.start()
    held(sweep, 2)
    sweep.want("drain")
    let_go(sweep)
    outcome = sweep.finish()
    assert outcome["state"] == "stopped"
    assert outcome["reason"] == "Stopped after the trials under way, as asked for."
    assert sweep.states() == ["COMPLETE"] * 2


def test_a_stopped_sweep_ends_its_trials_and_can_go_on(sweep: SweepProcesses) -> None:
    sweep.make(workers=2, more="[budget]\ntrials = 3")
    sweep.start()
    held(sweep, 2)
    sweep.want("stop")
    assert sweep.finish()["state"] == "stopped"
    trials = sweep.trials()
    assert [(trial.state, trial.attributes[CAUSE]) for trial in trials] == [("fail", "stopped")] * 2
    assert "It was stopped after" in trials[0].attributes[REASON]
    # What was stopped counts neither as failed nor against the budget.
    sweep.set(OUTCOME, None)
    sweep.want("run")
    let_go(sweep)
    assert sweep.run()["state"] == "finished"
    assert sweep.states() == ["FAIL"] * 2 + ["COMPLETE"] * 3
    assert differences(sweep.location.root, "s") == []


def test_one_worker_can_be_sent_away_and_their_number_changed(sweep: SweepProcesses) -> None:
    sweep.make(workers=2)
    text = sweep.get("podium:definition")["text"]
    sweep.start()
    first, second = held(sweep, 2)
    sweep.set(STOP_WORKERS, [first.token])
    sweep.define(text.replace("workers = 2", "workers = 1"), 2)
    sweep.wait(lambda: [each.token for each in workers(sweep.location, sweep.number)] == [second.token])
    assert sorted(sweep.states()) == ["FAIL", "RUNNING"]
    sweep.define(text.replace("workers = 2", "workers = 3"), 3)
    three = held(sweep, 3)
    assert [each.slot for each in three] == [0, 1, 2]
    assert second.token in {each.token for each in three}
    sweep.define(text.replace("workers = 2", "workers = 1"), 4)
    for each in three:
        let_go(sweep, each)
    # Nobody was ended by that: each has brought its trial to the end, and two have left.
    sweep.wait(lambda: sweep.states().count("COMPLETE") == 3)
    sweep.wait(lambda: [each.slot for each in workers(sweep.location, sweep.number)] == [0])
    held(sweep, 1)
    sweep.want("stop")
    sweep.finish()
    assert sorted(sweep.states()) == ["COMPLETE"] * 3 + ["FAIL"] * 2


def test_there_is_one_supervisor(sweep: SweepProcesses) -> None:
    sweep.make()
    first = sweep.start()
    held(sweep)
    second = sweep.start()
    assert second.wait(60) == 1
    assert "A supervisor of 's' lives already." in sweep.log()
    assert first.poll() is None
    assert len(workers(sweep.location, sweep.number)) == 1


@pytest.mark.parametrize("signals", [1, pytest.param(2, marks=pytest.mark.soak)])
def test_a_signal_ends_the_supervisor_and_another_one_goes_on(sweep: SweepProcesses, signals: int) -> None:
    sweep.make(workers=2, more="[budget]\ntrials = 3")
    supervisor = sweep.start()
    held(sweep, 2)
    supervisor.send_signal(signal.SIGTERM)
    if signals == 2:
        sweep.wait(lambda: "A signal ends the supervisor" in sweep.log())
        supervisor.send_signal(signal.SIGTERM)
    assert supervisor.wait(60) == 0
    sweep.wait(lambda: not sweep.processes())
    assert sweep.get(OUTCOME) is None
    assert sweep.states() == ["FAIL"] * 2
    let_go(sweep)
    assert sweep.run()["state"] == "finished"
    ended = sweep.trials()
    assert {trial.attributes[CAUSE] for trial in ended[:2]} <= {"stopped", "worker_died"}
    assert sum(trial.state == "complete" for trial in ended) == 3
    assert differences(sweep.location.root, "s") == []


@pytest.mark.parametrize("who", [pytest.param("worker", marks=pytest.mark.soak), "supervisor", "both"])
def test_a_killed_process_is_seen_and_what_it_ran_is_tried_again(sweep: SweepProcesses, who: str) -> None:
    sweep.make(workers=2, more="[budget]\ntrials = 3")
    supervisor = sweep.start()
    first, second = held(sweep, 2)
    evaluation = psutil.Process(first.group)
    if who != "worker":
        supervisor.kill()
        supervisor.wait()
    if who != "supervisor":
        psutil.Process(first.pid).kill()
        # It dies with its worker where the system offers that, else it is found and killed.
        sweep.wait(lambda: not evaluation.is_running() or evaluation.status() == psutil.STATUS_ZOMBIE)
    if who != "worker":
        let_go(sweep, second)
        sweep.start()
    let_go(sweep)
    assert sweep.finish()["state"] == "finished"
    trials = sweep.trials()
    assert sum(trial.state == "complete" for trial in trials) == 3
    died = [trial for trial in trials if trial.state == "fail"]
    assert [trial.attributes[CAUSE] for trial in died] == ([] if who == "supervisor" else ["worker_died"])
    again = [trial for trial in trials if RETRY_OF in trial.attributes]
    assert [(trial.attributes[RETRY_OF], trial.params) for trial in again] == [
        (trial.number, trial.params) for trial in died
    ]
    assert differences(sweep.location.root, "s") == []


def test_failures_in_a_row_end_a_sweep(sweep: SweepProcesses) -> None:
    sweep.write("raise RuntimeError('no data')")
    sweep.make(more="[limits]\nfailures = 3")
    outcome = sweep.run()
    assert outcome["state"] == "failed"
    assert outcome["reason"] == (
        "3 trials in a row ended with an error (the last are trials 0, 1, 2). The latest: It ended with exit code 1: "
        "RuntimeError: no data"
    )
    assert sweep.states() == ["FAIL"] * 3
    # Told to go on, it tries three times more.
    sweep.set(OUTCOME, None)
    sweep.want("run")
    (sweep.project / "train.py").unlink()
    assert sweep.run()["state"] == "failed"
    late = sweep.trials()[3:]
    assert [trial.attributes[CAUSE] for trial in late] == ["start_failed"] * 3
    assert late[0].attributes[REASON] == "It could not be started: There is no train.py in the project."


@pytest.mark.soak
def test_workers_that_cannot_start_end_a_sweep(sweep: SweepProcesses, tmp_path: Path) -> None:
    folder = tmp_path / "broken"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(
        "import os, sys\nif any('execution.worker' in each for each in sys.orig_argv):\n"
        "    os.write(2, b'the disk is upside down\\n')\n    os._exit(3)\n"
    )
    sweep.make()
    root = str(Path(__file__).parents[2])
    sweep.start(PYTHONPATH=f"{folder}:{root}")
    outcome = sweep.finish()
    assert outcome["state"] == "failed"
    assert outcome["reason"] == "5 workers in a row ended right after their start: the disk is upside down"
    assert sweep.states() == []


def test_a_budget_of_time_ends_a_sweep(sweep: SweepProcesses) -> None:
    let_go(sweep)
    sweep.make(more='[budget]\ntime = "4s"')
    outcome = sweep.run()
    assert (outcome["state"], outcome["reason"]) == ("finished", "Its budget of 4 s is used.")
    assert set(sweep.states()) == {"COMPLETE"}


def test_what_somebody_else_told_of_a_trial_stands(sweep: SweepProcesses) -> None:
    sweep.make(more="[budget]\ntrials = 2")
    sweep.start()
    (worker,) = held(sweep)
    sweep.study.tell(0, 7.0)
    let_go(sweep)
    assert sweep.finish()["state"] == "finished"
    trials = sweep.trials()
    assert [trial.state for trial in trials] == ["complete"] * 2
    assert trials[0].values == (7.0,)
    assert worker.trial == 0
    assert differences(sweep.location.root, "s") == []
