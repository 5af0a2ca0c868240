"""Samplers are made as the definition says, draw the same from the same seed, and say what they cannot do."""

from __future__ import annotations

import importlib.util
import warnings
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import optuna
import pytest

from tracking import InvalidDefinition, MissingDependency
from tracking.records import Goal
from tracking.tuning import definition_methods
from tracking.tuning.definition import (
    Budget,
    FunctionTarget,
    Named,
    Objective,
    OnlyIf,
    ParamKind,
    ParamSpace,
    Repeats,
    ScriptTarget,
    SweepDefinition,
)
from tracking.tuning.definition_checks import check
from tracking.tuning.definition_file import read_definition
from tracking.tuning.definition_options import SAMPLERS
from tracking.tuning.samplers import is_enumerated, make_sampler
from tracking.tuning.space import suggest

LR = ParamSpace("lr", ParamKind.FLOAT, low=1e-4, high=1e-1, log=True)
DEPTH = ParamSpace("depth", ParamKind.INT, low=1, high=8)
MODEL = ParamSpace("model", ParamKind.CATEGORICAL, choices=("mlp", "forest"))
TREES = ParamSpace("trees", ParamKind.INT, low=1, high=100, only_if=(OnlyIf("model", ("forest",)),))
PLAIN = SweepDefinition(
    "n",
    ScriptTarget("t.py"),
    (LR, DEPTH),
    (Objective("loss", Goal.MINIMIZE),),
    seed=7,
    budget=Budget(trials=50),
)
CONDITIONAL = replace(PLAIN, space=(MODEL, TREES, LR))
TWO = replace(PLAIN, objectives=(Objective("loss", Goal.MINIMIZE), Objective("size", Goal.MINIMIZE)))

optuna.logging.set_verbosity(optuna.logging.WARNING)


