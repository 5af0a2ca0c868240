"""Trials that break a constraint: told by the records, and never the best."""

from __future__ import annotations

from pathlib import Path

import optuna
import pytest

import tracking
from tests.tuning.projection import differences

PAIR = ("minimize", "minimize")


@pytest.fixture
def store_folder(tmp_path: Path) -> Path:
    return tmp_path / "store"


def test_records_have_the_constraints_and_user_attributes_have_not(store_folder: Path) -> None:
    study = tracking.create_study("s", directions=PAIR, store=store_folder)
    for place, size in enumerate((-1.0, 2.0)):
        trial = study.ask()
        trial.set_user_attr("note", place)
        trial.set_constraint("size", size)
        trial.set_constraint("time", -0.5)
        study.tell(trial, [1.0, 1.0 - place])
    study.tell(study.ask(), [5.0, 5.0])
    made = optuna.trial.create_trial(values=[0.0, 0.0], constraints={"size": 1.0})
    study.add_trial(made)
    with tracking.open_store(store_folder) as store:
        records = store.trials("s")
    assert [dict(each.constraints) for each in records] == [
        dict(trial.constraints) for trial in study.get_trials()
    ]
    assert [each.feasible for each in records] == [True, False, True, False]
    assert [dict(each.attributes) for each in records] == [{"note": 0}, {"note": 1}, {}, {}]
    assert differences(store_folder, "s") == []


def test_what_a_sampler_says_of_constraints_is_read_too(store_folder: Path) -> None:
    with pytest.warns(FutureWarning):
        sampler = optuna.samplers.NSGAIISampler(
            seed=0, constraints_func=lambda trial: (trial.params["x"] - 0.5, -1.0)
        )
    study = tracking.create_study("s", directions=PAIR, store=store_folder, sampler=sampler)
    study.optimize(lambda trial: (trial.suggest_float("x", 0, 1), 1.0), n_trials=6)
    with tracking.open_store(store_folder) as store:
        records = store.trials("s")
    assert [each.feasible for each in records] == [each.params["x"] <= 0.5 for each in records]
    assert {tuple(each.constraints) for each in records} == {("0", "1")}
    assert differences(store_folder, "s") == []


def test_a_user_attribute_of_that_name_breaks_nothing(store_folder: Path) -> None:
    study = tracking.create_study("s", direction="minimize", store=store_folder)
    trial = study.ask()
    trial.set_user_attr("podium:constraints", "mine")
    study.tell(trial, 1.0)
    with tracking.open_store(store_folder) as store:
        (record,) = store.trials("s")
    assert record.feasible and not record.constraints
