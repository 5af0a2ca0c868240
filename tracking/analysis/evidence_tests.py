"""Tests of a difference between two means: Welch's, paired, corrected for folds, and by a studentised bootstrap.

Every function works along the last axis, over any number of comparisons at once, and knows nothing of which direction
is better. What it is given is finite and of moderate size: scaling is up to the caller.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln, stdtr, stdtrit

Numbers = NDArray[np.float64]
_AT_ONCE = 4_000_000


@dataclass(frozen=True, slots=True)
class Estimate:
    """A difference of means with what its distribution needs; arrays of one shape.

    Attributes:
        difference: Of the means, the first group's less the second's.
        error: Its standard error, 0 where the values show no noise.
        freedom: Degrees of freedom of Student's t.
    """

    difference: Numbers
    error: Numbers
    freedom: Numbers


def welch(first: Numbers, second: Numbers, *, ratios: tuple[float, float] = (0.0, 0.0)) -> Estimate:
    """Return the difference of the means of two independent groups whose variances may differ.

    Welch, "The generalization of 'Student's' problem when several different population variances are involved"
    (1947), with the degrees of freedom of Satterthwaite (1946).

    Args:
        first: Shape `(..., n)`, n >= 2.
        second: Shape `(..., m)`, m >= 2.
        ratios: Of rows tested to rows trained on, for a group whose values are cross-validation folds; see `paired`.
    """
    one, two = (
        values.var(axis=-1, ddof=1) * (1 / values.shape[-1] + ratio)
        for values, ratio in zip((first, second), ratios, strict=True)
    )
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        share = one / (one + two)
        freedom = 1 / (share**2 / (first.shape[-1] - 1) + (1 - share) ** 2 / (second.shape[-1] - 1))
    return Estimate(first.mean(axis=-1) - second.mean(axis=-1), np.sqrt(one + two), freedom)


def paired(differences: Numbers, *, ratio: float = 0.0) -> Estimate:
    """Return the mean of differences of pairs.

    With a ratio above 0 the variance is corrected for folds of a cross-validation, whose training rows overlap: Nadeau
    and Bengio, "Inference for the Generalization Error" (2003). Of r repetitions of k folds there are r * k
    differences, and the ratio stays 1 / (k - 1): Bouckaert and Frank, "Evaluating the Replicability of Significance
    Tests for Comparing Learning Algorithms" (2004).

    Args:
        differences: Shape `(..., n)`, n >= 2.
        ratio: Of rows tested to rows trained on.
    """
    count = differences.shape[-1]
    mean, variance = differences.mean(axis=-1), differences.var(axis=-1, ddof=1)
    return Estimate(mean, np.sqrt(variance * (1 / count + ratio)), np.full(np.shape(mean), count - 1.0))


def p_greater(estimate: Estimate, bound: float = 0.0) -> Numbers:
    """Return the one-sided p-value of the difference being above a bound."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        found: Numbers = stdtr(estimate.freedom, (bound - estimate.difference) / estimate.error)
    return found


def interval(estimate: Estimate, level: float) -> tuple[Numbers, Numbers]:
    """Return both ends of the two-sided interval of the difference."""
    reach = stdtrit(estimate.freedom, 0.5 + level / 2) * estimate.error
    return estimate.difference - reach, estimate.difference + reach


def posterior_greater(first: Numbers, second: Numbers, ratios: tuple[float, float], bound: float) -> float:
    """Return the probability that the difference of two means is above a bound, under the prior 1 / sigma for each.

    The means are then independent and distributed as mean + error * t(n - 1), the problem of Behrens and Fisher: Box
    and Tiao, "Bayesian Inference in Statistical Analysis" (1973), section 2.5. It is integrated over the quantiles of
    the second one.

    Args:
        first: Shape `(n,)`, n >= 2.
        second: Shape `(m,)`, m >= 2; one of the two has noise.
        ratios: As of `welch`.
        bound: What the difference is to exceed.
    """
    one, two = (
        float(values.std(ddof=1)) * np.sqrt(1 / len(values) + ratio)
        for values, ratio in zip((first, second), ratios, strict=True)
    )
    ahead = float(first.mean() - second.mean()) - bound
    if one == 0 or two == 0:
        return float(stdtr(len(second if one == 0 else first) - 1, ahead / (one + two)))
    nodes, weights = _quadrature()
    place = stdtrit(len(second) - 1, (nodes + 1) / 2)
    return float(weights @ stdtr(len(first) - 1, (ahead - two * place) / one) / 2)


