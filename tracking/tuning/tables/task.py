"""Whether a table asks for classes or for numbers, which its metric says.

Every scorer of scikit-learn serves either classifiers or regressors, so that the metric decides the task and the
column has to fit it. That way a search space follows from a definition alone, before any data is read.
"""

from __future__ import annotations

import difflib
from enum import StrEnum

from tracking.errors import InvalidValue


class Task(StrEnum):
    """What is predicted."""

    CLASSIFICATION = "classification"
    REGRESSION = "regression"


BINARY: frozenset[str] = frozenset(
    (
        "average_precision", "f1", "jaccard", "neg_negative_likelihood_ratio", "positive_likelihood_ratio",
        "precision", "recall", "roc_auc",
    )
)  # fmt: skip
"""Metrics that speak of one positive class: the last of two in sorting order, as 1, True or "yes"."""

PROBABILITIES: frozenset[str] = frozenset(
    (
        "d2_brier_score", "d2_log_loss_score", "neg_brier_score", "neg_log_loss", "roc_auc_ovo",
        "roc_auc_ovo_weighted", "roc_auc_ovr", "roc_auc_ovr_weighted",
    )
)  # fmt: skip
"""Metrics that need probabilities of the classes."""

CLASSIFICATION: frozenset[str] = (
    BINARY
    | PROBABILITIES
    | {
        "accuracy", "balanced_accuracy", "f1_macro", "f1_micro", "f1_weighted", "jaccard_macro", "jaccard_micro",
        "jaccard_weighted", "matthews_corrcoef", "precision_macro", "precision_micro", "precision_weighted",
        "recall_macro", "recall_micro", "recall_weighted", "top_k_accuracy",
    }
)  # fmt: skip

POSITIVE: frozenset[str] = frozenset(("neg_mean_gamma_deviance",))
"""Metrics for numbers above zero."""
NOT_NEGATIVE: frozenset[str] = frozenset(
    ("neg_mean_poisson_deviance", "neg_mean_squared_log_error", "neg_root_mean_squared_log_error")
)
"""Metrics for numbers from zero on."""

REGRESSION: frozenset[str] = (
    POSITIVE
    | NOT_NEGATIVE
    | {
        "d2_absolute_error_score", "explained_variance", "neg_max_error", "neg_mean_absolute_error",
        "neg_mean_absolute_percentage_error", "neg_mean_squared_error", "neg_median_absolute_error",
        "neg_root_mean_squared_error", "r2",
    }
)  # fmt: skip

METRICS: tuple[str, ...] = tuple(sorted(CLASSIFICATION | REGRESSION))
"""Those a table can be scored by: scikit-learn's scorers but those of clusterings and of several labels a row."""


def task_of(metric: str) -> Task:
    """Return the task that a scorer of scikit-learn is for.

    Raises:
        InvalidValue: It is no scorer, or one of clusterings or of several labels a row.
    """
    if metric in CLASSIFICATION:
        return Task.CLASSIFICATION
    if metric in REGRESSION:
        return Task.REGRESSION
    close = difflib.get_close_matches(metric, METRICS, n=3, cutoff=0.4)
    if f"neg_{metric}" in REGRESSION | CLASSIFICATION:
        close = [f"neg_{metric}"]
    hint = " or ".join(map(repr, close)) if close else "'accuracy' for classes, 'r2' for numbers"
    raise InvalidValue(
        f"{metric!r:.80} is no metric that a table can be scored by. Did you mean {hint}? "
        "The names are those of scikit-learn's scorers; greater is always better."
    )
