"""The rows of what a run carries: artifacts, datasets, captured sections.

Every function works in the ingest's write transaction; the bytes are in place before their event is said.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, func, select, update
from sqlalchemy.dialects.sqlite import insert

from tracking.database.tables import ArtifactRow, CaptureRow, DatasetRow, DatasetUseRow

artifacts = ArtifactRow.__table__  # type: ignore[attr-defined]
datasets = DatasetRow.__table__  # type: ignore[attr-defined]
dataset_uses = DatasetUseRow.__table__  # type: ignore[attr-defined]
captures = CaptureRow.__table__  # type: ignore[attr-defined]

Event = Mapping[str, Any]


def add_artifact(connection: Connection, run: int, session: int, event: Event) -> None:
    """Add an artifact; one of the same name and step that is there stays readable."""
    connection.execute(
        insert(artifacts).values(
            run_id=run,
            session_id=session,
            name=event["name"],
            kind=event["kind"],
            step=event.get("step"),
            digest=event["digest"],
            size=event["size"],
            files=event.get("files", 1),
            media_type=event["media"],
            created=event["time"],
            details=_json(event.get("details")),
        )
    )


def add_dataset(connection: Connection, run: int, event: Event) -> None:
    """Add a dataset, if its digest is new, and that the run uses it."""
    added = insert(datasets).values(
        digest=event["digest"],
        kind=event["kind"],
        rows=event.get("rows"),
        columns=event.get("columns"),
        size=event.get("size"),
        schema=_json(event.get("schema")),
        statistics=_json(event.get("statistics")),
        object=event.get("object"),
        created=event["time"],
    )
    connection.execute(added.on_conflict_do_nothing(index_elements=["digest"]))
    known = datasets.c.digest == event["digest"]
    # Logged by reference before and with its bytes now: it has them from now on.
    connection.execute(
        update(datasets).where(known).values(object=func.coalesce(datasets.c.object, event.get("object")))
    )
    number = connection.execute(select(datasets.c.id).where(known)).scalar_one()
    use = insert(dataset_uses).values(
        run_id=run,
        dataset_id=number,
        name=event["name"],
        source=event.get("source") or "",
        created=event["time"],
    )
    connection.execute(use.on_conflict_do_nothing())


def set_capture(connection: Connection, session: int, event: Event) -> None:
    """Write one captured section of a session; what it said before is replaced."""
    statement = insert(captures).values(
        session_id=session,
        section=event["section"],
        data=_json(event.get("data")),
        digest=event.get("digest"),
        size=event.get("size", 0),
        created=event["time"],
    )
    replaced = {column: statement.excluded[column] for column in ("data", "digest", "size", "created")}
    connection.execute(
        statement.on_conflict_do_update(index_elements=["session_id", "section"], set_=replaced)
    )


def _json(value: object) -> str:
    return json.dumps(value or {}, ensure_ascii=False, allow_nan=False)
