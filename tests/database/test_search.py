"""Search: which runs, in which order, a page at a time, with which columns."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, event

from tests.database.run_rows import CREATED, Run, add_runs, empty_database, set_goal
from tracking.database.search import count, search, to_frame
from tracking.errors import FilterError, InvalidValue, MissingDependency, NotFound

NAN, INF = math.nan, math.inf


@pytest.fixture(scope="module")
def database() -> Iterator[Engine]:
    """An empty database for many examples, each of which is rolled back."""
    engine = empty_database()
    yield engine
    engine.dispose()


@pytest.fixture
def connection() -> Iterator[Connection]:
    with empty_database().connect() as connection:
        yield connection


def found(connection: Connection, where: str = "", **arguments: Any) -> list[str]:
    return list(search(connection, where, **arguments).columns["run"])


def paged(connection: Connection, size: int, **arguments: Any) -> list[str]:
    """Return what all pages of `size` runs hold, one after the other."""
    runs: list[str] = []
    while page := found(connection, limit=size, after=runs[-1] if runs else None, **arguments):
        assert len(page) <= size
        runs += page
    return runs


# Which runs


def test_without_a_filter_every_run_is_found_newest_first(connection: Connection) -> None:
    add_runs(connection, *(Run(f"r{n}", created=CREATED + n) for n in (2, 0, 1)))
    assert found(connection) == ["r2", "r1", "r0"]
    assert found(connection, limit=2) == ["r2", "r1"]
    assert found(connection, limit=None) == found(connection, limit=10**30) == ["r2", "r1", "r0"]


def test_a_filter_an_experiment_and_the_count_agree(connection: Connection) -> None:
    add_runs(
        connection,
        Run("a", "digits", metrics={"acc": [0.95]}),
        Run("b", "digits", metrics={"acc": [0.5]}),
        Run("c", "faces", metrics={"acc": [0.99]}),
    )
    assert found(connection, "metrics.acc > 0.9", order_by="name") == ["a", "c"]
    assert found(connection, "metrics.acc > 0.9", experiment="digits") == ["a"]
    assert count(connection, "metrics.acc > 0.9") == 2
    assert count(connection, "metrics.acc > 0.9", experiment="digits") == 1
    assert found(connection, experiment="unknown") == []
    assert found(connection, experiment="\ud800") == []
    assert count(connection, experiment="unknown") == 0


def test_the_trash_is_never_found_and_children_when_asked(connection: Connection) -> None:
    add_runs(connection, Run("top"), Run("gone", deleted=True), Run("child", parent="top"))
    add_runs(connection, Run("gone child", parent="top", deleted=True))
    assert found(connection) == ["top"]
    assert found(connection, children=True, order_by="name") == ["top", "child"]
    assert (count(connection), count(connection, children=True)) == (1, 2)


# Order


@pytest.mark.parametrize("direction", ["asc", "desc"])
def test_a_diverged_run_never_leads(connection: Connection, direction: str) -> None:
    values = {"nan": NAN, "inf": INF, "low": 0.1, "minus inf": -INF, "high": 0.9}
    add_runs(connection, *(Run(uid, metrics={"acc": [0.5, value]}) for uid, value in values.items()))
    add_runs(connection, Run("missing"))
    ordered = found(connection, order_by=f"metrics.acc {direction}")
    assert ordered[:2] == (["low", "high"] if direction == "asc" else ["high", "low"])
    assert set(ordered[2:]) == {"nan", "inf", "minus inf", "missing"}


def test_numbers_come_before_texts_and_the_rest_last(connection: Connection) -> None:
    values = {"ten": 10, "two": 2.0, "yes": True, "auto": "auto", "big": 10**40, "none": None, "nan": NAN}
    add_runs(connection, *(Run(uid, params={"x": value}) for uid, value in values.items()))
    add_runs(connection, Run("Z", params={"x": "Z"}), Run("list", params={"x": [1]}), Run("missing"))
    last = {"none", "nan", "list", "missing"}
    ascending = found(connection, order_by="params.x")
    assert ascending[:6] == ["yes", "two", "ten", "big", "Z", "auto"]
    descending = found(connection, order_by="params.x desc")
    assert descending[:6] == ["big", "ten", "two", "yes", "auto", "Z"]
    assert set(ascending[6:]) == set(descending[6:]) == last


def test_best_orders_by_the_goal(connection: Connection) -> None:
    add_runs(connection, Run("peak", metrics={"acc": [0.9, 0.1]}), Run("end", metrics={"acc": [0.1, 0.5]}))
    with pytest.raises(FilterError, match="define_metric"):
        search(connection, order_by="best(metrics.acc) desc")
    set_goal(connection, "digits", "acc", "maximize")
    assert found(connection, order_by="best(metrics.acc) desc") == ["peak", "end"]
    assert found(connection, order_by="metrics.acc desc") == ["end", "peak"]


@pytest.mark.parametrize(
    ("order_by", "expected"),
    [
        ("name", "c a b"),
        ("name desc", "b a c"),
        ("status", "b c a"),
        ("experiment desc", "a c b"),
        ("duration", "b a c"),
        ("created asc", "c b a"),
        ("group", "b a c"),
        ("group desc", "a b c"),
    ],
)
def test_every_column_orders(connection: Connection, order_by: str, expected: str) -> None:
    add_runs(
        connection,
        Run("a", "faces", "beta", "running", CREATED + 2, 5.0, group="z"),
        Run("b", "digits", "gamma", "failed", CREATED + 1, 1.0, group="m"),
        Run("c", "digits", "alpha", "finished", CREATED, 9.0),
    )
    assert found(connection, order_by=order_by) == expected.split()


# Pages

_described = st.builds(
    dict,
    created=st.integers(0, 2).map(lambda n: CREATED + n),
    seconds=st.sampled_from([0.0, 1.0]),
    group=st.sampled_from([None, "a", "b"]),
    metrics=st.fixed_dictionaries({"m": st.lists(st.sampled_from([0.0, 1.0, NAN, INF, -INF]), max_size=1)}),
    params=st.one_of(
        st.just({}),
        st.fixed_dictionaries({"p": st.sampled_from([1, 2.5, "a", "b", True, NAN, INF, None, [1]])}),
    ),
    deleted=st.booleans(),
)
_orders = ["created", "duration", "group", "metrics.m", "mean(metrics.m)", "params.p", "params.none"]


@settings(max_examples=100, deadline=None)
@given(
    st.lists(_described, max_size=10),
    st.integers(1, 5),
    st.sampled_from(_orders),
    st.sampled_from(["asc", "desc"]),
)
def test_pages_join_to_the_whole_table(
    database: Engine, described: list[dict[str, Any]], size: int, order: str, direction: str
) -> None:
    with database.connect() as connection:
        add_runs(connection, *(Run(f"r{n}", **values) for n, values in enumerate(described)))
        kept = {f"r{n}" for n, values in enumerate(described) if not values["deleted"]}
        order_by = f"{order} {direction}"
        whole = found(connection, limit=None, order_by=order_by)
        assert set(whole) == kept and len(whole) == len(kept)
        assert paged(connection, size, order_by=order_by) == whole
        connection.rollback()


def test_a_page_can_follow_a_run_that_went_to_the_trash(connection: Connection) -> None:
    add_runs(connection, Run("a"), Run("b", deleted=True), Run("c"))
    assert found(connection, order_by="created", after="b") == ["c"]


def test_an_unknown_run_has_no_next_page(connection: Connection) -> None:
    for uid in ("nobody", "\ud800", "'; DROP TABLE runs--"):
        with pytest.raises(NotFound, match="no run of that id"):
            search(connection, after=uid)


# Arguments


@pytest.mark.parametrize("limit", [0, -1, True, False, "5", 2.5])
def test_a_limit_is_a_positive_number(connection: Connection, limit: Any) -> None:
    with pytest.raises(InvalidValue, match="limit="):
        search(connection, limit=limit)


@pytest.mark.parametrize("columns", ["metrics.a", [3], ["lr"], ["metric.a"], ["params."], ["name > 1"]])
def test_unknown_columns_are_told(connection: Connection, columns: Any) -> None:
    with pytest.raises(InvalidValue, match="columns"):
        search(connection, columns=columns)


def test_an_experiment_is_a_name(connection: Connection) -> None:
    with pytest.raises(InvalidValue, match="experiment="):
        search(connection, experiment=3)  # type: ignore[arg-type]


# Columns


def test_all_columns_come_in_order_with_the_values_as_logged(connection: Connection) -> None:
    add_runs(
        connection,
        Run("a", metrics={"val/acc": [0.1, 0.5], "loss": [NAN]}, params={"lr": 0.1, "opt": {"name": "adam"}}),
        Run("b", metrics={"loss": [INF]}, params={"seed": 3, "layers": [8, 8], "big": 2**70, "flag": True}),
    )
    result = search(connection, order_by="created")
    assert list(result.columns)[:6] == ["run", "name", "experiment", "status", "created", "duration"]
    assert list(result.columns)[6:] == [
        "metrics.loss",
        "metrics.val/acc",
        *("params.big", "params.flag", "params.layers", "params.lr", "params.opt.name", "params.seed"),
    ]
    assert len(result) == 2
    assert result.columns["created"] == (CREATED, CREATED)
    assert result.columns["metrics.val/acc"] == [0.5, None]
    loss = result.columns["metrics.loss"]
    assert math.isnan(loss[0]) and loss[1] == INF
    assert result.columns["params.big"] == [None, 2**70]
    assert result.columns["params.layers"] == [None, [8, 8]]
    assert result.columns["params.flag"][1] is True
    assert result.columns["params.opt.name"] == ["adam", None]


def test_the_columns_asked_for_come_in_that_order(connection: Connection) -> None:
    add_runs(
        connection,
        Run("a", metrics={"val/acc": [0.9, 0.5], "loss": [1.0]}, params={"lr": 0.1, "x": 1}, tags=["t", "b"]),
        Run("b", group="g", notes="n"),
    )
    asked = [
        "params.lr",
        "name",
        "max(metrics['val/acc'])",
        "metrics.val/acc",
        "tags",
        "metrics.none",
        "group",
        "notes",
    ]
    result = search(connection, order_by="created", columns=asked)
    assert list(result.columns)[6:] == [
        *("params.lr", 'max(metrics["val/acc"])', "metrics.val/acc", "tags", "metrics.none", "group", "notes")
    ]
    assert result.columns["params.lr"] == [0.1, None]
    assert result.columns['max(metrics["val/acc"])'] == [0.9, None]
    assert result.columns["tags"] == [("t", "b"), ()]
    assert result.columns["metrics.none"] == [None, None]
    assert result.columns["group"] == [None, "g"]
    assert list(search(connection, columns=[]).columns)[6:] == []


def test_the_number_of_queries_does_not_grow_with_the_runs(connection: Connection) -> None:
    asked: list[str] = []
    event.listen(connection, "before_cursor_execute", lambda *event: asked.append(event[2]))
    numbers = []
    for start in (0, 20):
        add_runs(
            connection, *(Run(f"r{start + n}", metrics={"a": [1.0]}, params={"p": 1}) for n in range(20))
        )
        asked.clear()
        search(connection, "metrics.a > 0 and params.p == 1", order_by="metrics.a desc")
        numbers.append(len(asked))
    assert numbers[0] == numbers[1] <= 6


def test_more_runs_than_one_query_can_name_are_complete(connection: Connection) -> None:
    add_runs(connection, *(Run(f"r{n}", metrics={"a": [float(n)]}, params={"p": n}) for n in range(1_203)))
    columns = search(connection, order_by="created", limit=None).columns
    assert columns["metrics.a"] == [float(n) for n in range(1_203)]
    assert columns["params.p"] == list(range(1_203))


# Frames


def test_a_frame_has_the_types_of_its_columns(connection: Connection) -> None:
    full = {"seed": 1, "lr": 0.1, "mix": 1, "flag": True, "opt": "adam", "odd": 1, "huge": 2**70, "list": [1]}
    part = {"lr": 1, "mix": 2, "opt": "sgd", "odd": "x"}
    add_runs(connection, Run("a", params=full, metrics={"acc": [NAN]}), Run("b", params=part, seconds=2.5))
    frame = to_frame(search(connection, order_by="created"))
    types = {name: str(dtype) for name, dtype in frame.dtypes.items()}
    assert types == {
        **dict.fromkeys(["run", "name", "experiment", "status", "params.opt"], "str"),
        **{"created": "datetime64[us, UTC]", "duration": "float64", "metrics.acc": "float64"},
        **{"params.seed": "Int64", "params.lr": "float64", "params.mix": "int64", "params.flag": "boolean"},
        **dict.fromkeys(["params.odd", "params.huge", "params.list"], "object"),
    }
    assert frame["created"].iloc[0].isoformat() == "2023-11-14T22:13:20+00:00"
    assert list(frame["params.odd"]) == [1, "x"]
    assert frame["params.huge"].iloc[0] == 2**70
    assert frame["params.list"].iloc[0] == [1]
    assert frame["metrics.acc"].isna().all()


def test_an_empty_frame_has_the_first_columns(connection: Connection) -> None:
    frame = to_frame(search(connection, columns=["metrics.acc", "params.lr", "tags"]))
    assert list(frame.columns)[:2] == ["run", "name"]
    assert len(frame) == 0
    assert str(frame["created"].dtype) == "datetime64[us, UTC]"
    assert str(frame["metrics.acc"].dtype) == "float64"


def test_without_pandas_the_message_says_what_to_install(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(MissingDependency, match="pip install pandas"):
        to_frame(search(connection))
