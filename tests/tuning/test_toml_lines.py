"""The line of every key of a TOML text is found, however it is written, and no text breaks the search."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tracking import InvalidDefinition
from tracking.tuning.definition_file import read_definition
from tracking.tuning.toml_lines import Lines, Path, field_name

EVERYTHING = '''\
top = 1
"quoted key" = { inner = [1, 2], "b.c" = { d.e = 3 } }  # comment = 0
a.b.'c d' = """
x = 1
[no.table]
\\"""
y = 2"""
dates = [ 1979-05-27, # ] not = the end
  07:32:00,
  ["#", '"'],
]

[table]
key = 'it''s'
[table.sub."x.y"]
"\\u00e9" = true
literal = \'\'\'
[[no]]
\'\'\'
last = -1e3
[[array]]
k = 1
[array.under]
z = 0
[[array]]
[[array.nested]]
k = 2
[[array.nested]]
k = 3
[array.under]
z = 1
'''.replace("'it''s'", "'its'")


def test_every_way_of_writing_a_key_has_its_line() -> None:
    tomllib.loads(EVERYTHING)
    lines = Lines(EVERYTHING)
    expected: dict[Path, int] = {
        ("top",): 1,
        ("quoted key", "inner", 1): 2,
        ("quoted key", "b.c", "d", "e"): 2,
        ("a", "b", "c d"): 3,
        ("dates", 0): 8,
        ("dates", 1): 9,
        ("dates", 2, 1): 10,
        ("table", "key"): 14,
        ("table", "sub"): 15,
        ("table", "sub", "x.y", "é"): 16,
        ("table", "sub", "x.y", "last"): 20,
        ("array",): 21,
        ("array", 0): 21,
        ("array", 0, "k"): 22,
        ("array", 0, "under", "z"): 24,
        ("array", 1): 25,
        ("array", 1, "nested", 0, "k"): 27,
        ("array", 1, "nested", 1): 28,
        ("array", 1, "nested", 1, "k"): 29,
        ("array", 1, "under", "z"): 31,
    }
    assert {path: lines.find(path) for path in expected} == expected
    assert Lines(EVERYTHING.replace("\n", "\r\n")).find(("array", 1, "under", "z")) == 31


def test_what_is_missing_has_the_line_of_what_is_around_it() -> None:
    lines = Lines(EVERYTHING)
    assert lines.find(("array", 1, "nested", 1, "missing")) == 28
    assert lines.find(("table", "missing", "deeper")) == 13
    assert lines.find(("missing",)) is None


# Values without line breaks of their own; the writer below puts everything on lines it counts.
scalars = st.one_of(st.booleans(), st.integers(-9, 9), st.text(max_size=5))
keys = st.text(max_size=5)
tables = st.recursive(
    st.dictionaries(keys, scalars, max_size=3),
    lambda inner: st.dictionaries(
        keys, st.one_of(scalars, inner, st.lists(inner, min_size=1, max_size=2)), max_size=3
    ),
    max_leaves=15,
)


def quoted(text: str) -> str:
    return '"' + "".join(f"\\U{ord(each):08x}" for each in text) + '"'


def written(table: dict[str, Any], path: Path, lines: list[str], places: dict[Path, int]) -> None:
    """Write a table as TOML and note the line of each key path."""

    def header(own: Path, form: str) -> None:
        lines.append(form % ".".join(quoted(each) for each in own if isinstance(each, str)))

    for key, value in table.items():
        if not isinstance(value, (dict, list)):
            lines.append(f"{quoted(key)} = {quoted(value) if isinstance(value, str) else str(value).lower()}")
            places[(*path, key)] = len(lines)
    for key, value in table.items():
        if isinstance(value, dict):
            header((*path, key), "[%s]")
            places[(*path, key)] = len(lines)
            written(value, (*path, key), lines, places)
        elif isinstance(value, list):
            for index, each in enumerate(value):
                header((*path, key), "[[%s]]")
                places.setdefault((*path, key), len(lines))
                places[(*path, key, index)] = len(lines)
                written(each, (*path, key, index), lines, places)


@settings(max_examples=200, deadline=None)
@given(table=tables)
def test_lines_are_those_that_were_written(table: dict[str, Any]) -> None:
    lines: list[str] = []
    places: dict[Path, int] = {}
    written(table, (), lines, places)
    text = "\n".join(lines)
    assert tomllib.loads(text) == table
    found = Lines(text)
    assert {path: found.find(path) for path in places} == places


FRAGMENTS = [
    "[", "]", "[[", "]]", "{", "}", "=", ".", ",", "\n", "\r\n", '"', "'", '"""', "'''", "\\", "#", " ", "\0", "é",
    "name", "space", "target", "script", '"t.py"', "low", "high", "only_if", "choices", "objectives", "start_with",
    "sampler", "pruner", "wrapped", "repeats", "values", "none", "true", "nan", "-inf", "1", "1.5", "0x10", "1e999",
    "1979-05-27", "07:32:00", "99999999999999999999",
]  # fmt: skip
GOOD = """\
name = "n"
[target]
script = "t.py"
[space.a]
choices = ["x", 1]
[space.b]
low = 1
high = 8
only_if = { a = 1 }
[[objectives]]
metric = "m"
goal = "minimize"
[pruner]
name = "patient"
patience = 1
wrapped = { name = "median" }
[repeats]
vary = "seed"
values = [1, 2]
[limits]
time = "5m"
memory = "1GB"
[[start_with]]
a = 1
"""