def run(
    definition: SweepDefinition, trials: int = 25, worker: int = 0, begun: int = 0
) -> list[dict[str, Any]]:
    """The configurations that one worker draws; warnings of Optuna's are errors."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        study = optuna.create_study(
            directions=[each.goal.value for each in definition.objectives],
            sampler=make_sampler(definition, worker=worker, trials=begun),
        )
        found = []
        for _ in range(trials):
            trial = study.ask()
            params = suggest(trial, definition.space)
            found.append(params)
            value = params.get("lr", 0.0) * params.get("depth", 1) + params.get("trees", 0)
            study.tell(trial, [value, -value][: len(definition.objectives)])
    return found


def sampled_by(name: str, options: Mapping[str, Any] | None = None) -> Named:
    return Named(name, options or {})


def sentences(definition: SweepDefinition) -> list[tuple[str, str]]:
    return [(problem.field, problem.sentence) for problem in check(definition)]


AVAILABLE = ["tpe", "random", "nsga2", "qmc"]


@pytest.mark.parametrize(
    ("name", "definition"),
    [
        *(
            (name, definition)
            for name in ("tpe", "random", "nsga2")
            for definition in (PLAIN, CONDITIONAL, TWO)
        ),
        ("qmc", PLAIN),
        ("qmc", TWO),
    ],
)
def test_one_worker_draws_the_same_from_the_same_seed(name: str, definition: SweepDefinition) -> None:
    definition = replace(definition, sampler=sampled_by(name))
    assert check(definition) == []
    first = run(definition)
    assert run(definition) == first
    # A sequence that is not scrambled has no seed.
    if name != "qmc":
        assert run(replace(definition, seed=8)) != first


@pytest.mark.parametrize("name", AVAILABLE)
def test_workers_and_those_that_take_their_place_draw_differently(name: str) -> None:
    definition = replace(PLAIN, sampler=sampled_by(name))
    first = run(definition, 1)[0]
    assert run(definition, 1, worker=1)[0] != first
    assert run(definition, 1, begun=12)[0] != first


def test_without_a_seed_every_sweep_is_another() -> None:
    definition = replace(PLAIN, seed=None, sampler=sampled_by("random"))
    assert run(definition, 3) != run(definition, 3)


def test_tpe_looks_at_conditional_params_in_groups() -> None:
    sampler = make_sampler(replace(CONDITIONAL, sampler=sampled_by("tpe")), worker=0)
    study = optuna.create_study(sampler=sampler)
    for _ in range(30):
        trial = study.ask()
        suggest(trial, CONDITIONAL.space)
        study.tell(trial, 1.0)
    drawn_together = sampler.infer_relative_search_space(study, study.trials[-1])
    assert set(drawn_together) == {"model", "trees", "lr"}


def test_tpe_takes_the_options_given() -> None:
    options = {"n_startup_trials": 30}
    few = run(replace(PLAIN, sampler=sampled_by("tpe", options)))
    assert few != run(replace(PLAIN, sampler=sampled_by("tpe")))
    assert run(replace(CONDITIONAL, sampler=sampled_by("tpe", {"multivariate": False})))
    assert run(replace(PLAIN, sampler=sampled_by("tpe", {"group": True})))


def test_workers_of_qmc_share_one_scrambled_sequence() -> None:
    scrambled = replace(PLAIN, sampler=sampled_by("qmc", {"scramble": True, "qmc_type": "halton"}))
    # The first configuration is drawn at random: the space is known from it on.
    assert run(scrambled, worker=0)[1:] == run(scrambled, worker=1)[1:]
    assert sentences(replace(scrambled, seed=None))[0][0] == "sampler.scramble"


def test_what_is_gone_through_one_by_one_is_not_sampled() -> None:
    finite = replace(PLAIN, space=(MODEL, TREES, DEPTH))
    for name in SAMPLERS:
        definition = replace(finite, sampler=sampled_by(name))
        assert is_enumerated(definition) == (name in ("grid", "bruteforce", "listed"))
    for name in ("grid", "bruteforce"):
        definition = replace(finite, sampler=sampled_by(name))
        assert check(definition) == []
        assert isinstance(make_sampler(definition, worker=0), optuna.samplers.RandomSampler)


@pytest.mark.parametrize(
    ("definition", "name", "says"),
    [
        (CONDITIONAL, "qmc", "cannot do params with only_if, as 'trees'"),
        (CONDITIONAL, "gp", "cannot do params with only_if, as 'trees'"),
        (CONDITIONAL, "cmaes", "cannot do params with only_if, as 'trees'"),
        (CONDITIONAL, "cmaes", "cannot do categorical params, as 'model'"),
        (replace(PLAIN, space=(LR,)), "cmaes", "two params or more"),
        (TWO, "cmaes", 'several objectives. name = "tpe" or "nsga2" can'),
        (PLAIN, "grid", "'lr' is a float without a step"),
        (PLAIN, "bruteforce", "'lr' is a float without a step"),
        (
            replace(PLAIN, space=tuple(replace(DEPTH, name=f"d{index}") for index in range(6))),
            "grid",
            "more than 100,000 configurations",
        ),
        (
            replace(PLAIN, target=FunctionTarget("s.py", "f", objective=True), space=()),
            "grid",
            "what an objective(trial) draws is not known",
        ),
    ],
)
def test_a_sampler_says_what_it_cannot_do(definition: SweepDefinition, name: str, says: str) -> None:
    found = sentences(replace(definition, sampler=sampled_by(name)))
    assert [field for field, sentence in found if says in sentence] == ["sampler.name"]


@pytest.mark.parametrize(("name", "package"), [("cmaes", "cmaes"), ("gp", "torch")])
def test_a_package_that_is_missing_is_said_before_the_sweep_begins(
    name: str, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    definition = replace(PLAIN, sampler=sampled_by(name))
    monkeypatch.setattr(definition_methods, "find_spec", lambda asked: None if asked == package else object())
    assert sentences(definition) == [
        ("sampler.name", f"is {name}, which needs the package {package}: pip install {package}")
    ]
    monkeypatch.setitem(__import__("sys").modules, package, None)
    with pytest.raises(MissingDependency, match=f"pip install {package}"):
        make_sampler(definition, worker=0)


@pytest.mark.parametrize(("name", "package"), [("cmaes", "cmaes"), ("gp", "torch")])
def test_samplers_of_other_packages_draw_the_same_from_the_same_seed(name: str, package: str) -> None:
    if importlib.util.find_spec(package) is None:
        pytest.skip(f"{package} is not installed")
    definition = replace(PLAIN, sampler=sampled_by(name))
    first = run(definition, 15)
    assert run(definition, 15) == first
    assert run(definition, 15, worker=1) != first


def test_an_option_of_another_sampler_is_refused_when_it_is_made() -> None:
    with pytest.raises(InvalidDefinition, match=r"sampler.population_size: is no option of tpe"):
        make_sampler(replace(PLAIN, sampler=sampled_by("tpe", {"population_size": 9})), worker=0)


def test_a_finite_space_sets_the_budget_where_none_is_given() -> None:
    text = (
        'name = "n"\n[target]\nscript = "t.py"\n[[objectives]]\nmetric = "loss"\ngoal = "minimize"\n'
        '[sampler]\nname = "grid"\n[space.a]\nchoices = [1, 2, 3]\n[space.b]\nlow = 1\nhigh = 4\nonly_if = { a = 1 }\n'
    )  # fmt: skip
    assert read_definition(text).budget == Budget(trials=6)
    assert read_definition(text + "[budget]\ntrials = 2\n").budget == Budget(trials=2)


def test_repeats_do_not_change_what_is_drawn() -> None:
    repeated = replace(PLAIN, repeats=Repeats("seed", (0, 1, 2)))
    assert run(repeated) == run(PLAIN)
