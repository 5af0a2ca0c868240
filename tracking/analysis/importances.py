"""Which params the scores of a sweep hang on, how surely, and when there are too few trials to tell.

The measure is the variance that an additive model of the ranked scores loses without a param. Of what was tried (a
forest's impurity, PED-ANOVA as in Optuna, the variance that each param explains alone, and this) it gave the least to
params that do nothing where a sampler narrowed several at a time: those follow the good ones, and each for itself seems
to matter.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tracking.analysis.trials import PARAM, finished, label, param_columns, present

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]

LEVEL = 0.95
FEWEST = 20
"""Finished trials below which nothing is said, however few the params."""
PER_COLUMN = 2.5
"""Finished trials per column of the model below which nothing is said."""
MAX_CHOICES = 8
"""So many choices of a param count each for itself, the rarer ones together."""
_RIDGE = 1e-7


@dataclass(frozen=True, slots=True)
class Importance:
    """How much hangs on one param.

    Attributes:
        param: Its name.
        value: Share of the variance of the ranked scores that is lost without it, from 0.
        low: Lower end of its interval.
        high: Upper end of it.
        trials: How many of the trials have the param.
        is_clear: Whether it stands out from chance, at 5 % for all params of the sweep together.
    """

    param: str
    value: float
    low: float
    high: float
    trials: int
    is_clear: bool


@dataclass(frozen=True, slots=True)
class Importances:
    """How much hangs on each param of a sweep.

    Attributes:
        params: The greatest first; None where there are too few trials to tell.
        explained: Share of the variance of the ranked scores that all params explain together, adjusted for their
            number; the rest is noise and interplay. None where there are too few trials.
        trials: How many were used.
        unvaried: Names of the params that had one value in all of them.
        sentence: What it comes to, or why there is nothing.
    """

    params: tuple[Importance, ...] | None
    explained: float | None
    trials: int
    unvaried: tuple[str, ...]
    sentence: str


def importances(frame: pd.DataFrame, column: str, params: Sequence[str] | None = None) -> Importances:
    """Return how much of an objective hangs on each param, over the values that were tried.

    Scores are replaced by their ranks (Conover and Iman, "Rank Transformations as a Bridge", 1981), which infinite
    scores and the one diverged trial do not upset. The model is additive: per numeric param polynomials of its rank up
    to the third degree, per choice a constant. A conditional param counts among the trials that have it; that they have
    it counts for the choice that decides it. The share lost without a param is its sum of squares beyond all others
    ("type III") less what chance alone would give it, over the total: epsilon squared (Kelley, "An Unbiased
    Correlation Ratio Measure", 1935). Its interval is that of the noncentral F distribution at 95 % (Steiger, "Beyond
    the F Test", 2004), for the values that were tried. A param is clear by its F test, with Bonferroni's correction.

    What a param does only together with another one is not seen.

    Args:
        frame: As `trial_frame` makes it; the complete trials with a number are used.
        column: Of the objective. Its goal does not matter.
        params: Columns `params.<name>`; None for all.
    """
    shown = frame[finished(frame, [column])]
    names = list(param_columns(frame)) if params is None else list(params)
    count = len(shown)
    blocks: list[Floats] = []
    varied: list[str] = []
    unvaried: list[str] = []
    for name in names:
        block = _columns(shown[name], count)
        if block.shape[1]:
            blocks.append(block)
            varied.append(name)
        elif present(shown[name]).any():
            unvaried.append(name.removeprefix(PARAM))
    blocks = _with_presence(shown, varied, blocks)
    width = sum(block.shape[1] for block in blocks)
    needed = max(FEWEST, math.ceil(PER_COLUMN * width))
    scores = _ranks(shown[column].to_numpy(dtype=np.float64))
    problem = _problem(count, needed, varied, scores)
    if problem is not None:
        return Importances(None, None, count, tuple(unvaried), problem)
    lost, noise, total, freedom = _sums(blocks, scores)
    made = []
    for name, block, squares in zip(varied, blocks, lost, strict=True):
        value, low, high, chance = _share(squares, block.shape[1], noise, total, freedom)
        made.append(
            Importance(
                param=name.removeprefix(PARAM),
                value=value,
                low=low,
                high=high,
                trials=int(present(shown[name]).sum()),
                is_clear=chance < (1 - LEVEL) / len(varied),
            )
        )
    made.sort(key=lambda each: (-each.value, each.param))
    explained = max(0.0, 1 - noise / (total / (count - 1)))
    return Importances(tuple(made), explained, count, tuple(unvaried), _sentence(made, explained, count))


def _problem(count: int, needed: int, varied: Sequence[str], scores: Floats) -> str | None:
    trials = f"{count} finished trial{'' if count == 1 else 's'}"
    if not varied and count > 1:
        return f"No param had two values in the {trials}, so there is nothing to compare."
    if count < needed:
        over = f" for {len(varied)} param{'' if len(varied) == 1 else 's'}" if varied else ""
        return f"Not enough trials to tell: importances{over} need {needed} finished ones, there are {count}."
    if not scores.any():
        return f"The {trials} all have the same value, so nothing hangs on any param."
    return None


def _columns(column: pd.Series, trials: int) -> Floats:
    """Return the model's columns of one param, each of mean 0 over the trials that have it, and 0 elsewhere."""
    there = present(column)
    if column.dtype == object or column.dtype == bool:
        texts = [label(value) for value, have in zip(column.array, there, strict=True) if have]
        often = sorted(Counter(texts).items(), key=lambda item: (-item[1], item[0]))
        place = {text: number for number, (text, _) in enumerate(often[:MAX_CHOICES])}
        codes = np.array([place.get(text, MAX_CHOICES) for text in texts], dtype=np.int64)
        inside = _dummies(codes)
    else:
        numbers = column.to_numpy(dtype=np.float64, na_value=np.nan)[there]
        distinct, codes = np.unique(numbers, return_inverse=True)
        degree = min(len(distinct) - 1, 3 if trials >= 100 else 2)
        inside = _polynomials(_ranks(numbers), degree) if degree > 0 else np.empty((len(numbers), 0))
    block = np.zeros((trials, inside.shape[1]))
    block[there] = inside
    return block


def _dummies(codes: NDArray[np.int64]) -> Floats:
    """Return a column per code but the first, of mean 0."""
    count = int(codes.max()) + 1 if len(codes) else 1
    block = np.eye(count)[codes][:, 1:]
    return np.asarray(block - block.mean(axis=0)) if len(block) else block


def _polynomials(ranks: Floats, degree: int) -> Floats:
    """Return Legendre polynomials of ranks, from the first degree on, of mean 0."""
    reach = np.abs(ranks).max()
    block = np.polynomial.legendre.legvander(ranks / reach, degree)[:, 1:]
    return np.asarray(block - block.mean(axis=0))


def _ranks(values: Floats) -> Floats:
    """Return ranks of mean 0, equal values sharing theirs."""
    # Not scipy.stats, which takes seconds to import.
    _, codes, often = np.unique(values, return_inverse=True, return_counts=True)
    middle = np.cumsum(often) - (often + 1) / 2
    return np.asarray(middle[codes] - (len(values) - 1) / 2, dtype=np.float64)


def _with_presence(shown: pd.DataFrame, varied: Sequence[str], blocks: list[Floats]) -> list[Floats]:
    """Return the blocks, with a column for having a param where no choice of another one decides it."""
    choices = [
        block for name, block in zip(varied, blocks, strict=True) if shown[name].dtype in (object, bool)
    ]
    known = np.column_stack([np.ones(len(shown)), *choices])
    result = []
    for name, block in zip(varied, blocks, strict=True):
        there = present(shown[name]).astype(np.float64)
        if 0 < there.mean() < 1:
            left = there - known @ np.linalg.lstsq(known, there, rcond=None)[0]
            if np.abs(left).max() > 1e-6:
                block = np.column_stack([block, there - there.mean()])
                known = np.column_stack([known, there])
        result.append(block)
    return result


def _sums(blocks: Sequence[Floats], scores: Floats) -> tuple[list[float], float, float, int]:
    """Return the sum of squares of each block beyond all others, the noise's mean square, the total, its freedom.

    With coefficients b and the inverse V of the products of the columns, the first is b' V^-1 b over the block's part
    of both (Seber and Lee, "Linear Regression Analysis", 2003, section 4.3).
    """
    design = np.column_stack(blocks)
    design = design - design.mean(axis=0)
    scale = np.sqrt((design**2).mean(axis=0))
    design /= np.where(scale > 0, scale, 1.0)
    products, crossed, total = design.T @ design, design.T @ scores, float(scores @ scores)
    # So that params that move together share nothing, where the inverse would fail.
    inverse = np.linalg.inv(products + _RIDGE * len(scores) * np.eye(len(products)))
    fitted = inverse @ crossed
    freedom = len(scores) - len(products) - 1
    # Never quite 0: a target without noise still has its rounding.
    noise = max(total - float(fitted @ crossed), 1e-9 * total) / freedom
    lost, start = [], 0
    for block in blocks:
        part = slice(start, start + block.shape[1])
        lost.append(float(fitted[part] @ np.linalg.solve(inverse[part, part], fitted[part])))
        start = part.stop
    return lost, noise, total, freedom


def _share(
    squares: float, width: int, noise: float, total: float, freedom: int
) -> tuple[float, float, float, float]:
    """Return the share of the total, the ends of its interval, and the chance of as much from nothing."""
    from scipy.special import fdtrc

    ratio = max(squares, 0.0) / width / noise
    value = min(max(0.0, (squares - width * noise) / total), 1.0)
    low, high = (end * noise / total for end in _noncentrality(ratio, width, freedom))
    return value, min(low, value), min(max(high, value), 1.0), float(fdtrc(width, freedom, ratio))


def _noncentrality(ratio: float, width: int, freedom: int) -> tuple[float, float]:
    from scipy.special import ncfdtrinc, ndtri

    tail = (1 - LEVEL) / 2
    if ratio * width < 2000:
        return float(ncfdtrinc(width, freedom, 1 - tail, ratio)), float(
            ncfdtrinc(width, freedom, tail, ratio)
        )
    # Beyond 10,000 scipy's inverse stops; the estimate's variance is close by then, and its logarithm near normal.
    middle = width * (ratio - 1)
    spread = np.sqrt(2 * (width + 2 * middle) + 2 * (width + middle) ** 2 / freedom) / middle
    reach = float(np.exp(-ndtri(tail) * spread))
    return middle / reach, middle * reach


def _sentence(made: Sequence[Importance], explained: float, count: int) -> str:
    clear = sum(each.is_clear for each in made)
    over = f"over {count:,} finished trials"
    if not clear:
        return f"No param stands out from chance {over}; more trials may tell."
    many = f"{clear} of {len(made)} params stand{'s' if clear == 1 else ''} out from chance {over}"
    return f"{many}; all together explain {explained:.0%} of the ranked scores, noise and interplay the rest."
