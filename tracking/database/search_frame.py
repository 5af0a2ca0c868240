"""The result of a search as a pandas data frame."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tracking.database.search import SearchResult
from tracking.errors import MissingDependency

if TYPE_CHECKING:
    import pandas as pd

_TEXT_COLUMNS = ("run", "name", "experiment", "status", "group", "notes")


def search_frame(result: SearchResult) -> pd.DataFrame:
    """Return the runs as rows of a data frame.

    `created` is datetime64[us, UTC]; `duration` (seconds) and metrics are float64, NaN where
    there is no value. A column of params is int64 or Int64, bool or boolean, float64 or text
    when all its values are alike, and otherwise holds the values as they were logged.

    Raises:
        MissingDependency: pandas is not installed.
    """
    try:
        import pandas as pd
    except ImportError as error:
        raise MissingDependency(
            "A search answers with a pandas data frame, and pandas is not installed: pip install pandas"
        ) from error

    columns: dict[str, Any] = {}
    for name, values in result.columns.items():
        if name == "created":
            moments = pd.Series(values, dtype="int64").astype("datetime64[us]")
            columns[name] = moments.dt.tz_localize("UTC")
        elif name in _TEXT_COLUMNS:
            columns[name] = pd.Series(values, dtype="str")
        elif name.startswith("params.") or name == "tags":
            columns[name] = pd.Series(values, dtype=_param_dtype(values))
        else:
            columns[name] = pd.Series(values, dtype="float64")
    return pd.DataFrame(columns)


def _param_dtype(values: Sequence[Any]) -> str:
    kinds = {type(value) for value in values if value is not None}
    missing = any(value is None for value in values)
    if kinds == {bool}:
        return "boolean" if missing else "bool"
    if kinds == {int} and all(value is None or -(1 << 63) <= value < 1 << 63 for value in values):
        return "Int64" if missing else "int64"
    if kinds == {float} or (kinds == {int, float} and _exact_as_floats(values)):
        return "float64"
    return "str" if kinds == {str} else "object"


def _exact_as_floats(values: Sequence[Any]) -> bool:
    return all(abs(value) <= 1 << 53 for value in values if isinstance(value, int))
