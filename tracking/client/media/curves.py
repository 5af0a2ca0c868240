"""ROC and precision-recall curves, computed with numpy.

Definitions as in Fawcett, "An introduction to ROC analysis" (2006), and Davis and Goadrich, "The relationship
between precision-recall and ROC curves" (2006); the points are those of scikit-learn's `roc_curve` and
`precision_recall_curve`. Examples of equal score stand or fall together: one point for each different score, so
that their order does not matter. The area under the ROC curve is by trapezoids over all points (equal scores
count half, as in the Mann-Whitney statistic). Average precision is sum over (R_n - R_{n-1}) P_n, without
interpolation. Both are computed before the points are thinned.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tracking.client.media.arrays import as_array
from tracking.client.media.classes import class_values, classes_of, positions
from tracking.client.media.encoded import Encoded, Tell
from tracking.client.media.texts import dump
from tracking.client.media.thinning import thinned_pr, thinned_roc
from tracking.errors import InvalidValue
from tracking.records import ArtifactKind

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_POINTS = 20_000
"""Of all curves of an artifact together; one has up to 1,000 and at least 100."""


def encode_curves(
    kind: ArtifactKind,
    y_true: Any,
    y_score: Any,
    labels: Sequence[Any] | None,
    positive: Any,
    tell: Tell,
) -> Encoded:
    """Return the curves of a binary problem (one) or of several classes (each against the rest).

    Raises:
        InvalidValue: Shapes do not fit, a score is NaN or infinite, or no class has a curve.
    """
    truth = class_values(y_true, "y_true")
    problems = list(_problems(truth, _scores(y_score, len(truth)), labels, positive))
    points = max(100, min(1_000, _POINTS // len(problems)))
    curves, undefined = [], []
    for label, right, scores in problems:
        # Without examples on one side the rates of that side are 0 / 0.
        if right.all() or not right.any():
            undefined.append(label)
            continue
        compute = roc_points if kind is ArtifactKind.ROC_CURVE else pr_points
        curves.append(_as_json(label, *compute(right, scores), kind, points))
    if not curves:
        raise InvalidValue(
            "a curve needs examples of a class and examples of none of it; y_true has one class."
        )
    if undefined:
        tell(
            "curve classes",
            f"no curve can be drawn for {len(undefined)} classes of which there are no examples or no others, "
            f"first {undefined[0]!r}.",
        )
    details: dict[str, Any] = {"extension": ".json", "curves": len(curves)}
    if undefined:
        details["undefined"] = undefined[:20]
    return Encoded(kind, "application/json", dump({"curves": curves}), details)


def roc_points(
    right: NDArray[np.bool_], scores: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], float]:
    """Return false and true positive rates, thresholds and the area.

    Args:
        right: Whether an example is of the class, shape (n,), with both.
        scores: The higher, the more likely it is, shape (n,), finite.

    Returns:
        Rates of shape (m + 1,) for m different scores, from (0, 0), whose threshold is inf, to (1, 1); the area.
    """
    import numpy as np

    hits, misses, thresholds = _cumulated(right, scores)
    x = np.concatenate(([0.0], misses / misses[-1]))
    y = np.concatenate(([0.0], hits / hits[-1]))
    return x, y, np.concatenate(([np.inf], thresholds)), float(np.trapezoid(y, x))


def pr_points(
    right: NDArray[np.bool_], scores: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], float]:
    """Return recall, precision, thresholds and average precision; see `roc_points`.

    The first point is recall 0 with precision 1, above every score.
    """
    import numpy as np

    hits, misses, thresholds = _cumulated(right, scores)
    recall = np.concatenate(([0.0], hits / hits[-1]))
    precision = np.concatenate(([1.0], hits / (hits + misses)))
    average = float(np.sum(np.diff(recall) * precision[1:]))
    return recall, precision, np.concatenate(([np.inf], thresholds)), average


def _cumulated(
    right: NDArray[np.bool_], scores: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return true and false positives at each different score, from the highest down, and the scores."""
    import numpy as np

    order = np.argsort(-scores, kind="stable")
    scores, right = scores[order], right[order]
    last = np.append(np.flatnonzero(np.diff(scores)), len(scores) - 1)
    hits = np.cumsum(right, dtype=np.float64)[last]
    return hits, last + 1 - hits, scores[last]


def _scores(values: Any, length: int) -> NDArray[np.float64]:
    import numpy as np

    scores = as_array(values, "y_score")
    if scores.dtype.kind not in "biuf" or scores.ndim not in (1, 2) or len(scores) != length:
        raise InvalidValue(
            f"y_score needs a number for each of the {length:,} examples, or one for each example and class; "
            f"it is {scores.dtype} of shape {scores.shape}."
        )
    scores = scores.astype(np.float64, copy=False)
    if not np.isfinite(scores).all():
        raise InvalidValue("y_score holds NaN or infinite scores, which have no place in an order.")
    return scores


def _problems(
    truth: NDArray[Any], scores: NDArray[np.float64], labels: Sequence[Any] | None, positive: Any
) -> list[tuple[str, NDArray[np.bool_], NDArray[np.float64]]]:
    """Return for each curve its label, whether examples are of its class, and their scores."""
    if scores.ndim == 2 and scores.shape[1] == 1:
        scores = scores[:, 0]
    if labels is None and scores.ndim == 2 and truth.dtype.kind in "iu" and int(truth.min()) >= 0:
        # A class of which there happens to be no example has its column all the same.
        if int(truth.max()) < scores.shape[1]:
            labels = list(range(scores.shape[1]))
    classes, names = classes_of(truth, labels=labels)
    place = positions(truth, classes)
    if scores.ndim == 2 and scores.shape[1] != len(names):
        raise InvalidValue(
            f"y_score has {scores.shape[1]} columns and there are {len(names)} classes. Name them in the order of the "
            "columns: labels=[…]."
        )
    if scores.ndim == 2 and len(names) > 2:
        return [(name, place == at, scores[:, at]) for at, name in enumerate(names)]
    if len(names) > 2:
        raise InvalidValue(f"y_true has {len(names)} classes: give y_score a column for each.")
    if scores.ndim == 2:
        return [("", place == 1, scores[:, 1])]
    if positive is not None:
        if str(positive) not in names:
            raise InvalidValue(f"pos_label={positive!r:.80} is none of the classes {names}.")
        return [("", place == names.index(str(positive)), scores)]
    known = set(classes.tolist())
    if labels is None and not known <= {0, 1} and not known <= {-1, 1}:
        raise InvalidValue(
            f"which of the classes {names} do high scores mean? Say it: pos_label={names[-1]!r}."
        )
    positives: NDArray[np.bool_] = place == 1 if labels is not None else truth == 1
    return [("", positives, scores)]


def _as_json(
    label: str,
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    thresholds: NDArray[np.float64],
    area: float,
    kind: ArtifactKind,
    points: int,
) -> dict[str, Any]:
    roc = kind is ArtifactKind.ROC_CURVE
    kept = thinned_roc(x, y, points) if roc else thinned_pr(x, y, points)
    return {
        "label": label,
        "x": x[kept].round(9).tolist(),
        "y": y[kept].round(9).tolist(),
        "thresholds": [None if value == float("inf") else value for value in thresholds[kept].tolist()],
        "auc" if roc else "average_precision": area,
    }
