"""Confusion matrices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tracking.client.media.arrays import as_array
from tracking.client.media.classes import MAX_CLASSES, class_values, classes_of, positions
from tracking.client.media.encoded import Encoded
from tracking.client.media.texts import dump
from tracking.errors import InvalidValue
from tracking.records import ArtifactKind
from tracking.validation import storable


def encode_confusion(y_true: Any, y_pred: Any, labels: Sequence[Any] | None, matrix: Any) -> Encoded:
    """Return a confusion matrix: `counts[i][j]` examples of class i were taken for class j.

    Raises:
        InvalidValue: Truth and prediction differ in length, a class is not among the labels, or the matrix
            is not square.
    """
    if (matrix is None) == (y_true is None or y_pred is None):
        raise InvalidValue("log_confusion_matrix takes y_true and y_pred, or matrix=.")
    names, counts = _given(matrix, labels) if matrix is not None else _counted(y_true, y_pred, labels)
    data = dump({"labels": names, "counts": counts})
    details = {"extension": ".json", "classes": len(names)}
    return Encoded(ArtifactKind.CONFUSION_MATRIX, "application/json", data, details)


def _counted(y_true: Any, y_pred: Any, labels: Sequence[Any] | None) -> tuple[list[str], list[list[int]]]:
    import numpy as np

    truth, taken = class_values(y_true, "y_true"), class_values(y_pred, "y_pred")
    if len(truth) != len(taken):
        raise InvalidValue(f"y_true has {len(truth):,} examples and y_pred {len(taken):,}.")
    classes, names = classes_of(truth, taken, labels=labels)
    pairs = positions(truth, classes) * len(names) + positions(taken, classes)
    counts = np.bincount(pairs, minlength=len(names) ** 2).reshape(len(names), len(names))
    return names, counts.tolist()


def _given(matrix: Any, labels: Sequence[Any] | None) -> tuple[list[str], list[list[Any]]]:
    import numpy as np

    counts = as_array(matrix, "matrix")
    if counts.ndim != 2 or counts.shape[0] != counts.shape[1] or not 0 < len(counts) <= MAX_CLASSES:
        raise InvalidValue(
            f"matrix= is square, one row and one column a class, up to {MAX_CLASSES:,}; not of shape {counts.shape}."
        )
    if counts.dtype.kind not in "iuf" or not np.isfinite(counts).all() or counts.min() < 0:
        raise InvalidValue("matrix= holds counts or shares: numbers, none below 0, none NaN.")
    names = [storable(str(label))[:200] for label in (range(len(counts)) if labels is None else labels)]
    if len(names) != len(counts):
        raise InvalidValue(f"labels= names {len(names)} classes, the matrix has {len(counts)}.")
    return names, counts.tolist()
