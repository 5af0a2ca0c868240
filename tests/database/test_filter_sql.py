"""Filters as SQL, held against an evaluation in plain Python."""

from __future__ import annotations

import fnmatch
import math
import re
import unicodedata
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, select

from tests.database.filter_trees import trees
from tests.database.run_rows import CREATED, Run, add_runs, empty_database, set_goal
from tracking.database.filter_language import parse_filter
from tracking.database.filter_sql import check_goals, condition, experiments, microseconds, runs
from tracking.database.filter_tree import (
    And,
    Compare,
    Contains,
    Expression,
    Field,
    In,
    Matches,
    Not,
    Or,
    fields,
    format_filter,
)
from tracking.errors import FilterError

NAN, INF = math.nan, math.inf
GOALS = {"digits": {"a": "maximize"}, "faces": {"a": "minimize"}}


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


def found(connection: Connection, where: str | Expression) -> list[str]:
    tree = parse_filter(where) if isinstance(where, str) else where
    assert tree is not None
    statement = select(runs.c.uid).join(experiments).where(condition(tree)).order_by(runs.c.id)
    return list(connection.execute(statement).scalars())


# Meaning, case by case


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("metrics.a > 1", "high inf"),
        ("not metrics.a > 1", "low"),
        ("metrics.a <= 1", "low"),
        ("metrics.a != 5", "high low inf"),
        ("not metrics.a == 5", "high low inf"),
        ("metrics.a in (0.5, 2)", "high low"),
        ("metrics.a not in (0.5, 7)", "high inf"),
        ("metrics.a == None", "missing"),
        ("metrics.a != None", "high low nan inf"),
        ("min(metrics.a) == None", "nan inf missing"),
        ("not (metrics.a > 1 and name == 'run')", "low"),
        ("not (metrics.a > 1 or name == 'run')", ""),
        ("metrics.a > 1 or name == 'run'", "high low nan inf missing"),
    ],
)
def test_what_is_missing_or_nan_is_unknown(connection: Connection, where: str, expected: str) -> None:
    values = {"high": [2.0], "low": [0.5], "nan": [NAN], "inf": [INF], "missing": []}
    add_runs(connection, *(Run(uid, metrics={"a": points}) for uid, points in values.items()))
    assert found(connection, where) == expected.split()


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("params.x == 1", "int float bool"),
        ("params.x == True", "int float bool"),
        ("params.x != 1", "big text one json inf"),
        ("params.x == '1'", "one"),
        ("params.x != '1'", "int float bool big text json inf"),
        ("params.x > 0", "int float bool big inf"),
        ("not params.x > 1e30", "int float bool"),
        ("params.x < 'b'", "text one"),
        ("params.x in (1, 'auto')", "int float bool text"),
        ("params.x not in (1, 'auto')", "big one json inf"),
        ("params.x == None", "none missing"),
        ("params.x != None", "int float bool big text one json nan inf"),
        ("'ut' in params.x", "text"),
        ("matches(params.x, '?')", "one"),
        ("params.x == 1e999", "inf"),
    ],
)
def test_params_compare_as_python_values(connection: Connection, where: str, expected: str) -> None:
    values: dict[str, Any] = {
        **{"int": 1, "float": 1.0, "bool": True, "big": 10**40, "text": "auto", "one": "1"},
        **{"json": [1], "nan": NAN, "inf": INF, "none": None},
    }
    add_runs(connection, *(Run(uid, params={"x": value}) for uid, value in values.items()), Run("missing"))
    assert found(connection, where) == expected.split()


def test_nested_params_are_named_with_dots(connection: Connection) -> None:
    add_runs(
        connection,
        Run("adam", params={"optimizer": {"name": "adam", "betas": {"first": 0.9}}}),
        Run("sgd", params={"optimizer": {"name": "sgd"}}),
    )
    assert found(connection, "params.optimizer.name == 'adam'") == ["adam"]
    assert found(connection, "params['optimizer.betas.first'] > 0.5") == ["adam"]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("ab*", "ab ab_c ab%c abc"),
        ("AB*", ""),
        ("ab?c", "ab_c ab%c"),
        ("ab_c", "ab_c"),
        ("ab%c", "ab%c"),
        ("%", ""),
        ("[a]b", "[a]b"),
        ("*]b", "[a]b"),
        ("*ü*", "grün"),
        ("?****?", "ab ab_c ab%c abc [a]b grün"),
        ("", ""),
        ("*';--", ""),
    ],
)
def test_patterns_know_two_wildcards_and_respect_case(
    connection: Connection, pattern: str, expected: str
) -> None:
    names = ["ab", "ab_c", "ab%c", "abc", "[a]b", "grün", "b"]
    add_runs(connection, *(Run(name, name=name, tags=["other", name]) for name in names))
    assert found(connection, Matches(Field("name"), pattern)) == expected.split()
    by_tag = {uid for uid in names if _fits(uid, pattern) or _fits("other", pattern)}
    assert set(found(connection, Matches(Field("tags"), pattern))) == by_tag


