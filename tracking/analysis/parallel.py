"""Parallel coordinates: a trial is a line across one axis per param and objective."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tracking.analysis.axes import ValueAxis, axis_of
from tracking.analysis.trials import VALUE, finished

if TYPE_CHECKING:
    import pandas as pd

Range = tuple[float, float]


@dataclass(frozen=True, slots=True)
class ParallelCoordinates:
    """The lines of the trials that can be drawn.

    Attributes:
        rows: Their places in the trial frame; axes' positions are in this order.
        axes: In the order of the columns asked for.
    """

    rows: NDArray[np.int64]
    axes: tuple[ValueAxis, ...]


def parallel(
    frame: pd.DataFrame,
    columns: Sequence[str],
    *,
    log: Collection[str] = (),
    rows: NDArray[np.bool_] | None = None,
) -> ParallelCoordinates:
    """Return the axes of parallel coordinates (Inselberg, "The plane with parallel coordinates", 1985).

    Args:
        frame: As `trial_frame` makes it.
        columns: Params and objectives, from left to right.
        log: Those of them that are shown by their logarithm, where they can be.
        rows: Which trials; None for the complete ones that have a finite number on every objective among `columns`.

    Raises:
        KeyError: The frame has no such column.
    """
    if rows is None:
        values = [name for name in columns if name.startswith(VALUE)]
        rows = finished(frame, values) & np.isfinite(frame[values].to_numpy(dtype=np.float64)).all(axis=1)
    places = np.flatnonzero(rows)
    shown = frame.iloc[places]
    return ParallelCoordinates(places, tuple(axis_of(shown[name], log=name in log) for name in columns))


def brushed(
    coordinates: ParallelCoordinates, ranges: Mapping[str, Range | Sequence[Range]]
) -> NDArray[np.int64]:
    """Return the places in the trial frame of the lines inside every brush.

    Args:
        coordinates: What is drawn.
        ranges: Of positions, by column: one (low, high) or several, of which any may hold.
            Columns that have no axis are passed over.
    """
    inside = np.ones(len(coordinates.rows), dtype=bool)
    for axis in coordinates.axes:
        given = ranges.get(axis.column)
        if given is None or len(given) == 0:
            continue
        several: Sequence[Range] = [given] if isinstance(given[0], int | float) else given  # type: ignore[list-item, assignment]
        held = np.zeros(len(inside), dtype=bool)
        for low, high in several:
            held |= (axis.positions >= min(low, high)) & (axis.positions <= max(low, high))
        inside &= held
    return np.asarray(coordinates.rows[inside])
