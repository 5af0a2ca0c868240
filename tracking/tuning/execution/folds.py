"""How a configuration does on the folds of a table so far, as pruners compare it."""

from __future__ import annotations

from tracking.tuning.execution.readings import MetricReader, Point


class FoldMeans:
    """Follows the mean over the folds that are through: the score of one fold says more of the fold than of the model.

    Args:
        reader: Of the metric that has a point for each fold, the fold as step.
    """

    def __init__(self, reader: MetricReader) -> None:
        self._reader = reader
        self._scores: dict[int, float] = {}

    def poll(self) -> list[Point]:
        """Return the folds that were scored since the last call, each with the mean by it; see `MetricReader.poll`."""
        return self._means(self._reader.poll())

    def stored(self) -> list[Point]:
        """Return the folds that the database has, each with the mean by it."""
        return self._means(self._reader.stored())

    def _means(self, points: list[Point]) -> list[Point]:
        self._scores.update(points)
        found: list[Point] = []
        for fold, _ in points:
            scores = [score for place, score in self._scores.items() if place <= fold]
            found.append((fold, sum(scores) / len(scores)))
        return found
