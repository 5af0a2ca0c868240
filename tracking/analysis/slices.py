"""Slices: one param of every finished trial against one objective."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tracking.analysis.axes import ValueAxis, axis_of
from tracking.analysis.trials import finished

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Slice:
    """The points of one param.

    Attributes:
        rows: Places of the trials in the trial frame.
        axis: Where they lie along the param, in the order of `rows`.
        values: Of the objective, finite.
    """

    rows: NDArray[np.int64]
    axis: ValueAxis
    values: NDArray[np.float64]


def slice_of(frame: pd.DataFrame, param: str, column: str, *, log: bool = False) -> Slice:
    """Return one param against one objective, over the complete trials that have a finite value.

    Args:
        frame: As `trial_frame` makes it.
        param: A column of it, `params.<name>`.
        column: Of the objective.
        log: Whether the param is shown by its logarithm, where it can be.

    Raises:
        KeyError: The frame has no such column.
    """
    rows = np.flatnonzero(finished(frame, [column]) & np.isfinite(frame[column].to_numpy()))
    shown = frame.iloc[rows]
    return Slice(rows, axis_of(shown[param], log=log), shown[column].to_numpy(dtype=np.float64))
