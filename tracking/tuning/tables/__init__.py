"""A scikit-learn model on a table, without code: loading, preparing, search spaces, scores and the refitted model."""

from __future__ import annotations

from tracking.tuning.tables.configurations import default_configurations, default_space
from tracking.tuning.tables.estimators import NAMES
from tracking.tuning.tables.evaluation import evaluate
from tracking.tuning.tables.loading import load_table
from tracking.tuning.tables.refitting import log_refit, refit
from tracking.tuning.tables.table import Table
from tracking.tuning.tables.task import METRICS, Task, task_of

__all__ = [
    "METRICS",
    "NAMES",
    "Table",
    "Task",
    "default_configurations",
    "default_space",
    "evaluate",
    "load_table",
    "log_refit",
    "refit",
    "task_of",
]
