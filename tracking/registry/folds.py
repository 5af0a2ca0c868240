"""Runs that are cross-validations themselves: the score of each fold in place of their mean.

The folds of one run share most of the rows that they are trained on, and so do the runs: means over folds look more
certain than they are. Sweeps over tables log the score of fold k as `<metric>_fold` at step k, and the mean as the
metric.
"""

from __future__ import annotations

import math
from typing import Any

from tracking.analysis.evidence import Side, is_fold
from tracking.database import registry_groups as rows
from tracking.database.history import read_series
from tracking.registry_records import EvidencePoint

SUFFIX = "_fold"
"""Ends the key of the metric that has the score of each fold."""
FOLD = "fold"
MOST = 100
"""Folds of a run beyond which they are none of a cross-validation."""


def by_fold(connection: Any, candidate: Side, champion: Side, metric: str) -> tuple[Side, Side]:
    """Return both sides with a point for each fold, or as they are unless all runs are cross-validations alike.

    Args:
        connection: For reading.
        candidate: With a point for each run.
        champion: The same of the other side.
        metric: What their values are of.
    """
    sides = (candidate, champion)
    points = [point for side in sides for point in side.points]
    if min(len(side.points) for side in sides) < 2 or any(
        is_fold(name) for each in points for name in each.repeat
    ):
        return sides
    runs = rows.group_runs(connection, uids={each.run for each in points})
    said = rows.metric_rows(connection, metric + SUFFIX, [run.number for run in runs])
    counts = {int(row._mapping["count"]) for row in said.values()}
    folds = counts.pop() if len(counts) == 1 else 0
    if not 2 <= folds <= MOST:
        return sides
    series = read_series(connection, [run.uid for run in runs], [metric + SUFFIX])
    scores: dict[str, list[float]] = {}
    for (run, _), points_of in series.items():
        if points_of.steps.tolist() == list(range(folds)):
            scores[run] = points_of.values.tolist()
    if not all(_is_mean(each.value, scores.get(each.run)) for each in points):
        return sides
    return _spread(candidate, scores), _spread(champion, scores)


def _is_mean(value: float, scores: list[float] | None) -> bool:
    return scores is not None and math.isclose(value, sum(scores) / len(scores), rel_tol=1e-9, abs_tol=1e-12)


def _spread(side: Side, scores: dict[str, list[float]]) -> Side:
    points = tuple(
        EvidencePoint(each.run, score, {**each.repeat, FOLD: fold})
        for each in side.points
        for fold, score in enumerate(scores[each.run])
    )
    return Side(points, side.left_out, side.picked_from)
