"""Every table of the store but those of studies, which are in `study_tables`.

Times are integers, microseconds since 1970-01-01 UTC. A REAL column that may
hold NaN holds NULL for it, as SQLite does on its own; infinities are stored as
they are. Rows never leave `tracking.database`.

Revision counters (`experiments.structure`, `experiments.activity`,
`runs.revision`) are moved in the transaction that makes the change:
`structure` for runs, params, tags and statuses; `activity` for those and for
every batch of metrics. `runs.activity` is the experiment's counter at the run's
last change, so "what changed since r" is one indexed range.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, LargeBinary, MetaData, Text, UniqueConstraint, text
from sqlmodel import Field, SQLModel

# Batch migrations rebuild tables by constraint name, so every constraint has one.
NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}


class Table(SQLModel):
    """Root of Podium's tables, with a catalogue of their own."""

    metadata = MetaData(naming_convention=NAMING)


def _time(*, nullable: bool = False) -> Column[int]:
    return Column(BigInteger, nullable=nullable)


def _text(*, nullable: bool = False, unique: bool = False) -> Column[str]:
    return Column(Text, nullable=nullable, unique=unique)


class ExperimentRow(Table, table=True):
    """A named set of runs. `vary` and `ignore` are JSON lists from `define_repeat`."""

    __tablename__ = "experiments"
    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(sa_column=_text(unique=True))
    created: int = Field(sa_column=_time())
    vary: str | None = Field(default=None, sa_column=_text(nullable=True))
    ignore: str | None = Field(default=None, sa_column=_text(nullable=True))
    structure: int = 0
    activity: int = 0


class RunRow(Table, table=True):
    """One run. `uid` is the public id; `seconds` its duration at the last sign of life."""

    __tablename__ = "runs"
    __table_args__ = (
        Index("ix_runs_experiment_created", "experiment_id", "created", "id"),
        Index("ix_runs_experiment_activity", "experiment_id", "activity"),
        Index("ix_runs_created", "created", "id"),
        Index("ix_runs_status", "status"),
        # Partial: most runs have no parent, and "is null" would else look selective to the planner.
        Index("ix_runs_parent", "parent", sqlite_where=text("parent IS NOT NULL")),
    )
    id: int | None = Field(default=None, primary_key=True)
    uid: str = Field(sa_column=_text(unique=True))
    experiment_id: int = Field(foreign_key="experiments.id")
    name: str = Field(sa_column=_text())
    status: str = Field(sa_column=_text())
    created: int = Field(sa_column=_time())
    ended: int | None = Field(default=None, sa_column=_time(nullable=True))
    last_seen: int = Field(sa_column=_time())
    seconds: float = 0.0
    group_name: str | None = Field(default=None, sa_column=_text(nullable=True))
    parent: str | None = Field(default=None, sa_column=_text(nullable=True))
    total_steps: int | None = Field(default=None, sa_column=Column(BigInteger, nullable=True))
    notes: str = Field(default="", sa_column=_text())
    error: str | None = Field(default=None, sa_column=_text(nullable=True))
    dropped_points: int = 0
    revision: int = 0
    activity: int = 0
    deleted: int | None = Field(default=None, sa_column=_time(nullable=True))


class TagRow(Table, table=True):
    """A tag of a run; `position` keeps the order given."""

    __tablename__ = "tags"
    __table_args__ = (Index("ix_tags_tag", "tag", "run_id"), {"sqlite_with_rowid": False})
    run_id: int = Field(foreign_key="runs.id", primary_key=True)
    tag: str = Field(sa_column=Column(Text, primary_key=True))
    position: int = 0


class ParamKeyRow(Table, table=True):
    """Interned dotted name of a param."""

    __tablename__ = "param_keys"
    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(sa_column=_text(unique=True))


