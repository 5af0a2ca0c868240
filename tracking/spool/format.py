"""The spool's bytes: the format, and how a record is written.

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
from typing import Any
from zlib import crc32

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


def frames(data: bytes, start: int) -> Iterator[tuple[int, int]]:
    """Yield `(offset, length)` of each whole payload with a right checksum, from `start` on."""
    at = start
    while (length := whole_record(data, at)) is not None:
        yield at + FRAME.size, length
        at += FRAME.size + length


def whole_record(data: bytes, at: int) -> int | None:
    """Return the payload length of the record at `at` if it is whole and its checksum right."""
    if at + FRAME.size > len(data):
        return None
    length, checksum = FRAME.unpack_from(data, at)
    begin = at + FRAME.size
    end = begin + length
    if not 0 < length <= MAX_PAYLOAD or end > len(data) or crc32(memoryview(data)[begin:end]) != checksum:
        return None
    return int(length)
