"""Functions, objectives and tables as targets of a sweep."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import tracking
from tests.processes.sweep_processes import SweepProcesses
from tests.tuning.projection import differences
from tracking.records import RunStatus
from tracking.study_records import CAUSE, REASON, TRACEBACK


@pytest.fixture
def sweep(tmp_path: Path) -> Iterator[SweepProcesses]:
    found = SweepProcesses(tmp_path)
    yield found
    found.end()


FUNCTIONS = """
import tracking
from beside import doubled

@tracking.tunable
def train(how: str, x: float = 0.5) -> float:
    if how == "number":
        return doubled(x)
    if how == "metrics":
        return {"accuracy": x, "loss": 1 - x}
    if how == "nothing":
        for step in range(3):
            tracking.log({"accuracy": x + step}, step=step)
        return None
    if how == "both":
        for step in range(3):
            tracking.log({"accuracy": x + step}, step=step)
        return x
    if how == "text":
        return "good"
    if how == "bug":
        return [][3]
    if how == "pruned":
        import optuna
        tracking.log({"accuracy": x}, step=0)
        raise optuna.TrialPruned()
    if how == "exit":
        raise SystemExit(4)
    if how == "two":
        return 1.0, 2.0
"""
ENDS = {
    "number": ("complete", 1.0, None),
    "metrics": ("complete", 0.5, None),
    "nothing": ("complete", 2.5, None),
    "both": ("complete", 0.5, None),
    "text": (
        "fail",
        "error",
        "train.py:train returned 'good' (str). Return a number, a dictionary of metrics, one number for each "
        "objective, or nothing where the metric is logged.",
    ),
    "bug": ("fail", "error", "train.py:train raised IndexError: list index out of range"),
    "pruned": ("pruned", 0.5, "It ended itself as pruned (TrialPruned)."),
    "exit": ("fail", "error", "train.py:train called sys.exit(4)."),
    "two": ("fail", "error", "It returned 2 values; the sweep has 1 objectives (accuracy)."),
}


def test_what_a_function_does_decides_its_trial(sweep: SweepProcesses) -> None:
    sweep.write(FUNCTIONS)
    sweep.write("def doubled(x):\n    return 2 * x\n", "beside.py")
    # A file of the user's must not stand in for a module of ours.
    sweep.write("raise RuntimeError('not meant')\n", "tracking.py")
    choices = ", ".join(f'"{how}"' for how in ENDS)
    sweep.make(
        workers=2,
        target='function = "train.py:train"',
        space=f"[space.how]\nchoices = [{choices}]\n[space.x]\nvalue = 0.5",
        more='[sampler]\nname = "grid"\n[limits]\nfailures = 100',
    )
    assert sweep.run()["state"] == "finished"
    trials = {str(trial.params["how"]): trial for trial in sweep.trials()}
    assert trials.keys() == ENDS.keys()
    with tracking.open_store(sweep.location.root) as store:
        runs = {how: store.run(str(trial.run)) for how, trial in trials.items()}
    for how, trial in trials.items():
        state, value, reason = ENDS[how]
        if state == "fail":
            assert (trial.state, trial.attributes.get(CAUSE)) == (state, value), sweep.log()
        else:
            assert (trial.state, trial.values) == (state, (value,)), (how, trial, sweep.log())
        assert trial.attributes.get(REASON) == reason
    trace = trials["bug"].attributes[TRACEBACK]
    assert "train.py" in trace and "evaluator" not in trace and "return [][3]" in trace
    assert runs["metrics"].metrics["loss"].last == 0.5
    assert runs["both"].metrics["accuracy"].count == 3
    assert runs["number"].metrics["accuracy"].last == 1.0
    assert runs["number"].params["x"] == 0.5
    assert runs["pruned"].status is RunStatus.PRUNED


def test_an_objective_gets_a_trial_of_the_study(sweep: SweepProcesses) -> None:
    sweep.write(
        """
import optuna

def objective(trial: optuna.Trial) -> float:
    x = trial.suggest_float("x", 0, 1)
    kind = trial.suggest_categorical("kind", ["a", "b"])
    for step in range(5):
        trial.report(x * step, step)
        if trial.number == 4 and step == 2:
            raise optuna.TrialPruned()
    trial.set_user_attr("seen", kind)
    return x
"""
    )
    sweep.make(
        workers=2,
        target='objective = "train.py:objective"',
        space="",
        general="seed = 3",
        more="[budget]\ntrials = 6",
    )
    assert sweep.run()["state"] == "finished"
    trials = sweep.trials()
    assert [trial.state for trial in trials] == ["complete"] * 4 + ["pruned", "complete"]
    assert len({trial.params["x"] for trial in trials}) == 6
    assert all(
        trial.attributes["seen"] == trial.params["kind"] for trial in trials if trial.state == "complete"
    )
    assert all(trial.values == (trial.params["x"],) for trial in trials if trial.state == "complete")
    assert trials[4].values == (pytest.approx(trials[4].params["x"] * 2),)
    assert differences(sweep.location.root, "s") == []


def test_the_best_model_on_a_table_is_kept(sweep: SweepProcesses) -> None:
    pytest.importorskip("sklearn")
    sweep.make(
        target='dataset = "iris"\ncolumn = "target"\nestimators = ["knn"]\nmetric = "accuracy"\nfolds = 3',
        space="",
        more="[budget]\ntrials = 2",
    )
    outcome = sweep.run()
    assert (outcome["state"], outcome["reason"]) == ("finished", "Its budget of 2 trials is used.")
    trials = sweep.trials()
    assert [trial.state for trial in trials] == ["complete"] * 2, trials
    best = max(trials, key=lambda trial: trial.values[0] if trial.values else 0.0)
    with tracking.open_store(sweep.location.root) as store:
        carried = {str(trial.run): store.artifacts(str(trial.run)) for trial in trials}
        run = store.run(str(best.run))
    assert [each.name for each in carried.pop(run.id)] == ["model", "model.example.json"]
    assert not any(carried.values())
    assert run.metrics["accuracy"].count == 3
    assert run.metrics["accuracy_mean"].last == pytest.approx(best.values[0] if best.values else None)
    assert run.status is RunStatus.FINISHED
