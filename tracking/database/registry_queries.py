"""The registry as frozen records. Who holds an alias is what the last row of the journal about it says."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, case, func, select

from tracking.database.moments import moment
from tracking.database.registry_tables import ModelRow, ModelVersionRow, RegistryJournalRow, VersionNotesRow
from tracking.database.registry_values import gates_of, read_json, readable_gates, results_of
from tracking.database.run_writes import experiments, goals, metric_keys, runs
from tracking.database.search_columns import rows_in
from tracking.errors import StoreDamaged
from tracking.records import Goal
from tracking.registry_records import GENESIS, Gate, JournalEntry, JournalKind, ModelRecord, VersionRecord

models = ModelRow.__table__  # type: ignore[attr-defined]
versions = ModelVersionRow.__table__  # type: ignore[attr-defined]
notes = VersionNotesRow.__table__  # type: ignore[attr-defined]
journal = RegistryJournalRow.__table__  # type: ignore[attr-defined]

HOLDING = (JournalKind.PROMOTE.value, JournalKind.ROLLBACK.value, JournalKind.RETIRE.value)
"""Rows that change who holds an alias."""
_EVER = 1 << 62


@dataclass(frozen=True, slots=True)
class Holding:
    """That a version got an alias, or with `version` None that nobody has it any more.

    Attributes:
        position: Of the row of the journal.
        at: When, in microseconds.
        kind: Promote, rollback or retire.
        version: Who has the alias from then on.
        previous: Who had it until then, None for nobody.
        overridden: Against a gate.
        reason: As given.
    """

    position: int
    at: int
    kind: JournalKind
    version: int | None
    previous: int | None
    overridden: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Standing:
    """How an alias of a model stands.

    Attributes:
        version: Who has it, None for nobody.
        since: When that version got it, in microseconds.
        overridden: The reason that was typed last, by version that ever got it against a gate.
    """

    version: int | None
    since: int
    overridden: Mapping[int, str]


def model_row(connection: Connection, key: str) -> Any | None:
    """Return a model's row by the key that look-alike names share, None when there is none."""
    return connection.execute(select(models).where(models.c.key == key)).first()


def model_names(connection: Connection) -> list[str]:
    """Return the names of all models, in order."""
    return list(connection.execute(select(models.c.name).order_by(models.c.key)).scalars())


def model_records(connection: Connection, key: str | None = None) -> list[ModelRecord]:
    """Return every model by name, or the one of a key."""
    query = select(models).order_by(models.c.key)
    rows = connection.execute(query if key is None else query.where(models.c.key == key)).all()
    counted = select(versions.c.model_id, func.count(), func.max(versions.c.number)).group_by(
        versions.c.model_id
    )
    counts = {number: (count, latest) for number, count, latest in connection.execute(counted)}
    held = standings(connection, None if key is None else [row.name for row in rows])
    found = []
    for row in rows:
        count, latest = counts.get(row.id, (0, 0))
        mine = {alias: stands for (name, alias), stands in held.items() if name == row.name}
        holders = {alias: stands.version for alias, stands in mine.items() if stands.version is not None}
        found.append(
            ModelRecord(
                name=row.name,
                created=_moment(row.created),
                versions=count,
                latest=latest,
                holders=holders,
                since={alias: _moment(mine[alias].since) for alias in holders},
                overridden=tuple(
                    alias for alias, number in holders.items() if number in mine[alias].overridden
                ),
                gates=readable_gates(row.gates),
                description=row.description,
                tags=tuple(read_json(row.tags, list)),
                revision=row.revision,
            )
        )
    return found


def standings(connection: Connection, names: Sequence[str] | None = None) -> dict[tuple[str, str], Standing]:
    """Return how each alias of models stands, by name and alias, in order; of all models when no names are given."""
    about = [journal.c.kind.in_(HOLDING), journal.c.alias.is_not(None)]
    if names is not None:
        about.append(journal.c.model.in_(names))
    by_alias = (journal.c.model, journal.c.alias)
    # A row that gives an alias to who has it already is none that changed it.
    changed = journal.c.version.is_distinct_from(journal.c.previous)
    steps = (
        select(
            *by_alias,
            journal.c.position,
            journal.c.version,
            journal.c.overridden,
            journal.c.reason,
            func.max(case((changed, journal.c.position))).over(partition_by=by_alias).label("began"),
            func.max(journal.c.position).over(partition_by=by_alias).label("last"),
        )
        .where(*about)
        .subquery()
    )
    began = journal.alias("began")
    query = (
        select(steps, began.c.at)
        .outerjoin(began, began.c.position == steps.c.began)
        .where((steps.c.position == steps.c["last"]) | steps.c.overridden)
        .order_by(steps.c.model, steps.c.alias, steps.c.position)
    )
    found: dict[tuple[str, str], Standing] = {}
    reasons: dict[tuple[str, str], dict[int, str]] = defaultdict(dict)
    for row in connection.execute(query):
        where = (row.model, row.alias)
        if row.overridden and row.version is not None:
            reasons[where][row.version] = row.reason
        found[where] = Standing(row.version, row.at or 0, reasons[where])
    return found


