"""The filter language: what it reads, and what it says about what it cannot read."""

from __future__ import annotations

import unicodedata
import warnings
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.database.filter_trees import any_text, trees
from tracking.database.filter_language import parse_field, parse_filter, parse_order
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
    Order,
    fields,
    format_filter,
    format_order,
)
from tracking.errors import FilterError

ACC, LR, NAME = Field("metrics", "acc"), Field("params", "lr"), Field("name")


@pytest.mark.parametrize(
    ("source", "tree"),
    [
        ("metrics.acc > 0.9", Compare(ACC, ">", 0.9)),
        ("0.9 < metrics.acc", Compare(ACC, ">", 0.9)),
        ("metrics.acc >= -1e-3", Compare(ACC, ">=", -0.001)),
        ("0.1 < metrics.acc <= 1", And((Compare(ACC, ">", 0.1), Compare(ACC, "<=", 1)))),
        ("metrics.acc == None", Compare(ACC, "==", None)),
        ("params.optimizer.name != 'adam'", Compare(Field("params", "optimizer.name"), "!=", "adam")),
        ('metrics["val/acc"] < 1', Compare(Field("metrics", "val/acc"), "<", 1)),
        ("min(metrics['f1-score']) < 1", Compare(Field("metrics", "f1-score", "min"), "<", 1)),
        ("best(metrics.acc) > 0", Compare(Field("metrics", "acc", "best"), ">", 0)),
        ("last(metrics.acc) > 0", Compare(ACC, ">", 0)),
        ("params.flag == True", Compare(Field("params", "flag"), "==", True)),
        ("params.lr in (0.1, 'auto')", In(LR, (0.1, "auto"))),
        ("params.lr not in [1]", Not(In(LR, (1,)))),
        ('"keep" in tags', Contains(Field("tags"), "keep")),
        ('"bert" not in name', Not(Contains(NAME, "bert"))),
        ('matches(name, "ab*")', Matches(NAME, "ab*")),
        ('status in ("failed", "lost")', In(Field("status"), ("failed", "lost"))),
        (
            "duration > 60 or group == 'g'",
            Or((Compare(Field("duration"), ">", 60), Compare(Field("group"), "==", "g"))),
        ),
        ("not metrics.acc > 1", Not(Compare(ACC, ">", 1))),
        ("metrics.acc > 1 and not (params.lr < 1)", And((Compare(ACC, ">", 1), Not(Compare(LR, "<", 1))))),
        ("metrics.acc\n  >\t1\r\n", Compare(ACC, ">", 1)),
        ("metrics.größe > 1", Compare(Field("metrics", "größe"), ">", 1)),
        ('name == "it\'s \\"x\\" \\\\ \\u00e9"', Compare(NAME, "==", 'it\'s "x" \\ é')),
        ("metrics.__class__ > 1", Compare(Field("metrics", "__class__"), ">", 1)),
    ],
)
def test_reads(source: str, tree: Expression) -> None:
    assert parse_filter(source) == tree


@pytest.mark.parametrize("source", ["", "   ", "\n\t"])
def test_a_blank_filter_says_nothing(source: str) -> None:
    assert parse_filter(source) is None


def test_operators_bind_as_in_python() -> None:
    tree = parse_filter("metrics.a > 1 or metrics.b > 1 and not metrics.c > 1")
    a, b, c = (Compare(Field("metrics", key), ">", 1) for key in "abc")
    assert tree == Or((a, And((b, Not(c)))))


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("2026-01-31", datetime(2026, 1, 31, tzinfo=UTC)),
        ("2026-01-31T18:00", datetime(2026, 1, 31, 18, tzinfo=UTC)),
        ("2026-01-31 18:00:00.5Z", datetime(2026, 1, 31, 18, 0, 0, 500_000, tzinfo=UTC)),
        ("2026-01-31T18:00+02:00", datetime(2026, 1, 31, 18, tzinfo=timezone(timedelta(hours=2)))),
    ],
)
def test_dates_are_utc_unless_they_say_otherwise(written: str, moment: datetime) -> None:
    tree = parse_filter(f"created >= '{written}'")
    assert isinstance(tree, Compare)
    assert tree.value == moment


