"""What each gate finds: one store, two versions, and the sentences that tell a person what to do."""

from __future__ import annotations

import dataclasses
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression

import tracking
from tracking import Gate, GateKind, GateResult, PromotionRefused
from tracking.artifacts.model_examples import take_example
from tracking.artifacts.models import encode_model
from tracking.client.carrying import carry_bytes
from tracking.registry import gates as gates_module
from tracking.registry import trying
from tracking.registry.gate_text import parse_gate
from tracking.registry.trying import difference

X = np.random.default_rng(0).normal(size=(40, 3))
Y = X[:, 0] > 0


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tracking.Store]:
    """Two versions of `digits`: the first is the champion; the second has a clean repository and worse accuracy."""
    folder = tmp_path_factory.mktemp("gates")
    opened = tracking.open_store(folder / "store")
    model = LogisticRegression().fit(X, Y)
    data = pd.DataFrame(X, columns=["a", "b", "c"])
    for accuracy in (0.9, 0.8):
        with tracking.start_run(
            "digits", params={"lr": accuracy}, store=folder / "store", capture=False, strict=True
        ) as run:
            run.define_metric("accuracy", goal="maximize")
            for step, value in enumerate((accuracy - 0.1, accuracy + 0.05, accuracy)):
                run.log({"accuracy": value, "broken": np.nan, "endless": np.inf}, step=step)
            run.log_dataset(data, "train")
            run.log_dataset(data * accuracy, "valid")
            run.log_model(model, input_example=data[:5].to_numpy())
        opened.register("digits", run.id)
    opened.promote("digits", 1)
    yield opened
    opened.close()


def found(store: tracking.Store, line: str, number: int = 2) -> GateResult:
    """Set one gate and ask it."""
    store.set_gates("digits", [line])
    (result,) = store.check_promotion("digits", number).gates
    assert result.asked
    return result


@pytest.mark.parametrize(
    ("line", "passed", "said"),
    [
        ("accuracy >= 0.8", True, "0.8"),
        ("accuracy > 0.8", False, "0.8"),
        ("best(accuracy) >= 0.85", True, "0.85"),
        ("min(accuracy) <= 0.7", False, "0.70000"),
        ("mean(accuracy) < 1", True, "0.78"),
        ("acuracy >= 0.5", False, "the run logged no acuracy; it has accuracy"),
        ("broken >= 0", False, "last is NaN"),
        ("endless >= 0", False, "last is infinite, which meets no bound"),
        ("max(broken) >= 0", False, "none of its values is finite"),
        ("best(broken) >= 0", False, "does not say which direction of broken is better.*define_metric"),
        ("repeats >= 1", True, "^1"),
        ("repeats >= 5", False, "^1"),
        ("artifacts: model, model.example.json", True, "all there"),
        ("artifacts: model, report.csv, roc", False, "missing: report.csv, roc"),
        ("clean git", False, "no git was captured: the gate cannot be shown to hold"),
        ("same data: train", True, "the same as digits/1: train"),
        ("same data", False, "other data than digits/1: valid"),
        (
            "same data: test",
            False,
            "test of both is not known: .*digits/2 recorded train, valid.*log_dataset",
        ),
        ("age <= 1 day", True, "hours old"),
        ("better(accuracy)", False, "."),
        ("loads", True, "loads, and predicts its 5 logged rows again"),
    ],
)
def test_each_kind(store: tracking.Store, line: str, passed: bool, said: str) -> None:
    result = found(store, line)
    assert result.passed is passed
    assert re.search(said, result.found), result.found


def test_with_nobody_to_compare_with(store: tracking.Store) -> None:
    store.set_gates("digits", ["better(accuracy)", "same data"])
    check = store.check_promotion("digits", 2, alias="live")
    assert check.passed and all("nobody is live" in each.found for each in check.gates)
    # Only promotions to the alias that a gate names are held to it.
    store.set_gates("digits", ["accuracy >= 2 for champion"])
    assert store.check_promotion("digits", 2, alias="live").gates == ()
    assert not store.check_promotion("digits", 2).passed


def test_a_refusal_lists_every_gate_with_what_was_found(store: tracking.Store) -> None:
    store.set_gates("digits", ["accuracy >= 0.9", "clean git", "artifacts: model"])
    with pytest.raises(PromotionRefused) as caught:
        store.promote("digits", 2)
    for sentence in ("accuracy (last) >= 0.9: 0.8", "no git was captured", "artifact model: there"):
        assert sentence in str(caught.value)
    assert store.resolve("digits@champion").number == 1


def with_facts(store: tracking.Store, line: str, monkeypatch: pytest.MonkeyPatch, **facts: Any) -> GateResult:
    """Ask a gate about other facts than the store's."""
    store.set_gates("digits", [])
    asked = gates_module.evaluate
    results: list[GateResult] = []

    def evaluate(context: Any) -> tuple[GateResult, ...]:
        results.extend(asked(dataclasses.replace(context, gates=(parse_gate(line),), **facts)))
        return ()

    store.set_gates("digits", [Gate(GateKind.CLEAN_GIT)])
    with monkeypatch.context() as patched:
        patched.setattr(gates_module, "evaluate", evaluate)
        store.check_promotion("digits", 2)
    return results[0]


