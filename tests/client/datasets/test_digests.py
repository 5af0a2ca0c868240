"""The digest of a dataset is that of its content: equal for equal values, however they are held, else different."""

from __future__ import annotations

import datetime
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tracking.client.datasets import facts as facts_module
from tracking.client.datasets.facts import facts_of_array, facts_of_columns
from tracking.client.datasets.parquet import facts_of_parquet
from tracking.client.media.tables import columns_of
from tracking.errors import InvalidValue


def digest(data: Any) -> str:
    if isinstance(data, np.ndarray):
        return facts_of_array(data).digest
    return facts_of_columns(columns_of(data), None).digest


def of_file(data: Any, **options: Any) -> str:
    sink = io.BytesIO()
    table = data if isinstance(data, pa.Table) else pa.Table.from_pandas(data)
    pq.write_table(table, sink, **options)
    found = facts_of_parquet(io.BytesIO(sink.getvalue()), 0)
    assert found is not None
    return found.digest


FRAME = pd.DataFrame(
    {
        "n": [1, 2, None, 4],
        "x": [0.5, -0.0, np.nan, np.inf],
        "word": ["a", None, "", "ü"],
        "when": pd.to_datetime(
            ["2026-01-02 03:04:05.678901", None, "1969-12-31 23:59:59.500000", "2026-01-02 00:00:00.000000"]
        ),
        "flag": [True, False, True, True],
    }
)
CHANGES: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    "nullable": lambda frame: frame.convert_dtypes(),
    "float32": lambda frame: frame.assign(x=frame["x"].astype("float32")),
    "int8": lambda frame: frame.assign(n=frame["n"].astype("Int8")),
    "uint64": lambda frame: frame.assign(n=frame["n"].astype("UInt64")),
    "objects": lambda frame: frame.astype(object),
    "string": lambda frame: frame.assign(word=frame["word"].astype("string")),
    "category": lambda frame: frame.assign(word=pd.Categorical(frame["word"], ["z", "ü", "", "a"])),
    "numbers as category": lambda frame: frame.assign(n=frame["n"].astype("category")),
    "milliseconds": lambda frame: frame.assign(when=frame["when"].astype("datetime64[ns]")),
    "an index that a filter left": lambda frame: frame.set_axis([7, 3, 9, 1]),
    "an index of texts": lambda frame: frame.set_axis(list("abcd")),
    "zero": lambda frame: frame.assign(x=[0.5, 0.0, np.nan, np.inf]),
    "arrow": lambda frame: frame.convert_dtypes(dtype_backend="pyarrow"),
    "big-endian": lambda frame: frame.assign(x=frame["x"].astype(">f8")),
    "None": lambda frame: frame.assign(word=pd.Series(["a", None, "", "ü"], dtype=object)),
}


@pytest.mark.parametrize("change", CHANGES)
def test_how_values_are_held_does_not_count(change: str) -> None:
    changed = CHANGES[change](FRAME)
    assert digest(changed) == digest(FRAME)


OTHERS: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    "a value": lambda frame: frame.assign(n=[1, 2, None, 5]),
    "missing elsewhere": lambda frame: frame.assign(n=[1, None, 2, 4]),
    "missing or zero": lambda frame: frame.assign(n=[1, 2, 0, 4]),
    "missing or empty": lambda frame: frame.assign(word=["a", "", "", "ü"]),
    "bytes between texts": lambda frame: frame.assign(word=["", None, "a", "ü"]),
    "a name": lambda frame: frame.rename(columns={"n": "m"}),
    "order of columns": lambda frame: frame[["x", "n", "word", "when", "flag"]],
    "order of rows": lambda frame: frame.iloc[::-1],
    "fewer rows": lambda frame: frame.iloc[:3],
    "fewer columns": lambda frame: frame.iloc[:, :4],
    "texts of numbers": lambda frame: frame.assign(n=["1", "2", None, "4"]),
    "numbers of truths": lambda frame: frame.assign(flag=[1, 0, 1, 1]),
    "a zone": lambda frame: frame.assign(when=frame["when"].dt.tz_localize("UTC")),
    "decomposed": lambda frame: frame.assign(word=["a", None, "", "u\u0308"]),
    "an index with a name": lambda frame: frame.rename_axis("id"),
    "a rounded number": lambda frame: frame.assign(x=[0.1, -0.0, np.nan, np.inf]),
}


