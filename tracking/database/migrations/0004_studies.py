"""Optuna studies: their journals, and the trials that these make.

Revision ID: 0004
Revises: 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "studies",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("experiment", sa.Text(), nullable=False),
        sa.Column("directions", sa.Text(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("deleted", sa.BigInteger(), nullable=True),
        sa.Column("ops", sa.Integer(), nullable=False),
        sa.Column("folded", sa.Integer(), nullable=False),
        sa.Column("trials", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_studies"),
    )
    op.create_index(
        "uq_studies_name", "studies", ["name"], unique=True, sqlite_where=sa.text("deleted IS NULL")
    )
    op.create_table(
        "study_journal",
        sa.Column("study_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("trial", sa.BigInteger(), nullable=True),
        sa.Column("op", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["study_id"], ["studies.id"], name="fk_study_journal_study_id"),
        sa.PrimaryKeyConstraint("study_id", "position", name="pk_study_journal"),
    )
    op.create_index(
        "ix_study_journal_trial",
        "study_journal",
        ["study_id", "trial"],
        unique=False,
        sqlite_where=sa.text("trial IS NOT NULL"),
    )
    op.create_table(
        "study_trials",
        sa.Column("study_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=True),
        sa.Column("session_id", sa.Integer(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("started", sa.BigInteger(), nullable=True),
        sa.Column("completed", sa.BigInteger(), nullable=True),
        sa.Column("objectives", sa.Text(), nullable=True),
        sa.Column("params", sa.Text(), nullable=False),
        sa.Column("attributes", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["study_id"], ["studies.id"], name="fk_study_trials_study_id"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_study_trials_run_id"),
        sa.ForeignKeyConstraint(["session_id"], ["sessions.id"], name="fk_study_trials_session_id"),
        sa.PrimaryKeyConstraint("study_id", "number", name="pk_study_trials"),
    )
    op.create_index("ix_study_trials_run", "study_trials", ["run_id"], unique=False)
    op.create_index("ix_study_trials_session", "study_trials", ["session_id"], unique=False)
    op.create_table(
        "study_snapshots",
        sa.Column("study_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("op", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["study_id"], ["studies.id"], name="fk_study_snapshots_study_id"),
        sa.PrimaryKeyConstraint("study_id", "number", name="pk_study_snapshots"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "study_params",
        sa.Column("study_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("distribution", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["study_id"], ["studies.id"], name="fk_study_params_study_id"),
        sa.PrimaryKeyConstraint("study_id", "name", name="pk_study_params"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "study_attributes",
        sa.Column("study_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["study_id"], ["studies.id"], name="fk_study_attributes_study_id"),
        sa.PrimaryKeyConstraint("study_id", "kind", "key", name="pk_study_attributes"),
        sqlite_with_rowid=False,
    )
