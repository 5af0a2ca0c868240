"""What a run had measured when a version was made of it: a model is judged by what belongs to it, whatever came later.

A version's lineage keeps three facts: `metrics`, the last values; `summaries`, of each metric the numbers of `FIELDS`;
both of a version with a step up to that step. And `logged`, a digest of the whole run's metrics, which tells whether
the run went on.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from typing import Any

from tracking.database.history import read_series
from tracking.database.registry_chain import canonical
from tracking.database.summaries import summarize
from tracking.records import SYSTEM_METRICS, MetricSummary, RunRecord
from tracking.registry_records import VersionRecord

FIELDS = (
    "count", "first", "first_step", "last", "last_step", "min", "min_step", "max", "max_step", "mean", "non_finite"
)  # fmt: skip
"""Of a `MetricSummary`, in this order."""
_COUNTED = ("count", "first", "last", "last_step", "min", "max", "non_finite")
"""What tells whether points came. A mean differs in its last digit by the order in which points were added up."""


def measured(connection: Any, run: RunRecord, step: int | None) -> dict[str, Any]:
    """Return the facts that the lineage keeps of a run's metrics.

    Args:
        connection: To read with.
        run: The run.
        step: Of the model: points of later steps are not its own. None for all that the run has logged.
    """
    found = _own(run)
    logged = _digest(found)
    if step is not None:
        found = _until(connection, run.id, found, step)
    return {
        "metrics": {key: each.last for key, each in found.items()},
        "summaries": {key: [getattr(each, name) for name in FIELDS] for key, each in found.items()},
        "logged": logged,
    }


def summaries_of(version: VersionRecord) -> dict[str, MetricSummary] | None:
    """Return a version's metrics as they were at registration; None where that was not kept."""
    if "logged" not in version.lineage:
        return None
    said = version.lineage.get("summaries")
    return {
        key: MetricSummary(key=key, **dict(zip(FIELDS, map(_number, values), strict=True)))
        for key, values in (said.items() if isinstance(said, Mapping) else ())
        if isinstance(values, list) and len(values) == len(FIELDS)
    }


def last_of(version: VersionRecord, key: str) -> float | None:
    """Return the last value that a version's lineage has of a metric, None where it has none."""
    said = version.lineage.get("metrics")
    value = _number(said.get(key)) if isinstance(said, Mapping) else None
    return value if isinstance(value, int | float) else None


def went_on(version: VersionRecord, run: RunRecord) -> bool:
    """Whether a version's run has logged metrics since the version was registered."""
    own = _own(run)
    if "logged" in version.lineage:
        return bool(version.lineage["logged"] != _digest(own))
    said = version.lineage.get("metrics")
    then = said if isinstance(said, Mapping) else {}
    return then.keys() != own.keys() or any(
        not alike(last_of(version, key), each.last) for key, each in own.items()
    )


def alike(one: float | None, other: float | None) -> bool:
    """Whether two values are one: NaN is like NaN, None like None."""
    return one == other or (one is not None and other is not None and one != one and other != other)


def _own(run: RunRecord) -> dict[str, MetricSummary]:
    return {key: each for key, each in run.metrics.items() if not key.startswith(SYSTEM_METRICS)}


def _until(
    connection: Any, run: str, found: Mapping[str, MetricSummary], step: int
) -> dict[str, MetricSummary]:
    known: dict[str, MetricSummary] = {}
    for key in found:  # one at a time: a history may be long
        series = read_series(connection, [run], [key]).get((run, key))
        if series is None:
            continue
        kept = series.steps <= step
        if not kept.any():
            continue
        row = summarize(series.steps[kept], series.values[kept])
        for name in ("first", "last"):
            row[name] = math.nan if row[name] is None else row[name]
        known[key] = MetricSummary(key=key, **row)
    return known


def _digest(found: Mapping[str, MetricSummary]) -> str:
    said = {key: [getattr(each, name) for name in _COUNTED] for key, each in found.items()}
    return hashlib.sha256(canonical(said).encode()).hexdigest()


def _number(value: Any) -> Any:
    """Return a number as it was before JSON, which lacks some."""
    return float(value) if value in ("NaN", "Infinity", "-Infinity") else value
