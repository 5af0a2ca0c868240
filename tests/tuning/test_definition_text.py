"""What is written as a definition file reads back as the same definition."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tracking.records import Goal
from tracking.tuning.definition import (
    At,
    Budget,
    FunctionTarget,
    Limits,
    Named,
    Objective,
    OnlyIf,
    ParamKind,
    ParamSpace,
    Prior,
    Repeats,
    ScriptTarget,
    SweepDefinition,
    TableTarget,
)
from tracking.tuning.definition_checks import check
from tracking.tuning.definition_file import read_definition
from tracking.tuning.definition_text import definition_text

EXACT = 2**53
numbers = st.floats(allow_nan=False, allow_infinity=False, min_value=-1e300, max_value=1e300)
wholes = st.integers(-EXACT, EXACT)
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
names = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20).map(
    lambda text: unicodedata.normalize("NFC", text)
).filter(str.strip)  # fmt: skip
choice_values = st.one_of(st.none(), st.booleans(), wholes, numbers, texts)
counts = st.integers(1, 1000)
durations = st.one_of(st.integers(1, 10**6), st.floats(1e-3, 1e6)).map(float)


@st.composite
def params(draw: st.DrawFn, name: str, earlier: tuple[ParamSpace, ...]) -> ParamSpace:
    kind = draw(st.sampled_from(ParamKind))
    parents = [param for param in earlier if param.kind is ParamKind.CATEGORICAL and not param.only_if]
    conditions = []
    for parent in draw(st.lists(st.sampled_from(parents), unique=True, max_size=2)) if parents else []:
        values = draw(st.lists(st.sampled_from(parent.choices), min_size=1, unique=True))
        conditions.append(OnlyIf(parent.name, tuple(values)))
    made = ParamSpace(name, kind, only_if=tuple(conditions))
    if kind is ParamKind.FIXED:
        return replace(made, value=draw(choice_values))
    if kind is ParamKind.CATEGORICAL:
        return replace(
            made, choices=tuple(draw(st.lists(choice_values, min_size=1, max_size=5, unique=True)))
        )
    log = draw(st.booleans())
    if kind is ParamKind.INT:
        low, high = sorted(draw(st.tuples(st.integers(1 if log else -1000, 1000), st.integers(1, 1000))))
        return replace(made, low=low, high=high, log=log, step=draw(st.sampled_from([None, 1])))
    low_, high_ = sorted(draw(st.tuples(numbers.map(abs) if log else numbers, numbers.map(abs))))
    if log:
        low_, high_ = low_ + 1e-9, high_ + 1e-9
    return replace(made, low=low_, high=high_, log=log)


@st.composite
def spaces(draw: st.DrawFn) -> tuple[ParamSpace, ...]:
    found: tuple[ParamSpace, ...] = (
        ParamSpace("lr", ParamKind.FLOAT, low=0.0, high=1.0, step=0.25),
    )  # fmt: skip
    for name in draw(st.lists(names.filter(lambda name: name != "lr"), unique=True, max_size=5)):
        found += (draw(params(name, found)),)
    return found


targets = st.one_of(
    st.builds(ScriptTarget, st.just("a b/train.py"), st.lists(texts, max_size=3).map(tuple)),
    st.builds(FunctionTarget, st.just("train.py"), st.just("train")),
)
samplers = st.sampled_from(
    [
        Named("tpe"),
        Named("tpe", {"multivariate": True, "group": False}),
        Named("nsga2", {"mutation_prob": 0.1}),
    ]
)
pruners = st.sampled_from(
    [
        Named("none"),
        Named("halving", {"min_resource": "auto", "reduction_factor": 3}),
        Named("patient", {"patience": 2, "wrapped": {"name": "percentile", "percentile": 25.0}}),
    ]
)
definitions = st.builds(
    SweepDefinition,
    name=names,
    target=targets,
    space=spaces(),
    objectives=st.builds(
        Objective, metric=names, goal=st.sampled_from(Goal), at=st.sampled_from(At)
    ).map(lambda one: (one,)),
    sampler=samplers,
    pruner=pruners,
    budget=st.one_of(
        st.builds(Budget, trials=counts, seconds=st.none() | durations), st.builds(Budget, seconds=durations)
    ),
    workers=st.integers(1, 256),
    repeats=st.none()
    | st.builds(
        Repeats, vary=st.just("the seed"), values=st.lists(choice_values, min_size=2, unique=True).map(tuple)
    ),
    limits=st.builds(
        Limits,
        seconds=st.none() | durations,
        memory=st.none() | st.integers(10**6, 10**15),
        failures=st.none() | counts,
        retries=st.integers(0, 100),
    ),
    seed=st.none() | st.integers(0, 2**32 - 1),
    prior=st.none()
    | st.builds(Prior, names, st.sampled_from([None, 'params.model == "mlp"']), limit=counts),
    start_with=st.lists(st.sampled_from([{"lr": 0.25}, {"lr": 1.0}]), max_size=2).map(tuple),
    notes=texts,
    experiment=st.none() | names,
    environment=st.lists(st.from_regex(r"\A[A-S_][A-Z0-9_]{0,9}\Z"), unique=True, max_size=3).map(tuple),
)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(definition=definitions)
def test_writing_and_reading_give_the_same_definition(definition: SweepDefinition) -> None:
    assert check(definition) == []
    text = definition_text(definition)
    again = read_definition(text)
    assert again == definition
    assert definition_text(again) == text


@pytest.mark.parametrize(
    "target",
    [
        ScriptTarget("train.py", ("--epochs", "20", "$(x)", '"', "\\", "\n")),
        FunctionTarget("study.py", "train"),
        TableTarget("target", "accuracy", dataset="digits", estimators=("forest", "mlp"), folds=3, seed=4),
        TableTarget("y", "r2", file="data/d.csv"),
        TableTarget("y", "r2", artifact="20261121-1/d.csv"),
    ],
)
def test_every_kind_of_target_comes_back(target: Any) -> None:
    metric = getattr(target, "metric", "accuracy")
    space = (ParamSpace("a", ParamKind.INT, low=1, high=2),)
    definition = SweepDefinition("n", target, space, (Objective(metric, Goal.MAXIMIZE),))
    assert read_definition(definition_text(definition)) == definition


def test_an_objective_comes_back_without_a_space() -> None:
    target = FunctionTarget("study.py", "objective", objective=True)
    starts: tuple[dict[str, Any], ...] = ({"x": None, "y": [1][0]},)
    definition = SweepDefinition("n", target, (), (Objective("loss", Goal.MINIMIZE),), start_with=starts)
    assert read_definition(definition_text(definition)) == definition


def test_notes_of_several_lines_stay_readable_and_exact() -> None:
    notes = 'First.\r\n\\ and """ and\ttab\n\x7f\x01\n\nlast "'
    space = (ParamSpace("a", ParamKind.INT, low=1, high=2),)
    definition = SweepDefinition(
        "n", ScriptTarget("t.py"), space, (Objective("m", Goal.MINIMIZE),), notes=notes
    )
    text = definition_text(definition)
    assert read_definition(text) == definition
    assert "\\n" not in text


def test_times_and_sizes_are_written_in_the_largest_unit_that_fits() -> None:
    space = (ParamSpace("a", ParamKind.INT, low=1, high=2),)
    definition = SweepDefinition(
        "n",
        ScriptTarget("t.py"),
        space,
        (Objective("m", Goal.MINIMIZE),),
        budget=Budget(seconds=7200),
        limits=Limits(seconds=90, memory=2**31, failures=None),
    )
    text = definition_text(definition)
    for line in ('time = "2h"', 'time = "90s"', 'memory = "2GiB"', 'failures = "unlimited"'):
        assert line in text.splitlines()
    assert read_definition(text) == definition


def test_a_table_gets_the_space_and_the_objective_that_follow_from_it() -> None:
    text = 'name = "n"\n[target]\ndataset = "digits"\nmetric = "accuracy"\nestimators = ["forest", "mlp"]\n'
    definition = read_definition(text)
    assert definition.space[0] == ParamSpace("estimator", ParamKind.CATEGORICAL, choices=("forest", "mlp"))
    assert definition.objectives == (Objective("accuracy", Goal.MAXIMIZE),)
    written = definition_text(definition)
    assert '[space."forest.max_depth"]' in written.splitlines()
    assert read_definition(written) == definition
