"""XGBoost's callback beside the real library."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer

import tracking

xgboost = pytest.importorskip("xgboost")
from tracking.integrations import holding  # noqa: E402
from tracking.integrations.xgboost import XGBoostCallback  # noqa: E402

X, Y = load_breast_cancer(return_X_y=True)
PARAMS = {
    "objective": "binary:logistic",
    "max_depth": 2,
    "eta": 0.3,
    "eval_metric": ["logloss", "auc"],
    "nthread": 1,
}


@pytest.fixture
def data() -> tuple[object, object]:
    return xgboost.DMatrix(X[:400], Y[:400]), xgboost.DMatrix(X[400:], Y[400:])


def test_every_iteration_of_every_set_is_logged(store_folder: Path, data: tuple[object, object]) -> None:
    history: dict[str, dict[str, list[float]]] = {}
    with tracking.start_run("xgb", store=store_folder, capture=False) as run:
        xgboost.train(
            PARAMS, data[0], 7, evals=[(data[0], "train"), (data[1], "valid")], evals_result=history,
            verbose_eval=False, callbacks=[XGBoostCallback()],
        )  # fmt: skip
    with tracking.open_store(store_folder) as store:
        record = store.run(run.id)
        for name in ("train", "valid"):
            for metric in ("logloss", "auc"):
                points = store.history(run.id, f"{name}/{metric}")
                assert points["step"].tolist() == list(range(7))
                assert points["value"].tolist() == history[name][metric]
        assert record.params["xgboost"]["max_depth"] == 2
        assert record.params["xgboost"]["objective"] == "binary:logistic"
        goals = store.experiments()[0].goals
        assert goals["valid/logloss"] == "minimize" and goals["valid/auc"] == "maximize"


def test_early_stopping_says_where_the_best_was(store_folder: Path, data: tuple[object, object]) -> None:
    with tracking.start_run("xgb", store=store_folder, capture=False) as run:
        booster = xgboost.train(
            PARAMS | {"eta": 1.0, "max_depth": 6}, data[0], 200, evals=[(data[1], "valid")],
            early_stopping_rounds=3, verbose_eval=False, callbacks=[XGBoostCallback()],
        )  # fmt: skip
    with tracking.open_store(store_folder) as store:
        metrics = store.run(run.id).metrics
        assert metrics["best_iteration"].last == booster.best_iteration
        assert metrics["best_score"].last == pytest.approx(booster.best_score)
        assert metrics["valid/auc"].count < 200


def test_training_that_goes_on_counts_on(store_folder: Path, data: tuple[object, object]) -> None:
    with tracking.start_run("xgb", store=store_folder, capture=False) as run:
        booster = None
        for _ in range(2):
            booster = xgboost.train(
                PARAMS, data[0], 4, evals=[(data[1], "valid")], verbose_eval=False, xgb_model=booster,
                callbacks=[XGBoostCallback(run)],
            )  # fmt: skip
    with tracking.open_store(store_folder) as store:
        assert store.history(run.id, "valid/auc")["step"].tolist() == list(range(8))


def test_cv_has_means_and_deviations(store_folder: Path, data: tuple[object, object]) -> None:
    with tracking.start_run("xgb", store=store_folder, capture=False) as run:
        table = xgboost.cv(PARAMS, data[0], 5, nfold=3, seed=1, callbacks=[XGBoostCallback()])
    with tracking.open_store(store_folder) as store:
        points = store.history(run.id, ["test/logloss", "test/logloss_std"])
        assert points["value"].tolist() == pytest.approx(
            [*table["test-logloss-mean"], *table["test-logloss-std"]]
        )


def test_an_estimator_takes_it_and_pickles(store_folder: Path) -> None:
    with tracking.start_run("xgb", store=store_folder, capture=False) as run:
        model = xgboost.XGBClassifier(n_estimators=3, n_jobs=1, callbacks=[XGBoostCallback(prefix="m/")])
        model.fit(X[:400], Y[:400], eval_set=[(X[400:], Y[400:])], verbose=False)
        assert np.array_equal(pickle.loads(pickle.dumps(model)).predict(X), model.predict(X))
        # A copy logs to the same run; what was pickled knows none, and trains where none is active.
        clone(model).fit(X[:400], Y[:400], eval_set=[(X[400:], Y[400:])], verbose=False)
    loaded = pickle.loads(pickle.dumps(model))
    loaded.fit(X[:400], Y[:400], eval_set=[(X[400:], Y[400:])], verbose=False)
    with tracking.open_store(store_folder) as store:
        assert store.run(run.id).metrics["m/validation_0/logloss"].count == 6
        assert store.count() == 1


def test_another_rank_logs_nothing(
    store_folder: Path, data: tuple[object, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(xgboost.collective, "is_distributed", lambda: True)
    monkeypatch.setattr(xgboost.collective, "get_rank", lambda: 1)
    with tracking.start_run("xgb", store=store_folder, capture=False) as run:
        callback = XGBoostCallback()
        booster = xgboost.train(PARAMS, data[0], 1)
        callback.before_training(booster)
        callback.after_iteration(booster, 0, {"valid": {"auc": [0.5]}})
        callback.after_training(booster)
    with tracking.open_store(store_folder) as store:
        assert not store.run(run.id).metrics and not store.run(run.id).params


def test_without_a_run_it_says_so_once_and_trains(
    data: tuple[object, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(holding, "_told", set())
    with pytest.warns(tracking.TrackingWarning, match="XGBoostCallback logs nothing") as told:
        for _ in range(2):
            booster = xgboost.train(
                PARAMS,
                data[0],
                3,
                evals=[(data[1], "valid")],
                verbose_eval=False,
                callbacks=[XGBoostCallback()],
            )
            assert booster.num_boosted_rounds() == 3
    assert len(told) == 1