@cache
def _quadrature() -> tuple[Numbers, Numbers]:
    nodes, weights = np.polynomial.legendre.leggauss(128)
    return nodes, weights


def hedges_g(first: Numbers, second: Numbers) -> Numbers:
    """Return the difference of means over the pooled deviation, without its bias in small groups; NaN without noise.

    Hedges, "Distribution Theory for Glass's Estimator of Effect Size and Related Estimators" (1981).

    Args:
        first: Shape `(..., n)`, n >= 2.
        second: Shape `(..., m)`, m >= 2.
    """
    counts = first.shape[-1] - 1, second.shape[-1] - 1
    freedom = sum(counts)
    spread = np.sqrt(
        (first.var(axis=-1, ddof=1) * counts[0] + second.var(axis=-1, ddof=1) * counts[1]) / freedom
    )
    unbiased = np.exp(gammaln(freedom / 2) - gammaln((freedom - 1) / 2)) / np.sqrt(freedom / 2)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        found: Numbers = (first.mean(axis=-1) - second.mean(axis=-1)) / spread * unbiased
    return found


def cohen_d_z(differences: Numbers) -> Numbers:
    """Return the mean of differences of pairs over their deviation; NaN without noise.

    Cohen, "Statistical Power Analysis for the Behavioral Sciences" (1988), chapter 2.

    Args:
        differences: Shape `(..., n)`, n >= 2.
    """
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        found: Numbers = differences.mean(axis=-1) / differences.std(axis=-1, ddof=1)
    return found


@dataclass(frozen=True, slots=True)
class Resampled:
    """An estimate with the distribution of its t that resampling gives.

    Attributes:
        estimate: Its `freedom` says nothing here.
        statistics: Shape `(..., draws)`, sorted: t of each resample around the observed difference.
    """

    estimate: Estimate
    statistics: Numbers

    def p_greater(self, bound: float = 0.0) -> Numbers:
        """Return the one-sided p-value of the difference being above a bound; never 0."""
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            observed = (self.estimate.difference - bound) / self.estimate.error
        above = (self.statistics >= observed[..., None]).sum(axis=-1)
        return np.asarray((above + 1) / (self.statistics.shape[-1] + 1), dtype=np.float64)

    def interval(self, level: float) -> tuple[Numbers, Numbers]:
        """Return both ends of the two-sided interval: a tail of the statistic is the other end's reach."""
        low, high = np.quantile(self.statistics, [0.5 - level / 2, 0.5 + level / 2], axis=-1)
        difference, error = self.estimate.difference, self.estimate.error
        return difference - high * error, difference - low * error


def bootstrap(
    first: Numbers, second: Numbers | None, *, draws: int, seed: int | np.random.Generator
) -> Resampled:
    """Return the difference of two means, or the mean of differences of pairs, with its bootstrap-t distribution.

    Each group is resampled within itself. Efron and Tibshirani, "An Introduction to the Bootstrap" (1993), section
    12.5.

    Args:
        first: Shape `(..., n)`: a group, or differences of pairs.
        second: Shape `(..., m)`: the other group; None for pairs.
        draws: How many resamples.
        seed: Of the draws: the same data give the same numbers.
    """
    rng = np.random.default_rng(seed)
    estimate = paired(first) if second is None else welch(first, second)
    mean, variance = _resampled(rng, first, draws)
    if second is not None:
        other_mean, other_variance = _resampled(rng, second, draws)
        mean, variance = mean - other_mean, variance + other_variance
    off = mean - estimate.difference[..., None]
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        # A resample of equal values: off by any amount is off by infinitely many errors.
        statistics = np.where(variance > 0, off / np.sqrt(variance), np.sign(off) * np.finfo(float).max)
    return Resampled(estimate, np.sort(statistics, axis=-1))


def _resampled(rng: np.random.Generator, values: Numbers, draws: int) -> tuple[Numbers, Numbers]:
    """Return mean and squared standard error of each resample, shape `(..., draws)`."""
    count = values.shape[-1]
    # Places and values of at most so many at once: thousands of runs would fill the memory.
    step = max(1, _AT_ONCE // max(1, values.size))
    means, errors = [], []
    for start in range(0, draws, step):
        size = (*values.shape[:-1], min(step, draws - start), count)
        taken = np.take_along_axis(values[..., None, :], rng.integers(0, count, size=size), axis=-1)
        means.append(taken.mean(axis=-1))
        errors.append(taken.var(axis=-1, ddof=1) / count)
    return np.concatenate(means, axis=-1), np.concatenate(errors, axis=-1)
