"""Runs the revisions under `migrations/` on a connection whose transaction is ours."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine
from sqlalchemy.pool import StaticPool

from tracking.database.schema import VERSION_TABLE

FOLDER = Path(__file__).parent / "migrations"


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
        with Operations.context(context):
            context.run_migrations()
