"""Summary rows: computed from points, added up batch by batch."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, case, func
from sqlalchemy.dialects.sqlite import insert

from tracking.database.tables import MetricSummaryRow

summaries = MetricSummaryRow.__table__  # type: ignore[attr-defined]


def summarize(steps: NDArray[np.int64], values: NDArray[np.float64]) -> dict[str, Any]:
    """Return the summary columns of points in the order of writing (at least one)."""
    finite = np.isfinite(values)
    whole = bool(finite.all())
    good = values if whole else values[finite]
    row: dict[str, Any] = {
        "count": len(values),
        "non_finite": len(values) - len(good),
        "first": _stored(values[0]),
        "first_step": int(steps[0]),
        "last": _stored(values[-1]),
        "last_step": int(steps[-1]),
        "min": None,
        "min_step": None,
        "max": None,
        "max_step": None,
        "mean": None,
    }
    if len(good):
        low, high = int(good.argmin()), int(good.argmax())
        at = steps if whole else steps[finite]
        row["min"], row["min_step"] = float(good[low]), int(at[low])
        row["max"], row["max_step"] = float(good[high]), int(at[high])
        with np.errstate(over="ignore"):
            mean = float(good.mean())
        # The sum of finite values may overflow where their mean does not.
        row["mean"] = mean if np.isfinite(mean) else float((good / len(good)).sum())
    return row


def _stored(value: np.float64) -> float | None:
    return None if value != value else float(value)


def add_summaries(connection: Connection, rows: list[dict[str, Any]]) -> None:
    """Add batches to what is there; each row has `run_id`, `key_id` and `summarize`'s columns."""
    connection.execute(ADD, rows)


def replace_summary(connection: Connection, row: dict[str, Any]) -> None:
    """Write a summary that was computed from all visible points."""
    statement = insert(summaries)
    columns = {column: statement.excluded[column] for column in row if column not in ("run_id", "key_id")}
    connection.execute(
        statement.on_conflict_do_update(index_elements=["run_id", "key_id"], set_=columns), [row]
    )


def _addition() -> Any:
    statement = insert(summaries)
    old, new = summaries.c, statement.excluded
    lower = new.min.is_not(None) & (old.min.is_(None) | (new.min < old.min))
    higher = new.max.is_not(None) & (old.max.is_(None) | (new.max > old.max))
    old_finite, new_finite = old.count - old.non_finite, new.count - new.non_finite
    # Weights before products: a count times a large mean could overflow.
    weight = new_finite * 1.0 / func.max(old_finite + new_finite, 1)
    return statement.on_conflict_do_update(
        index_elements=["run_id", "key_id"],
        set_={
            "count": old.count + new.count,
            "non_finite": old.non_finite + new.non_finite,
            "last": new.last,
            "last_step": new.last_step,
            "min": case((lower, new.min), else_=old.min),
            "min_step": case((lower, new.min_step), else_=old.min_step),
            "max": case((higher, new.max), else_=old.max),
            "max_step": case((higher, new.max_step), else_=old.max_step),
            "mean": case(
                (old.mean.is_(None), new.mean),
                (new.mean.is_(None), old.mean),
                else_=old.mean * (1.0 - weight) + new.mean * weight,
            ),
        },
    )


ADD = _addition()
"""Adds a batch to a summary, or makes it."""
