"""What is left of a sweep's best scores when their configurations run again: the winner's curse, measured.

The best of many noisy scores is best partly by luck, the more so the more there were (Smith and Winkler, "The
Optimizer's Curse", 2006). Fresh runs that took no part in the choice have no such bias, so configurations are compared
on those alone.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tracking.records import Goal

LEVEL = 0.95
DRAWS = 20_000
LARGEST = 1e150
"""The value of a run that diverged beyond this has no square, so it counts as no number."""
_SEED = 20_061


@dataclass(frozen=True, slots=True)
class Candidate:
    """A configuration that is confirmed.

    Attributes:
        trial: Number of the trial in the sweep that chose it.
        score: Its value there.
        fresh: The values of its fresh runs; None, NaN or infinite (beyond 1e150) for one that gave no number.
    """

    trial: int
    score: float
    fresh: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Confirmed:
    """What the fresh runs say of one configuration.

    Attributes:
        trial: Number of the trial in the sweep.
        score: Its value in the sweep.
        score_rank: Its place by that among the candidates, from 1.
        rank: Its place by the fresh runs alone, from 1; None as long as there are none.
        runs: How many fresh runs gave a number.
        missing: How many did not.
        mean: Of the fresh runs, None where there are none.
        deviation: Standard deviation of the fresh runs (n - 1), None of fewer than two.
        low: Lower end of the mean's interval; None of fewer than two runs, and where they were all equal.
        high: Upper end of it.
        joint_low: Lower end of a wider interval, which holds for all candidates together, so also for whichever
            comes out first.
        joint_high: Upper end of it.
        luck: How much better the sweep's score is than the confirmed mean, in the goal's direction: sweep score
            - mean where more is better, mean - sweep score where less is. Negative where the sweep was unlucky.
        best_chance: Probability that its true mean is the best of the candidates that have an interval; None where
            it has none, or no other has.
    """

    trial: int
    score: float
    score_rank: int
    rank: int | None
    runs: int
    missing: int
    mean: float | None
    deviation: float | None
    low: float | None
    high: float | None
    joint_low: float | None
    joint_high: float | None
    luck: float | None
    best_chance: float | None


@dataclass(frozen=True, slots=True)
class Confirmation:
    """Candidates by their fresh runs.

    Attributes:
        trials: In order of `rank`, those without fresh runs last.
        luck: Mean of the candidates' luck, None where none has any.
        level: Of the intervals.
        sentence: What it comes to, in plain words.
    """

    trials: tuple[Confirmed, ...]
    luck: float | None
    level: float
    sentence: str


def confirm(
    candidates: Sequence[Candidate],
    goal: Goal | None,
    *,
    level: float = LEVEL,
    seed: int = _SEED,
    draws: int = DRAWS,
) -> Confirmation:
    """Return what the fresh runs say of configurations that a sweep chose.

    The interval of a mean is Student's t interval, mean ± t(n - 1) * s / sqrt(n), which needs no equal variances. For k
    candidates the joint one has the level `level ** (1 / k)` (Šidák, "Rectangular Confidence Regions for the Means
    of Multivariate Normal Distributions", 1967). The probability of being best is the share of draws from the posterior
    of the means under the prior 1 / sigma, mean + s / sqrt(n) * t(n - 1) for each (Box and Tiao, "Bayesian Inference
    in Statistical Analysis", 1973, section 2.4), independent of each other: where candidates ran with the same
    seeds and these matter, that is cautious.

    Args:
        candidates: In any order; no trial twice.
        goal: Of the objective; None is read as minimize.
        level: Of the intervals, between 0 and 1.
        seed: Of the draws: the same data give the same probabilities.
        draws: How many.

    Raises:
        ValueError: `level` is no number between 0 and 1.
    """
    if not 0.0 < level < 1.0:
        raise ValueError(f"level={level}: an interval's level is a number between 0 and 1.")
    sign = 1.0 if goal is Goal.MAXIMIZE else -1.0
    fresh = [_numbers(each.fresh) for each in candidates]
    means = [_mean(values) for values in fresh]
    spreads = [float(np.std(values, ddof=1)) if len(values) > 1 else None for values in fresh]
    chances = _best_chances(means, spreads, [len(values) for values in fresh], sign, seed, draws)
    by_score = _ranks([each.score for each in candidates], sign, [each.trial for each in candidates])
    by_mean = _ranks(means, sign, by_score)
    found = []
    for place in sorted(range(len(candidates)), key=by_mean.__getitem__):
        candidate, values, mean = candidates[place], fresh[place], means[place]
        low, high = t_interval(values, level)
        joint_low, joint_high = t_interval(values, level ** (1 / len(candidates)))
        found.append(
            Confirmed(
                trial=candidate.trial,
                score=candidate.score,
                score_rank=by_score[place],
                rank=None if mean is None else by_mean[place],
                runs=len(values),
                missing=len(candidate.fresh) - len(values),
                mean=mean,
                deviation=spreads[place],
                low=low,
                high=high,
                joint_low=joint_low,
                joint_high=joint_high,
                luck=None if mean is None else sign * _difference(candidate.score, mean),
                best_chance=chances[place],
            )
        )
    lucks = [each.luck for each in found if each.luck is not None]
    luck = float(np.mean(lucks)) if lucks else None
    return Confirmation(tuple(found), luck, level, _sentence(found, level))


def t_interval(values: NDArray[np.float64], level: float) -> tuple[float | None, float | None]:
    """Return Student's t interval of the mean; None, None of fewer than two values, and of equal ones.

    Equal values say nothing of how far the next one may be off, so there is no interval of no width.

    Args:
        values: Shape `(n,)`, finite.
        level: Between 0 and 1.
    """
    if len(values) < 2 or (values == values[0]).all():
        return None, None
    from scipy.special import stdtrit

    error = float(np.std(values, ddof=1)) / math.sqrt(len(values))
    reach = float(stdtrit(len(values) - 1, 0.5 + level / 2)) * error
    mean = float(np.mean(values))
    return mean - reach, mean + reach


def _numbers(fresh: Sequence[float | None]) -> NDArray[np.float64]:
    values = np.array([math.nan if each is None else each for each in fresh], dtype=np.float64)
    return values[np.abs(values) <= LARGEST]


def _mean(values: NDArray[np.float64]) -> float | None:
    return float(np.mean(values)) if len(values) else None


def _ranks(values: Sequence[float | None], sign: float, ties: Sequence[int]) -> list[int]:
    """Return the place of each value from 1, the best first; those without a number last."""

    def key(place: int) -> tuple[float, int]:
        value = values[place]
        return (math.inf if value is None or math.isnan(value) else -sign * value), ties[place]

    order = sorted(range(len(values)), key=key)
    ranks = [0] * len(values)
    for rank, place in enumerate(order, start=1):
        ranks[place] = rank
    return ranks


def _best_chances(
    means: Sequence[float | None],
    spreads: Sequence[float | None],
    runs: Sequence[int],
    sign: float,
    seed: int,
    draws: int,
) -> list[float | None]:
    known = [place for place, spread in enumerate(spreads) if spread]
    chances: list[float | None] = [None] * len(means)
    if len(known) < 2:
        return chances
    mean = np.array([means[place] for place in known], dtype=np.float64)
    count = np.array([runs[place] for place in known])
    error = np.array([spreads[place] for place in known], dtype=np.float64) / np.sqrt(count)
    rng = np.random.default_rng(seed)
    drawn = mean + error * rng.standard_t(count - 1, size=(draws, len(known)))
    wins = np.bincount(np.argmax(sign * drawn, axis=1), minlength=len(known))
    for place, share in zip(known, wins / draws, strict=True):
        chances[place] = float(share)
    return chances


def _sentence(found: Sequence[Confirmed], level: float) -> str:
    """Return what the candidates, in order of their rank, come to."""
    ran = [each for each in found if each.mean is not None]
    if not ran:
        return "No fresh run has given a value yet, so nothing is confirmed."
    parts = [_of_first(ran[0], level, len(found)), *_of_order(ran, found), *_of_luck(ran)]
    waiting = len(found) - len(ran)
    if waiting:
        parts.append(f"{_count(waiting, 'configuration')} without a fresh value so far.")
    missing = sum(each.missing for each in found)
    if missing:
        parts.append(
            f"{_count(missing, 'fresh run')} gave no number: the means are over the others, which may flatter."
        )
    return " ".join(parts)


def _difference(score: float, mean: float) -> float:
    """Return score - mean, 0 where that is no more than what rounding makes of a mean of equal values."""
    apart = score - mean
    return 0.0 if abs(apart) <= 8 * np.finfo(float).eps * max(abs(score), abs(mean)) else apart


def _of_first(first: Confirmed, level: float, candidates: int) -> str:
    assert first.mean is not None and first.luck is not None
    begin = f"Trial {first.trial} has {first.mean:.4g} over {_count(first.runs, 'fresh run')}"
    sweep = f"the sweep's score was {first.score:.4g}"
    if first.joint_low is None or first.joint_high is None:
        single = "a single run, so the noise is unknown"
        same = "each the same value, so these runs show no noise"
        return f"{begin} ({single if first.runs == 1 else same}); {sweep}."
    # It was put first by these very runs, which only the joint interval allows for.
    holding = f", for all {candidates} together" if candidates > 1 else ""
    begin += f" ({level:.0%} interval {first.joint_low:.4g} to {first.joint_high:.4g}{holding})"
    if first.joint_low <= first.score <= first.joint_high:
        return f"{begin}; {sweep}, within the interval: no luck can be told from noise."
    if first.luck > 0:
        return f"{begin}; {sweep}, better by {first.luck:.3g}, which was luck."
    return f"{begin}; {sweep}, worse by {-first.luck:.3g}: the sweep was unlucky there."


def _of_order(ran: Sequence[Confirmed], found: Sequence[Confirmed]) -> list[str]:
    first = ran[0]
    said = []
    leader = min(found, key=lambda each: each.score_rank)
    if leader.trial != first.trial and leader.rank is not None:
        said.append(f"The sweep's best, trial {leader.trial}, comes out in place {leader.rank}.")
    if first.best_chance is not None:
        known = sum(each.best_chance is not None for each in ran)
        among = f"these {known}" if known == len(ran) else f"the {known} whose noise is known"
        verdict = "" if first.best_chance >= LEVEL else ": too little to call it the winner"
        said.append(
            f"Trial {first.trial} is the best of {among} with a probability of {_percent(first.best_chance)}{verdict}."
        )
    return said


def _of_luck(ran: Sequence[Confirmed]) -> list[str]:
    if len(ran) < 2:
        return []
    luck = float(np.mean([each.luck for each in ran]))
    how = "better" if luck > 0 else "worse" if luck < 0 else "no better"
    by = f" by {abs(luck):.3g}" if luck else ""
    return [f"On average the {len(ran)} were {how}{by} in the sweep than in their fresh runs."]


def _percent(share: float) -> str:
    return "over 99%" if share > 0.99 else "under 1%" if share < 0.01 else f"{share:.0%}"


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
