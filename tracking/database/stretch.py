"""A stretch of a spool, ready to be written: everything computed, nothing in the database yet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tracking.database.blocks import Columns, concatenate
from tracking.database.summaries import summarize
from tracking.spool.files import SpoolFiles
from tracking.spool.format import MAGIC, Event
from tracking.spool.reading import Batch, read_batch

Shapes = dict[int, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Stretch:
    """What some bytes of a spool say.

    Attributes:
        events: In order.
        points: By key, in the order of writing.
        summaries: Of these points alone, by key.
        end: Offset in the spool after the last whole record.
        last_time: Of the last record that has one, microseconds; 0 for none.
    """

    events: list[Event]
    points: dict[str, Columns]
    summaries: dict[str, dict[str, Any]]
    end: int
    last_time: int


def read_stretch(data: bytes, shapes: Shapes, offset: int) -> Stretch | None:
    """Read the whole records of `data`, which begins at `offset` of its spool; None when there is none.

    Args:
        data: From a record's beginning on.
        shapes: Known so far; new ones are added.
        offset: Where `data` stands.
    """
    batch = read_batch(data, shapes)
    if not batch.records:
        return None
    points = _by_key(batch, shapes)
    summaries = {key: summarize(steps, values) for key, (steps, values, _) in points.items()}
    times = [int(times[-1]) for _, _, times, _ in batch.points.values()]
    times += [int(event.get("time") or 0) for event in batch.events]
    return Stretch(batch.events, points, summaries, offset + batch.end, max(times, default=0))


def last_words(files: SpoolFiles) -> list[Event]:
    """Return the events that were written into the reserve because the disk was full; none as a rule."""
    try:
        data = files.last.read_bytes()
    except FileNotFoundError:
        return []
    return read_batch(data, {}, start=len(MAGIC)).events if data.startswith(MAGIC) else []


def _by_key(batch: Batch, shapes: Shapes) -> dict[str, Columns]:
    """Return each key's points in the order of writing."""
    parts: dict[str, list[tuple[NDArray[np.int64], Columns]]] = {}
    for shape, (order, steps, times, values) in batch.points.items():
        for place, key in enumerate(shapes[shape]):
            parts.setdefault(key, []).append((order, (steps, values[:, place], times)))
    by_key: dict[str, Columns] = {}
    for key, found in parts.items():
        columns = concatenate([part for _, part in found])
        if len(found) > 1:
            places = np.argsort(np.concatenate([order for order, _ in found]), kind="stable")
            columns = columns[0][places], columns[1][places], columns[2][places]
        by_key[key] = columns
    return by_key
