"""Runs, experiments and the names in use, as frozen records.

Every call makes a fixed number of queries, for each 500 runs where it takes several.
"""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, Connection, FromClause, and_, func, select

from tracking.database import carried_queries
from tracking.database.filter_sql import (
    TOP_LEVEL,
    experiments,
    goals,
    metric_keys,
    param_keys,
    params,
    runs,
    summaries,
    tags,
)
from tracking.database.moments import moment
from tracking.database.param_values import decode_value, nest
from tracking.database.search_columns import chunks
from tracking.database.tables import Table
from tracking.errors import NotFound
from tracking.records import ExperimentRecord, Goal, KeyCatalogue, MetricSummary, RunRecord, RunStatus
from tracking.validation import storable

sessions = Table.metadata.tables["sessions"]

_LIVE = [status.value for status in RunStatus if not status.is_final]
# What a search without a filter shows.
_SHOWN = and_(runs.c.deleted.is_(None), TOP_LEVEL)


def run_record(connection: Connection, uid: str) -> RunRecord:
    """Return one run, also from the trash.

    Raises:
        NotFound: There is no run of that id.
    """
    return run_records(connection, [uid])[0]


def run_records(connection: Connection, uids: Sequence[str]) -> list[RunRecord]:
    """Return runs in the order asked for, also from the trash.

    Raises:
        NotFound: One of the ids is unknown.
    """
    for uid in uids:
        if not isinstance(uid, str):
            raise NotFound(f"There is no run {uid!r}: the id of a run is a string.")
    found: dict[str, RunRecord] = {}
    for part in chunks(list(dict.fromkeys(uids))):
        statement = select(runs, experiments.c.name.label("experiment")).join(experiments)
        rows = connection.execute(statement.where(runs.c.uid.in_([storable(uid) for uid in part]))).all()
        ids = [row.id for row in rows]
        leaves = _params_of(connection, ids)
        metrics = _summaries_of(connection, ids)
        labels = _tags_of(connection, ids)
        carried = carried_queries.artifacts_of(connection, ids)
        for row in rows:
            record = _record(row, leaves[row.id], metrics[row.id], labels[row.id])
            found[row.uid] = replace(record, artifacts=tuple(carried[row.id])) if carried[row.id] else record
    for uid in uids:
        if uid not in found:
            raise NotFound(f"There is no run {uid!r} in this store. Its runs are listed by store.search().")
    return [found[uid] for uid in uids]


def experiment_records(connection: Connection) -> list[ExperimentRecord]:
    """Return the experiments, the one with the newest activity first.

    Runs are counted as a search shows them: neither those in the trash nor children. An experiment
    of which everything is in the trash is left out.
    """
    kept = select(
        runs.c.experiment_id,
        func.count().label("stored"),
        func.count().filter(runs.c.deleted.is_(None)).label("kept"),
        func.count().filter(_SHOWN).label("shown"),
        func.count().filter(_SHOWN, runs.c.status.in_(_LIVE)).label("live"),
        func.max(runs.c.last_seen).filter(runs.c.deleted.is_(None)).label("last_seen"),
    ).group_by(runs.c.experiment_id)
    counts = kept.subquery()
    rows = connection.execute(
        select(experiments, counts).outerjoin_from(
            experiments, counts, counts.c.experiment_id == experiments.c.id
        )
    )
    known: dict[int, dict[str, Goal]] = defaultdict(dict)
    for experiment_id, key, goal in connection.execute(
        select(goals.c.experiment_id, metric_keys.c.name, goals.c.goal).join_from(goals, metric_keys)
    ):
        known[experiment_id][key] = Goal(goal)
    records = [
        ExperimentRecord(
            name=row.name,
            runs=row.shown or 0,
            live=row.live or 0,
            created=moment(row.created),
            last_activity=moment(max(row.created, row.last_seen or row.created)),
            structure=row.structure,
            activity=row.activity,
            goals=known[row.id],
            **_repeats(row),
        )
        for row in rows
        if row.kept or not row.stored
    ]
    return sorted(records, key=lambda record: (record.last_activity, record.name), reverse=True)


def key_catalogue(connection: Connection, experiment: str | None = None) -> KeyCatalogue:
    """Return the metric keys, dotted params and tags in use outside the trash, by an experiment or by any."""
    belongs: ColumnElement[bool] = runs.c.deleted.is_(None)
    if experiment is not None:
        named = select(experiments.c.id).where(experiments.c.name == storable(experiment)).scalar_subquery()
        belongs = and_(belongs, runs.c.experiment_id == named)

    def in_use(names: FromClause, table: FromClause) -> tuple[str, ...]:
        used = select(table.c.key_id).join(runs, runs.c.id == table.c.run_id).where(belongs)
        # Of one experiment every row is read, of the whole store one for each key.
        having = names.c.id.in_(used) if experiment else used.where(table.c.key_id == names.c.id).exists()
        return tuple(connection.execute(select(names.c.name).where(having).order_by(names.c.name)).scalars())

    labels = select(tags.c.tag).join(runs).where(belongs).distinct().order_by(tags.c.tag)
    return KeyCatalogue(
        metrics=in_use(metric_keys, summaries),
        params=in_use(param_keys, params),
        tags=tuple(connection.execute(labels).scalars()),
    )


