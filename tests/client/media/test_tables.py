"""Tables come back with the values that were logged, and no value makes one fail."""

from __future__ import annotations

import datetime
import io
import sys
from collections import namedtuple
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import tracking
from tests.client.media.logged import only
from tracking.client.media.tables import encode_table
from tracking.errors import InvalidValue, MissingDependency


def back(table: Any) -> dict[str, list[Any]]:
    return pq.read_table(io.BytesIO(encode_table(table).data)).to_pydict()


Row = namedtuple("Row", "a b")


@pytest.mark.parametrize(
    "table",
    [
        pd.DataFrame({"a": [1, 2], "b": ["x", None]}),
        {"a": [1, 2], "b": ["x", None]},
        {"a": np.array([1, 2]), "b": pd.Series(["x", None])},
        [{"a": 1, "b": "x"}, {"a": 2}],
        [Row(1, "x"), Row(2, None)],
    ],
    ids=["pandas", "columns", "arrays", "dicts", "tuples"],
)
def test_the_same_table_in_many_forms(table: Any) -> None:
    assert back(table) == {"a": [1, 2], "b": ["x", None]}


def test_arrays_and_arrow() -> None:
    assert back(np.array([[1, 2], [3, 4]])) == {"0": [1, 3], "1": [2, 4]}
    structured = np.array([(1, "x"), (2, "y")], dtype=[("n", "i4"), ("s", "U1")])
    assert back(structured) == {"n": [1, 2], "s": ["x", "y"]}
    import pyarrow as pa

    assert back(pa.table({"a": [1]})) == {"a": [1]}


def test_polars_frames() -> None:
    polars = pytest.importorskip("polars")
    assert back(polars.DataFrame({"a": [1, 2], "b": ["x", None]})) == {"a": [1, 2], "b": ["x", None]}


def test_an_index_is_kept_when_it_has_a_name() -> None:
    frame = pd.DataFrame({"v": [1, 2]}, index=pd.Index(["p", "q"], name="key"))
    assert back(frame) == {"key": ["p", "q"], "v": [1, 2]}
    assert back(frame.rename_axis(None)) == {"v": [1, 2]}
    deep = pd.DataFrame({"v": [1]}, index=pd.MultiIndex.from_tuples([(1, "x")], names=["a", "b"]))
    assert back(deep) == {"a": [1], "b": ["x"], "v": [1]}


def test_columns_of_one_name_and_of_two_levels() -> None:
    frame = pd.DataFrame([[1, 2, 3]], columns=["a", "a", "a (2)"])
    assert list(back(frame)) == ["a", "a (2)", "a (2) (2)"]
    assert list(back(pd.DataFrame([[1]], columns=pd.MultiIndex.from_tuples([("a", 1)])))) == ["a.1"]


class Broken:
    def __repr__(self) -> str:
        raise RuntimeError("no")


def test_a_mixed_column_becomes_texts_each_by_the_same_rule() -> None:
    values = [
        1,
        "x",
        None,
        True,
        2.5,
        b"\1\2",
        [1, "y"],
        {"k": float("nan")},
        float("nan"),
        Broken(),
        "\ud800",
    ]
    assert back({"m": values})["m"] == [
        "1", "x", None, "True", "2.5", "0102", '[1, "y"]', '{"k": "nan"}', None,
        "<Broken that cannot be written: RuntimeError>", "\\ud800",
    ]  # fmt: skip


def test_types_that_parquet_has_no_name_for() -> None:
    frame = pd.DataFrame(
        {
            "complex": [1 + 2j],
            "period": pd.period_range("2026-01", periods=1, freq="M"),
            "interval": [pd.Interval(0, 1)],
            "big": [10**30],
            "category": pd.Categorical(["c"]),
            "time": [datetime.time(1, 2)],
            "sparse": pd.arrays.SparseArray([1.5]),
            "half": np.array([0.5], np.float16),
        }
    )
    found = back(frame)
    assert (
        found["complex"] == ["(1+2j)"] and found["period"] == ["2026-01"] and found["interval"] == ["(0, 1]"]
    )
    assert [str(value) for value in found["big"]] == [str(10**30)]
    assert found["category"] == ["c"] and found["half"] == [0.5] and found["sparse"] == [1.5]


def test_numbers_keep_nan_and_missing_apart_as_they_were() -> None:
    assert np.isnan(back({"a": np.array([np.nan, 1.0])})["a"][0])
    assert back({"a": [None, 1.0]})["a"] == [None, 1.0]


cell = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.binary(max_size=5), st.dates(),
    st.complex_numbers(), st.decimals(allow_nan=True), st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=2), st.floats(), max_size=2), st.timedeltas(), st.datetimes(),
)  # fmt: skip


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.lists(cell, max_size=6))
def test_no_value_makes_a_table_fail(values: list[Any]) -> None:
    found = back({"c": values})["c"]
    assert len(found) == len(values)
    frame = pd.DataFrame({"c": pd.Series(values, dtype=object)})
    assert len(back(frame)["c"]) == len(values)


@pytest.mark.parametrize(
    "table", [3, "text", {"a": [1], "b": [1, 2]}, {"a": 1}, np.zeros((1, 1, 1)), [[1], [1, 2]], None]
)
def test_what_is_no_table_is_refused(table: Any) -> None:
    with pytest.raises(InvalidValue):
        encode_table(table)


def test_without_pyarrow_one_warning_names_it(store_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with tracking.start_run(store=store_folder, capture=False) as run:
        with monkeypatch.context() as patch:
            patch.setitem(sys.modules, "pyarrow", None)
            with pytest.raises(MissingDependency, match="pip install pyarrow"):
                encode_table({"a": [1]})
            with pytest.warns(tracking.TrackingWarning, match="pip install pyarrow") as told:
                run.log_table({"a": [1]}, "t")
                run.log_table({"a": [1]}, "t")
        assert len(told) == 1
    with tracking.open_store(store_folder) as store:
        assert store.artifacts(run.id) == []


def test_a_table_in_the_store(store_folder: Path) -> None:
    record, data = only(
        store_folder, lambda run: run.log_table(pd.DataFrame({"a": [1, 2]}), "errors", step=4)
    )
    assert (record.kind, record.step) == (tracking.ArtifactKind.TABLE, 4)
    assert record.details == {"extension": ".parquet", "rows": 2, "columns": 1}
    assert pd.read_parquet(io.BytesIO(data))["a"].tolist() == [1, 2]


@pytest.mark.parametrize("strict", [False, True])
def test_arguments_of_other_trackers_are_told_what_is_taken_here(store_folder: Path, strict: bool) -> None:
    with tracking.start_run("tables", store=store_folder, capture=False, strict=strict) as run:
        calls = [
            (lambda: run.log_table(columns=["a"], data=[[1]]), "knows no columns=, data="),
            (lambda: tracking.log_table({"a": [1]}, "named", rows=3), "knows no rows="),
            (lambda: run.log_table({"a": [1]}), "takes a table and a name"),
        ]
        for call, words in calls if strict else calls[:1]:
            with pytest.raises(InvalidValue, match=words) if strict else pytest.warns(match=words):
                call()
        tracking.log_table(table={"a": [1]}, name="named", step=2)
    with tracking.open_store(store_folder) as store:
        assert [(one.name, one.step) for one in store.artifacts(run.id)] == [("named", 2)]