def test_keys_and_names_are_compared_in_one_unicode_form() -> None:
    decomposed, composed = "cafe\u0301", "café"
    assert parse_filter(f"metrics['{decomposed}'] > 1") == Compare(Field("metrics", composed), ">", 1)
    assert parse_filter(f"name == '{decomposed}'") == Compare(NAME, "==", composed)
    # Python's own parser would turn this ligature into two letters.
    assert parse_filter("metrics.e\ufb01 > 1") == Compare(Field("metrics", "e\ufb01"), ">", 1)


@pytest.mark.parametrize(
    ("source", "place", "said"),
    [
        # Keys
        ("metrics.val/acc > 3", "/acc", 'metrics["val/acc"]'),
        ("metrics.f1-score > 1", "-score", 'metrics["f1-score"]'),
        ("metrics.lambda > 1", "lambda", 'metrics["lambda"]'),
        ("max(params.1st) > 1", "1st", 'params["1st"]'),
        ("metrics. > 1", " > 1", "metrics.<key>"),
        ("metrics > 1", "metrics", "metrics.<key>"),
        ("metrics[0] > 1", "metrics", 'metrics["val/acc"]'),
        ('metrics[""] > 1', '""', "any key"),
        # Names
        ("metric.acc > 1", "metric", "metrics.acc"),
        ("stauts == 'lost'", "stauts", '"status"'),
        ("accuracy > 0.9", "accuracy", "metrics.accuracy"),
        ("avg(metrics.x) > 1", "avg", '"mean"'),
        ("max(params.x) > 1", "params", "max(metrics.loss)"),
        ("max(metrics.x, 2) > 1", "max", "max(metrics.loss)"),
        ("max(min(metrics.x)) > 1", "min", "max(metrics.loss)"),
        ("max > 1", "max", "max(metrics.loss)"),
        # Other languages
        ("status = 'lost'", "=", '"=="'),
        ("metrics.a > 1 && metrics.b > 1", "&&", '"and"'),
        ("metrics.a > 1 || metrics.b > 1", "||", '"or"'),
        ("metrics.a > 1 AND metrics.b > 1", "AND", '"and"'),
        ("name LIKE 'a%'", "LIKE", 'matches(name, "ab*")'),
        ("params.x IS NULL", "IS", "== None"),
        ("params.x == null", "null", '"None"'),
        ("params.x == true", "true", '"True"'),
        ("metrics.a <> 1", "<>", '"!="'),
        ("metrics.a => 1", "=>", '">="'),
        ("!metrics.a > 1", "!", '"not"'),
        ("metrics.a * 2 > 1", "*", "do not calculate"),
        ("name == “x”", "“", "straight quotes"),
        # Sequence
        ("metrics.a >", "", "ends too early"),
        ("> 3", ">", "Expected a name"),
        ("metrics.a > 1 metrics.b > 2", "metrics.b", "'and', 'or'"),
        ("metrics.a", "metrics.a", "metrics.a > 0.9"),
        ("not params.flag", "params", "params.flag == True"),
        ("1 < 2", "1", "Expected one of metrics.<key>"),
        ("metrics.a > metrics.b", "metrics.b", "a value on one side"),
        ("True", "True", "a comparison"),
        ("(metrics.a > 1", "(", '")"'),
        ("metrics.a > 1)", ")", "closes nothing"),
        ("(name == 'a']", "]", '")"'),
        ("name == 'abc", "'abc", "a second '"),
        ("name == 'a' 'b'", "'b'", "side by side"),
        ("name in ('a')", "'a'", '("a",)'),
        ("name in ()", "()", "at least one value"),
        # Values
        ("status == 'runing'", "'runing'", 'did you mean "running"'),
        ("status == 'gone'", "'gone'", "waiting, running, finished"),
        ("status > 'lost'", "'lost'", "==, != or in"),
        ("status == running", "running", '"running"'),
        ("name > 3", "3", 'name == "baseline"'),
        ("metrics.a > 'x'", "'x'", "metrics.a > 0.9"),
        ("metrics.a == True", "True", "metrics.a > 0.9"),
        ("duration > '1h'", "'1h'", "duration > 60"),
        ("duration > 1h", "1h", "a plain number"),
        ("created > 'yesterday'", "'yesterday'", 'created >= "2026-01-31"'),
        ("created == '2026-12-31'", "'2026", '"2026-12-31" <= created < "2027-01-01"'),
        ("tags == 'x'", "'x'", '"x" in tags'),
        ("'x' in status", "status", 'status in ("failed", "lost")'),
        ("params.flag > True", "True", "params.flag == True"),
        ("metrics.a < None", "None", "metrics.a == None"),
        ("metrics.a == nan", "nan", "NaN compares false"),
        ("params.path == 'C:\\data'", "\\d", "written twice"),
        ("matches(metrics.a, 'x')", "metrics", "a text"),
        ("matches(name)", "matches", 'matches(name, "ab*")'),
        ("matches(name, params.x)", "params", "text in quotes"),
        (f"metrics.a > 1{'0' * 400}", "1" + "0" * 400, "below 1e308"),
        ("name == '\\ud800'", "'\\ud800'", "surrogate"),
    ],
)
def test_tells_what_was_expected_where(source: str, place: str, said: str) -> None:
    with pytest.raises(FilterError) as caught:
        parse_filter(source)
    error = caught.value
    assert source[error.position :].startswith(place), source[error.position :]
    assert said in f"{error}"
    assert error.expected and error.expected in f"{error}"
    assert error.source == source
    assert error.pointer().splitlines()[1].index("^") == error.position


