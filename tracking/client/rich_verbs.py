"""`tracking.log_figure` and its sisters: the active run's verbs for rich values, data and models."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from tracking.client.active import asked


def log_figure(figure: Any, name: str, *, step: int | None = None) -> None:
    """Log a Plotly or Matplotlib figure to the active run; see `Run.log_figure`."""
    run = asked("log_figure")
    if run is not None:
        run.log_figure(figure, name, step=step)


def log_table(table: Any = None, name: str | None = None, *, step: int | None = None, **unknown: Any) -> None:
    """Log a table to the active run; see `Run.log_table`."""
    run = asked("log_table")
    if run is not None:
        run.log_table(table, name, step=step, **unknown)


def log_image(image: Any, name: str, *, step: int | None = None) -> None:
    """Log an image to the active run; see `Run.log_image`."""
    run = asked("log_image")
    if run is not None:
        run.log_image(image, name, step=step)


def log_text(text: str, name: str, *, step: int | None = None) -> None:
    """Log a text to the active run; see `Run.log_text`."""
    run = asked("log_text")
    if run is not None:
        run.log_text(text, name, step=step)


def log_json(value: Any, name: str, *, step: int | None = None) -> None:
    """Log a value as JSON to the active run; see `Run.log_json`."""
    run = asked("log_json")
    if run is not None:
        run.log_json(value, name, step=step)


def log_audio(audio: Any, name: str, *, rate: int | None = None, step: int | None = None) -> None:
    """Log sound to the active run; see `Run.log_audio`."""
    run = asked("log_audio")
    if run is not None:
        run.log_audio(audio, name, rate=rate, step=step)


def log_confusion_matrix(
    y_true: Any = None,
    y_pred: Any = None,
    name: str = "confusion_matrix",
    *,
    labels: Sequence[Any] | None = None,
    matrix: Any = None,
    step: int | None = None,
) -> None:
    """Log a confusion matrix to the active run; see `Run.log_confusion_matrix`."""
    run = asked("log_confusion_matrix")
    if run is not None:
        run.log_confusion_matrix(y_true, y_pred, name, labels=labels, matrix=matrix, step=step)


def log_roc_curve(
    y_true: Any,
    y_score: Any,
    name: str = "roc_curve",
    *,
    labels: Sequence[Any] | None = None,
    pos_label: Any = None,
    step: int | None = None,
) -> None:
    """Log ROC curves to the active run; see `Run.log_roc_curve`."""
    run = asked("log_roc_curve")
    if run is not None:
        run.log_roc_curve(y_true, y_score, name, labels=labels, pos_label=pos_label, step=step)


def log_pr_curve(
    y_true: Any,
    y_score: Any,
    name: str = "pr_curve",
    *,
    labels: Sequence[Any] | None = None,
    pos_label: Any = None,
    step: int | None = None,
) -> None:
    """Log precision-recall curves to the active run; see `Run.log_pr_curve`."""
    run = asked("log_pr_curve")
    if run is not None:
        run.log_pr_curve(y_true, y_score, name, labels=labels, pos_label=pos_label, step=step)


def log_dataset(
    data: Any, name: str, *, source: str | os.PathLike[str] | None = None, store_bytes: bool = False
) -> None:
    """Record which data the active run uses; see `Run.log_dataset`."""
    run = asked("log_dataset")
    if run is not None:
        run.log_dataset(data, name, source=source, store_bytes=store_bytes)


def log_model(model: Any, name: str = "model", *, input_example: Any = None, step: int | None = None) -> None:
    """Log a fitted model to the active run; see `Run.log_model`."""
    run = asked("log_model")
    if run is not None:
        run.log_model(model, name, input_example=input_example, step=step)
