"""Runs the revisions under `migrations/` on a connection whose transaction is ours.

`python -m tracking.database.migrate` prints what they come to, which stands in `schema.sql`.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from pathlib import Path
from typing import Any

from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine
from sqlalchemy.pool import StaticPool

from tracking.database.schema import VERSION_TABLE, describe

FOLDER = Path(__file__).parent / "migrations"

_one_at_a_time = threading.Lock()
"""alembic's `op` is one for the whole process: two stores made by two threads would meet in it."""


def _renew_in_child() -> None:
    global _one_at_a_time
    _one_at_a_time = threading.Lock()


os.register_at_fork(after_in_child=_renew_in_child)


def revisions() -> ScriptDirectory:
    """Return the catalogue of revisions."""
    return ScriptDirectory(str(FOLDER), version_locations=[str(FOLDER)])


def upgrade(connection: sqlite3.Connection) -> None:
    """Apply every revision that the database lacks. The caller has begun the transaction and commits it."""
    catalogue = revisions()

    def steps(revision: Any, _context: MigrationContext) -> Any:
        return catalogue._upgrade_revs("head", revision)

    engine = create_engine("sqlite://", creator=lambda: connection, poolclass=StaticPool)
    with engine.connect() as wrapped:
        context = MigrationContext.configure(
            wrapped,
            opts={
                "version_table": VERSION_TABLE,
                "fn": steps,
                "render_as_batch": True,
                "transactional_ddl": False,
            },
        )
        with _one_at_a_time, Operations.context(context):
            context.run_migrations()


def main() -> None:
    """Print the schema that the revisions make of an empty database."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    upgrade(connection)
    print(
        "-- What the revisions under migrations/ come to; a new store is made of it, without going through them."
    )
    print("-- Written by `python -m tracking.database.migrate > tracking/database/schema.sql`.")
    print("\n".join(describe(connection)))


if __name__ == "__main__":
    main()
