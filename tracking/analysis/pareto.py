"""What is better where there are several objectives."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tracking.records import Goal

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

_BLOCK = 256


def losses(values: Floats, goals: Sequence[Goal | None]) -> Floats:
    """Return the values with the sign that makes smaller better; a goal of None is read as minimize.

    Raises:
        ValueError: `values` is not of shape `(trials, len(goals))`.
    """
    if values.ndim != 2 or values.shape[1] != len(goals):
        raise ValueError(
            f"{len(goals)} goals need values of shape (trials, {len(goals)}), not {values.shape}."
        )
    signs = np.array([-1.0 if goal is Goal.MAXIMIZE else 1.0 for goal in goals])
    return np.asarray(values * signs, dtype=np.float64)


def pareto_front(values: Floats, goals: Sequence[Goal | None], feasible: Mask | None = None) -> Mask:
    """Return which trials no other one dominates: as good in each objective and better in one.

    The definition is that of Deb, "Multi-Objective Optimization using Evolutionary Algorithms" (2001), section
    2.4.2; equal trials do not dominate each other, so all of them are on the front. Trials with a NaN, and
    infeasible ones, are never on it and dominate nothing.

    Args:
        values: Shape `(trials, objectives)`.
        goals: One per objective.
        feasible: Shape `(trials,)`: which hold the constraints; None for all.

    Raises:
        ValueError: The shapes do not fit.
    """
    loss = losses(values, goals)
    competing = ~np.isnan(loss).any(axis=1)
    if feasible is not None:
        if feasible.shape != competing.shape:
            raise ValueError(f"feasible is of shape {feasible.shape}, and there are {len(values)} trials.")
        competing &= feasible
    front = np.zeros(len(values), dtype=bool)
    places = np.flatnonzero(competing)
    if len(places) and loss.shape[1]:
        distinct, back = np.unique(loss[places], axis=0, return_inverse=True)
        front[places] = _undominated(distinct)[back.reshape(-1)]
    return front


def _undominated(distinct: Floats) -> Mask:
    """Return which rows, distinct and in lexicographic order, no other row dominates.

    In this order only what comes before can dominate a row.
    """
    count, objectives = distinct.shape
    if objectives == 1:
        return np.asarray(np.arange(count) == 0)
    if objectives == 2:
        # A later row is undominated where it is below everything before it in the second objective.
        lowest = np.concatenate([[np.inf], np.minimum.accumulate(distinct[:-1, 1])])
        kept = distinct[:, 1] < lowest
        kept[0] = True
        return np.asarray(kept)
    if objectives == 3:
        return _undominated_of_three(distinct)
    kept = np.zeros(count, dtype=bool)
    front = np.empty((0, objectives - 1))
    for start in range(0, count, _BLOCK):
        # The first objective is in order already: earlier rows are as good there.
        rows = distinct[start : start + _BLOCK, 1:]
        left = np.flatnonzero(~_covered(rows, front))
        inside = rows[left]
        earlier = np.tri(len(left), k=-1, dtype=bool)
        beaten = (np.all(inside[None, :, :] <= inside[:, None, :], axis=2) & earlier).any(axis=1)
        kept[start + left[~beaten]] = True
        front = np.concatenate([front, inside[~beaten]])
    return kept


def _undominated_of_three(distinct: Floats) -> Mask:
    """Return the same for three objectives, in n log n.

    What came before is kept as a staircase in the second and third objective, ascending in the one and descending
    in the other (Kung, Luccio and Preparata, "On finding the maxima of a set of vectors", 1975).
    """
    kept = np.zeros(len(distinct), dtype=bool)
    seconds: list[float] = []
    thirds: list[float] = []
    for place, (second, third) in enumerate(distinct[:, 1:].tolist()):
        left = bisect_right(seconds, second)
        if left and thirds[left - 1] <= third:
            continue
        kept[place] = True
        # The stairs that are no lower now hide behind the new one.
        first = bisect_left(seconds, second)
        last = first
        while last < len(thirds) and thirds[last] >= third:
            last += 1
        seconds[first:last] = [second]
        thirds[first:last] = [third]
    return kept


def _covered(rows: Floats, front: Floats) -> Mask:
    """Return which rows have one of the front that is as good in every column."""
    if not len(front):
        return np.zeros(len(rows), dtype=bool)
    as_good = rows[:, :1] >= front[:, 0]
    for column in range(1, rows.shape[1]):
        as_good &= rows[:, column : column + 1] >= front[:, column]
    return np.asarray(as_good.any(axis=1))


def front_line(values: Floats, goals: Sequence[Goal | None], front: Mask) -> NDArray[np.int64]:
    """Return the places of the trials on the front in order of the first objective, to draw them as a line.

    Args:
        values: Shape `(trials, objectives)`.
        goals: One per objective.
        front: What `pareto_front` returned.
    """
    places = np.flatnonzero(front)
    loss = losses(values, goals)[places]
    return np.asarray(places[np.lexsort(loss.T[::-1])], dtype=np.int64)
