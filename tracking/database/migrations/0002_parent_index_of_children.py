"""The index on a run's parent holds only runs that have one, so that it is not taken for the others.

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the index again, partial."""
    op.drop_index("ix_runs_parent", table_name="runs")
    op.create_index("ix_runs_parent", "runs", ["parent"], sqlite_where=sa.text("parent IS NOT NULL"))
