"""Functions, objectives and tables as targets of a sweep."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import tracking
from tests.conftest import script_environment
from tests.processes.sweep_processes import SweepProcesses
from tests.tuning.projection import differences
from tracking.records import RunStatus
from tracking.study_records import CAUSE, REASON, TRACEBACK
from tracking.tuning.execution.places import REQUEST, RESULT


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
    if how == "same":
        for step in range(3):
            tracking.log({"accuracy": x + step}, step=step)
        return x + 2
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
    "same": ("complete", 2.5, None),
    "text": (
        "fail",
        "error",
        "train.py:train returned 'good' (str). Return a number, a dictionary of metrics, one number for each "
        "objective, or nothing where the metric is logged.",
    ),
    "bug": ("fail", "error", "train.py:train raised IndexError: list index out of range"),
    "pruned": ("pruned", 0.5, "It ended itself as pruned (TrialPruned)."),
    "exit": ("fail", "error", "train.py:train called sys.exit(4)."),
    "two": ("fail", "error", "It returned 2 values; the sweep has 1 objective (accuracy)."),
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
    # What was logged stays; what was returned is the trial's value, and comes last.
    both = runs["both"].metrics["accuracy"]
    assert (both.count, both.last, both.last_step, both.max) == (4, 0.5, 3, 2.5)
    log = sweep.places.log(trials["both"].number).read_text()
    assert log.count("train.py:train returned 0.5 as 'accuracy', which it had logged as 2.5") == 1
    same = runs["same"].metrics["accuracy"]
    assert (same.count, same.last, same.last_step) == (3, 2.5, 2)
    assert "returned" not in sweep.places.log(trials["same"].number).read_text()
    assert runs["number"].metrics["accuracy"].last == 1.0
    assert runs["number"].params["x"] == 0.5
    assert runs["pruned"].status is RunStatus.PRUNED


STARTS = """
import tracking

@tracking.tunable
def train(how: str, x: float = 0.5) -> float:
    if how == "script":  # as it stands in many a script: a run of its own
        with tracking.start_run("its own", params={"layers": 3}, tags=["mine"], notes="said") as run:
            for step in range(3):
                run.log({"accuracy": x + step})
        tracking.log({"after": 1.0})
        with tracking.start_run("later") as later:
            later.log({"other": 2.0})
        return None
    if how == "left open":
        run = tracking.start_run("its own", strict=True)
        run.log({"accuracy": x})
        return 2 * x
    if how == "logs":
        tracking.log({"accuracy": x})
        return None
    if how == "raises":
        with tracking.start_run("its own"):
            raise ValueError("no good")