@settings(max_examples=500, deadline=None)
@given(text=st.lists(st.sampled_from(FRAGMENTS), max_size=40).map("".join) | st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    with pytest.raises(InvalidDefinition):
        read_definition(text)


@settings(max_examples=1000, deadline=None)
@given(data=st.data())
def test_a_definition_with_something_changed_is_read_or_refused(data: st.DataObject) -> None:
    text = GOOD
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(text)))
        cut = data.draw(st.integers(0, 12))
        text = text[:at] + data.draw(st.sampled_from(["", *FRAGMENTS])) + text[at + cut :]
    try:
        read_definition(text)
    except InvalidDefinition as error:
        assert error.problems
        count = text.count("\n") + 1
        for problem in error.problems:
            assert problem.line is None or 1 <= problem.line <= count
            assert problem.sentence and str(problem).isprintable()


VALUES = [
    "1", "-1", "1.5", "true", "nan", "inf", '""', '"x"', "[]", "[[]]", "[{}]", "{}", "{ none = true }", "{ a = [] }",
    "1979-05-27", "07:32:00", "[1, true, 'x', nan]", "99999999999999999999999", "{ name = 1 }", "[{ lr = 1 }]",
]  # fmt: skip


@pytest.mark.parametrize("value", VALUES)
def test_any_value_at_any_field_is_read_or_refused(value: str) -> None:
    lines = GOOD.splitlines()
    for index, line in enumerate(lines):
        if "=" in line:
            changed = [*lines[:index], f"{line.split('=')[0]}= {value}", *lines[index + 1 :]]
            try:
                read_definition("\n".join(changed))
            except InvalidDefinition as error:
                assert {problem.line for problem in error.problems} - {None}, line
    for field in ("target", "space", "objectives", "sampler", "pruner", "budget", "repeats", "limits", "prior",
                  "start_with", "notes", "experiment", "environment", "seed", "workers"):  # fmt: skip
        with pytest.raises(InvalidDefinition):
            read_definition(f"{field} = {value}\n")


def test_a_field_is_named_as_people_write_it() -> None:
    assert field_name(("space", "lr", "low")) == "space.lr.low"
    assert field_name(("objectives", 0, "goal")) == "objectives[0].goal"
    assert field_name(("space", "forest.max_depth", "low")) == 'space."forest.max_depth".low'
    assert field_name(("space", "a\n\x1b", "low")) == 'space."a\\n\\x1b".low'
    assert len(field_name(("x" * 10_000,))) < 100