class ParamRow(Table, table=True):
    """One leaf of a run's params.

    `kind` is one of null, bool, int, float, text, json, repr. `text` is the value as
    JSON (for text and repr: the string itself; floats that JSON lacks: nan, inf, -inf).
    `number` is set for bool, int and finite float. `path` is the JSON list of the nested keys, or NULL
    when it is the one element `name`.
    """

    __tablename__ = "params"
    __table_args__ = (Index("ix_params_key_number", "key_id", "number"),)
    run_id: int = Field(foreign_key="runs.id", primary_key=True)
    key_id: int = Field(foreign_key="param_keys.id", primary_key=True)
    kind: str = Field(sa_column=_text())
    text: str = Field(sa_column=_text())
    number: float | None = None
    path: str | None = Field(default=None, sa_column=_text(nullable=True))


class MetricKeyRow(Table, table=True):
    """Interned name of a metric."""

    __tablename__ = "metric_keys"
    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(sa_column=_text(unique=True))


class MetricGoalRow(Table, table=True):
    """What `define_metric` said of a metric in an experiment: maximize or minimize."""

    __tablename__ = "metric_goals"
    experiment_id: int = Field(foreign_key="experiments.id", primary_key=True)
    key_id: int = Field(foreign_key="metric_keys.id", primary_key=True)
    goal: str = Field(sa_column=_text())


class SessionRow(Table, table=True):
    """One process's session of one run, which is one spool file.

    `ingested` is the offset in the spool up to which its records are rows; it moves
    in the transaction that writes them. `sealed`: the spool is wholly ingested and
    its file may go. `owner`: the session may set the run's final status; a later
    owner's points supersede equal steps of sessions with a smaller `ordinal`.
    `rank`: of the process in a distributed run, NULL outside of one.
    """

    __tablename__ = "sessions"
    __table_args__ = (Index("ix_sessions_run", "run_id"),)
    id: int | None = Field(default=None, primary_key=True)
    spool: str = Field(sa_column=_text(unique=True))
    run_id: int = Field(foreign_key="runs.id")
    ordinal: int = 0
    owner: bool = True
    started: int = Field(sa_column=_time())
    host: str = Field(default="", sa_column=_text())
    process: int = 0
    rank: int | None = None
    ingested: int = Field(default=0, sa_column=Column(BigInteger, nullable=False))
    sealed: bool = False
    dropped_points: int = 0


class MetricSeriesRow(Table, table=True):
    """What one session said of one metric of one run."""

    __tablename__ = "metric_series"
    __table_args__ = (UniqueConstraint("run_id", "key_id", "session_id"),)
    id: int | None = Field(default=None, primary_key=True)
    run_id: int = Field(foreign_key="runs.id")
    key_id: int = Field(foreign_key="metric_keys.id")
    session_id: int = Field(foreign_key="sessions.id")


class MetricBlockRow(Table, table=True):
    """Up to 4,096 points of a series, encoded as `tracking.database.blocks` documents."""

    __tablename__ = "metric_blocks"
    __table_args__ = (UniqueConstraint("series_id", "position"),)
    id: int | None = Field(default=None, primary_key=True)
    series_id: int = Field(foreign_key="metric_series.id")
    position: int = Field(sa_column=Column(BigInteger, nullable=False))
    count: int
    min_step: int = Field(sa_column=Column(BigInteger, nullable=False))
    max_step: int = Field(sa_column=Column(BigInteger, nullable=False))
    data: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class MetricSummaryRow(Table, table=True):
    """What tables, filters and sorting read of one metric of one run.

    Over the visible points. `first` and `last` are NULL for NaN; `min`, `max` and
    `mean` are over finite values and NULL when there is none.
    """

    __tablename__ = "metric_summaries"
    __table_args__ = (
        Index("ix_metric_summaries_key_last", "key_id", "last"),
        {"sqlite_with_rowid": False},
    )
    run_id: int = Field(foreign_key="runs.id", primary_key=True)
    key_id: int = Field(foreign_key="metric_keys.id", primary_key=True)
    count: int
    non_finite: int
    first: float | None = None
    first_step: int = Field(sa_column=Column(BigInteger, nullable=False))
    last: float | None = None
    last_step: int = Field(sa_column=Column(BigInteger, nullable=False))
    min: float | None = None
    min_step: int | None = Field(default=None, sa_column=Column(BigInteger, nullable=True))
    max: float | None = None
    max_step: int | None = Field(default=None, sa_column=Column(BigInteger, nullable=True))
    mean: float | None = None


