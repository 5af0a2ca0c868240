"""Pruning for several objectives: who counts as dominated, and that nobody is who would be on the front."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.tuning.sweeping import TEXT
from tracking.errors import InvalidDefinition
from tracking.records import Goal
from tracking.tuning.definition import At, Objective
from tracking.tuning.definition_file import read_definition
from tracking.tuning.definition_text import definition_text
from tracking.tuning.execution.domination import MARGIN, Curve, Dominance, worth
from tracking.tuning.execution.readings import by_step
from tracking.tuning.execution.thinning import report_step, report_steps

LOSS, SPEED = Objective("loss", Goal.MINIMIZE), Objective("speed", Goal.MAXIMIZE)
BOTH = (LOSS, SPEED)
NOW = Dominance(margin=0.2, startup=1, warmup=0)


def values(*rows: tuple[float, float]) -> np.ndarray:
    return np.array(rows, dtype=float)


def test_better_in_every_objective_by_the_margin_dominates() -> None:
    others = values((1.0, 100.0), (0.0, 90.0))
    assert NOW.dominator((0.9, 50.0), others, BOTH) == 1
    # Near in one objective, or better in one: it goes on.
    assert NOW.dominator((0.1, 50.0), others, BOTH) is None
    assert NOW.dominator((0.9, 101.0), others, BOTH) is None
    assert replace(NOW, margin=0.05).dominator((0.1, 50.0), others, BOTH) == 1
    assert replace(NOW, startup=3).dominator((0.9, 50.0), others, BOTH) is None
    assert NOW.dominator((0.9, 50.0), values(), BOTH) is None


def test_the_same_everywhere_or_no_number_is_no_reason_to_stop() -> None:
    assert NOW.dominator((0.9, 5.0), values((0.1, 5.0), (0.5, 5.0)), BOTH) is None
    assert NOW.dominator((np.nan, 5.0), values((0.1, 9.0)), BOTH) is None
    assert NOW.dominator((0.9, 5.0), values((np.nan, 9.0)), BOTH) is None
    # What has diverged is worse than any number, and makes no range.
    assert NOW.dominator((np.inf, 5.0), values((0.1, 9.0), (0.2, 9.0)), BOTH) == 0


def test_a_curve_is_what_the_trial_would_be_worth_if_it_ended_there() -> None:
    loss = np.array([3.0, 1.0, np.nan, 2.0])
    assert worth(replace(LOSS, at=At.BEST), loss).tolist() == [3.0, 1.0, 1.0, 1.0]
    assert worth(replace(SPEED, at=At.BEST), loss).tolist() == [3.0, 3.0, 3.0, 3.0]
    assert worth(replace(LOSS, at=At.MEAN), loss)[:2].tolist() == [3.0, 2.0]
    curve = Curve(BOTH, [([0, 5, 10], [3.0, 2.0, 1.0]), ([0], [7.0])])
    assert curve.places() == [0, 5, 10] and curve.last_step == 10
    found = [curve.at(place) for place in (0, 7, 10, 11)]
    assert [None if each is None else each.tolist() for each in found] == [[3, 7], [2, 7], [1, 7], None]
    # At 10 the speed may still come; at 5 it would have come before.
    assert [curve.is_whole(place) for place in (0, 5, 10)] == [True, True, False]
    assert Curve(BOTH, [([], []), ([3], [1.0])]).at(3) is None


def test_steps_are_thinned_alike_one_by_one_and_many_at_once() -> None:
    steps = np.array([0, 1, 63, 64, 127, 128, 129, 255, 256, 10_001, 2**40 + 12345, 2**52 + 1])
    assert report_steps(steps).tolist() == [report_step(int(step)) for step in steps]
    curve = Curve((LOSS,), [(list(range(1000)), [float(step) for step in range(1000)])])
    assert len(curve.places()) < 400
    assert all(curve.at(place) == place for place in curve.places())


def test_a_step_that_is_logged_again_counts_as_logged_last() -> None:
    assert by_step([(2, 1.0), (0, 5.0), (2, 3.0), (1, 4.0)]) == ([0, 1, 2], [5.0, 4.0, 3.0])


def test_the_warmup_follows_from_the_steps_of_complete_trials() -> None:
    assert Dominance().first_step([100, 90, 20]) == 60
    assert Dominance(warmup=7).first_step([100]) == 7
    assert Dominance.of({"margin": 0.1, "n_startup_trials": 3, "n_warmup_steps": 5}) == Dominance(0.1, 3, 5)
    assert Dominance.of({"n_warmup_steps": "auto"}) == Dominance()


def test_the_definition_takes_it_for_several_objectives_only() -> None:
    pruned = TEXT + '\n[pruner]\nname = "dominated"\nmargin = 0.1\nn_warmup_steps = "auto"\n'
    with pytest.raises(InvalidDefinition, match="compares trials in several objectives"):
        read_definition(pruned)
    two = pruned.replace("[sampler]", '[[objectives]]\nmetric = "cost"\ngoal = "minimize"\n\n[sampler]')
    definition = read_definition(two)
    assert dict(definition.pruner.options) == {"margin": 0.1, "n_warmup_steps": "auto"}
    assert read_definition(definition_text(definition)) == definition
    for wrong in ("margin = 1.5", "margin = -0.1"):
        with pytest.raises(InvalidDefinition, match="margin"):
            read_definition(two.replace("margin = 0.1", wrong))
    with pytest.raises(InvalidDefinition, match='"dominated" or "none"'):
        read_definition(two.replace('"dominated"\nmargin = 0.1\nn_warmup_steps = "auto"', '"median"'))


def toy(seed: int, *, slowest: float, trials: int = 60, steps: int = 40) -> np.ndarray:
    """Learning curves of shape `(trials, steps, 2)` that end on a curved front or behind it.

    The speed of learning differs from trial to trial and between the objectives: curves cross.
    """
    rng = np.random.default_rng(seed)
    x, behind = rng.random(trials), rng.random(trials) ** 1.5
    g = 1 + 2 * behind
    final = np.stack([x * (1 + 0.3 * behind), g * (1 - np.sqrt(x / g))], axis=1)
    time = rng.uniform(slowest / 10, slowest, (trials, 1, 2)) * steps
    start = rng.uniform(0.5, 2.0, (trials, 1, 2))
    decay = np.exp(-np.arange(1, steps + 1)[None, :, None] / time) - np.exp(-steps / time)
    return final[:, None, :] + start * decay + rng.normal(0, 0.02, (trials, steps, 2))


def sweep(curves: np.ndarray, rule: Dominance) -> tuple[set[int], float]:
    """Return which trials are pruned when they run one after the other, and which share of all steps that saves."""
    objectives = (Objective("a", Goal.MINIMIZE), Objective("b", Goal.MINIMIZE))
    last = curves.shape[1] - 1
    complete: list[int] = []
    pruned: set[int] = set()
    saved = 0
    for trial, curve in enumerate(curves):
        first = rule.first_step([last] * len(complete))
        stop = next(
            (
                step
                for step in range(first, last)
                if rule.dominator(curve[step], curves[complete, step], objectives) is not None
            ),
            None,
        )
        if stop is None:
            complete.append(trial)
        else:
            pruned.add(trial)
            saved += last - stop
    return pruned, saved / curves[..., 0].size


def front(final: np.ndarray) -> set[int]:
    """Return which rows no other one dominates."""
    as_good = (final[:, None] <= final[None]).all(axis=2)
    better = (final[:, None] < final[None]).any(axis=2)
    return set(np.flatnonzero(~(as_good & better).any(axis=0)).tolist())


@pytest.mark.parametrize("slowest", [0.2, 0.5])
def test_no_pruned_trial_would_have_been_on_the_front(slowest: float) -> None:
    lost, pruned, saved = 0, 0, 0.0
    for seed in range(100):
        curves = toy(seed, slowest=slowest)
        stopped, share = sweep(curves, Dominance())
        lost += len(stopped & front(curves[:, -1]))
        pruned += len(stopped)
        saved += share
    assert lost == 0
    assert pruned > 800 and saved / 100 > 0.05  # it does something


def test_without_a_margin_the_front_would_suffer() -> None:
    curves = [toy(seed, slowest=0.5) for seed in range(5)]
    eager = Dominance(margin=0.0, warmup=0)
    assert sum(len(sweep(each, eager)[0] & front(each[:, -1])) for each in curves) > 5
    assert MARGIN > 0