def holdings(
    connection: Connection, names: Sequence[str] | None = None
) -> dict[tuple[str, str], list[Holding]]:
    """Return who got each alias of models, by name and alias, in order; of all models when no names are given."""
    query = (
        select(
            journal.c.model,
            journal.c.alias,
            journal.c.position,
            journal.c.at,
            journal.c.kind,
            journal.c.version,
            journal.c.previous,
            journal.c.overridden,
            journal.c.reason,
        )
        .where(journal.c.kind.in_(HOLDING), journal.c.alias.is_not(None))
        .order_by(journal.c.position)
    )
    found: dict[tuple[str, str], list[Holding]] = defaultdict(list)
    if names is not None:
        query = query.where(journal.c.model.in_(names))
    for row in connection.execute(query):
        found[row.model, row.alias].append(_holding(row))
    return found


def holder(connection: Connection, model: str, alias: str, *, until: int = _EVER) -> Holding | None:
    """Return the last change of who holds an alias, None when there was none.

    Args:
        connection: To read with.
        model: Its name.
        alias: As stored.
        until: Only rows of this moment or before it, in microseconds.
    """
    row = connection.execute(
        select(journal)
        .where(
            journal.c.model == model,
            journal.c.alias == alias,
            journal.c.kind.in_(HOLDING),
            journal.c.at <= until,
        )
        .order_by(journal.c.position.desc())
        .limit(1)
    ).first()
    if row is None:
        return None
    return _holding(row)


def _holding(row: Any) -> Holding:
    return Holding(
        row.position,
        row.at,
        JournalKind(row.kind),
        row.version,
        row.previous,
        bool(row.overridden),
        row.reason,
    )


def aliases(connection: Connection, model: str) -> list[str]:
    """Return every alias that a model ever had a row about, in order."""
    query = select(journal.c.alias).where(journal.c.model == model, journal.c.alias.is_not(None)).distinct()
    return sorted(each for each in connection.execute(query).scalars() if isinstance(each, str))


def version_records(
    connection: Connection, model: str | None = None, *, number: int | None = None, run: str | None = None
) -> list[VersionRecord]:
    """Return versions, the newest of each model first.

    Args:
        connection: To read with.
        model: Of the model of this name alone.
        number: This one alone.
        run: Made from this run alone, by its id.
    """
    query = (
        select(
            versions,
            models.c.name.label("model"),
            runs.c.uid,
            runs.c.name.label("run_name"),
            experiments.c.name.label("experiment"),
            notes.c.description.label("said"),
            notes.c.tags.label("labels"),
        )
        .join(models, models.c.id == versions.c.model_id)
        .join(runs, runs.c.id == versions.c.run_id)
        .join(experiments, experiments.c.id == runs.c.experiment_id)
        .outerjoin(notes, (notes.c.model_id == versions.c.model_id) & (notes.c.number == versions.c.number))
        .order_by(models.c.key, versions.c.number.desc())
    )
    if model is not None:
        query = query.where(models.c.name == model)
    if number is not None:
        query = query.where(versions.c.number == number)
    if run is not None:
        query = query.where(runs.c.uid == run)
    rows = connection.execute(query).all()
    held = standings(connection, sorted({row.model for row in rows})) if rows else {}
    return [_version(row, held) for row in rows]


def journal_entries(connection: Connection, model: str | None = None) -> list[JournalEntry]:
    """Return the journal in order, or what it says of one model."""
    query = select(journal).order_by(journal.c.position)
    if model is not None:
        query = query.where(journal.c.model == model)
    return [journal_entry(row) for row in connection.execute(query)]


