"""`tracking.log` and its sisters: the verbs of the active run."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any

from tracking.client import active
from tracking.client.active import asked as _active
from tracking.client.rich_verbs import (
    log_audio,
    log_confusion_matrix,
    log_dataset,
    log_figure,
    log_image,
    log_json,
    log_model,
    log_pr_curve,
    log_roc_curve,
    log_table,
    log_text,
)
from tracking.client.run import Run, goal_event, repeat_event
from tracking.client.start import define_later, start_run
from tracking.config import locate_store
from tracking.records import RunStatus
from tracking.validation import checked_text

__all__ = [
    "Run",
    "active_run",
    "define_metric",
    "define_repeat",
    "finish",
    "log",
    "log_artifact",
    "log_audio",
    "log_confusion_matrix",
    "log_dataset",
    "log_figure",
    "log_image",
    "log_json",
    "log_model",
    "log_params",
    "log_pr_curve",
    "log_roc_curve",
    "log_table",
    "log_text",
    "set_notes",
    "set_tags",
    "start_run",
]


def log(metrics: Mapping[str, Any], step: int | None = None) -> None:
    """Log metrics to the active run; see `Run.log`."""
    run = _active("log")
    if run is not None:
        run.log(metrics, step)


def log_params(params: Mapping[str, Any]) -> None:
    """Log params to the active run; see `Run.log_params`."""
    run = _active("log_params")
    if run is not None:
        run.log_params(params)


def log_artifact(path: str | os.PathLike[str], name: str | None = None, *, step: int | None = None) -> None:
    """Store a file or a folder with the active run; see `Run.log_artifact`."""
    run = _active("log_artifact")
    if run is not None:
        run.log_artifact(path, name, step=step)


def set_tags(tags: Iterable[str]) -> None:
    """Set the active run's tags; see `Run.set_tags`."""
    run = _active("set_tags")
    if run is not None:
        run.set_tags(tags)


def set_notes(notes: str) -> None:
    """Set the active run's notes; see `Run.set_notes`."""
    run = _active("set_notes")
    if run is not None:
        run.set_notes(notes)


def finish(status: str = RunStatus.FINISHED, *, error: object = None) -> None:
    """End the active run; see `Run.finish`."""
    run = _active("finish")
    if run is not None:
        run.finish(status, error=error)


def active_run() -> Run | None:
    """Return the run that the module's verbs speak to, or None."""
    return active.current()


def define_metric(key: str, *, goal: str) -> None:
    """Say which direction of a metric is better, so that "best" means something.

    Stored with the experiment of the active run; without one, with that of the next run this
    process starts.

    Args:
        key: The metric.
        goal: "maximize" or "minimize".

    Raises:
        InvalidValue: The goal is neither, or the key cannot be one.
    """
    event = goal_event(key, goal)
    run = active.current()
    if run is not None:
        run._say(event)
    else:
        define_later(event)


def define_repeat(
    experiment: str, *, vary: Iterable[str] = ("seed", "random_state", "fold"), ignore: Iterable[str] = ()
) -> None:
    """Say which params make runs of an experiment repeats of one configuration.

    Args:
        experiment: Its name; made when new.
        vary: Params that differ between repeats.
        ignore: Params that do not matter, such as output folders.

    Raises:
        InvalidValue: A name cannot be one.
        StoreError: The store cannot be written (only when no run of the experiment is active).
    """
    event = repeat_event(vary, ignore)
    run = active.current()
    if run is not None and run.experiment == experiment:
        run._say(event)
        return
    from tracking.database.edits import define_repeat_in

    define_repeat_in(locate_store(), checked_text(experiment, "experiment"), event["vary"], event["ignore"])
