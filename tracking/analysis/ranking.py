"""Which trials are best, in order, and which configurations that comes to."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tracking.analysis.pareto import losses, pareto_front
from tracking.analysis.trials import finished, label, param_columns
from tracking.records import Goal

if TYPE_CHECKING:
    import pandas as pd

Places = NDArray[np.int64]


def ranking(
    frame: pd.DataFrame,
    columns: Sequence[str],
    goals: Sequence[Goal | None],
    *,
    top: int | None = None,
    feasible: NDArray[np.bool_] | None = None,
) -> Places:
    """Return the places of complete trials in the frame, the best first.

    Of one objective in order of its value, of equal ones the earlier trial first. Of several, front by front
    (non-dominated sorting), in each front by crowding distance, so that a few of them still cover it: Deb et al.,
    "A Fast and Elitist Multiobjective Genetic Algorithm: NSGA-II" (2002), sections III-A and III-B.

    Args:
        frame: As `trial_frame` makes it.
        columns: Of the objectives.
        goals: One per objective; None is read as minimize.
        top: At most so many; None for all, which takes long for many trials of several objectives.
        feasible: Which rows hold the constraints; the others are left out. None: all do.
    """
    competing = finished(frame, columns)
    if feasible is not None:
        competing = competing & feasible
    places = np.flatnonzero(competing)
    values = frame[list(columns)].to_numpy(dtype=np.float64)[places]
    numbers = frame["number"].to_numpy()[places]
    wanted = len(places) if top is None else min(top, len(places))
    if len(columns) == 1:
        return np.asarray(places[np.lexsort((numbers, losses(values, goals)[:, 0]))][:wanted])
    found: list[Places] = []
    while wanted > 0 and len(places):
        front = pareto_front(values, goals)
        order = np.lexsort((numbers[front], -crowding(values[front])))
        found.append(places[front][order][:wanted])
        wanted -= len(found[-1])
        places, values, numbers = places[~front], values[~front], numbers[~front]
    return np.concatenate(found) if found else places


def crowding(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the crowding distance of each trial of a front: how far its neighbours are, summed over the objectives.

    Infinite at the ends of each objective. Deb et al. (2002), section III-B.

    Args:
        values: Shape `(trials, objectives)`, no NaN.
    """
    distance = np.zeros(len(values))
    for column in np.clip(values, -1e300, 1e300).T:
        order = np.argsort(column, kind="stable")
        inside = column[order]
        distance[order[[0, -1]]] = np.inf
        span = inside[-1] - inside[0]
        if span > 0:
            distance[order[1:-1]] += (inside[2:] - inside[:-2]) / span
    return distance


def top_configurations(
    frame: pd.DataFrame,
    columns: Sequence[str],
    goals: Sequence[Goal | None],
    top: int,
    *,
    feasible: NDArray[np.bool_] | None = None,
) -> Places:
    """Return the place of the best trial of each of the `top` best configurations, the best first.

    Trials whose params are all equal are one configuration, which is there once.

    Args:
        frame: As `trial_frame` makes it.
        columns: Of the objectives.
        goals: One per objective.
        top: At most so many.
        feasible: Which rows hold the constraints; the others are left out. None: all do.
    """
    params = list(param_columns(frame))
    wanted = top
    while True:
        order = ranking(frame, columns, goals, top=wanted, feasible=feasible)
        rows = frame[params].iloc[order]
        seen: dict[Hashable, int] = {}
        for place, values in zip(order.tolist(), rows.itertuples(index=False, name=None), strict=True):
            seen.setdefault(tuple(_identity(value) for value in values), place)
            if len(seen) == top:
                break
        if len(seen) >= top or len(order) < wanted:
            return np.array(list(seen.values()), dtype=np.int64)
        wanted *= 4


def _identity(value: Any) -> Hashable:
    """Return what is equal exactly for equal values: 1 and 1.0 are, "1" and True are others."""
    if isinstance(value, bool | str) or not isinstance(value, int | float):
        return type(value).__name__, label(value)
    return "number", "nan" if value != value else value
