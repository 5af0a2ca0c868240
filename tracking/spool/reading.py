"""Reading a spool back, as arrays."""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass, field
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from tracking.spool.format import EVENT, FRAME, MAGIC, POINTS, Event, frames, whole_record

Points = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]
_SHAPE = struct.Struct("<I")


@dataclass(slots=True)
class Batch:
    """What a stretch of a spool says.

    Attributes:
        events: The events in order, without shapes.
        points: Per shape id, `(index, steps, times, values)`: the records' places in the
            stretch `(n,)`, int64 `(n,)` twice, and float64 `(n, keys)`.
        end: Offset after the last whole record.
        records: How many records were read.
    """

    events: list[Event] = field(default_factory=list)
    points: dict[int, Points] = field(default_factory=dict)
    end: int = 0
    records: int = 0


def read_batch(data: bytes, shapes: dict[int, tuple[str, ...]], *, start: int = 0) -> Batch:
    """Read the whole records of `data`.

    Args:
        data: Bytes of a spool from a record's beginning on.
        shapes: Keys by shape id as known so far; new ones are added.
        start: Where in `data` to begin; `Batch.end` is an offset in `data` too.
    """
    batch = Batch(end=start)
    parts: dict[int, list[Points]] = {}
    while (length := whole_record(data, batch.end)) is not None:
        at = batch.end + FRAME.size
        count = 1
        if data[at] == POINTS:
            shape = _SHAPE.unpack_from(data, at + 4)[0]
            rows = _run_of_points(data, batch.end, length, len(shapes[shape]))
            count = len(rows)
            order = np.arange(batch.records, batch.records + count)
            parts.setdefault(shape, []).append((order, rows["step"], rows["time"], rows["values"]))
        elif data[at] == EVENT:
            event = json.loads(data[at + 1 : at + length])
            if event.get("t") == "shape":
                shapes[int(event["id"])] = tuple(event["keys"])
            else:
                batch.events.append(event)
        batch.records += count
        batch.end += count * (FRAME.size + length)
    for shape, found in parts.items():
        order, steps, times, values = (np.concatenate(columns) for columns in zip(*found, strict=True))
        batch.points[shape] = order, steps, times, values
    return batch


def _run_of_points(data: bytes, at: int, length: int, keys: int) -> NDArray[np.void]:
    """Return the records from `at` on that have the same length and shape and right checksums.

    At least one: the first was checked by the caller. Looks ahead in doubling strides, so that
    two shapes in turn do not cost a look at the whole rest each.
    """
    row = np.dtype(
        [
            ("length", "<u4"),
            ("crc", "<u4"),
            ("kind", "<u4"),
            ("shape", "<u4"),
            ("step", "<i8"),
            ("time", "<i8"),
        ]
        + [("values", "<f8", (keys,))]
    )
    size = FRAME.size + length
    limit = (len(data) - at) // size
    # An absurd length cannot be a row of this shape; the checksum was right, so it is one of ours.
    assert row.itemsize == size
    count, ahead = 1, 4
    first = np.frombuffer(data, row, count=1, offset=at)[0]
    view = memoryview(data)
    while count < limit:
        rows = np.frombuffer(data, row, count=min(ahead, limit - count), offset=at + count * size)
        same = (
            (rows["length"] == length) & (rows["kind"] == first["kind"]) & (rows["shape"] == first["shape"])
        )
        alike = len(rows) if same.all() else int(same.argmin())
        begin = at + count * size + FRAME.size
        ends = range(begin, begin + alike * size, size)
        right = rows["crc"][:alike] == np.array([crc32(view[end : end + length]) for end in ends], np.uint32)
        good = alike if right.all() else int(right.argmin())
        count += good
        if good < len(rows):
            break
        ahead *= 2
    return np.frombuffer(data, row, count=count, offset=at)


def next_record(data: bytes, start: int) -> int | None:
    """Return where the next whole record begins at or after `start`, behind damage; None when there is none.

    Looked for by what payloads begin with, and believed only with a right checksum.
    """
    best: int | None = None
    for mark in (bytes((POINTS, 0, 0, 0)), bytes((EVENT,)) + b"{"):
        at = data.find(mark, start + FRAME.size)
        while at >= 0 and (best is None or at < best + FRAME.size):
            if whole_record(data, at - FRAME.size) is not None:
                best = at - FRAME.size
                break
            at = data.find(mark, at + 1)
    return best


def read_shapes(data: bytes, end: int) -> dict[int, tuple[str, ...]]:
    """Return the shapes declared before offset `end`, for a reader that starts in the middle."""
    shapes: dict[int, tuple[str, ...]] = {}
    for at, length in frames(data, len(MAGIC)):
        if at >= end:
            break
        if data[at] == EVENT:
            event = json.loads(data[at + 1 : at + length])
            if event.get("t") == "shape":
                shapes[int(event["id"])] = tuple(event["keys"])
    return shapes
