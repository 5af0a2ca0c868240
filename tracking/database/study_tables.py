"""The tables of Optuna studies; apart from the others, so that a script that only logs runs does not build them."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Text, text
from sqlmodel import Field

from tracking.database.tables import Table, _text, _time


class StudyRow(Table, table=True):
    """One Optuna study. The first `folded` of its `ops` operations are rows of trials and runs.

    `directions` is a JSON list: 1 minimizes, 2 maximizes. `trials` counts those ever created. `experiment`
    names where their runs go. A deleted study keeps its row; its name is free again.
    """

    __tablename__ = "studies"
    __table_args__ = (Index("uq_studies_name", "name", unique=True, sqlite_where=text("deleted IS NULL")),)
    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(sa_column=_text())
    experiment: str = Field(sa_column=_text())
    directions: str = Field(sa_column=_text())
    created: int = Field(sa_column=_time())
    deleted: int | None = Field(default=None, sa_column=_time(nullable=True))
    ops: int = 0
    folded: int = 0
    trials: int = 0


class StudyJournalRow(Table, table=True):
    """One operation on a study, as Optuna's journal storage wrote it: the truth that the others follow from.

    `position` counts from 0 without a gap; triggers refuse to change or remove a row. `trial` is the number
    of the trial that it is about. `op` is JSON (with NaN and Infinity); besides Optuna's fields it has
    `at`, when it was appended, and where it creates a trial `run`, the id of the trial's run.
    """

    __tablename__ = "study_journal"
    __table_args__ = (
        # In a table without rowids SQLite would rather scan the study than use it.
        Index("ix_study_journal_trial", "study_id", "trial", sqlite_where=text("trial IS NOT NULL")),
    )
    study_id: int = Field(foreign_key="studies.id", primary_key=True)
    position: int = Field(sa_column=Column(BigInteger, primary_key=True))
    trial: int | None = Field(default=None, sa_column=Column(BigInteger, nullable=True))
    op: str = Field(sa_column=_text())


class StudyTrialRow(Table, table=True):
    """One trial of a study as its operations made it; `objectives`, `params` and `attributes` are JSON.

    `state` is running, complete, pruned, fail or waiting. `params` have the values that the objective got,
    `attributes` are the user's. `run_id` and `session_id` are NULL once its run was removed for good.
    """

    __tablename__ = "study_trials"
    __table_args__ = (Index("ix_study_trials_run", "run_id"), Index("ix_study_trials_session", "session_id"))
    study_id: int = Field(foreign_key="studies.id", primary_key=True)
    number: int = Field(sa_column=Column(BigInteger, primary_key=True))
    run_id: int | None = Field(default=None, foreign_key="runs.id")
    session_id: int | None = Field(default=None, foreign_key="sessions.id")
    state: str = Field(sa_column=_text())
    started: int | None = Field(default=None, sa_column=_time(nullable=True))
    completed: int | None = Field(default=None, sa_column=_time(nullable=True))
    objectives: str | None = Field(default=None, sa_column=_text(nullable=True))
    params: str = Field(sa_column=_text())
    attributes: str = Field(sa_column=_text())


class StudySnapshotRow(Table, table=True):
    """A finished trial as one operation that creates it whole, which stands for all those that made it.

    `position` is that of the operation that created the trial. Replaying a study takes these instead.
    """

    __tablename__ = "study_snapshots"
    __table_args__ = ({"sqlite_with_rowid": False},)
    study_id: int = Field(foreign_key="studies.id", primary_key=True)
    number: int = Field(sa_column=Column(BigInteger, primary_key=True))
    position: int = Field(sa_column=Column(BigInteger, nullable=False))
    op: str = Field(sa_column=_text())


class StudyParamRow(Table, table=True):
    """The distribution (JSON, as Optuna writes it) that a study's first trial with a param drew it from.

    `name` is a JSON string, as a study's names may hold what no column can.
    """

    __tablename__ = "study_params"
    __table_args__ = ({"sqlite_with_rowid": False},)
    study_id: int = Field(foreign_key="studies.id", primary_key=True)
    name: str = Field(sa_column=Column(Text, primary_key=True))
    distribution: str = Field(sa_column=_text())


class StudyAttributeRow(Table, table=True):
    """One attribute of a study; `kind` is user or system, `key` a JSON string, `value` JSON."""

    __tablename__ = "study_attributes"
    __table_args__ = ({"sqlite_with_rowid": False},)
    study_id: int = Field(foreign_key="studies.id", primary_key=True)
    kind: str = Field(sa_column=Column(Text, primary_key=True))
    key: str = Field(sa_column=Column(Text, primary_key=True))
    position: int = Field(sa_column=Column(BigInteger, nullable=False))
    value: str = Field(sa_column=_text())
