"""What is asked of a run before the database layer is loaded: by the processes of a launch, and by quick trials.

The one place that opens the database without SQLAlchemy, whose import takes longer than a rank may wait.
"""

from __future__ import annotations

import contextlib
import sqlite3
from dataclasses import dataclass
from typing import Any

from tracking.config import StoreLocation
from tracking.records import RunStatus

_QUERY = """
SELECT r.status, coalesce(r.ended, r.last_seen), r.deleted IS NOT NULL,
       EXISTS (SELECT 1 FROM sessions AS s WHERE s.run_id = r.id AND s.owner), e.name
FROM runs AS r JOIN experiments AS e ON e.id = r.experiment_id WHERE r.uid = ?
"""

_POINTS = """
SELECT 1 FROM metric_series AS s JOIN runs AS r ON r.id = s.run_id JOIN metric_keys AS k ON k.id = s.key_id
WHERE r.uid = ? AND k.name = ? LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class Standing:
    """Attributes of a run's row.

    Attributes:
        status: As far as it was ingested.
        last_seen: When it ended, or its last sign of life, in microseconds since 1970-01-01 UTC.
        deleted: Whether it lies in the trash.
        owned: Whether a session ever owned it.
        experiment: The name of its experiment.
    """

    status: RunStatus
    last_seen: int
    deleted: bool
    owned: bool
    experiment: str


def run_standing(location: StoreLocation, run_id: str) -> Standing | None:
    """Return how a run stands, None when the database does not know it or cannot say."""
    try:
        row = _first_row(location, _QUERY, run_id)
    except (sqlite3.Error, ValueError):
        return None
    if row is None:
        return None
    status, last_seen, deleted, owned, experiment = row
    return Standing(RunStatus(status), int(last_seen), bool(deleted), bool(owned), str(experiment))


def may_have_points(location: StoreLocation, run_id: str, key: str) -> bool:
    """Return whether the database has points of a metric of a run, also True where it cannot say."""
    try:
        return _first_row(location, _POINTS, run_id, key) is not None
    except (sqlite3.Error, ValueError):
        return True


def _first_row(location: StoreLocation, query: str, *values: str) -> tuple[Any, ...] | None:
    if not location.database.exists():
        return None
    address = f"{location.database.as_uri()}?mode=ro"
    with contextlib.closing(sqlite3.connect(address, uri=True, timeout=1.0)) as connection:
        found: tuple[Any, ...] | None = connection.execute(query, values).fetchone()
    return found
