"""What scripts do under a sweep: each trial ends in a state and a sentence that says why."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import tracking
from tests.processes.sweep_processes import SweepProcesses
from tests.tuning.projection import differences
from tracking.records import RunStatus
from tracking.study_records import CAUSE, REASON, REPEATS, TRACEBACK, WORKER

SCRIPT = """
import argparse, tracking
parser = argparse.ArgumentParser()
parser.add_argument("--x", type=float, default=0.5)
options = parser.parse_args()
with tracking.start_run("mine", params={"x": options.x}) as run:
    for step in range(5):
        run.log({"accuracy": options.x * step}, step=step)
"""


@pytest.fixture
def sweep(tmp_path: Path) -> Iterator[SweepProcesses]:
    found = SweepProcesses(tmp_path)
    yield found
    found.end()


def test_a_script_is_tuned_as_it_is(sweep: SweepProcesses) -> None:
    sweep.write(SCRIPT)
    sweep.make(workers=2, more="[budget]\ntrials = 6\n[[start_with]]\nx = 0.25")
    outcome = sweep.run()
    assert (outcome["state"], outcome["reason"]) == ("finished", "Its budget of 6 trials is used.")
    trials = sweep.trials()
    assert [trial.state for trial in trials] == ["complete"] * 6
    assert trials[0].params["x"] == 0.25
    assert all(trial.values == (pytest.approx(trial.params["x"] * 4),) for trial in trials)
    assert all(trial.attributes[WORKER][1:2] == "-" for trial in trials)
    with tracking.open_store(sweep.location.root) as store:
        runs = [store.run(str(trial.run)) for trial in trials]
    assert {run.status for run in runs} == {RunStatus.FINISHED}
    assert all(run.metrics["accuracy"].count == 5 for run in runs)
    assert differences(sweep.location.root, "s") == []
    assert list((sweep.places.folder / "trials").iterdir()) == []
    assert list(sweep.places.workers.iterdir()) == []


MISBEHAVING = """
import argparse, os, sys, time
parser = argparse.ArgumentParser()
parser.add_argument("--how")
parser.add_argument("--x", type=float)
how = parser.parse_args().how
if how == "silent":
    sys.exit(0)
import tracking
if how == "own store":
    with tracking.start_run("mine", store="own") as run:
        run.log({"accuracy": 0.5})
    sys.exit(0)
run = tracking.start_run("mine")
if how == "second run":
    with tracking.start_run("again", name="again") as second:
        second.log({"accuracy": 0.5})
elif how == "bug":
    raise ValueError("lr is too large")
elif how == "other metric":
    run.log({"loss": 1.0, "val_acc": 0.5})
elif how == "nan":
    run.log({"accuracy": float("nan")})
elif how == "hang":
    run.log({"accuracy": 0.5}, step=3)
    time.sleep(600)
elif how == "fork":
    if os.fork() == 0:
        os.setsid()
        time.sleep(600)
    run.log({"accuracy": 0.75})
elif how == "print":
    for _ in range(100):
        sys.stdout.write("x" * 999_999 + "\\n")
    run.log({"accuracy": 0.5})
elif how == "memory":
    held = [bytearray(os.urandom(1 << 20)) * 50 for _ in range(40) if not time.sleep(0.05)]
elif how == "killed":
    os.kill(os.getpid(), 9)
elif how == "exit":
    print("no data")
    os._exit(3)
