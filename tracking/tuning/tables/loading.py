"""From a target to a checked table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tracking.errors import InvalidValue
from tracking.tuning.definition import TableTarget
from tracking.tuning.tables.columns import usable_columns
from tracking.tuning.tables.sources import read_source
from tracking.tuning.tables.table import Table
from tracking.tuning.tables.target_column import take_target
from tracking.tuning.tables.task import task_of

if TYPE_CHECKING:
    from tracking.store import Store


def load_table(target: TableTarget, *, project: Path | None = None, store: Store | None = None) -> Table:
    """Return a target's rows, checked and ready for any of its estimators.

    Args:
        target: What to load and predict.
        project: The folder that `target.file` is relative to.
        store: The one that `target.artifact` is in.

    Raises:
        InvalidValue: The source is no table, the column is not there or does not fit the metric, or there is too
            little to learn from; the message says what would do.
        NotFound: There is no such file, run or artifact.
        ArtifactDamaged: The artifact's bytes are not those that were logged.
    """
    task = task_of(target.metric)
    if target.folds < 2:
        raise InvalidValue(f"folds = {target.folds}: a cross-validation has two or more.")
    frame, source = read_source(target, project=project, store=store)
    frame, values, notes = take_target(frame, target, source)
    columns = usable_columns(frame)
    if not columns.numbers and not columns.categories:
        raise InvalidValue(
            f"{source!r:.250} has no column to learn from beside {target.column!r:.80}. {' '.join(columns.notes())}"
        )
    return Table(
        source=source,
        task=task,
        features=columns.frame,
        values=values,
        numbers=tuple(columns.numbers),
        categories=tuple(columns.categories),
        column=target.column,
        notes=(*notes, *columns.notes()),
    )
