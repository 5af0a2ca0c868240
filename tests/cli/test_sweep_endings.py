"""How a sweep ended is told by `list`, `status --follow` and `trials`: failures, pruned and taken-over trials."""

from __future__ import annotations

from pathlib import Path

import optuna
import pytest

import tracking
from tests.cli.conftest import Command
from tests.tuning.sweeping import TEXT, made, project
from tracking.config import StoreLocation
from tracking.study_records import CAUSE, REASON, RUN

optuna.logging.set_verbosity(optuna.logging.ERROR)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return project(tmp_path)


def failed(store_folder: Path, folder: Path, count: int) -> None:
    """A stopped sweep whose trials failed."""
    made(StoreLocation(store_folder, named=True), folder)
    study = optuna.load_study(study_name="s", storage=tracking.study_storage(store_folder))
    for number in range(count):
        trial = study.ask()
        trial.suggest_float("lr", 0.01, 0.3)
        trial.set_user_attr(CAUSE, "time_limit" if number == 1 else "error")
        trial.set_user_attr(REASON, "It ended with exit code 1: ValueError: too large.")
        study.tell(trial, state=optuna.trial.TrialState.FAIL)


def test_a_sweep_whose_trials_all_failed_says_why(folder: Path, store_folder: Path, command: Command) -> None:
    failed(store_folder, folder, 3)
    said = "None of its 3 trials succeeded. It was asked to stop."
    assert said in command("sweep", "status", "s").out
    followed = command("sweep", "status", "s", "--follow").out
    assert followed.startswith("s: stopped, 3 of 10 trials, 3 failed. Failed: 2 × error, 1 × time_limit (")
    assert "ValueError: too large). " in followed and followed.endswith(f"{said}\n")
    assert "Failed: 2 × error, 1 × time_limit (" in command("sweep", "list").out


def test_one_failed_trial(folder: Path, store_folder: Path, command: Command) -> None:
    failed(store_folder, folder, 1)
    assert "Its only trial failed. It was asked to stop." in command("sweep", "status", "s").out


def test_a_sweep_with_a_value_says_nothing_of_that(
    folder: Path, store_folder: Path, command: Command
) -> None:
    made(StoreLocation(store_folder, named=True), folder, 3)
    assert "succeeded" not in command("sweep", "status", "s").out
    assert "Failed: 1 × error" in command("sweep", "status", "s", "-f").out


def test_pruned_and_taken_over_trials_are_marked(folder: Path, store_folder: Path, command: Command) -> None:
    text = TEXT.replace('metric = "accuracy"', 'metric = "intermediate_value"')
    made(StoreLocation(store_folder, named=True), folder, text=text)
    study = optuna.load_study(study_name="s", storage=tracking.study_storage(store_folder))
    trial = study.ask()
    trial.suggest_float("lr", 0.01, 0.3)
    trial.report(0.25, 0)
    trial.report(0.625, 1)
    study.tell(trial, state=optuna.trial.TrialState.PRUNED)
    with tracking.start_run("elsewhere", store=store_folder, capture=False) as run:
        run.log({"intermediate_value": 0.5})
    study.add_trial(
        optuna.trial.create_trial(
            params={"lr": 0.1},
            distributions={"lr": optuna.distributions.FloatDistribution(0.01, 0.3)},
            value=0.5,
            user_attrs={RUN: run.id},
        )
    )
    done = command("sweep", "trials", "s")
    first, second = done.out.splitlines()[1:]
    assert "pruned" in first and "(0.625" in first and "In parentheses" in done.err
    assert "complete, taken over" in second and "(0.5" not in second and "0.5" in second


def test_a_name_is_taken_as_it_is_printed(folder: Path, store_folder: Path, command: Command) -> None:
    name = "a\u202eb"
    made(
        StoreLocation(store_folder, named=True),
        folder,
        1,
        text=TEXT.replace('name = "s"', f'name = "{name}"'),
    )
    shown = command("sweep", "list").out.splitlines()[1].split()[0]
    assert shown == "a\\u202eb"
    for typed in (shown, name):
        assert command("sweep", "status", typed).code == 0
    assert command("sweep", "status", "a\\u0041b").code == 2