def test_what_counts() -> None:
    digests = {name: digest(change(FRAME)) for name, change in OTHERS.items()} | {"itself": digest(FRAME)}
    assert len(set(digests.values())) == len(digests)
    tenth = pd.DataFrame({"x": [0.1]})
    assert digest(tenth) != digest(tenth.astype("float32"))


@pytest.mark.parametrize(
    "options",
    [{}, {"row_group_size": 1}, {"compression": "gzip", "use_dictionary": False}, {"version": "1.0"}],
)
def test_a_file_has_the_digest_of_its_frame(options: dict[str, Any]) -> None:
    assert of_file(FRAME, **options) == digest(FRAME)
    assert of_file(pa.Table.from_pandas(FRAME).replace_schema_metadata(None), **options) == digest(FRAME)


def test_an_index_in_a_file_counts_as_in_a_frame() -> None:
    named = FRAME.set_axis([5, 6, 7, 9]).rename_axis("id")
    assert of_file(named) == digest(named) == digest(named.reset_index())
    assert of_file(FRAME.set_axis(list("dcba"))) == digest(FRAME)
    ranged = FRAME.rename_axis("row")
    assert of_file(ranged) == digest(ranged)


def test_a_csv_read_back_is_the_frame_when_values_and_types_agree() -> None:
    frame = pd.DataFrame(
        {"a": [1, 2, None], "b": ["x", "y", None], "c": [0.1, 0.2, 0.3], "d": [True, False, True]}
    )
    again = pd.read_csv(io.StringIO(frame.to_csv(index=False)))
    assert digest(again) == digest(frame) == of_file(frame)


def test_the_same_instant_in_two_zones() -> None:
    utc = pd.Series(pd.to_datetime(["2026-01-02 12:00", None], utc=True))
    frames = [pd.DataFrame({"t": one}) for one in (utc, utc.dt.tz_convert("Asia/Tokyo"), utc.astype(object))]
    assert len({*map(digest, frames), *(of_file(frame) for frame in frames[:2])}) == 1


def test_other_holders_of_columns() -> None:
    frame = pd.DataFrame({"a": [1, 2], "b": ["x", "y"]})
    assert digest(frame) == digest({"a": [1, 2], "b": ["x", "y"]}) == digest(pa.Table.from_pandas(frame))
    assert digest(frame) == digest([{"a": 1, "b": "x"}, {"a": 2, "b": "y"}])
    assert digest(frame) == digest(np.array([(1, "x"), (2, "y")], dtype=[("a", "i2"), ("b", "U1")]))


def test_polars_frames_are_the_same() -> None:
    polars = pytest.importorskip("polars")
    assert digest(polars.from_arrow(pa.Table.from_pandas(FRAME))) == digest(FRAME)


def test_without_pyarrow_the_digest_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    frame = FRAME.assign(word=FRAME["word"].astype(object))
    expected = digest(frame)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert digest(frame) == expected


value = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(), st.text(max_size=4), st.binary(max_size=3),
    st.dates(), st.datetimes(), st.timedeltas(), st.lists(st.integers(0, 3), max_size=2), st.decimals(allow_nan=False),
)  # fmt: skip


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture], deadline=None)
@given(values=st.lists(value, max_size=12), rows=st.integers(1, 5))
def test_where_chunks_end_does_not_count(
    values: list[Any], rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame = pd.DataFrame({"c": pd.Series(values, dtype=object)})
    whole = digest(frame)
    with monkeypatch.context() as patch:
        patch.setattr(facts_module, "ROWS", rows)
        assert digest(frame) == whole
    assert digest({"c": values}) == whole


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    st.lists(
        st.tuples(
            st.none() | st.integers(-(2**63), 2**63 - 1), st.floats() | st.none(), st.text() | st.none()
        ),
        max_size=20,
    ),
    st.integers(1, 7),
)
def test_any_table_is_the_same_in_a_file_of_any_row_groups(rows: list[Any], size: int) -> None:
    columns = list(zip(*rows, strict=True)) or [(), (), ()]
    table = pa.table(
        {
            "n": pa.array(columns[0], pa.int64()),
            "x": pa.array(columns[1], pa.float64()),
            "s": pa.array(columns[2], pa.string()),
        }
    )
    assert of_file(table, row_group_size=size) == digest(table)
    frame = pd.DataFrame(
        {"n": pd.array(list(columns[0]), "Int64"), "x": list(columns[1]), "s": list(columns[2])}
    )
    assert digest(frame) == digest(table)


