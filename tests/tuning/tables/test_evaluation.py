"""Scores over fixed folds, told to the run as they come; and that a short search is no worse than a good default."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.metrics import get_scorer
from sklearn.model_selection import cross_val_score

import tracking
from tests.tuning.tables.mixed_table import draw, mixed_table
from tracking.artifacts.models import read_model
from tracking.errors import InvalidValue, NotFound, TrackingError
from tracking.tuning import tables
from tracking.tuning.definition import TableTarget
from tracking.tuning.tables.evaluation import folds_of

KIND = TableTarget(column="kind", metric="balanced_accuracy", file="data.csv", folds=3)
LINEAR = replace(KIND, estimators=("linear",))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    mixed_table().to_csv(folder / "data.csv", index=False)
    return folder


def test_each_fold_is_logged_and_their_mean_last(
    project: Path, store_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with tracking.start_run(store=store_folder, capture=False, strict=True) as run:
        mean = tables.evaluate(LINEAR, {}, project=project, run=run)
    said = capsys.readouterr().out.splitlines()
    assert said == list(tables.load_table(LINEAR, project=project).notes)
    with tracking.open_store(store_folder) as store:
        points = store.history(run.id, "balanced_accuracy_fold")
        assert points["step"].tolist() == [0, 1, 2]
        assert points["value"].mean() == pytest.approx(mean)
        logged = store.run(run.id).metrics
        assert (logged["balanced_accuracy"].last, logged["balanced_accuracy"].count) == (mean, 1)
        assert logged["balanced_accuracy_std"].last == pytest.approx(points["value"].std(ddof=1))
        assert 0.6 < mean < 1.0
        assert (store.history(run.id, "fit_seconds")["value"] > 0).all()
        (data,) = store.datasets(run.id)
        assert (data.name, data.source, data.rows, data.columns) == ("data.csv", "data.csv", 300, 8)


def test_the_folds_follow_from_the_seed_and_keep_the_classes(project: Path) -> None:
    table = tables.load_table(KIND, project=project)
    folds = folds_of(table, KIND, 5)
    again = folds_of(table, KIND, 5)
    assert all((one[1] == other[1]).all() for one, other in zip(folds, again, strict=True))
    assert any((one[1] != other[1]).any() for one, other in zip(folds, folds_of(table, KIND, 6), strict=True))
    assert sorted(np.concatenate([rows for _, rows in folds])) == list(range(300))
    shares = [np.mean(table.values[rows] == "low") for _, rows in folds]
    assert max(shares) - min(shares) < 0.02
    score = tables.evaluate(LINEAR, {}, project=project)
    assert tables.evaluate(LINEAR, {"linear.C": 1.0}, project=project) == score
    assert tables.evaluate(replace(LINEAR, seed=1), {}, project=project) != score


def test_repeats_vary_the_seed_or_the_fold(project: Path, store_folder: Path) -> None:
    seeded = tables.evaluate(LINEAR, {"seed": 3}, project=project)
    assert seeded == tables.evaluate(replace(LINEAR, seed=3), {}, project=project)
    with tracking.start_run(store=store_folder, capture=False) as run:
        each = [tables.evaluate(LINEAR, {"fold": fold}, project=project, run=run) for fold in range(3)]
    assert np.mean(each) == pytest.approx(tables.evaluate(LINEAR, {}, project=project))
    with tracking.open_store(store_folder) as store:
        assert store.history(run.id, "balanced_accuracy")["value"].tolist() == each
        assert store.history(run.id, "balanced_accuracy_fold")["value"].tolist() == each
        assert "balanced_accuracy_std" not in store.run(run.id).metrics
    for params, message in (({"seed": "x"}, "no whole number"), ({"fold": 3}, "the folds 0 to 2")):
        with pytest.raises(InvalidValue, match=message):
            tables.evaluate(LINEAR, params, project=project)


def test_a_fold_that_fails_says_why(project: Path) -> None:
    for params, error, message in (
        (
            {"forest.min_samples_leaf": 0},
            TrackingError,
            "Fold 0 of 3 failed: InvalidParameterError: .*min_samples_leaf",
        ),
        ({"forest.depth": 3}, InvalidValue, "forest.depth is no param of RandomForestClassifier"),
        ({"depth": 3}, InvalidValue, "belongs to no estimator"),
    ):
        with pytest.raises(error, match=message):
            tables.evaluate(replace(KIND, estimators=("forest",)), params, project=project)
    with pytest.raises(NotFound, match="no file 'other.csv'"):
        tables.evaluate(replace(LINEAR, file="other.csv"), {}, project=project)
    few = replace(KIND, estimators=("knn",), dataset="iris", file=None, column="target")
    with pytest.raises(TrackingError, match="Fold 0 of 3 failed: ValueError: .*n_neighbors"):
        tables.evaluate(few, {"knn.n_neighbors": 120})


@pytest.mark.filterwarnings("error")
def test_warnings_of_a_fit_are_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    target = TableTarget(column="target", metric="accuracy", dataset="iris", estimators=("mlp",))
    tables.evaluate(target, {"mlp.max_iter": 3})
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("ConvergenceWarning: ") and line.endswith("(5 times)")


@pytest.mark.parametrize(
    ("dataset", "metric"),
    [
        ("breast_cancer", "f1"),
        ("breast_cancer", "roc_auc"),
        ("iris", "neg_log_loss"),
        ("iris", "roc_auc_ovr"),
    ],
)
def test_scorers_that_need_more_than_a_prediction(dataset: str, metric: str) -> None:
    for name in ("svm", "linear"):
        target = TableTarget(column="target", metric=metric, dataset=dataset, estimators=(name,), folds=3)
        score = tables.evaluate(target, {})
        assert score > (-0.2 if metric.startswith("neg") else 0.95)


def test_labels_that_are_texts_are_scored_by_metrics_of_two_classes(project: Path) -> None:
    score = tables.evaluate(replace(LINEAR, column="answer", metric="f1"), {}, project=project)
    frame = mixed_table().assign(answer=lambda frame: (frame.answer == "yes").astype(int))
    frame.to_csv(project / "data.csv", index=False)
    assert tables.evaluate(replace(LINEAR, column="answer", metric="f1"), {}, project=project) == score


@pytest.mark.parametrize(("column", "metric"), [("kind", "balanced_accuracy"), ("price", "r2")])
def test_a_short_search_is_no_worse_than_boosting_with_its_defaults(
    project: Path, store: tracking.Store, store_folder: Path, column: str, metric: str
) -> None:
    target = replace(KIND, column=column, metric=metric)
    # What follows from the target would make it too easy.
    kept = mixed_table().drop(columns=[each for each in ("kind", "answer", "price") if each != column])
    kept.to_csv(project / "data.csv", index=False)
    space, rng = tables.default_space(target), random.Random(0)
    tried: list[tuple[float, dict[str, Any]]] = []
    for params in [*tables.default_configurations(target), *(draw(space, rng) for _ in range(4))]:
        tried.append((tables.evaluate(target, params, project=project), dict(params)))
    table = tables.load_table(target, project=project)
    plain = table.features.astype(dict.fromkeys(table.categories, "category"))
    kind = HistGradientBoostingRegressor if column == "price" else HistGradientBoostingClassifier
    usual = cross_val_score(
        kind(categorical_features="from_dtype", random_state=target.seed),
        plain,
        table.values,
        scoring=get_scorer(metric),
        cv=folds_of(table, target, target.seed),
    ).mean()
    best, params = max(tried, key=lambda one: one[0])
    assert best >= usual
    with tracking.start_run(store=store_folder, capture=False, strict=True) as run:
        model = tables.log_refit(target, params, run=run, project=project)
    back = read_model(store, run.id)
    assert (back.predict(table.features) == model.predict(table.features)).all()
    # As the file is read by anybody else: texts, truth values and columns that were left out.
    assert (back.predict(kept) == model.predict(table.features)).all()
