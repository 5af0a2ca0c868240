"""How a run stands, asked before the database layer is loaded: by the processes of a launch as they start.

The one place that opens the database without SQLAlchemy, whose import takes longer than a rank may wait.
"""

from __future__ import annotations

import contextlib
import sqlite3
from dataclasses import dataclass

from tracking.config import StoreLocation
from tracking.records import RunStatus

_QUERY = """
SELECT r.status, coalesce(r.ended, r.last_seen), r.deleted IS NOT NULL,
       EXISTS (SELECT 1 FROM sessions AS s WHERE s.run_id = r.id AND s.owner), e.name
FROM runs AS r JOIN experiments AS e ON e.id = r.experiment_id WHERE r.uid = ?
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
    if not location.database.exists():
        return None
    try:
        address = f"{location.database.as_uri()}?mode=ro"
        with contextlib.closing(sqlite3.connect(address, uri=True, timeout=1.0)) as connection:
            row = connection.execute(_QUERY, (run_id,)).fetchone()
    except (sqlite3.Error, ValueError):
        return None
    if row is None:
        return None
    status, last_seen, deleted, owned, experiment = row
    return Standing(RunStatus(status), int(last_seen), bool(deleted), bool(owned), str(experiment))
