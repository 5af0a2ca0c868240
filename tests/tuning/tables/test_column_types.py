"""Every type of column that a Parquet file brings is used or left out, in learning and in predicting."""

from __future__ import annotations

import datetime
import decimal
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tracking.errors import InvalidValue
from tracking.tuning import tables
from tracking.tuning.definition import TableTarget

ROWS = 60
TARGET = TableTarget(column="label", metric="accuracy", file="data.parquet", folds=3)
SMALL = {"forest.n_estimators": 5, "boosting.max_iter": 3, "mlp.max_iter": 5}


def every_type() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    places = range(ROWS)
    return pd.DataFrame(
        {
            "nullable_int": pd.array(
                [None if place % 5 == 0 else place % 9 for place in places], dtype="Int64"
            ),
            "nullable_bool": pd.array(
                [None if place % 7 == 0 else place % 2 == 0 for place in places], dtype="boolean"
            ),
            "numbered": pd.Categorical(rng.integers(0, 4, ROWS)),
            "decimal": [decimal.Decimal(place % 13) / 4 if place % 4 else None for place in places],
            "single": rng.normal(size=ROWS).astype("float32"),
            "almost_empty": [np.nan] * (ROWS - 2) + [1.0, 2.0],
            "named": pd.Categorical(rng.choice(["x", "y"], ROWS)),
            "bytes": [b"a" if place % 2 else b"b" for place in places],
            "almost_no_text": [None] * (ROWS - 2) + ["u", "v"],
            "digits": [str(place % 7) for place in places],
            "list": [[1, place] for place in places],
            "day": [datetime.date(2020, 1, 1 + place % 20) for place in places],
            "moment": pd.date_range("2020", periods=ROWS, tz="UTC"),
            "delay": pd.to_timedelta(places, unit="s"),
            "empty": np.nan,
            "label": np.where(rng.random(ROWS) < 0.5, "p", "q"),
        }
    )


@pytest.fixture
def project(tmp_path: Path) -> Path:
    every_type().to_parquet(tmp_path / "data.parquet")
    return tmp_path


def test_columns_by_their_types(project: Path) -> None:
    table = tables.load_table(TARGET, project=project)
    assert table.numbers == ("nullable_int", "nullable_bool", "numbered", "decimal", "single", "almost_empty")
    assert table.categories == ("named", "bytes", "almost_no_text", "digits")
    assert set(table.notes) == {
        "Left out, lists or other values that are no plain ones: list.",
        "Left out, dates and times: day, moment, delay.",
        "Left out, without any value: empty.",
    }
    assert table.features["nullable_int"].isna().sum() == 12
    assert table.features["decimal"].max() == 3.0


@pytest.mark.parametrize("name", tables.NAMES)
def test_folds_and_frames_without_a_value_in_a_column(project: Path, name: str) -> None:
    target = replace(TARGET, estimators=(name,))
    assert 0 <= tables.evaluate(target, SMALL, project=project) <= 1
    model = tables.refit(target, SMALL, project=project)
    as_read = every_type()
    for frame in (as_read, as_read.head(1), as_read.assign(named=np.nan, almost_no_text=None, single=np.nan)):
        assert set(model.predict(frame)) <= {"p", "q"}


def test_targets_by_their_types(project: Path) -> None:
    for column, metric, kind in (
        ("nullable_bool", "f1", "b"),
        ("named", "accuracy", "U"),
        ("numbered", "accuracy", "i"),
        ("numbered", "r2", "f"),
        ("decimal", "r2", "f"),
        ("nullable_int", "r2", "f"),
    ):
        table = tables.load_table(replace(TARGET, column=column, metric=metric), project=project)
        assert table.values.dtype.kind == kind, column
    with pytest.raises(InvalidValue, match="'moment' holds dates"):
        tables.load_table(replace(TARGET, column="moment"), project=project)
