"""Metric history as a data frame."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from tracking.analysis.reduction import reduce
from tracking.errors import InvalidValue, MissingDependency
from tracking.records import Series

if TYPE_CHECKING:
    import pandas as pd


def history_frame(found: Mapping[tuple[str, str], Series], max_points: int | None = None) -> pd.DataFrame:
    """Return `run`, `key`, `step`, `value`, `time` (UTC) of series, one after the other.

    Args:
        found: Series by (run id, key), in the order to show.
        max_points: At most so many points a series, first, last and extremes kept; None for all.

    Raises:
        InvalidValue: `max_points` is below 8.
        MissingDependency: pandas is not installed.
    """
    try:
        import pandas as pd
    except ImportError as error:
        raise MissingDependency(
            "history() makes a data frame: pip install pandas, or use series()."
        ) from error
    if max_points is not None and max_points < 8:
        raise InvalidValue(f"max_points={max_points}: a curve needs at least 8. None gives every point.")
    runs, keys, lengths = [], [], []
    steps, values, times = [np.empty(0, np.int64)], [np.empty(0)], [np.empty(0, np.int64)]
    for (run, key), series in found.items():
        places: slice | np.ndarray = slice(None)
        if max_points is not None and len(series) > max_points:
            places = reduce(series.steps, series.values, max_points)
        steps.append(series.steps[places])
        values.append(series.values[places])
        times.append(series.times[places])
        runs.append(run)
        keys.append(key)
        lengths.append(len(steps[-1]))
    return pd.DataFrame(
        {
            "run": _repeated(runs, lengths),
            "key": _repeated(keys, lengths),
            "step": np.concatenate(steps),
            "value": np.concatenate(values),
            "time": pd.DatetimeIndex(np.concatenate(times).view("M8[us]"), tz="UTC"),
        },
        copy=False,
    )


def _repeated(names: list[str], lengths: list[int]) -> Any:
    import pandas as pd

    # Taken by place: a hundred thousand equal strings are made in no time.
    return pd.array(names, dtype="str").take(np.repeat(np.arange(len(names)), lengths))
