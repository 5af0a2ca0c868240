"""Frozen values that cross the layers; rows of tables never do."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    # numpy alone takes longer to import than the rest of the client.
    import numpy as np
    from numpy.typing import NDArray


SYSTEM_METRICS = "system/"
"""What the keys of measurements of the machine begin with, which nobody asked for one by one."""


class RunStatus(StrEnum):
    """Where a run stands. The values are what the database and the filter language use."""

    WAITING = "waiting"
    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    LOST = "lost"
    PRUNED = "pruned"

    @property
    def is_final(self) -> bool:
        """Whether the run can say no more unless it is resumed."""
        return self not in (RunStatus.WAITING, RunStatus.RUNNING)


class Goal(StrEnum):
    """Which direction of a metric is better."""

    MAXIMIZE = "maximize"
    MINIMIZE = "minimize"


@dataclass(frozen=True, slots=True)
class MetricSummary:
    """What is known of one metric of one run without reading its history.

    `last` may be NaN or infinite. `min`, `max` and `mean` speak of the finite
    values and are None when there is none; the steps belong to the values.
    They are literal, also of a run that diverged; only `best` is not.
    """

    key: str
    count: int
    first: float
    first_step: int
    last: float
    last_step: int
    min: float | None
    min_step: int | None
    max: float | None
    max_step: int | None
    mean: float | None
    non_finite: int

    @property
    def diverged(self) -> bool:
        """Whether the last value is NaN or infinite; one in the middle, with finite ones after it, is not enough."""
        return not math.isfinite(self.last)

    def best(self, goal: Goal) -> float | None:
        """Return the best finite value by the goal; None for a run that diverged, which is never the best."""
        return None if self.diverged else self.max if goal is Goal.MAXIMIZE else self.min

    def best_step(self, goal: Goal) -> int | None:
        """Return the step of the best value, None where there is no best one."""
        return None if self.diverged else self.max_step if goal is Goal.MAXIMIZE else self.min_step


class ArtifactKind(StrEnum):
    """What an artifact is, which decides how it is shown."""

    FILE = "file"
    FOLDER = "folder"
    FIGURE = "figure"
    TABLE = "table"
    IMAGE = "image"
    AUDIO = "audio"
    TEXT = "text"
    JSON = "json"
    CONFUSION_MATRIX = "confusion_matrix"
    ROC_CURVE = "roc_curve"
    PR_CURVE = "pr_curve"
    MODEL = "model"


@dataclass(frozen=True, slots=True)
class ArtifactRecord:
    """One artifact of a run.

    Attributes:
        run: Id of the run.
        name: As logged, parts separated by `/`.
        kind: How it is shown.
        step: The step it belongs to, or None.
        digest: sha256 of its bytes, hexadecimal; for a folder, of its manifest.
        size: Bytes, for a folder of all its files.
        files: How many files: 1, or those of a folder.
        media_type: MIME type of its bytes.
        created: When it was logged (UTC).
        details: What the writer knew besides: the extension for a download, width and height,
            rows and columns, what was skipped of a folder, whether the file changed while it was read.
        superseded: Whether another artifact of the same name and step was logged later.
    """

    run: str
    name: str
    kind: ArtifactKind
    step: int | None
    digest: str
    size: int
    files: int
    media_type: str
    created: datetime
    details: Mapping[str, Any] = field(default_factory=dict)
    superseded: bool = False


@dataclass(frozen=True, slots=True)
class ArtifactFile:
    """One file of an artifact.

    Attributes:
        path: Inside the folder, parts separated by `/`; of an artifact that is one file, its name.
        digest: sha256 of its bytes, hexadecimal.
        size: Bytes.
        mode: Its permission bits, as `0o644`.
    """

    path: str
    digest: str
    size: int
    mode: int


@dataclass(frozen=True, slots=True)
class DatasetRecord:
    """A dataset as a run used it.

    Attributes:
        name: What the run calls it, such as "train".
        source: Where it came from: a path, or empty.
        digest: Of its content; equal for the same data however it was stored.
        kind: "frame", "array", "file" or "folder".
        rows: Rows, or the length of an array's first axis; None where that means nothing.
        columns: Columns, or None.
        size: Bytes, or None when unknown.
        schema: Type by column name; for an array its dtype and shape.
        statistics: A few numbers by column.
        object: sha256 of its stored bytes, None when it is known by reference only.
        created: When this run logged it (UTC).
        runs: How many runs use the dataset.
    """

    name: str
    source: str
    digest: str
    kind: str
    rows: int | None
    columns: int | None
    size: int | None
    schema: Mapping[str, Any]
    statistics: Mapping[str, Any]
    object: str | None
    created: datetime
    runs: int


@dataclass(frozen=True, slots=True)
class CaptureRecord:
    """One section of what was recorded around a session of a run.

    Attributes:
        section: "git", "diff", "script", "packages", "host", …
        data: Its values.
        digest: sha256 of an object with what is too long for `data`, or None.
        size: Bytes of that object.
        spool: The session's name; its console is filed under it.
        rank: The rank of the session's process in a distributed run, or None.
        owner: Whether the session owned the run.
        created: When it was recorded (UTC).
    """

    section: str
    data: Mapping[str, Any]
    digest: str | None
    size: int
    spool: str
    rank: int | None
    owner: bool
    created: datetime


@dataclass(frozen=True, slots=True)
class TrashedRun:
    """A run in the trash.

    Attributes:
        id: The run's id, which `restore` takes.
        experiment: Name of the experiment.
        name: Name of the run.
        parent: Id of the run that it is a part of, or None.
        deleted: When it was deleted (UTC).
        bytes: What its artifacts and captures amount to; other runs may hold some of the same bytes.
    """

    id: str
    experiment: str
    name: str
    parent: str | None
    deleted: datetime
    bytes: int


@dataclass(frozen=True, slots=True)
class PurgedRun:
    """A run that a clean-up removed for good, or would remove; `bytes` are those that went with it."""

    id: str
    experiment: str
    name: str
    bytes: int


@dataclass(frozen=True, slots=True)
class Spared:
    """What a clean-up left alone: a run's id or a number of objects, and why."""

    what: str
    why: str
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class GcReport:
    """What a clean-up did, or with `dry_run` would do.

    Attributes:
        dry_run: Whether nothing was removed.
        runs: Those taken out of the trash for good, with the bytes that went with each.
        objects: How many objects were removed, those without any run included.
        bytes: What they and the runs' logs took on the disk.
        spared: What was left alone, and why.
    """

    dry_run: bool
    runs: tuple[PurgedRun, ...]
    objects: int
    bytes: int
    spared: tuple[Spared, ...]