def test_places_are_counted_in_characters() -> None:
    with pytest.raises(FilterError) as caught:
        parse_filter('name == "größe €😀" and metrics.ä > "x"')
    assert caught.value.position == 'name == "größe €😀" and metrics.ä > '.index("> ") + 2


@pytest.mark.parametrize(
    "source",
    [
        "().__class__.__mro__[1].__subclasses__()",
        "__import__('os').system('true')",
        "metrics.a > 1 if True else False",
        "(lambda: 1)() == metrics.a",
        "[x for x in tags]",
        "{x: 1 for x in tags}",
        "(metrics := 1)",
        "f'{name}' == name",
        "f'{__import__(\"os\")}' in tags",
        "rb'x' == name",
        "name.__class__ == 'x'",
        "name.format('x') == 'x'",
        "'x'.join(tags) == 'x'",
        "metrics['a'].__class__ > 1",
        "metrics[metrics.a] > 1",
        "metrics[0:1] > 1",
        "max(*tags) > 1",
        "matches(*tags)",
        "matches(name, pattern='x')",
        "await name == 'x'",
        "yield",
        "print(name)",
        "exec('x') == name",
        "metrics.a > 1; import os",
        "metrics.a > 1 # comment",
        "metrics.a > 1 \\\n and name == 'x'",
        "metrics.a > 1j",
        "metrics.a > ...",
        "name == b'x'",
        "name is None",
        "metrics.a > 1, name == 'x'",
        "-metrics.a > 1",
        "metrics.a > --1",
        "metrics.a > not 1",
        "not in tags",
        "not",
        "name == '; DROP TABLE runs--",
        "1 = 1 UNION SELECT * FROM runs",
        "name == 'x' OR 1=1",
        "name == '''x'''",
        "metrics.a > 1_000",
        "metrics.a > 0x10",
        "metrics.a > 007",
        "name == 'a\0b'",
        "\0",
        "\ud800",
        "name == '\ud800'",
        "ｍetrics.a > 1",
        "metrics . a > 1",
        "@name == 'x'",
        "$name",
        "`name`",
    ],
)
def test_refuses_what_is_no_filter(source: str) -> None:
    with pytest.raises(FilterError):
        parse_filter(source)


