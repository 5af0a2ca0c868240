"""Configurations are drawn, walked and recognised with params that exist only beside others."""

from __future__ import annotations

from typing import Any

import optuna
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from tracking import InvalidValue
from tracking.tuning.definition import OnlyIf, ParamKind, ParamSpace
from tracking.tuning.space import accepts, configurations, distributions, fits, suggest

MODEL = ParamSpace("model", ParamKind.CATEGORICAL, choices=("mlp", "forest", "none"))
OPTIMIZER = ParamSpace(
    "optimizer", ParamKind.CATEGORICAL, choices=("sgd", "adam"), only_if=(OnlyIf("model", ("mlp",)),)
)
MOMENTUM = ParamSpace(
    "momentum", ParamKind.FLOAT, low=0.0, high=0.9, step=0.3, only_if=(OnlyIf("optimizer", ("sgd",)),)
)
TREES = ParamSpace("trees", ParamKind.INT, low=10, high=30, step=10, only_if=(OnlyIf("model", ("forest",)),))
EPOCHS = ParamSpace("epochs", ParamKind.FIXED, value=20)
TREE = (MODEL, OPTIMIZER, MOMENTUM, TREES, EPOCHS)

optuna.logging.set_verbosity(optuna.logging.WARNING)


def drawn(space: tuple[ParamSpace, ...], trials: int) -> list[dict[str, Any]]:
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=1))
    found: list[dict[str, Any]] = []
    for _ in range(trials):
        trial = study.ask()
        found.append(suggest(trial, space))
        study.tell(trial, 1.0)
    return found


def test_a_param_is_drawn_only_where_its_conditions_hold_at_any_depth() -> None:
    found = drawn(TREE, 60)
    assert {params["model"] for params in found} == {"mlp", "forest", "none"}
    for params in found:
        assert ("optimizer" in params) == (params["model"] == "mlp")
        assert ("momentum" in params) == (params.get("optimizer") == "sgd")
        assert ("trees" in params) == (params["model"] == "forest")
        assert params["epochs"] == 20
        assert list(params) == [param.name for param in TREE if param.name in params]


def test_all_conditions_of_a_param_have_to_hold() -> None:
    both = ParamSpace(
        "both", ParamKind.INT, low=1, high=2, only_if=(OnlyIf("a", (1,)), OnlyIf("b", ("x", "y")))
    )
    a = ParamSpace("a", ParamKind.CATEGORICAL, choices=(1, 2))
    b = ParamSpace("b", ParamKind.CATEGORICAL, choices=("x", "y", "z"))
    for params in drawn((a, b, both), 60):
        assert ("both" in params) == (params["a"] == 1 and params["b"] in ("x", "y"))


def test_params_can_be_held_while_drawing() -> None:
    trial = optuna.create_study().ask()
    params = suggest(trial, TREE, {"model": "forest", "trees": 20})
    assert params == {"model": "forest", "trees": 20, "epochs": 20}
    assert trial.params == {}


def test_a_finite_space_is_walked_once_with_conditions_kept() -> None:
    found = list(configurations(TREE))
    assert len(found) == 4 + 1 + 3 + 1
    assert len({tuple(params.items()) for params in found}) == len(found)
    assert found[:2] == [
        {"model": "mlp", "optimizer": "sgd", "momentum": 0.0, "epochs": 20},
        {"model": "mlp", "optimizer": "sgd", "momentum": 0.3, "epochs": 20},
    ]
    assert {params.get("momentum") for params in found} == {None, 0.0, 0.3, 0.6, 0.9}
    assert all(accepts(TREE, params) for params in found)
    assert list(configurations(TREE, 3)) == found[:3]


def test_a_space_of_more_params_than_python_has_frames_is_walked() -> None:
    space = [ParamSpace(f"p{index}", ParamKind.CATEGORICAL, choices=(0, 1)) for index in range(3000)]
    found = list(configurations(space, 2))
    assert [params["p2999"] for params in found] == [0, 1]


def test_a_float_without_a_step_has_no_end() -> None:
    with pytest.raises(InvalidValue, match="'lr' is a float without a step"):
        configurations([ParamSpace("lr", ParamKind.FLOAT, low=0.0, high=1.0)])
    single = ParamSpace("lr", ParamKind.FLOAT, low=0.5, high=0.5)
    assert list(configurations([single])) == [{"lr": 0.5}]


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_what_is_drawn_is_accepted(seed: int) -> None:
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=seed))
    space = (*TREE, ParamSpace("lr", ParamKind.FLOAT, low=1e-4, high=1e-1, log=True))
    trial = study.ask()
    params = suggest(trial, space)
    assert accepts(space, params)
    # A trial of a study does not keep what is fixed.
    assert accepts(space, trial.params)
    assert not accepts(space, {**params, "other": 1})
    assert not accepts(space, {name: value for name, value in params.items() if name != "lr"})


@pytest.mark.parametrize(
    "params",
    [
        {"model": "mlp", "optimizer": "adam", "momentum": 0.3},  # not active
        {"model": "mlp"},  # one is missing
        {"model": "cnn"},  # no choice
        {"model": "forest", "trees": 15},  # off its step
        {"model": "forest", "trees": 40},  # out of range
        {"model": "forest", "trees": 20.0},  # no whole number
        {"model": "forest", "trees": True},
        {"model": "none", "epochs": 21},  # fixed to another value
        {"model": "mlp", "optimizer": "sgd", "momentum": float("nan")},
    ],
)
def test_what_does_not_fit_is_not_accepted(params: dict[str, Any]) -> None:
    assert not accepts(TREE, params)


def test_one_and_true_are_different_choices() -> None:
    param = ParamSpace("a", ParamKind.CATEGORICAL, choices=(1, "1", None))
    assert fits(param, 1) and fits(param, "1") and fits(param, None)
    assert not fits(param, True) and not fits(param, 1.0)


def test_distributions_are_optunas() -> None:
    space = (*TREE, ParamSpace("lr", ParamKind.FLOAT, low=1e-4, high=1e-1, log=True))
    assert distributions(space) == {
        "model": CategoricalDistribution(("mlp", "forest", "none")),
        "optimizer": CategoricalDistribution(("sgd", "adam")),
        "momentum": FloatDistribution(0.0, 0.9, step=0.3),
        "trees": IntDistribution(10, 30, step=10),
        "lr": FloatDistribution(1e-4, 1e-1, log=True),
    }
