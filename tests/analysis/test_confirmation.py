"""Fresh runs tell what the sweep's best scores owe to luck, and their intervals hold as often as they say."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from scipy import stats

from tests.conftest import SOAK
from tracking.analysis.confirmation import Candidate, Confirmation, confirm, t_interval
from tracking.records import Goal

SEEDS = 20_000 if SOAK else 1_000
TRIALS, TOP, REPEATS = 100, 3, 5
TRUE_MEAN = 0.0


def test_numbers_are_those_of_the_t_interval_in_the_goals_direction() -> None:
    fresh = (0.90, 0.92, 0.91, None, float("nan"))
    found = confirm([Candidate(7, 0.95, fresh)], Goal.MAXIMIZE)
    one = found.trials[0]
    low, high = stats.t.interval(0.95, 2, loc=0.91, scale=0.01 / np.sqrt(3))
    assert (one.runs, one.missing, one.rank, one.score_rank) == (3, 2, 1, 1)
    assert one.mean == pytest.approx(0.91) and one.deviation == pytest.approx(0.01)
    assert (one.low, one.high) == pytest.approx((low, high))
    assert (one.joint_low, one.joint_high) == pytest.approx((low, high))
    assert one.luck == found.luck == pytest.approx(0.04)
    other_way = confirm([Candidate(7, 0.95, fresh)], Goal.MINIMIZE).trials[0]
    assert other_way.luck == pytest.approx(-0.04)
    assert one.best_chance is None
    assert (
        "better by 0.04, which was luck" in found.sentence and "2 fresh runs gave no number" in found.sentence
    )


@pytest.mark.parametrize("goal", list(Goal))
def test_the_order_is_that_of_the_fresh_runs_alone(goal: Goal) -> None:
    sign = 1 if goal is Goal.MAXIMIZE else -1
    candidates = [
        Candidate(1, sign * 9.0, (sign * 1.0, sign * 1.1, sign * 0.9)),
        Candidate(2, sign * 8.0, ()),
        Candidate(3, sign * 7.0, (sign * 5.0, sign * 5.1, sign * 4.9)),
    ]
    found = confirm(candidates, goal)
    assert [each.trial for each in found.trials] == [3, 1, 2]
    assert [each.rank for each in found.trials] == [1, 2, None]
    assert [each.score_rank for each in found.trials] == [3, 1, 2]
    assert found.trials[0].best_chance == pytest.approx(1.0, abs=0.01)
    assert found.luck == pytest.approx((8.0 + 2.0) / 2)
    assert "sweep's best, trial 1, comes out in place 2" in found.sentence
    assert "1 configuration without a fresh value" in found.sentence


def test_the_chance_of_two_is_that_of_the_behrens_fisher_posterior() -> None:
    one, two = np.array([1.0, 2.0, 4.0]), np.array([2.0, 3.0, 3.5, 5.0])
    found = confirm(
        [Candidate(0, 0.0, tuple(one)), Candidate(1, 0.0, tuple(two))], Goal.MAXIMIZE, draws=200_000
    )
    grid = np.linspace(-200, 200, 400_001)
    first = stats.t(len(one) - 1, one.mean(), one.std(ddof=1) / np.sqrt(len(one)))
    second = stats.t(len(two) - 1, two.mean(), two.std(ddof=1) / np.sqrt(len(two)))
    exact = float(np.trapezoid(second.pdf(grid) * first.cdf(grid), grid))
    chances = {each.trial: each.best_chance for each in found.trials}
    assert chances[1] == pytest.approx(exact, abs=0.004)
    assert sum(share for share in chances.values() if share is not None) == pytest.approx(1.0)
    assert "too little to call it the winner" in found.sentence
    assert found == confirm(
        [Candidate(0, 0.0, tuple(one)), Candidate(1, 0.0, tuple(two))], Goal.MAXIMIZE, draws=200_000
    )


def test_what_the_runs_cannot_say_is_not_said() -> None:
    nothing = confirm([Candidate(0, 1.0, ())], Goal.MAXIMIZE)
    assert nothing.luck is None and "nothing is confirmed" in nothing.sentence
    assert confirm([], Goal.MAXIMIZE).trials == ()
    single = confirm([Candidate(0, 1.0, (0.5,)), Candidate(1, 1.0, (0.4, 0.3))], Goal.MAXIMIZE)
    assert single.trials[0].low is None and single.trials[0].best_chance is None
    assert "a single run, so the noise is unknown" in single.sentence
    equal = confirm([Candidate(0, 1.0, (0.5, 0.5, 0.5))], Goal.MAXIMIZE)
    assert equal.trials[0].low is None and equal.trials[0].deviation == 0
    assert "show no noise" in equal.sentence
    diverged = confirm([Candidate(0, 1.0, (0.5, 0.6, 1e300))], Goal.MINIMIZE).trials[0]
    assert diverged.missing == 1 and diverged.mean == pytest.approx(0.55)
    assert t_interval(np.array([0.1, 0.1]), 0.95) == (None, None)
    with pytest.raises(ValueError, match="between 0 and 1"):
        confirm([], None, level=95)


def pure_noise(seed: int) -> tuple[Confirmation, np.ndarray]:
    """Return the confirmation of a sweep whose params do nothing, and the repeats of the sweep's best trial."""
    rng = np.random.default_rng([seed, 5])
    swept = rng.normal(TRUE_MEAN, 1.0, size=(TRIALS, REPEATS))
    scores = swept.mean(axis=1)
    best = np.argsort(-scores)[:TOP]
    fresh = rng.normal(TRUE_MEAN, 1.0, size=(TOP, REPEATS))
    candidates = [
        Candidate(int(trial), float(scores[trial]), tuple(runs))
        for trial, runs in zip(best, fresh, strict=True)
    ]
    return confirm(candidates, Goal.MAXIMIZE, draws=100), swept[best[0]]