class ArtifactRow(Table, table=True):
    """One logged artifact. Of equal run, name and step the one with the largest id shows.

    `digest` is the sha256 of the object with its bytes, for a folder of that with its
    manifest. `size` and `files` count what is inside a folder. `details` is a JSON object
    of what the writer knew besides.
    """

    __tablename__ = "artifacts"
    __table_args__ = (
        Index("ix_artifacts_run_name", "run_id", "name", "step"),
        Index("ix_artifacts_digest", "digest"),
    )
    id: int | None = Field(default=None, primary_key=True)
    run_id: int = Field(foreign_key="runs.id")
    session_id: int = Field(foreign_key="sessions.id")
    name: str = Field(sa_column=_text())
    kind: str = Field(sa_column=_text())
    step: int | None = Field(default=None, sa_column=Column(BigInteger, nullable=True))
    digest: str = Field(sa_column=_text())
    size: int = Field(sa_column=Column(BigInteger, nullable=False))
    files: int = 1
    media_type: str = Field(sa_column=_text())
    created: int = Field(sa_column=_time())
    details: str = Field(sa_column=_text())


class DatasetRow(Table, table=True):
    """One dataset, by the digest of its content; any number of runs use it.

    `schema` and `statistics` are JSON objects. `object` is the sha256 of the object with its
    bytes, NULL while it is known by reference only.
    """

    __tablename__ = "datasets"
    __table_args__ = (Index("ix_datasets_object", "object"),)
    id: int | None = Field(default=None, primary_key=True)
    digest: str = Field(sa_column=_text(unique=True))
    kind: str = Field(sa_column=_text())
    rows: int | None = Field(default=None, sa_column=Column(BigInteger, nullable=True))
    columns: int | None = Field(default=None, sa_column=Column(BigInteger, nullable=True))
    size: int | None = Field(default=None, sa_column=Column(BigInteger, nullable=True))
    # `schema` is a method of the model.
    schema_: str = Field(sa_column=Column("schema", Text, nullable=False))
    statistics: str = Field(sa_column=_text())
    object: str | None = Field(default=None, sa_column=_text(nullable=True))
    created: int = Field(sa_column=_time())


class DatasetUseRow(Table, table=True):
    """That a run used a dataset under a name; `source` says where it came from."""

    __tablename__ = "dataset_uses"
    __table_args__ = (Index("ix_dataset_uses_dataset", "dataset_id"), {"sqlite_with_rowid": False})
    run_id: int = Field(foreign_key="runs.id", primary_key=True)
    dataset_id: int = Field(foreign_key="datasets.id", primary_key=True)
    name: str = Field(sa_column=Column(Text, primary_key=True))
    source: str = Field(sa_column=_text())
    created: int = Field(sa_column=_time())


class CaptureRow(Table, table=True):
    """One section of what was recorded around a session: git, packages, host, ….

    `data` is a JSON object. `digest` is the sha256 of an object with what is too long for
    it, such as a diff; `size` counts its bytes.
    """

    __tablename__ = "captures"
    __table_args__ = (Index("ix_captures_digest", "digest"), {"sqlite_with_rowid": False})
    session_id: int = Field(foreign_key="sessions.id", primary_key=True)
    section: str = Field(sa_column=Column(Text, primary_key=True))
    data: str = Field(sa_column=_text())
    digest: str | None = Field(default=None, sa_column=_text(nullable=True))
    size: int = Field(default=0, sa_column=Column(BigInteger, nullable=False))
    created: int = Field(sa_column=_time())