@dataclass(frozen=True, slots=True)
class DamagedFile:
    """Bytes that are not what was logged.

    Attributes:
        run: Id of the run that carries them.
        what: "artifact", "dataset", "capture" or "model".
        name: Of the artifact or dataset, the captured section, or the version of a model as `digits/3`.
        path: Of the file inside, when it is a folder; else empty.
        digest: sha256 of the bytes that were logged.
        missing: Whether there are none at all.
    """

    run: str
    what: str
    name: str
    path: str
    digest: str
    missing: bool


@dataclass(frozen=True, slots=True)
class ConsoleText:
    """What one session of a run printed.

    Attributes:
        spool: The session's name.
        rank: The rank of the session's process in a distributed run, or None.
        text: As printed, with control sequences; a carriage return is one. Where something is missing, a line says so.
        cut_bytes: How many bytes are missing between the first 5 MB and the end of a long output.
    """

    spool: str
    rank: int | None
    text: str
    cut_bytes: int


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One run as the store has it at one moment.

    Attributes:
        id: The run's id, as in URLs and in `search`.
        experiment: Name of the experiment.
        name: Given, or made up at the start.
        status: A `RunStatus`, which is a string.
        created: When the run was started (UTC).
        ended: When the final status was set (UTC), None while it is live.
        duration: Seconds from start to end, or until the last sign of life.
        params: The params as logged, nested.
        flat_params: The same with dotted keys, as filters and columns name them.
        metrics: Summary by key.
        artifacts: Those that show, by name and step.
        tags: In the order given.
        notes: Free text.
        group: Free text that ties runs together, or None.
        parent: Id of the parent run, or None.
        total_steps: What the script announced, for progress.
        error: The traceback of a failed run, or why it ended.
        dropped_points: Points that could not be written because the disk was full.
        revision: Grows with every change of the run.
        deleted: Whether the run lies in the trash.
    """

    id: str
    experiment: str
    name: str
    status: RunStatus
    created: datetime
    ended: datetime | None
    duration: float
    params: Mapping[str, Any] = field(default_factory=dict)
    flat_params: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, MetricSummary] = field(default_factory=dict)
    artifacts: tuple[ArtifactRecord, ...] = ()
    tags: tuple[str, ...] = ()
    notes: str = ""
    group: str | None = None
    parent: str | None = None
    total_steps: int | None = None
    error: str | None = None
    dropped_points: int = 0
    revision: int = 0
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class ExperimentRecord:
    """One experiment with what an overview says about it.

    `structure` grows when runs, params, tags or statuses of the experiment
    change, `activity` also with every batch of metrics: caches are keyed on them.
    `goals` maps metric keys to what `define_metric` said.
    """

    name: str
    runs: int
    live: int
    created: datetime
    last_activity: datetime
    structure: int
    activity: int
    goals: Mapping[str, Goal] = field(default_factory=dict)
    vary: tuple[str, ...] = ("seed", "random_state", "fold")
    ignore: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class KeyCatalogue:
    """The names in use: metric keys, dotted params and tags, each sorted."""

    metrics: tuple[str, ...] = ()
    params: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Series:
    """The visible points of one metric of one run, in order of step.

    Repeats of a step stay in the order of writing. All three arrays have shape
    `(n,)` and are read-only.

    Attributes:
        steps: int64.
        values: float64, NaN and infinities as logged.
        times: int64, microseconds since 1970-01-01 UTC.
    """

    steps: NDArray[np.int64]
    values: NDArray[np.float64]
    times: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.steps)
