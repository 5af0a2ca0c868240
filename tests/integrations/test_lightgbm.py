"""LightGBM's callback beside the real library."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sklearn.datasets import load_breast_cancer

import tracking
from tracking.integrations.lightgbm import LightGBMCallback

lightgbm = pytest.importorskip("lightgbm", exc_type=ImportError)

X, Y = load_breast_cancer(return_X_y=True)
PARAMS = {"objective": "binary", "metric": ["binary_logloss", "auc"], "verbose": -1, "num_threads": 1}


def sets() -> tuple[Any, Any]:
    train = lightgbm.Dataset(X[:400], Y[:400], free_raw_data=False)
    return train, lightgbm.Dataset(X[400:], Y[400:], reference=train, free_raw_data=False)


def test_every_iteration_and_the_best_are_logged(store_folder: Path) -> None:
    train, valid = sets()
    history: dict[str, Any] = {}
    with tracking.start_run("lgb", store=store_folder, capture=False) as run:
        callback = LightGBMCallback()
        booster = lightgbm.train(
            PARAMS | {"learning_rate": 0.9}, train, 100, valid_sets=[train, valid], valid_names=["train", "valid"],
            callbacks=[lightgbm.early_stopping(4, verbose=False), callback, lightgbm.record_evaluation(history)],
        )  # fmt: skip
        callback.log_best(booster)
    with tracking.open_store(store_folder) as store:
        record = store.run(run.id)
        for name in ("train", "valid"):
            for metric in ("binary_logloss", "auc"):
                points = store.history(run.id, f"{name}/{metric}")
                assert points["value"].tolist() == history[name][metric]
                assert points["step"].tolist() == list(range(len(points)))
        assert record.metrics["best_iteration"].last == booster.best_iteration
        assert record.metrics["best/valid/auc"].last == booster.best_score["valid"]["auc"]
        assert record.params["lightgbm"]["learning_rate"] == 0.9
        goals = store.experiments()[0].goals
        assert goals["valid/auc"] == "maximize" and goals["valid/binary_logloss"] == "minimize"


def test_training_that_goes_on_counts_on(store_folder: Path) -> None:
    with tracking.start_run("lgb", store=store_folder, capture=False) as run:
        booster = None
        for _ in range(2):
            train, valid = sets()
            booster = lightgbm.train(
                PARAMS, train, 4, valid_sets=[valid], init_model=booster, callbacks=[LightGBMCallback()]
            )
    with tracking.open_store(store_folder) as store:
        assert store.history(run.id, "valid_0/auc")["step"].tolist() == list(range(8))


def test_cv_and_an_estimator(store_folder: Path) -> None:
    with tracking.start_run("lgb", store=store_folder, capture=False) as run:
        table = lightgbm.cv(PARAMS, sets()[0], 5, nfold=3, seed=1, callbacks=[LightGBMCallback(prefix="cv/")])
        model = lightgbm.LGBMClassifier(n_estimators=3, n_jobs=1, verbose=-1)
        model.fit(X[:400], Y[:400], eval_set=[(X[400:], Y[400:])], callbacks=[LightGBMCallback()])
    with tracking.open_store(store_folder) as store:
        points = store.history(run.id, ["cv/valid/auc", "cv/valid/auc_std"])
        assert points["value"].tolist() == pytest.approx([*table["valid auc-mean"], *table["valid auc-stdv"]])
        assert store.run(run.id).metrics["valid_0/binary_logloss"].count == 3