"""


def test_a_run_that_a_function_starts_is_its_trials(sweep: SweepProcesses) -> None:
    sweep.write(STARTS)
    sweep.make(
        workers=2,
        target='function = "train.py:train"',
        space='[space.how]\nchoices = ["script", "left open", "logs", "raises"]\n[space.x]\nvalue = 0.5',
        more='[sampler]\nname = "grid"',
    )
    assert sweep.run()["state"] == "finished"
    trials = {str(trial.params["how"]): trial for trial in sweep.trials()}
    with tracking.open_store(sweep.location.root) as store:
        runs = {how: store.run(str(trial.run)) for how, trial in trials.items()}
        every = store.search(children=True)
        children = every[~every["run"].isin([run.id for run in runs.values()])]["run"].tolist()
        (later,) = [store.run(child) for child in children]
    script = runs["script"]
    assert trials["script"].values == (2.5,)
    assert (script.params["layers"], script.params["x"]) == (3, 0.5)
    assert (script.tags, script.notes, script.status) == (("mine",), "said", RunStatus.FINISHED)
    assert (script.metrics["accuracy"].count, script.metrics["accuracy"].last_step) == (3, 2)
    assert script.metrics["after"].last_step == 3
    assert (later.parent, later.metrics["other"].last) == (script.id, 2.0)
    assert trials["left open"].values == (1.0,)
    assert runs["left open"].metrics["accuracy"].last == 1.0
    assert trials["logs"].values == (0.5,)
    assert trials["raises"].attributes[REASON] == "train.py:train raised ValueError: no good"
    assert runs["raises"].status is RunStatus.FAILED


def test_each_repeat_of_a_function_that_starts_a_run_is_one_run(sweep: SweepProcesses) -> None:
    sweep.write(
        "import tracking\n"
        "def train(x: float, seed: int = 0) -> None:\n"
        "    with tracking.start_run('its own', tags=['mine']) as run:\n"
        "        run.log({'accuracy': x + seed})\n"
    )
    sweep.make(
        target='function = "train.py:train"',
        space="[space.x]\nchoices = [0.5]",
        more='[repeats]\nvary = "seed"\nvalues = [0, 1]\n[budget]\ntrials = 1',
    )
    assert sweep.run()["state"] == "finished"
    (trial,) = sweep.trials()
    assert trial.values == (1.0,)
    with tracking.open_store(sweep.location.root) as store:
        runs = store.search(children=True)["run"].tolist()
        assert sorted(runs) == sorted([str(trial.run), f"{trial.run}-r0", f"{trial.run}-r1"])
        repeat = store.run(f"{trial.run}-r1")
    assert (repeat.tags, repeat.status, repeat.metrics["accuracy"].last) == (
        ("mine",),
        RunStatus.FINISHED,
        1.5,
    )


def git(folder: Path, *arguments: str) -> str:
    options = ["-c", "user.name=N", "-c", "user.email=n@example.org", "-c", "init.defaultBranch=main"]
    done = subprocess.run(
        ["git", *options, *arguments], cwd=folder, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def test_the_code_of_a_trial_is_the_users(sweep: SweepProcesses) -> None:
    sweep.write(
        "import sys\nDIRTY = False\ndef train(x):\n    assert sys.argv[0].endswith('train.py')\n    return x\n"
    )
    git(sweep.project, "init")
    git(sweep.project, "add", ".")
    git(sweep.project, "commit", "-m", "one")
    file = sweep.project / "train.py"
    file.write_text(file.read_text().replace("False", "True"))
    sweep.make(target='function = "train.py:train"', more="[budget]\ntrials = 1")
    sweep.start(TRACKING_CAPTURE="git,diff,script,source")
    assert sweep.finish()["state"] == "finished"
    (trial,) = sweep.trials()
    assert trial.state == "complete", trial.attributes
    with tracking.open_store(sweep.location.root) as store:
        found = {each.section: each for each in store.captures(str(trial.run))}
        assert found["git"].data["root"] == str(sweep.project)
        assert found["git"].data["commit"] == git(sweep.project, "rev-parse", "HEAD")
        assert found["script"].data == {"path": str(file), "arguments": [], "entry": "function"}
        assert found["source"].data["name"] == "train.py"
        assert b"+DIRTY = True" in store.open_object(str(found["diff"].digest)).read()


def test_a_file_that_cannot_be_imported_is_said_with_its_line(sweep: SweepProcesses) -> None:
    sweep.write("import beside\ndef train(x):\n    return x\n")
    for text, reason in (
        ("one = 1\nraise ValueError('no data')\n", "raised ValueError: no data (beside.py, line 2)."),
        (
            "import json\njson.loads('[')\n",
            "raised JSONDecodeError: Expecting value: line 1 column 2 (char 1) (beside.py, line 2).",
        ),
        ("one = 1\ntwo = (\n", "raised SyntaxError: '(' was never closed (beside.py, line 2)."),
        (
            "import sys\nsys.exit(3)\n",
            "called sys.exit(3). What the file does when it is run as a script belongs under "
            'if __name__ == "__main__":.',
        ),
    ):
        sweep.write(text, "beside.py")
        request = {
            "kind": "function",
            "target": {"path": "train.py", "name": "train", "objective": False},
            "params": {"x": 1.0},
            "project": str(sweep.project),
            "experiment": "e",
        }
        folder = sweep.folder / "request"
        folder.mkdir(exist_ok=True)
        (folder / REQUEST).write_text(json.dumps(request))
        subprocess.run(
            [sys.executable, "-P", "-m", "tracking.tuning.execution.evaluator", str(folder)],
            cwd=sweep.project,
            check=True,
            capture_output=True,
            env=script_environment(TRACKING_STORE=str(sweep.location.root), TRACKING_CAPTURE="0"),
        )
        said = json.loads((folder / RESULT).read_text())
        assert said["problem"] == f"Importing train.py {reason}"
        assert "evaluator" not in said["traceback"]


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
    assert run.metrics["accuracy_fold"].count == 3
    assert (run.metrics["accuracy"].last,) == best.values
    assert 0 < run.metrics["accuracy_std"].last < 0.1
    assert run.status is RunStatus.FINISHED


def test_a_model_is_pruned_by_its_mean_over_the_folds_so_far(sweep: SweepProcesses) -> None:
    pytest.importorskip("sklearn")
    # With a leaf of half of the rows a tree has no split at all; forests are slow enough to be pruned.
    sweep.make(
        target='dataset = "iris"\ncolumn = "target"\nestimators = ["forest"]\nmetric = "accuracy"\nfolds = 5',
        space='[space."forest.min_samples_leaf"]\nchoices = [1, 70]\n[space."forest.n_estimators"]\nvalue = 120',
        more='[sampler]\nname = "listed"\n[pruner]\nname = "median"\nn_startup_trials = 1\nn_warmup_steps = 0\n'
        "[[start_with]]\n'forest.min_samples_leaf' = 1\n[[start_with]]\n'forest.min_samples_leaf' = 70",
    )
    sweep.start(TRACKING_CAPTURE="git,script,source")
    assert sweep.finish()["state"] == "finished"
    good, bad = sweep.study.get_trials(deepcopy=False)
    with tracking.open_store(sweep.location.root) as store:
        runs = [str(trial.run) for trial in sweep.trials()]
        scores = store.history(runs[0], "accuracy_fold")["value"]
        captures = {each.section: each.data for each in store.captures(runs[0])}
    means = scores.expanding().mean().tolist()
    assert list(good.intermediate_values.values()) == pytest.approx(means)
    assert good.value == pytest.approx(means[-1])
    assert bad.state.name == "PRUNED"
    # No file of ours is taken for the user's script.
    assert captures["script"] == {"path": None, "arguments": [], "entry": "table"}
    assert (
        "source" not in captures and captures["git"]["error"] == f"{sweep.project} is in no git repository."
    )
