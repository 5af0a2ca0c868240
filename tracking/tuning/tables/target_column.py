"""The column to predict: taken out of a table and checked against the metric."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any

from tracking.errors import InvalidValue
from tracking.tuning.definition import TableTarget
from tracking.tuning.tables.columns import decimals, is_truth
from tracking.tuning.tables.task import BINARY, NOT_NEGATIVE, POSITIVE, Task, task_of

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

_FEW_NUMBERS = 20
"""Whole numbers with more different values than this, some of them rare, are taken for numbers and not for classes."""


def take_target(
    frame: pd.DataFrame, target: TableTarget, source: str
) -> tuple[pd.DataFrame, NDArray[Any], list[str]]:
    """Return the rows that have a target, without its column; the target's values; notes.

    Raises:
        InvalidValue: There is no such column, no row, one class only, values that the metric is not for, or too few
            rows for the folds.
    """
    column = target.column
    if column not in frame.columns:
        raise InvalidValue(_no_column(frame, column, source))
    if frame.empty:
        raise InvalidValue(f"{source!r:.250} has no rows.")
    if len(frame.columns) == 1:
        raise InvalidValue(
            f"{source!r:.250} has only the column {column!r:.80}: there is nothing to learn from."
        )
    series = frame[column]
    missing = series.isna()
    notes = []
    if missing.all():
        raise InvalidValue(f"The column {column!r:.80} of {source!r:.250} has no value in any row.")
    if missing.any():
        count = int(missing.sum())
        notes.append(f"Left out, without a value of {column:.80}: {count:,} of {len(frame):,} rows.")
        frame, series = frame[~missing], series[~missing]
    if is_truth(series):
        series = series.astype(bool)
    elif (number := decimals(series)) is not None:
        series = number
    checked = _classes if task_of(target.metric) is Task.CLASSIFICATION else _numbers
    values = checked(series, target)
    return frame.drop(columns=column).reset_index(drop=True), values, notes


def _no_column(frame: Any, column: str, source: str) -> str:
    names = list(frame.columns)
    by_folded = {name.casefold().strip(): name for name in names}
    near = difflib.get_close_matches(column.casefold().strip(), by_folded, n=3, cutoff=0.5)
    if near:
        hint = f"Did you mean {' or '.join(repr(by_folded[each]) for each in near)}?"
    else:
        shown = ", ".join(f"{name:.60}" for name in names[:10])
        hint = f"It has: {shown}" + (f" and {len(names) - 10} more." if len(names) > 10 else ".")
    if source.startswith("sklearn:") and "target" in names:
        hint = "Its column to predict is 'target'."
    return f"{source!r:.250} has no column {column!r:.80}. {hint}"


def _classes(series: Any, target: TableTarget) -> NDArray[Any]:
    import numpy as np
    from pandas.api import types

    if str(series.dtype) == "category":
        series = series.astype(series.cat.categories.dtype)
    if types.is_datetime64_any_dtype(series):
        raise InvalidValue(
            f"The column {target.column!r:.80} holds dates: they are neither classes nor numbers."
        )
    number = types.is_numeric_dtype(series) and not types.is_bool_dtype(series)
    if number and not bool((series % 1 == 0).all()):
        raise InvalidValue(_meant_numbers(series, target))
    counts = series.astype(str).value_counts()
    if len(counts) < 2:
        raise InvalidValue(
            f"The column {target.column!r:.80} has one class only, {counts.index[0]!r:.80}: there is nothing to tell "
            "apart."
        )
    rarest, least = str(counts.index[-1]), int(counts.iloc[-1])
    if number and len(counts) > _FEW_NUMBERS and least < target.folds:
        raise InvalidValue(_meant_numbers(series, target))
    if len(counts) > 2 and target.metric in BINARY:
        instead = "roc_auc_ovr" if target.metric == "roc_auc" else f"{target.metric}_macro"
        known = target.metric in ("f1", "jaccard", "precision", "recall", "roc_auc")
        raise InvalidValue(
            f"{target.metric!r} is for two classes, and the column {target.column!r:.80} has {len(counts)}. "
            f"Take {(instead if known else 'balanced_accuracy')!r}."
        )
    if len(counts) == 2 and target.metric == "top_k_accuracy":
        raise InvalidValue("'top_k_accuracy' counts the best two guesses: of two classes it is always 1.")
    if least < target.folds:
        raise InvalidValue(
            f"{target.folds} folds need {target.folds} rows of every class; the column {target.column!r:.80} has "
            f"{least} of {rarest!r:.80}. Take fewer folds, or leave out or join rare classes."
        )
    if types.is_bool_dtype(series):
        return np.asarray(series.to_numpy(dtype=bool))
    return np.asarray(series.astype("int64") if number else series.astype(str).to_numpy(dtype=str))


def _meant_numbers(series: Any, target: TableTarget) -> str:
    return (
        f"{target.metric!r} is for classes, and the column {target.column!r:.80} holds numbers "
        f"({series.nunique():,} different ones). Take 'r2' or 'neg_root_mean_squared_error'."
    )


def _numbers(series: Any, target: TableTarget) -> NDArray[Any]:
    import numpy as np
    from pandas.api import types

    if not types.is_numeric_dtype(series) or types.is_bool_dtype(series) or types.is_complex_dtype(series):
        example = str(series.iloc[0])
        raise InvalidValue(
            f"{target.metric!r} is for numbers, and the column {target.column!r:.80} holds others, such as "
            f"{example!r:.80}. For classes take 'accuracy' or 'balanced_accuracy'."
        )
    values = np.asarray(series, dtype=np.float64)
    if not np.isfinite(values).all():
        raise InvalidValue(f"The column {target.column!r:.80} holds infinite values. Leave these rows out.")
    if (values == values[0]).all():
        raise InvalidValue(
            f"The column {target.column!r:.80} has one value only: there is nothing to predict."
        )
    low = float(values.min())
    if (low <= 0 and target.metric in POSITIVE) or (low < 0 and target.metric in NOT_NEGATIVE):
        above = "above zero" if target.metric in POSITIVE else "from zero on"
        raise InvalidValue(
            f"{target.metric!r} is for numbers {above}, and the column {target.column!r:.80} goes down to {low:g}."
        )
    if len(values) < 2 * target.folds:
        raise InvalidValue(
            f"{target.folds} folds need at least {2 * target.folds} rows; there are {len(values)}. Take fewer folds."
        )
    return values
