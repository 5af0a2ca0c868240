"""Importances find what matters, call nothing clear that does nothing, and say when there is too little to tell."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.conftest import SOAK
from tracking.analysis.importances import Importances, importances
from tracking.analysis.trials import trial_frame
from tracking.records import Goal
from tracking.study_records import TrialRecord
from tracking.sweep_records import SweepObjective

SEEDS = 3_000 if SOAK else 200
LOSS = (SweepObjective("loss", Goal.MINIMIZE),)


def of(params: list[dict[str, Any]], values: Any) -> Importances:
    records = [
        TrialRecord(number, None, "complete", None, None, (float(value),), drawn)
        for number, (drawn, value) in enumerate(zip(params, values, strict=True))
    ]
    return importances(trial_frame(records, LOSS), "values.loss")


def numeric(columns: np.ndarray, values: Any) -> Importances:
    frame = pd.DataFrame({f"params.x{place}": column for place, column in enumerate(columns.T)})
    frame["state"], frame["values.loss"] = "complete", values
    return importances(frame, "values.loss")


def by_name(found: Importances) -> dict[str, Any]:
    assert found.params is not None
    return {each.param: each for each in found.params}


def test_shares_of_an_additive_objective_are_those_of_its_variance() -> None:
    rng = np.random.default_rng(0)
    columns = rng.random((4000, 4))
    # A sum of uniform variables; ranks of it are close to linear in it.
    parts = np.array([3.0, 2.0, 1.0, 0.0])
    found = numeric(columns, columns @ parts)
    expected = parts**2 / (parts**2).sum()
    named = by_name(found)
    for place, share in enumerate(expected):
        assert named[f"x{place}"].value == pytest.approx(share, abs=0.06)
    assert [each.param for each in found.params or ()][:3] == ["x0", "x1", "x2"]
    assert [named[f"x{place}"].is_clear for place in range(4)] == [True, True, True, False]
    assert found.explained is not None and found.explained > 0.97
    assert found.sentence.startswith("3 of 4 params stand out from chance over 4,000 finished trials")


def test_a_param_whose_best_is_in_the_middle_matters() -> None:
    rng = np.random.default_rng(1)
    columns = rng.random((200, 3))
    named = by_name(numeric(columns, (columns[:, 1] - 0.5) ** 2 + 0.02 * rng.normal(size=200)))
    assert named["x1"].value > 0.5 and named["x1"].is_clear
    assert not named["x0"].is_clear and not named["x2"].is_clear


def test_a_param_that_only_follows_another_one_is_not_given_its_importance() -> None:
    rng = np.random.default_rng(2)
    lead = rng.random(400)
    follower = lead + 0.3 * rng.random(400)
    named = by_name(numeric(np.column_stack([lead, follower]), lead + 0.02 * rng.normal(size=400)))
    assert abs(np.corrcoef(lead, follower)[0, 1]) > 0.9
    assert named["x0"].is_clear and named["x0"].value > 10 * named["x1"].value


@pytest.mark.parametrize(("trials", "params"), [(30, 6), (100, 10)])
def test_under_pure_noise_a_param_is_called_clear_no_more_often_than_said(trials: int, params: int) -> None:
    wrong = covered = 0
    for seed in range(SEEDS):
        rng = np.random.default_rng([seed, trials])
        found = numeric(rng.random((trials, params)), rng.standard_cauchy(trials))
        assert found.params is not None
        wrong += any(each.is_clear for each in found.params)
        covered += sum(each.low == 0.0 for each in found.params)
        assert all(0 <= each.low <= each.value <= each.high <= 1 for each in found.params)
    print(trials, params, "any clear", wrong / SEEDS, "interval from 0", covered / SEEDS / params)
    assert wrong / SEEDS < 0.05 + 4 * np.sqrt(0.05 * 0.95 / SEEDS)
    assert covered / SEEDS / params > 0.975 - 4 * np.sqrt(0.025 * 0.975 / SEEDS / params)


def test_an_interval_holds_what_many_more_trials_say() -> None:
    def sweep(seed: int, trials: int) -> Importances:
        rng = np.random.default_rng([seed, 9])
        columns = rng.random((trials, 3))
        return numeric(columns, columns @ [2.0, 1.0, 0.0] + 0.6 * rng.normal(size=trials))

    truth = by_name(sweep(0, 100_000))
    held = 0
    for seed in range(1, SEEDS + 1):
        named = by_name(sweep(seed, 100))
        held += sum(named[name].low <= truth[name].value <= named[name].high for name in ("x0", "x1"))
    print("held", held / SEEDS / 2)
    assert held / SEEDS / 2 > 0.9


def test_conditional_params_and_choices_count_where_they_are() -> None:
    rng = np.random.default_rng(3)
    drawn: list[dict[str, Any]] = []
    values = []
    for _ in range(300):
        params: dict[str, Any] = {"opt": ["sgd", "adam", None][rng.integers(3)], "x": float(rng.random())}
        value = {"sgd": 0.0, "adam": 2.0, None: 2.0}[params["opt"]]
        if params["opt"] == "sgd":
            params["momentum"] = float(rng.random())
            value += params["momentum"]
        drawn.append(params)
        values.append(value + 0.05 * rng.normal())
    named = by_name(of(drawn, values))
    assert named["opt"].value > named["momentum"].value > 0.01 and named["momentum"].is_clear
    assert not named["x"].is_clear and named["momentum"].trials < 150


def test_having_a_param_matters_where_no_choice_decides_it() -> None:
    rng = np.random.default_rng(4)
    drawn = [
        {"x": float(rng.random())} | ({"y": float(rng.random())} if rng.random() < 0.5 else {})
        for _ in range(200)
    ]
    named = by_name(of(drawn, [("y" in params) + 0.1 * rng.normal() for params in drawn]))
    assert named["y"].value > 0.5 and not named["x"].is_clear


def test_too_little_to_tell_is_said() -> None:
    rng = np.random.default_rng(5)
    few = numeric(rng.random((12, 2)), rng.random(12))
    assert few.params is None and few.explained is None and few.trials == 12
    assert (
        few.sentence
        == "Not enough trials to tell: importances for 2 params need 20 finished ones, there are 12."
    )
    many = numeric(rng.random((40, 10)), rng.random(40))
    assert many.params is None and "need 50 finished ones, there are 40" in many.sentence
    same = numeric(rng.random((40, 2)), np.ones(40))
    assert same.params is None and "all have the same value" in same.sentence
    fixed = of([{"x": 1, "opt": "a"}] * 30, rng.random(30))
    assert (
        fixed.params is None
        and fixed.unvaried == ("opt", "x")
        and "No param had two values" in fixed.sentence
    )
    assert importances(trial_frame([], LOSS), "values.loss").params is None


@pytest.mark.parametrize("values", ["infinite", "huge", "ties", "exact"])
def test_odd_numbers_give_numbers(values: str) -> None:
    rng = np.random.default_rng(6)
    columns = np.column_stack([rng.random(200), 10 ** rng.uniform(-300, 300, 200), rng.integers(0, 2, 200)])
    score = {
        "infinite": np.where(columns[:, 2] == 1, np.inf, rng.random(200)),
        "huge": columns[:, 1],
        "ties": columns[:, 2],
        "exact": columns[:, 0],
    }[values]
    found = numeric(np.column_stack([columns, columns[:, 0]]), score)
    for each in found.params or ():
        assert (
            np.isfinite([each.value, each.low, each.high]).all()
            and 0 <= each.low <= each.value <= each.high <= 1
        )
    assert found.params