@settings(deadline=None)
@given(st.lists(st.tuples(st.text("ab", max_size=2), st.text("ab", max_size=2)), min_size=1, max_size=4))
def test_different_texts_have_different_digests(rows: list[tuple[str, str]]) -> None:
    frame = pd.DataFrame(rows, columns=["a", "b"])
    moved = pd.DataFrame([(a + b, "") for a, b in rows], columns=["a", "b"])
    assert (digest(frame) == digest(moved)) == frame.equals(moved)


# Arrays


def test_arrays_count_by_value_and_shape() -> None:
    array = np.arange(12, dtype=np.float64).reshape(3, 4)
    same = [
        array.astype(np.float32),
        array.astype(np.int16),
        np.asfortranarray(array),
        array.astype(">f8"),
        array[::1],
    ]
    assert {digest(one) for one in same} == {digest(array)}
    others = [
        array.T,
        array.reshape(4, 3),
        array.reshape(-1),
        array + 0.5,
        pd.DataFrame(array),
        array == 1,
        array[::-1],
    ]
    assert len({digest(one) for one in others} | {digest(array)}) == len(others) + 1


def test_an_array_in_many_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    array = np.random.default_rng(0).random((1000, 3))
    whole = digest(array)
    monkeypatch.setattr(facts_module, "ROWS", 7)
    assert digest(array) == digest(np.asfortranarray(array)) == whole
    assert digest(np.zeros(())) != digest(np.zeros(1)) != digest(np.zeros((0, 3)))


def test_what_has_no_content_to_compare_is_refused() -> None:
    with pytest.raises(InvalidValue, match="column 'c'.*object"):
        digest(pd.DataFrame({"c": [object()]}))
    with pytest.raises(InvalidValue, match="one length"):
        digest({"a": [1], "b": [1, 2]})
    with pytest.raises(InvalidValue):
        digest(np.zeros(3, dtype="V3"))


def test_statistics_and_schema() -> None:
    found = facts_of_columns(columns_of(FRAME), None)
    assert found.schema == {
        "n": "float64",
        "x": "float64",
        "word": "str",
        "when": str(FRAME["when"].dtype),
        "flag": "bool",
    }
    number, word = found.statistics["n"], found.statistics["word"]
    expected = FRAME["n"].describe()
    assert (number["count"], number["missing"], number["distinct"]) == (3, 1, 3)
    assert [number[key] for key in ("mean", "std", "min", "max")] == pytest.approx(
        expected[["mean", "std", "min", "max"]]
    )
    assert found.statistics["x"]["infinite"] == 1
    assert word["top"] == [["", 1], ["a", 1], ["ü", 1]] and word["longest"] == 1
    assert found.statistics["flag"]["top"] == [[True, 3], [False, 1]]


@settings(deadline=None)
@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=50), st.integers(1, 9))
def test_moments_do_not_depend_on_chunks(values: list[float], rows: int) -> None:
    from tracking.artifacts.column_statistics import ColumnStatistics
    from tracking.artifacts.columns import chunk_of_array

    told = ColumnStatistics()
    array = np.array(values)
    for at in range(0, len(array), rows):
        told.add(chunk_of_array(array[at : at + rows]))
    assert told.result()["mean"] == pytest.approx(array.mean(), abs=1e-6)
    assert told.result()["std"] == pytest.approx(array.std(ddof=1), rel=1e-6, abs=1e-6)


def test_many_values_and_columns_are_bounded() -> None:
    many = facts_of_columns(
        columns_of({"id": np.arange(100_000), "s": [str(at) for at in range(100_000)]}), None
    )
    assert many.statistics["id"]["distinct"] is None and "top" not in many.statistics["s"]
    wide = facts_of_columns([(f"c{at}", np.zeros(1)) for at in range(3_000)], None)
    assert len(wide.schema) == 1_000 and len(wide.statistics) == 200 and wide.columns == 3_000


def test_dates_texts_and_midnights_differ(tmp_path: Path) -> None:
    day = datetime.date(2026, 1, 2)
    midnight = datetime.datetime(2026, 1, 2)
    assert len({digest({"c": [one]}) for one in (day, midnight, "2026-01-02")}) == 3
    assert of_file(pa.table({"c": [day]})) == digest({"c": [day]})