def journal_entry(row: Any) -> JournalEntry:
    """Return a row of the journal as a record.

    Raises:
        StoreDamaged: Somebody changed it to what no row says.
    """
    try:
        return JournalEntry(
            position=row.position,
            at=moment(row.at),
            kind=JournalKind(row.kind),
            model=row.model,
            alias=row.alias,
            version=row.version,
            previous=row.previous,
            by=row.by,
            reason=row.reason,
            overridden=bool(row.overridden),
            gates=results_of(row.gates),
            evidence=read_json(row.evidence, dict),
            details=read_json(row.details, dict),
            previous_digest=row.previous_digest,
            digest=row.digest,
        )
    except (ValueError, TypeError) as error:
        raise StoreDamaged(
            f"Row {row.position} of the registry's journal cannot be read ({error}). `tracking registry verify` says "
            "what else was changed; put a backup in its place."
        ) from error


def head(connection: Connection) -> tuple[int, str]:
    """Return position and digest of the journal's last row; 0 and 64 zeros of an empty one."""
    query = select(journal.c.position, journal.c.digest).order_by(journal.c.position.desc()).limit(1)
    row = connection.execute(query).first()
    return (0, GENESIS) if row is None else (row.position, row.digest)


def revision(connection: Connection) -> int:
    """Return a number that grows with every change of the registry."""
    return int(connection.execute(select(func.coalesce(func.sum(models.c.revision), 0))).scalar_one())


def gates(connection: Connection, key: str) -> tuple[Gate, ...]:
    """Return the gates of the model of a key."""
    return gates_of(connection.execute(select(models.c.gates).where(models.c.key == key)).scalar_one())


def run_states(
    connection: Connection, uids: Sequence[str]
) -> tuple[dict[str, tuple[int, bool]], dict[str, int]]:
    """Return revision, and whether it is in the trash, of each run that there is, and `structure` of its experiment."""
    found: dict[str, tuple[int, bool]] = {}
    homes: dict[str, int] = {}
    query = select(
        runs.c.uid, runs.c.revision, runs.c.deleted, experiments.c.name, experiments.c.structure
    ).join_from(runs, experiments)
    for uid, moved, gone, home, structure in rows_in(connection, query, runs.c.uid, sorted(uids)):
        found[uid] = (moved, gone is not None)
        homes[home] = structure
    return found, homes


def models_of_experiments(connection: Connection, names: Sequence[str]) -> list[str]:
    """Return the names of models of which a version was made from a run of these experiments."""
    query = (
        select(models.c.name)
        .join(versions, versions.c.model_id == models.c.id)
        .join(runs, runs.c.id == versions.c.run_id)
        .join(experiments, experiments.c.id == runs.c.experiment_id)
        .where(experiments.c.name.in_(names))
        .distinct()
        .order_by(models.c.name)
    )
    return list(connection.execute(query).scalars())


def goals_of(connection: Connection, experiment: str) -> dict[str, Goal]:
    """Return which direction is better, by metric, as defined for an experiment."""
    query = (
        select(metric_keys.c.name, goals.c.goal)
        .join_from(goals, metric_keys)
        .join(experiments, experiments.c.id == goals.c.experiment_id)
        .where(experiments.c.name == experiment)
    )
    return {key: Goal(goal) for key, goal in connection.execute(query)}


def _version(row: Any, held: Mapping[tuple[str, str], Standing]) -> VersionRecord:
    mine = {alias: stands for (name, alias), stands in held.items() if name == row.model}
    return VersionRecord(
        model=row.model,
        number=row.number,
        run=row.uid,
        experiment=row.experiment,
        run_name=row.run_name,
        artifact=row.artifact,
        step=row.step,
        digest=row.digest,
        size=row.size,
        created=_moment(row.created),
        by=row.by,
        details=read_json(row.details, dict),
        lineage=read_json(row.lineage, dict),
        aliases=tuple(alias for alias, stands in mine.items() if stands.version == row.number),
        overridden={
            alias: stands.overridden[row.number]
            for alias, stands in mine.items()
            if row.number in stands.overridden
        },
        description=row.said or "",
        tags=tuple(read_json(row.labels, list)),
        kind=row.kind,
    )


def _moment(stored: Any) -> datetime:
    # What somebody changed must not keep a page from being drawn; `verify` names it.
    return moment(stored if isinstance(stored, int) else 0)
