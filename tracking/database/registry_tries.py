"""What was tried with the aliases of a model: the rows of the journal that hold evidence."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from sqlalchemy import Connection, select

from tracking.database.registry_queries import journal, journal_entry
from tracking.registry_records import JournalEntry, JournalKind

_KINDS = (JournalKind.PROMOTE.value, JournalKind.REFUSE.value)


def tries(
    connection: Connection, model: str, versions: Collection[int] | None = None
) -> Iterator[JournalEntry]:
    """Yield the promotions of a model and those that were refused, the newest first, each read when it is asked for.

    Args:
        connection: To read with.
        model: Its name.
        versions: Only rows in which one of these got an alias, was refused, or made way; None for all.
    """
    query = (
        select(journal)
        .where(journal.c.model == model, journal.c.kind.in_(_KINDS))
        .order_by(journal.c.position.desc())
    )
    if versions is not None:
        query = query.where(journal.c.version.in_(versions) | journal.c.previous.in_(versions))
    with connection.execute(query) as rows:
        for row in rows:
            yield journal_entry(row)
