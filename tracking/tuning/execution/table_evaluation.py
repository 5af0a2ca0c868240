"""Table targets in the evaluator: scoring a configuration, and the model of the best one."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tracking.client.run import Run
from tracking.config import locate_store
from tracking.tuning import tables
from tracking.tuning.definition import TableTarget

if TYPE_CHECKING:
    from tracking.store import Store


def score(request: Mapping[str, Any], run: Run) -> dict[str, float]:
    """Return the mean score of a configuration over the folds, by the metric's name; see `tables.evaluate`."""
    target = _target(request)
    with ExitStack() as stack:
        mean = tables.evaluate(
            target,
            request["params"],
            project=Path(request["project"]),
            store=_store(target, stack),
            run=run,
            threads=max(1, (os.cpu_count() or 1) // max(1, int(request["workers"]))),
        )
    return {target.metric: mean}


def log_model(request: Mapping[str, Any], run: Run) -> None:
    """Fit a configuration on all rows and log it as the run's model."""
    target = _target(request)
    with ExitStack() as stack:
        tables.log_refit(
            target,
            request["params"],
            run=run,
            project=Path(request["project"]),
            store=_store(target, stack),
        )


def _target(request: Mapping[str, Any]) -> TableTarget:
    said = request["target"]
    return TableTarget(**{**said, "estimators": tuple(said["estimators"])})


def _store(target: TableTarget, stack: ExitStack) -> Store | None:
    if target.artifact is None:
        return None
    from tracking.store import Store  # takes longer than a quick trial

    return stack.enter_context(Store(locate_store()))