def test_bounds_leave_room_for_real_filters() -> None:
    assert parse_filter(" and ".join(["metrics.a > 1"] * 100)) is not None
    assert parse_filter("(" * 20 + "metrics.a > 1" + ")" * 20) == Compare(Field("metrics", "a"), ">", 1)
    with pytest.raises(FilterError, match="100 comparisons"):
        parse_filter(" and ".join(["metrics.a > 1"] * 101))
    with pytest.raises(FilterError, match="20 levels"):
        parse_filter("(" * 21 + "metrics.a > 1" + ")" * 21)


@pytest.mark.parametrize("source", [None, 3, b"name == 'x'", ["name"]])
def test_a_filter_is_text(source: object) -> None:
    with pytest.raises(FilterError, match="is text"):
        parse_filter(source)  # type: ignore[arg-type]
    with pytest.raises(FilterError, match="is text"):
        parse_order(source)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("source", "order"),
    [
        ("metrics.acc desc", Order(ACC, True)),
        ("max(metrics.acc)", Order(Field("metrics", "acc", "max"))),
        ('metrics["val/acc"] asc', Order(Field("metrics", "val/acc"))),
        ("created", Order(Field("created"))),
        ("  duration   DESC ", Order(Field("duration"), True)),
        ("params.lr", Order(LR)),
        ("name", Order(NAME)),
        ('metrics["loss desc"]', Order(Field("metrics", "loss desc"))),
    ],
)
def test_reads_orders(source: str, order: Order) -> None:
    assert parse_order(source) == order
    assert parse_order(format_order(order)) == order


@pytest.mark.parametrize(
    ("source", "place", "said"),
    [
        ("metrics.acc down", "down", "asc or desc"),
        ("metrics.val/acc desc", "/acc", 'metrics["val/acc"]'),
        ("accuracy desc", "accuracy", "metrics.accuracy"),
        ("tags", "tags", "metrics.<key>"),
        ("", "", "metrics.<key>"),
        ("desc", "desc", "metrics.<key>"),
        ("metrics.acc, name", "name", "asc or desc"),
        ("metrics.acc > 1", "", "metrics.<key>"),
        ("matches(name, 'x')", "", "metrics.<key>"),
        ("rowid,(select 1)", "rowid", "metrics.<key>"),
        ("created; DROP TABLE runs", "runs", "asc or desc"),
    ],
)
def test_refuses_other_orders(source: str, place: str, said: str) -> None:
    with pytest.raises(FilterError) as caught:
        parse_order(source)
    assert said in str(caught.value)
    assert source[caught.value.position :].startswith(place)


def test_fields_know_their_place() -> None:
    source = 'name == "é" and (max(metrics["a b"]) > 1 or 2 < params.lr)'
    tree = parse_filter(source)
    assert tree is not None
    places = [(field.kind, field.position) for field in fields(tree)]
    assert places == [("name", 0), ("metrics", source.index("max")), ("params", source.index("params"))]


_keys = st.one_of(
    st.sampled_from(
        ["acc", "val/acc", "f1-score", "lambda", "a.b", "größe", "1st", 'q"uote', "back\\slash", "ab "]
    ),
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12),
).map(lambda key: unicodedata.normalize("NFC", key))
_texts = any_text.map(lambda text: unicodedata.normalize("NFC", text))


@given(trees(keys=_keys, texts=_texts))
def test_what_is_written_down_reads_the_same(tree: Expression) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert parse_filter(format_filter(tree)) == tree


_words = st.sampled_from(
    "metrics.a params.b metrics params tags status name created and or not in ( ) [ ] , . - == != < <= > >= "
    "= 0.5 1 'x' \"y\" True None matches max best metrics['a/b'] 'running' \\ # lambda é \0".split(" ")
)


@given(st.one_of(st.text(max_size=60), st.lists(_words, max_size=14).map(" ".join)))
def test_any_text_is_read_or_refused_with_a_place(source: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for parse in (parse_filter, parse_order, parse_field):
            try:
                parse(source)
            except FilterError as error:
                assert 0 <= error.position <= len(source)
                assert error.expected
                error.pointer()
