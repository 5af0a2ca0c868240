"""A run's metric as it is logged, point by point: from its spools, and from the database what left them."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from tracking.config import StoreLocation
from tracking.database.engine import Engines
from tracking.database.history import read_series
from tracking.errors import NotFound
from tracking.spool.files import spools_of
from tracking.spool.format import MAGIC
from tracking.spool.reading import read_batch

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
        engines: On its database.
        run: Id of the run.
        key: Of the metric.
    """

    def __init__(self, location: StoreLocation, engines: Engines, run: str, key: str) -> None:
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
        with self._engines.reading() as connection:
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
