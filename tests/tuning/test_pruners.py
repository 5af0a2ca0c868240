"""Pruners are made as the definition says and end the trials that they should."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import optuna
import pytest

from tracking import InvalidDefinition
from tracking.records import Goal
from tracking.tuning.definition import (
    Named,
    Objective,
    ParamKind,
    ParamSpace,
    Repeats,
    ScriptTarget,
    SweepDefinition,
)
from tracking.tuning.definition_checks import check
from tracking.tuning.definition_options import PRUNERS
from tracking.tuning.pruners import make_pruner

DEFINITION = SweepDefinition(
    "n",
    ScriptTarget("t.py"),
    (ParamSpace("a", ParamKind.INT, low=1, high=8),),
    (Objective("loss", Goal.MINIMIZE),),
    repeats=Repeats("seed", tuple(range(10))),
)
REQUIRED: dict[str, dict[str, Any]] = {"percentile": {"percentile": 25}, "patient": {"patience": 2}}

optuna.logging.set_verbosity(optuna.logging.WARNING)


def with_pruner(name: str, options: Mapping[str, Any]) -> SweepDefinition:
    return replace(DEFINITION, pruner=Named(name, options))


def pruned_at(definition: SweepDefinition, *, steps: int = 20, bad: int = 1) -> int | None:
    """The step at which a trial of value 10 is ended after ten good trials of values around 0; None: never."""
    assert check(definition) == []
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        study = optuna.create_study(pruner=make_pruner(definition))
    for number in range(10):
        trial = study.ask()
        for step in range(steps):
            trial.report((number + step) % 3, step)
            trial.should_prune()  # halving and Hyperband note there how far a trial came
        study.tell(trial, float(number % 3))
    for _ in range(bad):
        trial = study.ask()
        for step in range(steps):
            trial.report(10.0 + step, step)
            if trial.should_prune():
                return step
    return None


@pytest.mark.parametrize(
    ("name", "options", "step"),
    [
        ("none", {}, None),
        ("median", {}, 0),
        ("median", {"n_warmup_steps": 4}, 4),
        ("median", {"n_startup_trials": 11}, None),
        ("percentile", {"percentile": 25.0, "n_warmup_steps": 2, "interval_steps": 5}, 2),
        ("percentile", {"percentile": 25, "n_min_trials": 11}, None),
        ("halving", {"min_resource": 3, "reduction_factor": 2}, 3),
        ("patient", {"patience": 3}, 4),
        ("patient", {"patience": 3, "wrapped": {"name": "none"}}, 4),
        ("patient", {"patience": 3, "wrapped": {"name": "median", "n_warmup_steps": 8}}, 8),
        ("wilcoxon", {"p_threshold": 0.01}, 6),
    ],
)
def test_a_poor_trial_is_ended(name: str, options: dict[str, Any], step: int | None) -> None:
    # Fewer steps of Wilcoxon's test, whose exact p-values take long.
    assert pruned_at(with_pruner(name, options), steps=7 if name == "wilcoxon" else 20) == step


def test_hyperband_ends_poor_trials() -> None:
    options = {"min_resource": 1, "max_resource": 20, "reduction_factor": 3}
    assert pruned_at(with_pruner("hyperband", options), bad=10) is not None


@pytest.mark.parametrize("name", PRUNERS)
def test_a_pruner_with_several_objectives_is_a_problem(name: str) -> None:
    two = (*DEFINITION.objectives, Objective("size", Goal.MINIMIZE))
    definition = replace(with_pruner(name, REQUIRED.get(name, {})), objectives=two)
    found = [problem for problem in check(definition) if problem.field == "pruner.name"]
    assert len(found) == (0 if name in ("none", "dominated") else 1)
    assert all("which it does not compare" in problem.sentence for problem in found)


@pytest.mark.parametrize(
    "pruner", [Named("wilcoxon"), Named("patient", {"patience": 1, "wrapped": {"name": "wilcoxon"}})]
)
def test_wilcoxon_compares_repeats(pruner: Named) -> None:
    assert check(replace(DEFINITION, pruner=pruner)) == []
    found = check(replace(DEFINITION, pruner=pruner, repeats=None))
    assert [problem.field for problem in found] == ["pruner.name"]
    assert "Add [repeats]" in found[0].sentence


def test_what_optuna_would_refuse_is_refused_with_the_field() -> None:
    bad: list[tuple[str, dict[str, Any], str]] = [
        ("median", {"n_startup_trials": -1}, "pruner.n_startup_trials"),
        ("percentile", {"percentile": 101}, "pruner.percentile"),
        ("halving", {"reduction_factor": 1}, "pruner.reduction_factor"),
        ("halving", {"min_resource": "car"}, "pruner.min_resource"),
        ("hyperband", {"max_resource": 2.5}, "pruner.max_resource"),
        ("patient", {"patience": True}, "pruner.patience"),
        ("patient", {"patience": 1, "wrapped": {"name": "median", "x": 1}}, "pruner.wrapped.x"),
        ("patient", {"patience": 1, "wrapped": {}}, "pruner.wrapped.name"),
        ("wilcoxon", {"p_threshold": float("nan")}, "pruner.p_threshold"),
        ("median_", {}, "pruner.name"),
    ]
    for name, options, field in bad:
        with pytest.raises(InvalidDefinition) as caught:
            make_pruner(with_pruner(name, options))
        assert [problem.field for problem in caught.value.problems] == [field]
