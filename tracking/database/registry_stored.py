"""The rows of the registry as they are stored, for what proves them, keeps their bytes or counts them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import Connection, Integer, select, type_coerce

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
    """Return the columns of each version as they are stored, with `model` its name and `run` its id, in order."""
    query = (
        select(versions, models.c.name.label("model"), runs.c.uid.label("run"))
        .outerjoin(models, models.c.id == versions.c.model_id)
        .outerjoin(runs, runs.c.id == versions.c.run_id)
        .order_by(versions.c.model_id, versions.c.number)
    )
    return [dict(row) for row in connection.execute(query).mappings()]


def model_rows(connection: Connection) -> list[Mapping[str, Any]]:
    """Return the columns of each model as they are stored."""
    return [dict(row) for row in connection.execute(select(models).order_by(models.c.id)).mappings()]
