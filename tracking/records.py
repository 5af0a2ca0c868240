"""Frozen values that cross the layers; rows of tables never do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    # numpy alone takes longer to import than the rest of the client.
    import numpy as np
    from numpy.typing import NDArray


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
