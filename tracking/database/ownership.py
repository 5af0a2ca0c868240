"""Which session owns a run."""

from __future__ import annotations

from sqlalchemy import Connection, select

from tracking.database.run_writes import runs, sessions


def owner_spool(connection: Connection, uid: str) -> str | None:
    """Return the spool of the newest session that owned a run, None when the run is unknown."""
    query = (
        select(sessions.c.spool)
        .join(runs, runs.c.id == sessions.c.run_id)
        .where(runs.c.uid == uid, sessions.c.owner)
        .order_by(sessions.c.id.desc())
        .limit(1)
    )
    return connection.execute(query).scalar()
