"""A search of scikit-learn becomes a run with a child for each candidate."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, HalvingGridSearchCV, RandomizedSearchCV
from sklearn.svm import SVC

import tracking
from tracking.integrations import holding
from tracking.integrations.sklearn import log_search

X, Y = load_iris(return_X_y=True)


def logged(search: Any, folder: Path, **options: Any) -> tuple[str, list[str]]:
    with tracking.start_run("iris", name="search", store=folder, capture=False) as run:
        children = log_search(search, **options)
        assert tracking.active_run() is run
    return run.id, children


def test_each_candidate_is_a_child_with_its_folds(store_folder: Path) -> None:
    search = GridSearchCV(SVC(), {"C": [0.1, 1.0, 10.0]}, cv=4, return_train_score=True).fit(X, Y)
    parent, children = logged(search, store_folder)
    with tracking.open_store(store_folder) as store:
        found = store.search(children=True, order_by="created")
        assert found["run"].tolist() == [parent, *children]
        assert store.search()["run"].tolist() == [parent]
        for place, child in enumerate(children):
            record = store.run(child)
            assert (record.parent, record.status) == (parent, "finished")
            assert record.params == {"C": [0.1, 1.0, 10.0][place]}
            scores = store.history(child, "test_score")
            assert scores["value"].tolist() == [
                search.cv_results_[f"split{fold}_test_score"][place] for fold in range(4)
            ]
            assert record.metrics["mean_test_score"].last == search.cv_results_["mean_test_score"][place]
            assert "train_score" in record.metrics
        best = store.search('"best" in tags', children=True)
        assert best["run"].tolist() == [children[search.best_index_]]
        record = store.run(parent)
        assert record.metrics["best_score"].last == search.best_score_
        assert record.params["best"] == search.best_params_
        assert record.params["search"]["candidates"] == 3
        assert store.experiments()[0].goals["mean_test_score"] == "maximize"


def test_several_scorers_and_a_limit(store_folder: Path) -> None:
    search = RandomizedSearchCV(
        LogisticRegression(max_iter=500),
        {"C": np.logspace(-4, 2, 20)},
        n_iter=6,
        cv=3,
        scoring=["accuracy", "f1_macro"],
        refit="f1_macro",
        random_state=0,
    ).fit(X, Y)
    _, children = logged(search, store_folder, limit=2)
    with tracking.open_store(store_folder) as store:
        assert len(children) == 2
        for child in children:
            assert {"test_accuracy", "test_f1_macro", "mean_test_f1_macro"} <= set(store.run(child).metrics)


def test_a_halving_search_and_a_failing_candidate(store_folder: Path) -> None:
    search = HalvingGridSearchCV(SVC(), {"C": [0.1, 1, 10, 100]}, cv=3, random_state=0).fit(X, Y)
    _, children = logged(search, store_folder)
    with tracking.open_store(store_folder) as store:
        assert {"n_resources", "iter"} <= set(store.run(children[-1]).metrics)
    with pytest.warns(Warning):
        failing = GridSearchCV(SVC(), {"C": [1.0, -1.0]}, cv=3).fit(X, Y)
    _, children = logged(failing, store_folder)
    with tracking.open_store(store_folder) as store:
        assert math.isnan(store.run(children[1]).metrics["test_score"].last)


def test_what_is_no_search_and_no_run_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    search = GridSearchCV(SVC(), {"C": [1.0]}, cv=3)
    with pytest.raises(tracking.InvalidValue, match="fit"):
        log_search(search)
    monkeypatch.setattr(holding, "_told", set())
    search.fit(X, Y)
    with pytest.warns(tracking.TrackingWarning, match="log_search logs nothing") as told:
        assert log_search(search) == log_search(search) == []
    assert [one.filename for one in told] == [__file__]