def test_a_part_of_a_text_is_taken_literally(connection: Connection) -> None:
    add_runs(connection, Run("star", notes="5 * [3]?"), Run("plain", notes="5 x 3"))
    assert found(connection, "'* [3]?' in notes") == ["star"]
    assert found(connection, "'5' in notes and 'X' not in notes") == ["star", "plain"]


def test_a_pattern_of_many_stars_ends_soon(connection: Connection) -> None:
    add_runs(connection, Run("long", notes="a" * 200_000))
    assert found(connection, Matches(Field("notes"), "*a" * 500 + "b")) == []


def test_tags_group_and_notes_can_be_absent(connection: Connection) -> None:
    add_runs(connection, Run("bare"), Run("full", tags=["keep", "old"], group="g", notes="n"))
    for name in ("tags", "group", "notes"):
        assert found(connection, f"{name} == None") == ["bare"]
        assert found(connection, f"{name} != None") == ["full"]
    assert found(connection, "'keep' in tags and 'new' not in tags") == ["full"]
    assert found(connection, "'kee' in tags") == []
    assert found(connection, "group != 'other'") == ["full"]


def test_times_are_compared_to_the_microsecond(connection: Connection) -> None:
    noon = microseconds(datetime.fromisoformat("2026-01-31T12:00:00+00:00"))
    add_runs(
        connection, Run("before", created=noon - 1), Run("noon", created=noon), Run("after", created=noon + 1)
    )
    assert found(connection, "created < '2026-01-31T12:00'") == ["before"]
    assert found(connection, "created == '2026-01-31T13:00+01:00'") == ["noon"]
    assert found(connection, "'2026-01-31' <= created < '2026-02-01'") == ["before", "noon", "after"]


def test_best_follows_the_goal_of_each_experiment(connection: Connection) -> None:
    add_runs(
        connection, *(Run(name, name, metrics={"a": [1.0, 3.0]}) for name in ("digits", "faces", "other"))
    )
    for experiment, goals in GOALS.items():
        set_goal(connection, experiment, "a", goals["a"])
    assert found(connection, "best(metrics.a) == 3") == ["digits"]
    assert found(connection, "best(metrics.a) == 1") == ["faces"]


def test_best_without_any_goal_says_how_to_set_one(connection: Connection) -> None:
    source = 'metrics.a > 1 and best(metrics["val/a"]) > 2'
    tree = parse_filter(source)
    assert tree is not None
    with pytest.raises(FilterError, match="define_metric") as caught:
        check_goals(connection, fields(tree), source)
    assert 'tracking.define_metric("val/a", goal="maximize")' in str(caught.value)
    assert source[caught.value.position :].startswith("best")
    set_goal(connection, "digits", "val/a", "minimize")
    check_goals(connection, fields(tree), source)


@pytest.mark.parametrize(
    "text",
    [
        "'; DROP TABLE runs--",
        '" OR 1=1 --',
        "x' UNION SELECT sql FROM sqlite_master --",
        "%",
        "_",
        "\\",
        ":p",
        "?",
        "{}",
    ],
)
def test_text_and_keys_are_only_data(connection: Connection, text: str) -> None:
    add_runs(
        connection,
        Run("odd", name=text, tags=[text], params={text: text}, metrics={text: [1.0]}),
        Run("other"),
    )
    for tree in (
        Compare(Field("name"), "==", text),
        Contains(Field("tags"), text),
        Contains(Field("name"), text),
        Compare(Field("params", text), "==", text),
        Compare(Field("metrics", text), ">", 0),
        Compare(Field("metrics", text), "!=", None),
    ):
        assert found(connection, tree) == ["odd"]
        assert found(connection, format_filter(tree)) == ["odd"]
    assert len(found(connection, "name != None")) == 2


# Against an evaluation in Python

_KEYS = ("a", "b.c", "val/acc")
_TEXTS = ("", "a", "ab", "Ab", "b*", "a?b", "[a]", "ü", "1", "true", "nan", "inf", "'")
_NUMBERS = (-1, 0, 0.5, 1, 2, INF, -INF, 10**40)

