"""A run's metric as it is logged, point by point: from its spools, and from the database what left them."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tracking.config import StoreLocation
from tracking.database.standing import may_have_points
from tracking.errors import NotFound
from tracking.spool.files import spools_of
from tracking.spool.format import MAGIC
from tracking.spool.reading import read_batch

if TYPE_CHECKING:
    from tracking.database.engine import Engines

STRETCH = 4 << 20
"""Bytes of a spool that are read at a time."""

Point = tuple[int, float]


@dataclass(slots=True)
class _Followed:
    """How far one spool was read."""

    offset: int = len(MAGIC)
    shapes: dict[int, tuple[str, ...]] = field(default_factory=dict)


class MetricReader:
    """Follows one metric of one run while processes log it.

    Spools are ahead of the database, and whole as long as their session lives. What a spool held that is gone
    is in the database.

    Args:
        location: Of the store.
        engines: On its database; None where it is opened for a read, if one is needed at all.
        run: Id of the run.
        key: Of the metric.
    """

    def __init__(self, location: StoreLocation, engines: Engines | None, run: str, key: str) -> None:
        self._location, self._engines = location, engines
        self._run, self._key = run, key
        self._followed: dict[str, _Followed] = {}

    def poll(self) -> list[Point]:
        """Return points (step, value) that were logged since the last call; some may come twice.

        Raises:
            StoreError: A spool went, and the database cannot be read now: call again.
        """
        found: list[tuple[int, Point]] = []
        there = {files.spool_id: files.records for files in spools_of(self._location.spool, self._run)}
        gone = self._followed.keys() - there.keys()
        points: list[Point] = self.stored() if gone else []
        for spool in gone:
            del self._followed[spool]
        for spool, path in there.items():
            found += self._further(self._followed.setdefault(spool, _Followed()), path)
        return points + [point for _, point in sorted(found, key=lambda each: each[0])]

    def stored(self) -> list[Point]:
        """Return what the database has of the metric."""
        if self._engines is not None:
            return self._stored(self._engines)
        if not may_have_points(self._location, self._run, self._key):
            return []
        from tracking.database.engine import Engines

        engines = Engines.of(self._location.database)
        try:
            return self._stored(engines)
        finally:
            engines.dispose()

    def _stored(self, engines: Engines) -> list[Point]:
        from tracking.database.history import read_series  # a quick function does without the database layer

        with engines.reading() as connection:
            try:
                series = read_series(connection, [self._run], [self._key]).get((self._run, self._key))
            except NotFound:
                return []
        if series is None:
            return []
        return list(zip(series.steps.tolist(), series.values.tolist(), strict=True))

    def _further(self, followed: _Followed, path: Path) -> list[tuple[int, Point]]:
        found: list[tuple[int, Point]] = []
        try:
            with open(path, "rb") as file:
                file.seek(followed.offset)
                size = STRETCH
                while data := file.read(size):
                    batch = read_batch(data, followed.shapes)
                    for shape, (_, steps, times, values) in batch.points.items():
                        keys = followed.shapes[shape]
                        if self._key in keys:
                            column = values[:, keys.index(self._key)].tolist()
                            pairs = zip(steps.tolist(), column, strict=True)
                            found += list(zip(times.tolist(), pairs, strict=True))
                    followed.offset += batch.end
                    if not batch.end:
                        if len(data) < size:
                            break  # a record that is not whole yet
                        size *= 2
                    file.seek(followed.offset, os.SEEK_SET)
        except (OSError, ValueError, KeyError):
            return found  # it goes just now, or is damaged: the database will have what can be read
        return found


def by_step(points: list[Point]) -> tuple[list[int], list[float]]:
    """Return the steps and values of points in order of step, each step once: as it was logged last."""
    if not points:
        return [], []
    steps = np.array([step for step, _ in points], dtype=np.int64)
    distinct, last = np.unique(steps[::-1], return_index=True)
    values = [points[len(points) - 1 - int(place)][1] for place in last]
    return distinct.tolist(), values
