"""Every estimator's pipeline goes into a model file and comes back the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import tracking
from tests.tuning.tables.mixed_table import mixed_table
from tracking.artifacts.model_examples import decode_example
from tracking.artifacts.models import ALLOWED, encode_model, read_model
from tracking.errors import TrackingError
from tracking.tuning import tables
from tracking.tuning.definition import TableTarget


@pytest.fixture
def project(tmp_path: Path) -> Path:
    mixed_table(120).to_csv(tmp_path / "data.csv", index=False)
    return tmp_path


SMALL = {"forest.n_estimators": 10, "boosting.max_iter": 5, "mlp.max_iter": 20}


@pytest.mark.parametrize("name", tables.NAMES)
@pytest.mark.parametrize(
    ("column", "metric"),
    [
        ("kind", "accuracy"),
        ("price", "r2"),
        pytest.param("answer", "neg_log_loss", marks=pytest.mark.soak),
        pytest.param("member", "f1", marks=pytest.mark.soak),
    ],
)
def test_models_come_back_the_same(
    project: Path, store: tracking.Store, store_folder: Path, name: str, column: str, metric: str
) -> None:
    target = TableTarget(column=column, metric=metric, file="data.csv", estimators=(name,), folds=3)
    with tracking.start_run(store=store_folder, capture=False, strict=True) as run:
        model = tables.log_refit(target, SMALL, run=run, project=project)
    table = tables.load_table(target, project=project)
    back = read_model(store, run.id, "model")
    expected = model.predict(table.features)
    assert np.array_equal(back.predict(table.features), expected)
    assert expected.dtype.kind == {"price": "f", "member": "b"}.get(column, "U")
    assert set(expected) <= set(table.values) or column == "price"
    rows, predictions = decode_example(store.open_artifact(run.id, "model.example.json").read())
    assert len(rows) == 5 and back.predict(rows).tolist() == predictions
    (record,) = [each for each in store.artifacts(run.id) if each.kind == "model"]
    assert set(record.details["types"]) <= set(ALLOWED)
    assert record.details["versions"].keys() >= {"scikit-learn", "skops", "numpy", "python"}


def test_nothing_is_allowed_that_no_estimator_needs(project: Path) -> None:
    found: set[str] = set()
    for name in tables.NAMES:
        target = TableTarget("answer", "neg_log_loss", file="data.csv", estimators=(name,), folds=3)
        for solver in ("adam", "sgd") if name == "mlp" else ("",):
            params = {**SMALL, **({"mlp.solver": solver} if solver else {})}
            found |= set(encode_model(tables.refit(target, params, project=project)).details["types"])
    assert found == set(ALLOWED)


def test_data_that_never_were_seen_are_predicted(project: Path) -> None:
    frame = mixed_table(20, seed=9).assign(city="Atlantis")
    frame.loc[3:, ["age", "income"]] = np.nan
    for name in tables.NAMES:
        target = TableTarget(column="answer", metric="accuracy", file="data.csv", estimators=(name,), folds=3)
        model = tables.refit(target, SMALL, project=project)
        assert set(model.predict(frame)) <= {"yes", "no"}


def test_a_model_that_cannot_be_fitted_says_why(project: Path) -> None:
    target = TableTarget(column="answer", metric="accuracy", file="data.csv", estimators=("svm",), folds=3)
    with pytest.raises(TrackingError, match="cannot be fitted on all rows: InvalidParameterError: .*'C'"):
        tables.refit(target, {"svm.C": -1.0}, project=project)