_points = st.lists(st.sampled_from([-1.0, 0.0, 0.5, 1.0, 2.0, NAN, INF, -INF]), max_size=3)
_values = st.sampled_from([None, True, False, NAN, [1, "a"], *_NUMBERS, *_TEXTS])
_runs = st.builds(
    Run,
    uid=st.uuids().map(str),
    experiment=st.sampled_from(["digits", "faces", "other"]),
    name=st.sampled_from(_TEXTS),
    status=st.sampled_from(["running", "finished", "lost"]),
    created=st.integers(-2, 2).map(lambda n: CREATED + n),
    seconds=st.sampled_from([0.0, 0.5, 1.0, 2.0]),
    group=st.sampled_from([None, *_TEXTS]),
    notes=st.sampled_from(_TEXTS),
    tags=st.lists(st.sampled_from(_TEXTS), max_size=2, unique=True),
    params=st.dictionaries(st.sampled_from(_KEYS), _values),
    metrics=st.dictionaries(st.sampled_from(_KEYS), _points),
)
_trees = trees(
    keys=st.sampled_from(_KEYS),
    texts=st.sampled_from(_TEXTS),
    numbers=st.sampled_from(_NUMBERS),
    moments=st.integers(-2, 2).map(
        lambda n: datetime.fromisoformat("1970-01-01T00:00:00+00:00") + timedelta(microseconds=CREATED + n)
    ),
)


@settings(max_examples=120, deadline=None)
@given(st.lists(_runs, min_size=1, max_size=5), st.lists(_trees, min_size=1, max_size=8))
def test_sql_finds_what_python_finds(
    database: Engine, described: list[Run], filters: list[Expression]
) -> None:
    with database.connect() as connection:
        add_runs(connection, *described)
        for experiment, goals in GOALS.items():
            set_goal(connection, experiment, "a", goals["a"])
        for tree in filters:
            expected = [run.uid for run in described if evaluate(tree, run) is True]
            assert found(connection, tree) == expected, format_filter(tree)
            assert found(connection, format_filter(tree)) == expected
        connection.rollback()


def evaluate(tree: Expression, run: Run) -> bool | None:
    """Return whether the run fits: true, false, or None when that is unknown."""
    match tree:
        case Not(term):
            inner = evaluate(term, run)
            return None if inner is None else not inner
        case And(terms):
            results = [evaluate(term, run) for term in terms]
            return False if False in results else None if None in results else True
        case Or(terms):
            results = [evaluate(term, run) for term in terms]
            return True if True in results else None if None in results else False
        case Compare(field, operator, None):
            return _is_absent(field, run) == (operator == "==")
        case Contains(Field("tags"), text):
            return text in run.tags
        case Matches(Field("tags"), pattern):
            return any(_fits(tag, pattern) for tag in run.tags)
    value = _value(tree.field, run)
    if value is None or value != value:
        return None
    match tree:
        case Compare(_, "==", other):
            return bool(value == _kept(other))
        case Compare(_, "!=", other):
            return bool(value != _kept(other))
        case In(_, values):
            return value in [_kept(other) for other in values]
        case Compare(_, operator, other):
            if isinstance(value, list) or isinstance(value, str) != isinstance(other, str):
                return None
            other = _kept(other)
            table = {"<": value < other, "<=": value <= other, ">": value > other, ">=": value >= other}
            return bool(table[operator])
        case Contains(_, text):
            return text in value if isinstance(value, str) else None
        case Matches(_, pattern):
            return _fits(value, pattern) if isinstance(value, str) else None
    raise AssertionError(tree)


def _kept(value: Any) -> Any:
    """Return the value as the database compares it: every number is a float."""
    return float(value) if isinstance(value, int) else value


def _value(field: Field, run: Run) -> Any:
    match field.kind:
        case "metrics":
            summary = run.summary(field.key)
            if summary is None:
                return None
            if field.aggregate != "best":
                return summary[field.aggregate]
            goal = GOALS.get(run.experiment, {}).get(field.key)
            if goal is None or summary["last"] is None or math.isinf(summary["last"]):
                return None
            return summary["max" if goal == "maximize" else "min"]
        case "params":
            return _kept(run.params.get(field.key))
        case "created":
            start = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
            return start + timedelta(microseconds=run.created)
        case "duration":
            return run.seconds
    return getattr(run, field.kind)


def _is_absent(field: Field, run: Run) -> bool:
    if field.kind == "metrics" and field.aggregate in ("first", "last"):
        return run.summary(field.key) is None
    value = _value(field, run)
    return not value if field.kind in ("tags", "notes") else value is None


def _fits(text: str, pattern: str) -> bool:
    literal = re.sub(r"\[", "[[]", pattern)
    return re.fullmatch(fnmatch.translate(literal), unicodedata.normalize("NFC", text)) is not None
