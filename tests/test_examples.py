"""Every example runs as it stands and leaves a finished run that can be compared."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

import tracking
from tests.conftest import ROOT, script_environment

SMALL = {
    "digits_sklearn.py": ["--epochs", "3", "--hidden", "8"],
    "numpy_regression.py": ["--epochs", "3", "--samples", "200"],
    "rich_types.py": ["--epochs", "3", "--hidden", "8"],
}

# Those that tell a story of several runs; a test of their own holds each.
STORIES = {"promote_digits.py"}

# Those that need another library: run where it is installed.
WITH_LIBRARY = {
    "search_sklearn.py": ("sklearn", ["--folds", "2", "--images", "200"], "best_score"),
    "boosting_xgboost.py": ("xgboost", ["--rounds", "5"], "val/auc"),
    "boosting_lightgbm.py": ("lightgbm", ["--rounds", "5"], "val/auc"),
    "network_keras.py": ("keras", ["--epochs", "2"], "val_loss"),
    "network_lightning.py": ("lightning", ["--epochs", "2"], "val/loss"),
    "trainer_transformers.py": ("transformers", ["--epochs", "1"], "eval/loss"),
}


def run_example(name: str, arguments: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / "examples" / name), *arguments],
        cwd=folder,
        env=script_environment(),
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_every_example_is_run() -> None:
    assert {file.name for file in (ROOT / "examples").glob("*.py")} == {*SMALL, *STORIES, *WITH_LIBRARY}


@pytest.mark.parametrize("name", SMALL)
def test_example_logs_a_finished_run(name: str, tmp_path: Path) -> None:
    done = run_example(name, SMALL[name], tmp_path)
    assert done.returncode == 0, done.stderr
    store = tracking.open_store(tmp_path / ".tracking")
    runs = store.search()
    assert list(runs["status"]) == ["finished"]
    assert runs["params.epochs"].tolist() == [3]
    loss = store.history([runs["run"][0]], ["loss"])
    assert loss["step"].tolist() == [1, 2, 3]
    assert loss["value"].iloc[-1] < loss["value"].iloc[0]
    store.close()


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.soak] * (name == "rich_types.py")) for name in SMALL]
)
def test_example_trains_the_same_for_the_same_seed(name: str, tmp_path: Path) -> None:
    for _ in range(2):
        assert run_example(name, [*SMALL[name], "--seed", "7"], tmp_path).returncode == 0
    store = tracking.open_store(tmp_path / ".tracking")
    first, second = store.search(order_by="created")["metrics.loss"]
    assert first == second
    store.close()


@pytest.mark.parametrize("name", SMALL)
def test_example_explains_its_options(name: str, tmp_path: Path) -> None:
    done = run_example(name, ["--help"], tmp_path)
    assert done.returncode == 0
    assert "--epochs" in done.stdout
    assert not (tmp_path / ".tracking").exists()


@pytest.mark.parametrize("name", WITH_LIBRARY)
def test_example_of_an_integration_logs_a_finished_run(name: str, tmp_path: Path) -> None:
    library, arguments, metric = WITH_LIBRARY[name]
    if importlib.util.find_spec(library) is None:
        pytest.skip(f"{library} is not installed")
    done = run_example(name, arguments, tmp_path)
    assert done.returncode == 0, done.stderr
    store = tracking.open_store(tmp_path / ".tracking")
    (run,) = store.runs(store.search()["run"].tolist())
    assert run.status == "finished"
    assert metric in run.metrics
    assert run.params
    store.close()


def test_example_of_promotions_ends_with_the_better_champion(tmp_path: Path) -> None:
    done = run_example("promote_digits.py", ["--seeds", "5"], tmp_path)
    assert done.returncode == 0, done.stderr
    with tracking.open_store(tmp_path / ".tracking") as store:
        kinds = [str(entry.kind) for entry in store.journal("digits")]
        assert kinds == [
            *("register", "gates", "promote", "register", "refuse", "promote", "rollback", "promote")
        ]
        champion = store.resolve("digits@champion")
        assert champion.number == 2 and champion.lineage["params"]["model"] == "svm"
        assert len(store.search(experiment="digits-promoted")) == 10
        assert store.verify_registry().problems == ()
