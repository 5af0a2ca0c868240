"""The Pareto front is what its definition says, for any directions and number of objectives."""

from __future__ import annotations

import numpy as np
import pytest

from tracking.analysis.pareto import front_line, pareto_front
from tracking.records import Goal


def by_definition(values: np.ndarray, goals: list[Goal | None], feasible: np.ndarray) -> np.ndarray:
    signs = np.array([-1 if goal is Goal.MAXIMIZE else 1 for goal in goals])
    loss = values * signs
    counts = feasible & ~np.isnan(values).any(axis=1)
    front = []
    for one in range(len(loss)):
        beaten = any(
            counts[other] and (loss[other] <= loss[one]).all() and (loss[other] < loss[one]).any()
            for other in range(len(loss))
        )
        front.append(bool(counts[one]) and not beaten)
    return np.array(front)


@pytest.mark.parametrize("objectives", [1, 2, 3, 4])
@pytest.mark.parametrize("kind", ["free", "on a grid", "all on the front"])
def test_the_front_is_what_the_definition_gives(objectives: int, kind: str) -> None:
    rng = np.random.default_rng(objectives)
    goals = [[Goal.MAXIMIZE, Goal.MINIMIZE, None][place % 3] for place in range(objectives)]
    for count in (1, 2, 30, 300):
        values = rng.normal(size=(count, objectives))
        if kind == "on a grid":
            values = np.round(values)
        elif kind == "all on the front":
            signs = np.array([-1 if goal is Goal.MAXIMIZE else 1 for goal in goals])
            values = rng.dirichlet(np.ones(objectives), count) * signs
        values[rng.random(values.shape) < 0.02] = np.nan
        values[rng.random(values.shape) < 0.02] = np.inf
        feasible = rng.random(count) < 0.9
        expected = by_definition(values, goals, feasible)
        np.testing.assert_array_equal(pareto_front(values, goals, feasible), expected)
        line = front_line(values, goals, expected)
        assert sorted(line) == np.flatnonzero(expected).tolist()


def test_a_front_across_blocks_is_what_the_definition_gives() -> None:
    rng = np.random.default_rng(0)
    values = np.concatenate([rng.dirichlet(np.ones(3), 900), rng.random((600, 3))])
    goals: list[Goal | None] = [Goal.MINIMIZE] * 3
    loss = values[:, None, :]
    beaten = ((values <= loss).all(axis=2) & (values < loss).any(axis=2)).any(axis=1)
    np.testing.assert_array_equal(pareto_front(values, goals), ~beaten)


def test_nothing_to_compare_is_no_front_and_wrong_shapes_are_refused() -> None:
    assert pareto_front(np.empty((0, 2)), [None, None]).tolist() == []
    assert pareto_front(np.full((3, 2), np.nan), [None, None]).tolist() == [False] * 3
    with pytest.raises(ValueError, match="2 goals"):
        pareto_front(np.zeros((3, 3)), [None, None])
    with pytest.raises(ValueError, match="3 trials"):
        pareto_front(np.zeros((3, 2)), [None, None], np.array([True]))
