"""The spool's bytes: how a record is written and read back.

A file is the 8 bytes `MAGIC`, then records, little-endian::

    u32 length of payload | u32 crc32 of payload | payload

A payload begins with its kind:

    1  an event: the rest is one JSON object in UTF-8, its kind under "t"
    2  points:   3 zero bytes, u32 shape, i64 step, i64 time (µs, UTC), then one
                 float64 per key of the shape

A shape is the tuple of keys of one `log()` call; the event {"t": "shape",
"id": …, "keys": […]} stands before its first use. The end of the readable part
is the end of the last whole record with a right checksum.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from zlib import crc32

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MAGIC = b"podium\x00\x01"
EVENT = 1
POINTS = 2
FRAME = struct.Struct("<II")
POINTS_HEAD = struct.Struct("<B3xIqq")
EVENT_KIND = bytes((EVENT,))
MAX_PAYLOAD = 1 << 30

Event = dict[str, Any]


def pack_event(event: Event) -> bytes:
    """Return the framed record of an event."""
    payload = EVENT_KIND + json.dumps(event, ensure_ascii=False, allow_nan=False).encode()
    return FRAME.pack(len(payload), crc32(payload)) + payload


def points_packer(shape: int, keys: int) -> Callable[..., bytes]:
    """Return `pack(step, time, *values)`, which frames one `log()` call of `keys` values.

    Made once per shape: the loop's path is then one pack, one checksum, one join.
    """
    pack_payload = struct.Struct(f"<B3xIqq{keys}d").pack
    pack_frame = FRAME.pack
    length = POINTS_HEAD.size + 8 * keys

    def pack(step: int, time: int, *values: float) -> bytes:
        payload = pack_payload(POINTS, shape, step, time, *values)
        return pack_frame(length, crc32(payload)) + payload

    return pack


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
    points: dict[int, tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]] = (
        field(default_factory=dict)
    )
    end: int = 0
    records: int = 0


def frames(data: bytes, start: int) -> Iterator[tuple[int, int]]:
    """Yield `(offset, length)` of each whole payload with a right checksum, from `start` on."""
    view = memoryview(data)
    unpack = FRAME.unpack_from
    at, size, head = start, len(data), FRAME.size
    while at + head <= size:
        length, checksum = unpack(data, at)
        at += head
        end = at + length
        if length == 0 or length > MAX_PAYLOAD or end > size or crc32(view[at:end]) != checksum:
            return
        yield at, length
        at = end


def read_batch(data: bytes, shapes: dict[int, tuple[str, ...]], *, start: int = 0) -> Batch:
    """Read the whole records of `data`.

    Args:
        data: Bytes of a spool from a record's beginning on.
        shapes: Keys by shape id as known so far; new ones are added.
        start: Where in `data` to begin; `Batch.end` is an offset in `data` too.
    """
    import numpy as np

    batch = Batch(end=start)
    places: dict[int, tuple[list[int], list[int]]] = {}
    shape_of = struct.Struct("<I").unpack_from
    for index, (at, length) in enumerate(frames(data, start)):
        if data[at] == POINTS:
            shape = shape_of(data, at + 4)[0]
            found = places.get(shape)
            if found is None:
                found = places[shape] = ([], [])
            found[0].append(index)
            found[1].append(at)
        elif data[at] == EVENT:
            event = json.loads(data[at + 1 : at + length])
            if event.get("t") == "shape":
                shapes[int(event["id"])] = tuple(event["keys"])
            else:
                batch.events.append(event)
        batch.records = index + 1
        batch.end = at + length
    raw = np.frombuffer(data, np.uint8)
    for shape, (order, offsets) in places.items():
        keys = len(shapes[shape])
        row = np.dtype([("step", "<i8"), ("time", "<i8"), ("values", "<f8", (keys,))])
        starts = np.asarray(offsets, np.int64) + 8
        if len(starts) and starts[-1] - starts[0] == (len(starts) - 1) * (row.itemsize + 16):
            # One run of equal records, the usual case: a strided view instead of a gather.
            # From the first record's frame on: 8 bytes of frame, 8 of kind and shape, then the row.
            padded = np.dtype(
                {
                    "names": ["step", "time", "values"],
                    "formats": ["<i8", "<i8", ("<f8", (keys,))],
                    "offsets": [16, 24, 32],
                    "itemsize": row.itemsize + 16,
                }
            )
            rows = np.frombuffer(data, padded, count=len(starts), offset=int(starts[0]) - 16)
        else:
            rows = raw[starts[:, None] + np.arange(row.itemsize)].view(row).reshape(len(starts))
        batch.points[shape] = (
            np.asarray(order, np.int64),
            rows["step"].astype(np.int64),
            rows["time"].astype(np.int64),
            rows["values"].astype(np.float64).reshape(len(starts), keys),
        )
    return batch


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
