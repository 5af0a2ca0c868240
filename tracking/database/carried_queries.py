"""What runs carry, as frozen records: artifacts, datasets, captured sections."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Connection, func, select

from tracking.database.carried_rows import artifacts, captures, dataset_uses, datasets
from tracking.database.moments import moment
from tracking.database.tables import Table
from tracking.errors import NotFound
from tracking.records import ArtifactKind, ArtifactRecord, CaptureRecord, DatasetRecord
from tracking.spool.files import is_spool_id
from tracking.validation import storable

runs = Table.metadata.tables["runs"]
sessions = Table.metadata.tables["sessions"]


def artifact_records(connection: Connection, uid: str, *, superseded: bool = False) -> list[ArtifactRecord]:
    """Return a run's artifacts by name and step.

    Args:
        connection: To read with.
        uid: The run.
        superseded: Also those of which another of the same name and step was logged later.

    Raises:
        NotFound: There is no run of that id.
    """
    number = run_number(connection, uid)
    return artifacts_of(connection, [number], superseded=superseded)[number]


def artifacts_of(
    connection: Connection, numbers: Sequence[int], *, superseded: bool = False
) -> dict[int, list[ArtifactRecord]]:
    """Return the artifacts of runs by the runs' internal numbers; see `artifact_records`."""
    newest = func.max(artifacts.c.id).over(
        partition_by=(artifacts.c.run_id, artifacts.c.name, artifacts.c.step)
    )
    statement = (
        select(artifacts, runs.c.uid, (artifacts.c.id < newest).label("older"))
        .join(runs, runs.c.id == artifacts.c.run_id)
        .where(artifacts.c.run_id.in_(numbers))
        .order_by(artifacts.c.run_id, artifacts.c.name, artifacts.c.step, artifacts.c.id)
    )
    found: dict[int, list[ArtifactRecord]] = defaultdict(list)
    for row in connection.execute(statement):
        if superseded or not row.older:
            found[row.run_id].append(
                ArtifactRecord(
                    run=row.uid,
                    name=row.name,
                    kind=_kind(row.kind),
                    step=row.step,
                    digest=row.digest,
                    size=row.size,
                    files=row.files,
                    media_type=row.media_type,
                    created=moment(row.created),
                    details=json.loads(row.details),
                    superseded=bool(row.older),
                )
            )
    return found


def children_with(
    connection: Connection,
    uid: str,
    kinds: Collection[ArtifactKind],
    *,
    name: str | None = None,
    limit: int | None = None,
) -> list[str]:
    """Return the ids of a run's child runs that have an artifact of one of these kinds, in order of creation.

    Those in the trash are left out.

    Args:
        connection: To read with.
        uid: Of the parent.
        kinds: One of them.
        name: Of the artifact; None for any.
        limit: At most so many; None for all.

    Raises:
        NotFound: There is no run of that id.
    """
    run_number(connection, uid)
    carried = select(artifacts.c.id).where(artifacts.c.run_id == runs.c.id, artifacts.c.kind.in_(kinds))
    if name is not None:
        carried = carried.where(artifacts.c.name == name)
    children = runs.c.parent == storable(uid)
    query = select(runs.c.uid).where(children, runs.c.deleted.is_(None), carried.exists())
    return list(connection.execute(query.order_by(runs.c.created, runs.c.id).limit(limit)).scalars())