run.finish()
"""
ENDS = {
    "bug": ("fail", "error", "It ended with exit code 1: ValueError: lr is too large"),
    "other metric": (
        "fail",
        "no_metric",
        "It ended well (exit code 0) but never logged 'accuracy'; it logged loss, val_acc.",
    ),
    "own store": ("fail", "no_metric", "Its script names a store of its own, where its run is none of the"),
    "second run": ("fail", "no_metric", "to its trial's run. 'accuracy' is only in 'again' ("),
    "nan": ("fail", "not_a_number", "It logged NaN as 'accuracy'."),
    "hang": ("fail", "time_limit", "longer than the limit of 12 s, and was ended. The last 'accuracy'"),
    "fork": ("complete", None, None),
    "print": ("complete", None, None),
    "memory": ("fail", "memory_limit", "of memory, more than the limit of 700 MB, and were ended after"),
    "silent": ("fail", "no_metric", "without a word to Podium: no run was started"),
    "killed": ("fail", "killed", "It was killed by SIGKILL after"),
    "exit": ("fail", "error", "It ended with exit code 3; the last it printed: no data"),
}


def test_each_way_to_misbehave_ends_in_a_state_and_a_sentence(sweep: SweepProcesses) -> None:
    sweep.write(MISBEHAVING)
    choices = ", ".join(f'"{how}"' for how in ENDS)
    sweep.make(
        workers=3,
        space=f"[space.how]\nchoices = [{choices}]",
        more='[sampler]\nname = "grid"\n[limits]\ntime = "12s"\nmemory = "700MB"\nfailures = 100',
    )
    outcome = sweep.run(170)
    assert (outcome["state"], outcome["reason"]) == ("finished", f"Its budget of {len(ENDS)} trials is used.")
    trials = sweep.trials()
    assert sorted(str(trial.params["how"]) for trial in trials) == sorted(ENDS)
    for trial in trials:
        state, cause, sentence = ENDS[str(trial.params["how"])]
        said = trial.attributes
        assert (trial.state, said.get(CAUSE)) == (state, cause), (trial, sweep.log())
        assert (sentence or "") in said.get(REASON, ""), trial
        with tracking.open_store(sweep.location.root) as store:
            run = store.run(str(trial.run))
        assert run.status == {"complete": "finished", "fail": "failed"}[state]
        assert run.error == said.get(REASON)
        if trial.params["how"] == "bug":
            assert said[TRACEBACK].startswith("Traceback") and "line " in said[TRACEBACK]
        if trial.params["how"] == "print":
            assert 10_000_000 < sweep.places.log(trial.number).stat().st_size < 10_000_200
    assert differences(sweep.location.root, "s") == []


def test_the_pruner_ends_an_unchanged_script(sweep: SweepProcesses) -> None:
    sweep.write(
        """
import argparse, time, tracking
parser = argparse.ArgumentParser()
parser.add_argument("--x", type=float)
x = parser.parse_args().x
with tracking.start_run() as run:
    for step in range(400 if x < 0 else 4):
        run.log({"accuracy": x}, step=step)
        time.sleep(0.25 if x < 0 else 0)
"""
    )
    sweep.make(
        space="[space.x]\nlow = -1.0\nhigh = 1.0",
        more='[pruner]\nname = "median"\nn_startup_trials = 2\n[budget]\ntrials = 3\n'
        + "".join(f"[[start_with]]\nx = {x}\n" for x in (0.5, 0.25, -0.5)),
    )
    assert sweep.run()["state"] == "finished"
    trials = sweep.trials()
    assert [trial.state for trial in trials] == ["complete", "complete", "pruned"]
    assert trials[2].values == (-0.5,)
    with tracking.open_store(sweep.location.root) as store:
        run = store.run(str(trials[2].run))
        reported = store.history([str(trials[0].run)], "intermediate_value")
    assert run.status is RunStatus.PRUNED
    assert 0 < run.metrics["accuracy"].count < 100
    assert reported["step"].tolist() == [0, 1, 2, 3]
    assert differences(sweep.location.root, "s") == []


REPEATED = """
import argparse, sys, tracking
parser = argparse.ArgumentParser()
parser.add_argument("--x", type=float)
parser.add_argument("--seed", type=int)
options = parser.parse_args()
with tracking.start_run("mine") as run:
    run.log({"accuracy": options.x + options.seed})
    if options.x > 0.9 and options.seed == 2:
        sys.exit("out of luck")
"""


def test_a_trial_of_repeats_is_the_mean_of_child_runs(sweep: SweepProcesses) -> None:
    sweep.write(REPEATED)
    sweep.make(
        more='[repeats]\nvary = "seed"\nvalues = [1, 2, 4]\n[budget]\ntrials = 2\n'
        "[[start_with]]\nx = 0.5\n[[start_with]]\nx = 1.0"
    )
    assert sweep.run()["state"] == "finished"
    whole, broken = sweep.trials()
    assert (whole.state, whole.values) == ("complete", (pytest.approx(0.5 + 7 / 3),))
    assert whole.attributes[REPEATS] == [1.5, 2.5, 4.5]
    assert (broken.state, broken.attributes[CAUSE]) == ("fail", "incomplete")
    assert broken.attributes[REPEATS] == [2.0, None, None]
    assert "Repeat 1 of 0 to 2 (seed=2) is missing" in broken.attributes[REASON]
    with tracking.open_store(sweep.location.root) as store:
        parent = store.run(str(whole.run))
        children = [store.run(f"{whole.run}-r{index}") for index in range(3)]
        spread = store.history([parent.id], "accuracy_std")["value"].tolist()
        late = store.run(f"{broken.run}-r1")
    assert parent.metrics["accuracy"].last == pytest.approx(0.5 + 7 / 3)
    assert spread == [pytest.approx(0.70710678), pytest.approx(1.5275252)]
    assert [child.parent for child in children] == [parent.id] * 3
    assert [child.metrics["accuracy"].last for child in children] == [1.5, 2.5, 4.5]
    assert late.status is RunStatus.FAILED
    assert differences(sweep.location.root, "s") == []
