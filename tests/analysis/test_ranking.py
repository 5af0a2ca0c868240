"""The best trials come first, and the best configurations are each there once."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tracking.analysis.ranking import crowding, ranking, top_configurations
from tracking.analysis.trials import trial_frame
from tracking.records import Goal
from tracking.study_records import TrialRecord
from tracking.sweep_records import SweepObjective

ONE = (SweepObjective("a", Goal.MAXIMIZE),)
TWO = (*ONE, SweepObjective("b", Goal.MINIMIZE))
GOALS = [Goal.MAXIMIZE, Goal.MINIMIZE]


def trial(number: int, *values: float, state: str = "complete", **params: Any) -> TrialRecord:
    return TrialRecord(number, None, state, None, None, values, params)


def test_one_objective_ranks_by_its_value_and_equal_ones_by_number() -> None:
    frame = trial_frame(
        [trial(0, 1.0), trial(1, 3.0), trial(2, float("nan")), trial(3, 9.0, state="pruned"), trial(4, 3.0)],
        ONE,
    )
    assert ranking(frame, ["values.a"], [Goal.MAXIMIZE]).tolist() == [1, 4, 0]
    assert ranking(frame, ["values.a"], [Goal.MINIMIZE], top=1).tolist() == [0]
    feasible = np.array([True, False, True, True, True])
    assert ranking(frame, ["values.a"], [Goal.MAXIMIZE], feasible=feasible).tolist() == [4, 0]


def test_several_objectives_rank_front_by_front() -> None:
    rng = np.random.default_rng(2)
    values = rng.normal(size=(200, 2)).round(1)
    frame = trial_frame([trial(number, *pair) for number, pair in enumerate(values.tolist())], TWO)
    order = ranking(frame, ["values.a", "values.b"], GOALS)
    assert sorted(order) == list(range(200))
    loss = values * [-1, 1]
    for place, one in enumerate(order):
        later = loss[order[place + 1 :]]
        assert not ((later <= loss[one]).all(axis=1) & (later < loss[one]).any(axis=1)).any()
    assert ranking(frame, ["values.a", "values.b"], GOALS, top=17).tolist() == order[:17].tolist()


def test_crowding_is_infinite_at_the_ends_and_the_gap_between_neighbours_inside() -> None:
    found = crowding(np.array([[0.0, 4.0], [1.0, 3.0], [2.0, 0.0]]))
    assert found[0] == found[2] == np.inf and found[1] == pytest.approx(2.0)
    assert crowding(np.array([[1.0, np.inf], [1.0, np.inf]])).tolist() == [np.inf, np.inf]


def test_the_best_configurations_are_each_there_once() -> None:
    frame = trial_frame(
        [
            trial(0, 5.0, lr=0.1, opt="sgd"),
            trial(1, 6.0, lr=0.1, opt="sgd"),
            trial(2, 4.0, lr=0.1),
            trial(3, 3.0, lr=0.1, opt=None),
            trial(4, 2.0, lr=0.1, opt=True),
            trial(5, 1.0, lr=0.1, opt="True"),
        ],
        ONE,
    )
    assert top_configurations(frame, ["values.a"], [Goal.MAXIMIZE], 3).tolist() == [1, 2, 3]
    assert top_configurations(frame, ["values.a"], [Goal.MAXIMIZE], 9).tolist() == [1, 2, 3, 4, 5]


def test_a_configuration_that_fills_the_first_places_leaves_room_for_others() -> None:
    frame = trial_frame([*(trial(number, 9.0, x=1) for number in range(50)), trial(50, 1.0, x=2)], ONE)
    assert top_configurations(frame, ["values.a"], [Goal.MAXIMIZE], 2).tolist() == [0, 50]
    assert top_configurations(frame.iloc[:0], ["values.a"], [Goal.MAXIMIZE], 2).tolist() == []