def dataset_records(connection: Connection, uid: str) -> list[DatasetRecord]:
    """Return the datasets that a run used, in the order it logged them.

    Raises:
        NotFound: There is no run of that id.
    """
    number = run_number(connection, uid)
    users = (
        select(dataset_uses.c.dataset_id, func.count(dataset_uses.c.run_id.distinct()).label("runs"))
        .join(runs, runs.c.id == dataset_uses.c.run_id)
        .where(runs.c.deleted.is_(None))
        .group_by(dataset_uses.c.dataset_id)
        .subquery()
    )
    statement = (
        select(datasets, dataset_uses.c.name, dataset_uses.c.source, dataset_uses.c.created.label("used"))
        .add_columns(func.coalesce(users.c.runs, 0).label("runs"))
        .join(dataset_uses, dataset_uses.c.dataset_id == datasets.c.id)
        .outerjoin(users, users.c.dataset_id == datasets.c.id)
        .where(dataset_uses.c.run_id == number)
        .order_by(dataset_uses.c.created, dataset_uses.c.name)
    )
    return [
        DatasetRecord(
            name=row["name"],
            source=row["source"],
            digest=row["digest"],
            kind=row["kind"],
            rows=row["rows"],
            columns=row["columns"],
            size=row["size"],
            schema=json.loads(row["schema"]),
            statistics=json.loads(row["statistics"]),
            object=row["object"],
            created=moment(row["used"]),
            runs=row["runs"],
        )
        for row in connection.execute(statement).mappings()
    ]


def session_names(connection: Connection, uid: str) -> list[tuple[str, int | None]]:
    """Return the spool's name and the rank of a run's sessions, in the order they began; raises NotFound.

    A name that could lead out of a folder is left out: a store from elsewhere may hold anything.
    """
    statement = select(sessions.c.spool, sessions.c.rank).where(
        sessions.c.run_id == run_number(connection, uid)
    )
    rows = connection.execute(statement.order_by(sessions.c.ordinal))
    return [(name, rank) for name, rank in rows if is_spool_id(name)]


def dataset_users(connection: Connection, digest: str) -> list[str]:
    """Return the ids of the runs outside the trash that use a dataset, the newest first."""
    statement = (
        select(runs.c.uid)
        .join(dataset_uses, dataset_uses.c.run_id == runs.c.id)
        .join(datasets, datasets.c.id == dataset_uses.c.dataset_id)
        .where(datasets.c.digest == storable(digest), runs.c.deleted.is_(None))
        .group_by(runs.c.id)
        .order_by(runs.c.created.desc(), runs.c.id.desc())
    )
    return list(connection.execute(statement).scalars())


def capture_records(connection: Connection, uid: str) -> list[CaptureRecord]:
    """Return what was captured around a run's sessions, the first session first.

    Raises:
        NotFound: There is no run of that id.
    """
    number = run_number(connection, uid)
    statement = (
        select(captures, sessions.c.spool, sessions.c.rank, sessions.c.owner)
        .join(sessions, sessions.c.id == captures.c.session_id)
        .where(sessions.c.run_id == number)
        .order_by(sessions.c.ordinal, sessions.c.id, captures.c.section)
    )
    return [
        CaptureRecord(
            section=row.section,
            data=json.loads(row.data),
            digest=row.digest,
            size=row.size,
            spool=row.spool,
            rank=row.rank,
            owner=row.owner,
            created=moment(row.created),
        )
        for row in connection.execute(statement)
    ]


def session_spools(connection: Connection, uid: str) -> list[tuple[str, int | None]]:
    """Return the name and rank of each of a run's sessions, the first one first; raises NotFound."""
    number = run_number(connection, uid)
    rows = connection.execute(
        select(sessions.c.spool, sessions.c.rank)
        .where(sessions.c.run_id == number)
        .order_by(sessions.c.ordinal, sessions.c.id)
    )
    return [(row.spool, row.rank) for row in rows]


def run_number(connection: Connection, uid: str) -> int:
    """Return a run's internal number; raises NotFound."""
    if not isinstance(uid, str):
        raise NotFound(f"There is no run {uid!r}: the id of a run is a string.")
    found = connection.execute(select(runs.c.id).where(runs.c.uid == storable(uid))).scalar()
    if found is None:
        raise NotFound(f"There is no run {uid!r} in this store. store.search() lists the runs.")
    return int(found)


def _kind(text: Any) -> ArtifactKind:
    # A store from a newer Podium, merged into this one, may know kinds that this one shows as files.
    return ArtifactKind(text) if text in set(ArtifactKind) else ArtifactKind.FILE
