"""How often the evidence for a promotion is wrong, measured on numbers whose truth is known.

python -m benchmarks.evidence                  10,000 draws a line, as in the README
python -m benchmarks.evidence --draws 2000     a look
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from tracking.analysis.evidence_tests import (
    Estimate,
    Resampled,
    bootstrap,
    interval,
    p_greater,
    paired,
    welch,
)

Numbers = NDArray[np.float64]
Shape = tuple[int, ...]
LEVEL = 0.95
SHIFT = 2.0
"""In standard deviations of a run: how much better the candidate is where it is."""
RESAMPLES = 999
TRIALS = 40

HEAD = ("method", "runs a side", "values", "called better, is equal", "interval holds", "2 sd better, found")


def rates(found: Estimate | Resampled, truth: float) -> tuple[float, float]:
    """Return how often the candidate is called better, and how often the interval holds the true difference."""
    if isinstance(found, Resampled):
        p_value, (low, high) = found.p_greater(), found.interval(LEVEL)
    else:
        p_value, (low, high) = p_greater(found), interval(found, LEVEL)
    return float(np.mean(p_value < 1 - LEVEL)), float(np.mean((low <= truth) & (truth <= high)))


def normal(rng: np.random.Generator, shape: Shape) -> Numbers:
    return rng.normal(size=shape)


def skewed(rng: np.random.Generator, shape: Shape) -> Numbers:
    """Return exponential values: mean 0, deviation 1, skewness 2."""
    return rng.exponential(size=shape) - 1


def accuracies(rng: np.random.Generator, shape: Shape) -> Numbers:
    """Return shares of 100 rows that were right, with few different values; mean 0, deviation 1."""
    return (rng.binomial(100, 0.9, size=shape) - 90) / 3.0


def lines(draws: int, rng: np.random.Generator) -> Iterator[tuple[str, ...]]:
    """Yield the rows of the table."""

    def row(
        what: str, runs: str, values: str, test: Callable[[float], Estimate | Resampled]
    ) -> tuple[str, ...]:
        better, holds = rates(test(0.0), 0.0)
        return what, runs, values, f"{better:.1%}", f"{holds:.1%}", f"{rates(test(SHIFT), SHIFT)[0]:.1%}"

    def groups(draw: Callable[..., Numbers], n: int, m: int, wide: float) -> Callable[[float], Estimate]:
        return lambda shift: welch(shift + draw(rng, (draws, n)), wide * draw(rng, (draws, m)))

    def pairs(draw: Callable[..., Numbers], n: int) -> Callable[[float], Estimate]:
        return lambda shift: paired(shift + draw(rng, (draws, n)) - draw(rng, (draws, n)))

    for n in (2, 3, 4, 5, 10, 20):
        yield row("Welch", f"{n}", "normal", groups(normal, n, n, 1.0))
    yield row("Welch", "5", "normal, champion 3 times as wide", groups(normal, 5, 5, 3.0))
    yield row("Welch", "5 against 20", "normal, champion 3 times as wide", groups(normal, 5, 20, 3.0))
    yield row("Welch", "5", "skewed alike", groups(skewed, 5, 5, 1.0))
    yield row("Welch", "5 against 20", "skewed alike", groups(skewed, 5, 20, 1.0))
    yield row("Welch", "20 against 5", "skewed alike", groups(skewed, 20, 5, 1.0))
    yield row("Welch", "5", "accuracy on 100 rows", groups(accuracies, 5, 5, 1.0))
    for n in (2, 3, 4, 5, 10, 20):
        yield row("paired", f"{n}", "normal", pairs(normal, n))
    yield row("paired", "5", "skewed alike", pairs(skewed, 5))
    for folds, times in ((5, 1), (10, 1), (5, 5), (10, 10)):
        what = f"{times} x {folds} folds"
        yield row("corrected", what, "correlated 1 / folds", folded(rng, draws, folds, times, 1 / folds))
        yield row("corrected", what, "independent", folded(rng, draws, folds, times, 0.0))
    for draw, said in ((normal, "normal"), (skewed, "skewed alike")):
        yield row("bootstrap", "20", said, resampled(rng, draws, draw))
    yield from picked(draws, rng)


def folded(
    rng: np.random.Generator, draws: int, folds: int, times: int, rho: float
) -> Callable[[float], Estimate]:
    """Return the corrected test of differences of folds which all have one correlation; their deviation is 1."""

    def test(shift: float) -> Estimate:
        own, shared = normal(rng, (draws, folds * times)), normal(rng, (draws, 1))
        return paired(shift + np.sqrt(1 - rho) * own + np.sqrt(rho) * shared, ratio=1 / (folds - 1))

    return test


def resampled(
    rng: np.random.Generator, draws: int, draw: Callable[..., Numbers]
) -> Callable[[float], Resampled]:
    def test(shift: float) -> Resampled:
        found = [
            bootstrap(shift + draw(rng, (50, 20)), draw(rng, (50, 20)), draws=RESAMPLES, seed=rng)
            for _ in range(draws // 50)
        ]
        estimate = Estimate(
            np.concatenate([each.estimate.difference for each in found]),
            np.concatenate([each.estimate.error for each in found]),
            np.concatenate([each.estimate.freedom for each in found]),
        )
        return Resampled(estimate, np.concatenate([each.statistics for each in found]))

    return test


def picked(draws: int, rng: np.random.Generator) -> Iterator[tuple[str, ...]]:
    """Yield what is said of the best of 40 equal configurations by its own runs, and by fresh ones."""
    scores = normal(rng, (draws, TRIALS, 5))
    best = scores.mean(axis=-1).argmax(axis=-1)
    own = np.take_along_axis(scores, best[:, None, None], axis=1)[:, 0]
    for what, runs in (
        (f"best of {TRIALS}, its own runs", own),
        ("the same, fresh runs", normal(rng, (draws, 5))),
    ):
        better, holds = rates(welch(runs, normal(rng, (draws, 5))), 0.0)
        yield "Welch", "5", what, f"{better:.1%}", f"{holds:.1%}", ""


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.evidence", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--draws", type=int, default=10_000, help="for each line; a multiple of 50")
    parser.add_argument("--seed", type=int, default=61)
    asked = parser.parse_args()
    print(f"| {' | '.join(HEAD)} |\n|{'---|' * len(HEAD)}")
    for line in lines(asked.draws, np.random.default_rng(asked.seed)):
        print(f"| {' | '.join(line)} |", flush=True)


if __name__ == "__main__":
    main()
