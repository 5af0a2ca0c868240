"""Rows of runs for tests of the queries, without spool and ingest."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, insert, select
from sqlalchemy.pool import StaticPool

from tracking.database.tables import Table
from tracking.validation import flatten_params

TABLES = Table.metadata.tables
CREATED = 1_700_000_000_000_000


def empty_database() -> Engine:
    """Return an engine on a database in memory that has every table."""
    engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
    Table.metadata.create_all(engine)
    return engine


@dataclass(frozen=True)
class Run:
    """A run as a test describes it; `metrics` are the points logged, at steps 0, 1, …"""

    uid: str
    experiment: str = "digits"
    name: str = "run"
    status: str = "finished"
    created: int = CREATED
    seconds: float = 1.0
    group: str | None = None
    notes: str = ""
    parent: str | None = None
    deleted: bool = False
    tags: Sequence[str] = ()
    params: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, Sequence[float]] = field(default_factory=dict)

    def summary(self, key: str) -> dict[str, Any] | None:
        """Return what the summary row of a metric says."""
        values = self.metrics.get(key)
        if not values:
            return None
        finite = [value for value in values if math.isfinite(value)]
        low, high = (min(finite), max(finite)) if finite else (None, None)
        return {
            "count": len(values),
            "non_finite": len(values) - len(finite),
            "first": None if math.isnan(values[0]) else values[0],
            "first_step": 0,
            "last": None if math.isnan(values[-1]) else values[-1],
            "last_step": len(values) - 1,
            "min": low,
            "min_step": None if low is None else values.index(low),
            "max": high,
            "max_step": None if high is None else values.index(high),
            "mean": sum(finite) / len(finite) if finite else None,
        }


def add_runs(connection: Connection, *described: Run) -> None:
    """Insert runs, with their experiments and keys where these are new."""
    for run in described:
        experiment_id = _interned(connection, "experiments", run.experiment, created=run.created)
        row = connection.execute(
            insert(TABLES["runs"]).values(
                uid=run.uid,
                experiment_id=experiment_id,
                name=run.name,
                status=run.status,
                created=run.created,
                last_seen=run.created + int(run.seconds * 1e6),
                seconds=run.seconds,
                group_name=run.group,
                notes=run.notes,
                parent=run.parent,
                dropped_points=0,
                revision=7,
                activity=0,
                deleted=run.created if run.deleted else None,
            )
        )
        run_id = row.inserted_primary_key[0]
        for position, tag in enumerate(run.tags):
            connection.execute(insert(TABLES["tags"]).values(run_id=run_id, tag=tag, position=position))
        for name, kind, text, number, path in flatten_params(run.params):
            key_id = _interned(connection, "param_keys", name)
            value = {"kind": kind, "text": text, "number": number, "path": path}
            connection.execute(insert(TABLES["params"]).values(run_id=run_id, key_id=key_id, **value))
        for key in run.metrics:
            summary = run.summary(key)
            if summary:
                key_id = _interned(connection, "metric_keys", key)
                connection.execute(
                    insert(TABLES["metric_summaries"]).values(run_id=run_id, key_id=key_id, **summary)
                )


def set_goal(connection: Connection, experiment: str, key: str, goal: str) -> None:
    """Insert what `define_metric` said."""
    experiment_id = _interned(connection, "experiments", experiment, created=CREATED)
    key_id = _interned(connection, "metric_keys", key)
    row = {"experiment_id": experiment_id, "key_id": key_id, "goal": goal}
    connection.execute(insert(TABLES["metric_goals"]).values(**row))


def set_repeats(connection: Connection, experiment: str, vary: list[str], ignore: list[str]) -> None:
    """Write what `define_repeat` said."""
    table = TABLES["experiments"]
    values = {"vary": json.dumps(vary), "ignore": json.dumps(ignore)}
    connection.execute(table.update().where(table.c.name == experiment).values(**values))


def _interned(connection: Connection, table: str, name: str, **values: Any) -> int:
    rows = TABLES[table]
    found = connection.execute(select(rows.c.id).where(rows.c.name == name)).scalar()
    if found is None:
        if table == "experiments":
            values |= {"structure": 3, "activity": 5}
        found = connection.execute(insert(rows).values(name=name, **values)).inserted_primary_key[0]
    return int(found)
