"""The fields of the launch form say what a definition says, and what is wrong in them is told at its field."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracking.tuning.definition import Choice, OnlyIf, ParamKind, ParamSpace, ScriptTarget
from tracking.tuning.definition_checks import check
from tracking.tuning.definition_fields import Problems
from tracking.tuning.definition_file import read_definition
from tracking.ui import launch_cells
from tracking.ui.launch_space import Row, read_rows, rows_of
from tracking.ui.launch_values import Values, read_values, values_of

FULL = """
name = "all of it"
notes = "two\\nlines"
experiment = "elsewhere"
seed = 7
workers = 3
environment = ["HF_HOME", "DATA_ROOT"]
[target]
script = "train.py"
arguments = ["--epochs", "20", "a b"]
[space.optimizer]
choices = ["sgd", "adam", "1", "a, b", "", "none", true, 2.0, 3, { none = true }]
[space.lr]
low = 1e-5
high = 0.30000000000000004
log = true
[space.momentum]
low = 0.0
high = 0.9
step = 0.3
only_if = { optimizer = ["sgd", "a, b"] }
[space.depth]
low = 1
high = 9
step = 2
[space."a;b=c"]
value = "x"
[[objectives]]
metric = "accuracy"
goal = "maximize"
at = "best"
[[objectives]]
metric = "cost"
goal = "minimize"
[sampler]
name = "tpe"
n_startup_trials = 5
multivariate = true
[pruner]
name = "none"
[budget]
trials = 12
time = "90m"
[repeats]
vary = "seed"
values = [0, "b", 2]
[limits]
time = 1.5
memory = "512MiB"
failures = "unlimited"
retries = 0
[prior]
experiment = "digits"
filter = 'params.lr < 1'
limit = 20
[[start_with]]
lr = 0.01
"""


def test_a_definition_with_everything_comes_back_as_it_was() -> None:
    definition = read_definition(FULL)
    read, problems = read_values(values_of(definition), ScriptTarget("train.py"))
    assert problems == []
    assert read == definition
    assert [type(each) for each in read.space[0].choices] == [
        type(each) for each in definition.space[0].choices
    ]


def test_a_pruner_around_another_comes_back() -> None:
    text = FULL.replace('[[objectives]]\nmetric = "cost"\ngoal = "minimize"\n', "").replace(
        'name = "none"', 'name = "patient"\npatience = 3\nwrapped = { name = "median", n_warmup_steps = 2 }'
    )
    definition = read_definition(text)
    assert read_values(values_of(definition), ScriptTarget("train.py")) == (definition, [])


@given(st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text()))
def test_every_value_comes_back_from_its_cell(value: Choice) -> None:
    if isinstance(value, float) and value in (float("inf"), -float("inf")):
        return  # no choice can be infinite
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > 2**53:
        return
    back = launch_cells.read_values(launch_cells.values_text([value, "z"]))
    assert back == (value, "z")
    assert type(back[0]) is type(value)


@given(st.text(min_size=1).filter(lambda name: name.strip() == name), st.text())
def test_every_condition_comes_back_from_its_cell(name: str, value: str) -> None:
    conditions = (OnlyIf(name, (value, True)), OnlyIf("kernel", ("rbf",)))
    assert launch_cells.read_only_if(launch_cells.only_if_text(conditions)) == conditions


def row(name: str, kind: str, **cells: object) -> Row:
    return {"param": name, "type": kind, **cells}


def read(*rows: Row) -> tuple[tuple[ParamSpace, ...], dict[str, str]]:
    problems = Problems()
    space = read_rows(rows, problems)
    return space, {each.field: each.sentence for each in problems.found}


def test_cells_that_nobody_filled_are_no_values() -> None:
    nothing = {"param": None, "type": None, "low": float("nan"), "log": None}
    space, problems = read(nothing, row("lr", "float", low="1e-4", high=".1", step=None, log=True), {})
    assert problems == {}
    assert space == (ParamSpace("lr", ParamKind.FLOAT, low=1e-4, high=0.1, log=True),)


@pytest.mark.parametrize(
    ("bad", "field", "part"),
    [
        (row("lr", "float", low="small", high="1"), "space.lr.low", "must be a number"),
        (row("lr", "float", low="inf", high="1"), "space.lr.low", "must be a number"),
        (row("lr", "float", low="", high="1"), "space.lr.low", "is blank"),
        (row("n", "int", low="1.5", high="3"), "space.n.low", "whole number"),
        (row("n", "int", low="1", high="3", choices="a"), "space.n.choices", "does not belong"),
        (row("o", "categorical", choices="a", low="1"), "space.o.low", "does not belong"),
        (row("o", "categorical", choices='"a, b'), "space.o.choices", "quote"),
        (row("o", "categorical", choices="a, , b"), "space.o.choices", "blank"),
        (row("o", "list", choices="a"), "space.o.type", "must be one of"),
        (row("f", "fixed", value=""), "space.f.value", "blank"),
        (row("f", "fixed", value="1", only_if="o"), "space.f.only_if", "must read like"),
        (row("", "float", low="1"), "space", "row 1"),
    ],
)
def test_a_cell_that_cannot_be_read_is_named(bad: Row, field: str, part: str) -> None:
    _, problems = read(bad)
    assert list(problems) == [field]
    assert part in problems[field]


def test_a_param_comes_after_the_one_that_its_condition_names() -> None:
    space, problems = read(
        row("momentum", "float", low="0", high="1", only_if="optimizer = sgd"),
        row("optimizer", "categorical", choices="sgd, adam"),
        row("lr", "float", low="0.1", high="1"),
    )
    assert problems == {}
    assert [param.name for param in space] == ["optimizer", "momentum", "lr"]


def test_conditions_in_a_circle_are_told() -> None:
    rows = (
        row("a", "categorical", choices="x, y", only_if="b = x"),
        row("b", "categorical", choices="x, y", only_if="a = x"),
    )
    definition, problems = read_values(valid(rows=rows), ScriptTarget("train.py"))
    assert [each.field for each in problems] == ["space.a.only_if.b"]
    assert check(definition)


def valid(**changes: object) -> Values:
    values = values_of(read_definition(FULL))
    return replace(values, start_with=(), **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": "  "}, "name"),
        ({"trials": None, "time": ""}, "budget"),
        ({"time": "soon"}, "budget.time"),
        ({"limit_memory": "much"}, "limits.memory"),
        ({"limit_memory": "12"}, "limits.memory"),
        ({"workers": None}, "workers"),
        ({"workers": 100_000}, "workers"),
        ({"seed": -1}, "seed"),
        ({"sampler": "astrology"}, "sampler.name"),
        ({"sampler_options": "n_startup_trials"}, "sampler.options"),
        ({"sampler_options": "a = 1 }\n[budget]\ntrials = 1\nx = { b = 2"}, "sampler.options"),
        ({"sampler_options": "luck = 3"}, "sampler.luck"),
        ({"repeats": "1"}, "repeats.values"),
        ({"repeats": "1, 1"}, "repeats.values[1]"),
        ({"prior_filter": "params.lr <"}, "prior.filter"),
        ({"arguments": "'open"}, "target.arguments"),
        ({"environment": "A=1"}, "environment[0]"),
        ({"environment": "TRACKING_STORE"}, "environment[0]"),
    ],
)
def test_what_is_wrong_is_told_at_its_field(changes: dict[str, object], field: str) -> None:
    _, problems = read_values(valid(**changes), ScriptTarget("train.py"))
    assert [each.field for each in problems] == [field]


def test_a_blank_metric_is_told_once() -> None:
    values = replace(valid(), objectives=(replace(valid().objectives[0], metric=" "),))
    _, problems = read_values(values, ScriptTarget("train.py"))
    assert [each.field for each in problems] == ["objectives[0].metric"]


def test_rows_say_numbers_as_people_write_them() -> None:
    space = (
        ParamSpace("lr", ParamKind.FLOAT, low=1e-05, high=0.1 + 0.2, log=True),
        ParamSpace("n", ParamKind.INT, low=1, high=1_000_000),
    )
    found = [(each["low"], each["high"]) for each in rows_of(space)]
    assert found == [("1e-05", "0.30000000000000004"), ("1", "1000000")]