@pytest.mark.parametrize(
    ("data", "passed", "said"),
    [
        ({"commit": "a" * 40, "dirty": False}, True, "clean at aaaaaaaaaaaa"),
        ({"commit": "a" * 40, "dirty": True}, False, "uncommitted changes; commit them"),
        ({"commit": "a" * 40}, False, "uncommitted changes"),
        ({"commit": None, "dirty": False}, False, "no commit"),
        ({"commit": "a" * 40, "dirty": True, "dirty_submodules": ["lib"]}, False, "submodules: lib"),
        ({"error": "git is not installed"}, False, "git said nothing: git is not installed"),
    ],
)
def test_git(
    store: tracking.Store, monkeypatch: pytest.MonkeyPatch, data: dict[str, Any], passed: bool, said: str
) -> None:
    now = datetime.now(UTC)
    capture = tracking.CaptureRecord("git", data, None, 0, "spool", None, True, now)
    result = with_facts(store, "clean git", monkeypatch, captures=(capture,))
    assert result.passed is passed and said in result.found


def test_age(store: tracking.Store, monkeypatch: pytest.MonkeyPatch) -> None:
    later = datetime.now(UTC) + timedelta(days=31)
    assert with_facts(store, "age <= 30 days", monkeypatch, now=later).found == "31.0 days old"
    earlier = datetime.now(UTC) - timedelta(days=2)
    result = with_facts(store, "age <= 30 days", monkeypatch, now=earlier)
    assert not result.passed and "in the future" in result.found


def test_a_gate_that_fails_itself_has_not_passed(
    store: tracking.Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = with_facts(store, "accuracy >= 0", monkeypatch, run=None)
    assert not result.passed and "cannot be shown to hold (AttributeError" in result.found


def test_a_clean_repository_is_seen_from_a_script(store: tracking.Store, tmp_path: Path) -> None:
    """The whole way: what git says at the start of a run decides the gate."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "train.py").write_text(
        "import tracking\nwith tracking.start_run('git', strict=True) as run:\n"
        "    run.log({'loss': 1.0})\n    run.log_text('x', 'model')\n    print(run.id)\n"
    )
    settings = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "TRACKING_"))},
        "PYTHONPATH": str(Path(tracking.__file__).parents[1]),
        "TRACKING_STORE": str(store.location.root),
    }
    git = ["git", "-C", str(folder), "-c", "user.name=a", "-c", "user.email=a@example.org"]
    for arguments in (["init", "-q"], ["add", "."], ["commit", "-qm", "First"]):
        subprocess.run([*git, *arguments], check=True, env=settings)

    def trained() -> str:
        done = subprocess.run(
            [sys.executable, "train.py"],
            cwd=folder,
            env=settings,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        run_id = done.stdout.split()[-1]
        found = [capture.data for capture in store.captures(run_id) if capture.section == "git"]
        # A script that is over at once gives git a second, which may be too short on a busy machine.
        return (
            run_id
            if found and all(data.get("commit") and "error" not in data for data in found)
            else trained()
        )

    clean = store.register("git", trained())
    (folder / "train.py").write_text((folder / "train.py").read_text() + "# changed\n")
    dirty = store.register("git", trained())
    store.set_gates("git", ["clean git"])
    assert store.check_promotion("git", clean.number).passed
    (result,) = store.check_promotion("git", dirty.number).gates
    assert not result.passed and "uncommitted changes" in result.found


# loads


def version_of(store: tracking.Store, name: str, model: Any, **more: Any) -> GateResult:
    with tracking.start_run("loads", store=store.location.root, capture=False, strict=True) as run:
        run.log_model(model, **more)
    version = store.register(name, run.id)
    store.set_gates(name, ["loads"])
    (result,) = store.check_promotion(name, version.number).gates
    return result


def test_a_model_without_an_example_is_not_shown_to_load(store: tracking.Store) -> None:
    result = version_of(store, "no-example", LinearRegression().fit(X, X[:, 0]))
    assert (
        not result.passed and "no example was kept with the model; log it with input_example=" in result.found
    )


def test_a_model_that_predicts_something_else_is_refused(store: tracking.Store) -> None:
    model = LinearRegression().fit(X, X[:, 0])
    shown = take_example(LinearRegression().fit(X, X[:, 1]), X[:3])
    with tracking.start_run("loads", store=store.location.root, capture=False) as run:
        encoded = encode_model(model)
        event = {"t": "artifact", "step": None, "files": 1, "media": "application/json"}
        carry_bytes(
            run._session, {**event, "name": "model.example.json", "kind": "json", "details": {}}, shown.data
        )
        details = {**encoded.details, "example": "model.example.json"}
        carry_bytes(
            run._session, {**event, "name": "model", "kind": "model", "details": details}, encoded.data
        )
    version = store.register("other", run.id)
    store.set_gates("other", ["loads"])
    (result,) = store.check_promotion("other", version.number).gates
    assert not result.passed and "for row 1 of the example; " in result.found


def test_predictions_are_compared_as_stated() -> None:
    assert difference([1.0, None, "a", True, 3], [1.0 + 5e-6, None, "a", True, 3]) == ""
    assert difference([[0.1, 0.9]], [[0.1, 0.9 + 1e-7]]) == ""
    assert "predicts 1 values for the example, not the 2" in difference([1], [1, 2])
    for new, old in ((1.0, 1.1), (3, 4), ("a", "b"), (None, 0.0), (float("inf"), 1.0), (True, 1), ([1], 1)):
        assert "for row 1" in difference([new], [old])


def test_a_trial_that_does_not_end_or_begin_is_no_pass(
    store: tracking.Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.set_gates("digits", ["loads"])
    monkeypatch.setattr(trying, "SECONDS", 0.01)
    (slow,) = store.check_promotion("digits", 2).gates
    assert not slow.passed and "it took longer than" in slow.found
    monkeypatch.setattr(trying, "SECONDS", 60.0)
    monkeypatch.setattr(trying, "_MODULE", "tracking.no_such_module")
    (dead,) = store.check_promotion("digits", 2).gates
    assert not dead.passed and "the process that tries it could not work" in dead.found