def revisions(connection: Connection) -> dict[str, tuple[int, int]]:
    """Return `(structure, activity)` of every experiment by its name."""
    rows = connection.execute(select(experiments.c.name, experiments.c.structure, experiments.c.activity))
    return {name: (structure, activity) for name, structure, activity in rows}


def run_revision(connection: Connection, uid: str) -> int:
    """Return the number that grows with every change of the run.

    Raises:
        NotFound: There is no run of that id.
    """
    found = connection.execute(select(runs.c.revision).where(runs.c.uid == storable(uid))).scalar()
    if found is None:
        raise NotFound(f"There is no run {uid!r} in this store.")
    return int(found)


def owner_spool(connection: Connection, uid: str) -> str | None:
    """Return the name of the spool of the session that owns the run, None when there is none."""
    statement = (
        select(sessions.c.spool)
        .join(runs)
        .where(runs.c.uid == storable(uid), sessions.c.owner)
        .order_by(sessions.c.ordinal.desc(), sessions.c.id.desc())
    )
    spool: str | None = connection.execute(statement.limit(1)).scalar()
    return spool


def _params_of(connection: Connection, ids: Sequence[int]) -> dict[int, list[tuple[str, str | None, Any]]]:
    statement = (
        select(params.c.run_id, param_keys.c.name, params.c.path, params.c.kind, params.c.text)
        .join_from(params, param_keys)
        .where(params.c.run_id.in_(ids))
        .order_by(param_keys.c.name)
    )
    found: dict[int, list[tuple[str, str | None, Any]]] = defaultdict(list)
    for run_id, name, path, kind, text in connection.execute(statement):
        found[run_id].append((name, path, decode_value(kind, text)))
    return found


def _summaries_of(connection: Connection, ids: Sequence[int]) -> dict[int, dict[str, MetricSummary]]:
    statement = (
        select(summaries, metric_keys.c.name.label("key"))
        .join_from(summaries, metric_keys)
        .where(summaries.c.run_id.in_(ids))
        .order_by(metric_keys.c.name)
    )
    found: dict[int, dict[str, MetricSummary]] = defaultdict(dict)
    # By column name: rows are tuples, whose `count` is a method.
    for row in connection.execute(statement).mappings():
        found[row["run_id"]][row["key"]] = MetricSummary(
            key=row["key"],
            count=row["count"],
            first=math.nan if row["first"] is None else row["first"],
            first_step=row["first_step"],
            last=math.nan if row["last"] is None else row["last"],
            last_step=row["last_step"],
            min=row["min"],
            min_step=row["min_step"],
            max=row["max"],
            max_step=row["max_step"],
            mean=row["mean"],
            non_finite=row["non_finite"],
        )
    return found


def _tags_of(connection: Connection, ids: Sequence[int]) -> dict[int, list[str]]:
    statement = select(tags.c.run_id, tags.c.tag).where(tags.c.run_id.in_(ids))
    found: dict[int, list[str]] = defaultdict(list)
    for run_id, tag in connection.execute(statement.order_by(tags.c.position, tags.c.tag)):
        found[run_id].append(tag)
    return found


def _record(
    row: Any, leaves: list[tuple[str, str | None, Any]], metrics: dict[str, MetricSummary], labels: list[str]
) -> RunRecord:
    return RunRecord(
        id=row.uid,
        experiment=row.experiment,
        name=row.name,
        status=RunStatus(row.status),
        created=moment(row.created),
        ended=None if row.ended is None else moment(row.ended),
        duration=row.seconds,
        params=nest(leaves),
        flat_params={name: value for name, _, value in leaves},
        metrics=metrics,
        tags=tuple(labels),
        notes=row.notes,
        group=row.group_name,
        parent=row.parent,
        total_steps=row.total_steps,
        error=row.error,
        dropped_points=row.dropped_points,
        revision=row.revision,
        deleted=row.deleted is not None,
    )


def _repeats(row: Any) -> dict[str, tuple[str, ...]]:
    """Return what `define_repeat` said; the record's defaults hold for what it did not."""
    said = {"vary": row.vary, "ignore": row.ignore}
    return {name: tuple(json.loads(text)) for name, text in said.items() if text is not None}
