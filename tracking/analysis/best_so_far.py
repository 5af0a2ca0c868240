"""How a sweep came to its best value: every finished trial, and the best one up to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tracking.analysis.trials import finished
from tracking.records import Goal

if TYPE_CHECKING:
    import pandas as pd


def best_so_far(
    frame: pd.DataFrame,
    column: str,
    goal: Goal | None,
    *,
    order: str = "number",
    feasible: NDArray[np.bool_] | None = None,
) -> pd.DataFrame:
    """Return `number`, `run`, `completed`, `value`, `best`, `improved` of the complete trials, in order.

    `best` is the running maximum or minimum of `value`, `improved` is true where a trial is strictly better than
    all before it. Trials whose value is NaN are left out; they are never best.

    Args:
        frame: As `trial_frame` makes it.
        column: Of the objective.
        goal: Of the objective; None is read as Optuna reads it: smaller is better.
        order: `number` or `completed`, which differ where several workers ran.
        feasible: Which rows of `frame` hold the constraints; the others are shown but never best. None: all do.

    Raises:
        ValueError: `order` is neither.
    """
    if order not in ("number", "completed"):
        raise ValueError(f"order={order!r}: trials go in order of 'number' or 'completed'.")
    places = np.flatnonzero(finished(frame, [column]))
    places = places[np.argsort(frame[order].to_numpy()[places], kind="stable")]
    shown = frame.iloc[places]
    values = shown[column].to_numpy(dtype=np.float64)
    sign = 1.0 if goal is Goal.MAXIMIZE else -1.0
    counting = np.ones(len(places), dtype=bool) if feasible is None else feasible[places]
    # NaN until the first feasible trial: fmax passes over it, and infinite values stay values.
    best = np.fmax.accumulate(np.where(counting, sign * values, np.nan)) if len(values) else values
    before = np.concatenate([[np.nan], best[:-1]]) if len(best) else best
    result = shown[["number", "run", "completed"]].reset_index(drop=True)
    result["value"] = values
    result["best"] = sign * best
    result["improved"] = counting & (np.isnan(before) | (sign * values > before))
    return result
