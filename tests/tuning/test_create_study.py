"""`tracking.create_study` gives plain studies and says what is wrong with its arguments."""

from __future__ import annotations

import pickle
import sqlite3
import threading
import time
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.study import StudyDirection

import tracking
from tests.tuning.projection import differences
from tracking.tuning.storage import StudyStorage


def test_a_study_is_a_plain_one_of_optuna(store_folder: Path) -> None:
    sampler, pruner = optuna.samplers.RandomSampler(seed=1), optuna.pruners.NopPruner()
    study = tracking.create_study(
        "s",
        directions=["maximize", StudyDirection.MINIMIZE],
        sampler=sampler,
        pruner=pruner,
        store=store_folder,
    )
    assert type(study) is optuna.Study
    assert (study.study_name, study.sampler, study.pruner) == ("s", sampler, pruner)
    assert study.directions == [StudyDirection.MAXIMIZE, StudyDirection.MINIMIZE]
    unnamed = tracking.create_study(store=store_folder)
    assert unnamed.study_name.startswith("no-name-")
    names = optuna.get_all_study_names(tracking.study_storage(store_folder))
    assert names == ["s", unnamed.study_name]


def test_a_study_is_found_again(store_folder: Path) -> None:
    with tracking.open_store(store_folder) as store:
        first = tracking.create_study("s", direction="maximize", store=store)
        first.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=3)
        first.set_user_attr("who", "me")
        with pytest.raises(optuna.exceptions.DuplicatedStudyError, match="load_if_exists"):
            tracking.create_study("s", store=store)
        again = tracking.create_study("s", store=store, load_if_exists=True)
        assert again.direction is StudyDirection.MAXIMIZE
        assert again.trials == first.trials and again.user_attrs == {"who": "me"}
        with pytest.raises(tracking.InvalidValue, match="maximize, not minimize"):
            tracking.create_study("s", direction="minimize", store=store, load_if_exists=True)
        copied = pickle.loads(pickle.dumps(again))
        copied.optimize(lambda trial: 0.5, n_trials=1)
        assert len(first.trials) == 4


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"direction": "up"}, "minimize"),
        ({"direction": "minimize", "directions": ["minimize"]}, "not both"),
        ({"directions": []}, "no objective"),
        ({"directions": "minimize"}, "list"),
        ({"metric_names": ["a", "b"]}, "the one objective"),
        ({"experiment": ""}, "experiment"),
    ],
)
def test_arguments_that_make_no_sense_are_named(
    arguments: dict[str, Any], message: str, store_folder: Path
) -> None:
    with pytest.raises(tracking.InvalidValue, match=message):
        tracking.create_study("s", store=store_folder, **arguments)
    with tracking.open_store(store_folder) as store:
        assert store.studies() == []


def test_nothing_is_kept_while_tracking_is_off(store_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACKING_OFF", "1")
    study = tracking.create_study("s", store=store_folder, metric_names=["loss"], experiment="e")
    study.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=2)
    assert (len(study.trials), study.metric_names) == (2, ["loss"])
    assert not store_folder.exists()


def test_threads_share_a_study(store_folder: Path) -> None:
    study = tracking.create_study("s", sampler=optuna.samplers.RandomSampler(), store=store_folder)
    for number in range(20):
        study.enqueue_trial({"x": number / 20})
    study.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=40, n_jobs=4)
    values = [trial.value for trial in study.trials]
    assert len(values) == 40 and values[:20] == [number / 20 for number in range(20)]
    assert differences(store_folder, "s") == []


def test_a_locked_database_is_waited_for(store_folder: Path) -> None:
    study = tracking.create_study("s", store=store_folder)
    holder = sqlite3.connect(store_folder / "tracking.db", isolation_level=None, check_same_thread=False)
    holder.execute("BEGIN IMMEDIATE")
    free = threading.Timer(1.0, lambda: holder.execute("ROLLBACK"))
    free.start()
    began = time.monotonic()
    study.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=1)
    assert time.monotonic() - began > 0.9
    free.join()
    holder.close()
    assert differences(store_folder, "s") == []


def test_studies_do_not_replay_each_other(store_folder: Path) -> None:
    big = tracking.create_study("big", store=store_folder)
    for _ in range(50):
        big.add_trial(optuna.trial.create_trial(value=1.0))
    small = tracking.create_study("small", store=store_folder)
    small.ask()
    storage = tracking.study_storage(store_folder)
    assert isinstance(storage, StudyStorage)
    assert len(optuna.load_study(study_name="small", storage=storage).trials) == 1
    assert len(storage._replays) == 1


def test_every_sampler_and_pruner_of_optuna_works(store_folder: Path) -> None:
    def objective(trial: optuna.Trial) -> float:
        x = trial.suggest_float("x", 0, 1)
        for step in range(3):
            trial.report(x * step, step)
            if trial.should_prune():
                raise optuna.TrialPruned
        return x

    samplers = optuna.samplers
    for number, sampler in enumerate(
        (
            samplers.TPESampler(n_startup_trials=3, seed=1),
            samplers.NSGAIISampler(population_size=4, seed=1),
            samplers.QMCSampler(seed=1),
            samplers.GridSampler({"x": [0.0, 0.5, 1.0]}),
        )
    ):
        pruner = optuna.pruners.HyperbandPruner(1, 3) if number % 2 else optuna.pruners.MedianPruner(2)
        study = tracking.create_study(f"s{number}", sampler=sampler, pruner=pruner, store=store_folder)
        study.optimize(objective, n_trials=10)
        assert study.best_trial.value is not None
