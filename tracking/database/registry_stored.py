"""The rows of the registry as they are stored, for what proves them, keeps their bytes or counts them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import Connection, Integer, exists, select, text, type_coerce

from tracking.database.carried_rows import artifacts
from tracking.database.registry_queries import journal, models, versions
from tracking.database.run_writes import runs


def journal_rows(connection: Connection) -> Iterator[Mapping[str, Any]]:
    """Yield the columns of each row of the journal, as they are stored, in order."""
    # As a number: whatever somebody wrote there would read as true.
    columns = [
        type_coerce(each, Integer) if each is journal.c.overridden else each for each in journal.columns
    ]
    for row in connection.execute(select(*columns).order_by(journal.c.position)).mappings():
        yield dict(row)


def version_rows(connection: Connection) -> list[Mapping[str, Any]]:
    """Return the columns of each version as they are stored, in order.

    With them `model`, its name, `run`, its id, and `linked`, whether that run still has an artifact of these bytes; one
    that was logged again later keeps its row.
    """
    linked = exists().where(
        artifacts.c.run_id == versions.c.run_id,
        artifacts.c.name == versions.c.artifact,
        artifacts.c.step.is_not_distinct_from(versions.c.step),
        artifacts.c.digest == versions.c.digest,
    )
    query = (
        select(versions, models.c.name.label("model"), runs.c.uid.label("run"), linked.label("linked"))
        .outerjoin(models, models.c.id == versions.c.model_id)
        .outerjoin(runs, runs.c.id == versions.c.run_id)
        .order_by(versions.c.model_id, versions.c.number)
    )
    return [dict(row) for row in connection.execute(query).mappings()]


def model_rows(connection: Connection) -> list[Mapping[str, Any]]:
    """Return the columns of each model as they are stored."""
    return [dict(row) for row in connection.execute(select(models).order_by(models.c.id)).mappings()]


def broken_guards(connection: Connection) -> list[str]:
    """Return the names of the triggers that keep the registry from being changed and are gone or say something else."""
    from tracking.database.schema import TRIGGERS  # with alembic, which others need not load

    query = text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
    there = {name: _plain(said) for name, said in connection.execute(query)}
    return [
        name
        for name, said in TRIGGERS.items()
        if name.startswith(("registry_", "model_", "models_")) and there.get(name) != _plain(said)
    ]


def _plain(statement: object) -> str:
    return " ".join(str(statement).split())
