"""The tables of the model registry; apart from the others, so that a script that only logs runs does not build them.

There is no table of aliases: who holds one is what the last row of `registry_journal` about it says.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKeyConstraint, Index, Text
from sqlmodel import Field

from tracking.database.tables import Table, _text, _time


class ModelRow(Table, table=True):
    """A model. `key` is the name as look-alikes share it; `tags` and `gates` are JSON lists.

    `revision` moves with anything of the model, its journal included.
    """

    __tablename__ = "models"
    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(sa_column=_text())
    key: str = Field(sa_column=_text(unique=True))
    created: int = Field(sa_column=_time())
    description: str = Field(default="", sa_column=_text())
    tags: str = Field(default="[]", sa_column=_text())
    gates: str = Field(default="[]", sa_column=_text())
    revision: int = 0


class ModelVersionRow(Table, table=True):
    """One version of a model; triggers refuse to change or remove it.

    `kind` is the artifact's. `details` and `lineage` are JSON objects, as `registry_chain.canonical` writes them:
    the row of the journal that tells of the registration has a digest over all of this.
    """

    __tablename__ = "model_versions"
    __table_args__ = (Index("ix_model_versions_run", "run_id"), Index("ix_model_versions_digest", "digest"))
    model_id: int = Field(foreign_key="models.id", primary_key=True)
    number: int = Field(primary_key=True)
    run_id: int = Field(foreign_key="runs.id")
    artifact: str = Field(sa_column=_text())
    kind: str = Field(sa_column=_text())
    step: int | None = Field(default=None, sa_column=Column(BigInteger, nullable=True))
    digest: str = Field(sa_column=_text())
    size: int = Field(sa_column=Column(BigInteger, nullable=False))
    created: int = Field(sa_column=_time())
    by: str = Field(sa_column=_text())
    details: str = Field(sa_column=_text())
    lineage: str = Field(sa_column=_text())


class VersionNotesRow(Table, table=True):
    """What may change of a version: its description, and its tags as a JSON list."""

    __tablename__ = "version_notes"
    __table_args__ = (
        ForeignKeyConstraint(
            ["model_id", "number"],
            ["model_versions.model_id", "model_versions.number"],
            name="fk_version_notes_version",
        ),
        {"sqlite_with_rowid": False},
    )
    model_id: int = Field(primary_key=True)
    number: int = Field(primary_key=True)
    description: str = Field(default="", sa_column=_text())
    tags: str = Field(default="[]", sa_column=_text())


class RegistryJournalRow(Table, table=True):
    """One row of the journal: what happened to a model, in the order it happened.

    `position` counts from 1 without a gap; triggers refuse to change, remove or replace a row. `model` is the
    model's name. `gates`, `evidence` and `details` are JSON. `digest` is over all the other columns, as
    `registry_chain` documents, and `previous_digest` that of the row before.
    """

    __tablename__ = "registry_journal"
    __table_args__ = (
        Index("ix_registry_journal_holder", "model", "alias", "position"),
        Index("ix_registry_journal_version", "model", "version"),
    )
    position: int | None = Field(default=None, primary_key=True)
    at: int = Field(sa_column=_time())
    kind: str = Field(sa_column=_text())
    model: str = Field(sa_column=_text())
    alias: str | None = Field(default=None, sa_column=_text(nullable=True))
    version: int | None = None
    previous: int | None = None
    by: str = Field(sa_column=_text())
    reason: str = Field(sa_column=Column(Text, nullable=False))
    overridden: bool = False
    gates: str = Field(sa_column=_text())
    evidence: str = Field(sa_column=_text())
    details: str = Field(sa_column=_text())
    previous_digest: str = Field(sa_column=_text())
    digest: str = Field(sa_column=_text(unique=True))
