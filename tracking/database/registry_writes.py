"""What happens to the registry: rows that are only added. Every function works in the caller's write transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, func, select, update
from sqlalchemy.dialects.sqlite import insert

from tracking.database import registry_queries
from tracking.database.registry_chain import canonical, content_digest, row_digest
from tracking.database.registry_queries import journal, models, notes, versions
from tracking.database.registry_values import evidence_object, gates_list, results_text
from tracking.registry_records import Evidence, Gate, GateResult, JournalEntry, JournalKind
from tracking.validation import storable


def append(
    connection: Connection,
    *,
    at: int,
    kind: JournalKind,
    model: str,
    by: str,
    alias: str | None = None,
    version: int | None = None,
    previous: int | None = None,
    reason: str = "",
    overridden: bool = False,
    gates: Sequence[GateResult] = (),
    evidence: Evidence | None = None,
    details: Mapping[str, Any] | None = None,
) -> JournalEntry:
    """Add a row to the journal, chained to the one before; returns it.

    Args:
        connection: In a write transaction.
        at: When, in microseconds since 1970-01-01 UTC.
        kind: What happened.
        model: Name of the model.
        by: Who did it.
        alias: Which alias.
        version: Which version.
        previous: Who held the alias before.
        reason: As given.
        overridden: Whether it went against a gate.
        gates: What each gate found.
        evidence: The comparison with the holder.
        details: JSON types, depending on the kind.
    """
    position, digest = registry_queries.head(connection)
    row: dict[str, Any] = {
        "position": position + 1,
        "at": at,
        "kind": kind.value,
        "model": model,
        "alias": alias,
        "version": version,
        "previous": previous,
        "by": storable(by),
        "reason": storable(reason),
        "overridden": overridden,
        "gates": results_text(gates),
        "evidence": canonical(evidence_object(evidence)),
        "details": canonical(dict(details or {})),
        "previous_digest": digest,
    }
    row["digest"] = row_digest(row)
    connection.execute(insert(journal).values(**row))
    connection.execute(update(models).where(models.c.name == model).values(revision=models.c.revision + 1))
    stored = connection.execute(select(journal).where(journal.c.position == position + 1)).one()
    return registry_queries.journal_entry(stored)


def add_model(connection: Connection, name: str, key: str, at: int) -> tuple[int, str]:
    """Return number and name of the model of a key, made under `name` when there is none."""
    row = registry_queries.model_row(connection, key)
    if row is None:
        values = {"name": name, "key": key, "created": at, "description": "", "revision": 1}
        connection.execute(insert(models).values(**values, tags="[]", gates="[]"))
        row = registry_queries.model_row(connection, key)
        assert row is not None
    return row.id, row.name


def add_version(
    connection: Connection,
    model: tuple[int, str],
    *,
    run: tuple[int, str],
    at: int,
    by: str,
    artifact: Mapping[str, Any],
    lineage: Mapping[str, Any],
    description: str = "",
    tags: Sequence[str] = (),
) -> int:
    """Add a version and the row of the journal that tells of it; returns its number.

    Args:
        connection: In a write transaction.
        model: Number and name of the model.
        run: Number and id of the run.
        at: When, in microseconds.
        by: Who registers it.
        artifact: `artifact` (its name), `kind`, `step`, `digest`, `size` and `details`.
        lineage: JSON types.
        description: For people.
        tags: In order.
    """
    query = select(func.coalesce(func.max(versions.c.number), 0)).where(versions.c.model_id == model[0])
    number = int(connection.execute(query).scalar_one()) + 1
    row = {
        **artifact,
        "number": number,
        "created": at,
        "by": by,
        "details": canonical(artifact["details"]),
        "lineage": canonical(lineage),
    }
    connection.execute(insert(versions).values(**row, model_id=model[0], run_id=run[0]))
    if description or tags:
        set_notes(connection, model[0], number, description=description, tags=tags)
    said = {name: row[name] for name in ("artifact", "step", "digest", "size")}
    content = content_digest({**row, "model": model[1], "run": run[1]})
    append(
        connection,
        at=at,
        kind=JournalKind.REGISTER,
        model=model[1],
        version=number,
        by=by,
        details={**said, "run": run[1], "content": content},
    )
    return number


def set_gates(connection: Connection, model: tuple[int, str], gates: Sequence[Gate]) -> dict[str, Any]:
    """Replace a model's gates; returns the details for the journal."""
    listed = gates_list(gates)
    connection.execute(update(models).where(models.c.id == model[0]).values(gates=canonical(listed)))
    return {"gates": listed}


def set_notes(
    connection: Connection,
    model: int,
    number: int,
    *,
    description: str | None = None,
    tags: Sequence[str] | None = None,
) -> None:
    """Replace a version's description or tags; None leaves them."""
    said = _said(description, tags)
    statement = insert(notes).values(
        **{"model_id": model, "number": number, "description": "", "tags": "[]", **said}
    )
    if said:
        connection.execute(statement.on_conflict_do_update(index_elements=["model_id", "number"], set_=said))
        _moved(connection, model)


def describe_model(
    connection: Connection, model: int, *, description: str | None = None, tags: Sequence[str] | None = None
) -> None:
    """Replace a model's description or tags; None leaves them."""
    if said := _said(description, tags):
        connection.execute(update(models).where(models.c.id == model).values(**said))
        _moved(connection, model)


def _said(description: str | None, tags: Sequence[str] | None) -> dict[str, Any]:
    said: dict[str, Any] = {} if description is None else {"description": description}
    return said if tags is None else {**said, "tags": canonical(list(tags))}


def _moved(connection: Connection, model: int) -> None:
    connection.execute(update(models).where(models.c.id == model).values(revision=models.c.revision + 1))