def test_under_pure_noise_the_confirmed_interval_holds_and_the_sweeps_best_does_not() -> None:
    held: Counter[str] = Counter()
    luck = []
    for seed in range(SEEDS):
        found, own = pure_noise(seed)
        inside = [each.low <= TRUE_MEAN <= each.high for each in found.trials]  # type: ignore[operator]
        joint = [each.joint_low <= TRUE_MEAN <= each.joint_high for each in found.trials]  # type: ignore[operator]
        winner = next(place for place, each in enumerate(found.trials) if each.score_rank == 1)
        low, high = t_interval(own, 0.95)
        held["each"] += sum(inside)
        held["sweep's winner"] += inside[winner]
        held["all together"] += all(joint)
        held["first of the fresh"] += joint[0]
        held["sweep's own, known noise"] += abs(own.mean() - TRUE_MEAN) <= 1.96 / np.sqrt(REPEATS)
        held["sweep's own"] += low <= TRUE_MEAN <= high  # type: ignore[operator]
        luck.append(found.trials[winner].luck)
    shares = {name: count / SEEDS / (TOP if name == "each" else 1) for name, count in held.items()}
    print(shares, "luck", np.mean(luck))
    # Four standard errors of a binomial share: once in 16,000 sets of seeds, and these seeds are fixed.
    error = 4 * np.sqrt(0.95 * 0.05 / SEEDS)
    assert abs(shares["each"] - 0.95) < error / np.sqrt(TOP)
    assert abs(shares["sweep's winner"] - 0.95) < error
    assert abs(shares["all together"] - 0.95) < error
    # Whichever comes out first is one of all of them.
    assert shares["first of the fresh"] > 0.95 - error
    # The sweep's best with the interval of its own runs, and with the one of noise that is exactly known.
    assert shares["sweep's own"] < 0.6
    assert shares["sweep's own, known noise"] < 0.12
    # The expected maximum of 100 standard normal numbers is 2.508; a score is a mean of five.
    assert np.mean(luck) == pytest.approx(2.508 / np.sqrt(REPEATS), abs=4 * 0.48 / np.sqrt(SEEDS))


def test_under_pure_noise_nobody_is_called_the_winner_more_often_than_the_level_says() -> None:
    called = sum("too little to call" not in pure_noise(seed)[0].sentence for seed in range(SEEDS))
    assert called / SEEDS < 0.05 + 4 * np.sqrt(0.05 * 0.95 / SEEDS)
