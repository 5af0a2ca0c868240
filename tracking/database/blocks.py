"""The bytes of a metric block: up to 4,096 points, bit for bit as logged.

A block begins with a format byte and the number of points as u32, little-endian.
What follows, raw in format 0 and as one zlib stream in format 1, is three columns of
8-byte little-endian integers, each byte-shuffled (all first bytes, then all second
bytes, …)::

    steps    int64, each but the first minus the one before it (modulo 2**64)
    times    int64 microseconds since 1970-01-01 UTC, coded in the same way
    values   float64 bit patterns as they are, NaN payloads and -0.0 included

To read one without Podium: see `decode`, which is nothing but numpy and zlib.
"""

from __future__ import annotations

import struct
import zlib

import numpy as np
from numpy.typing import NDArray

BLOCK_POINTS = 4096
RAW, ZLIB = 0, 1
_HEAD = struct.Struct("<BI")

Columns = tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]]
"""Steps, values and times of the same length."""


def encode(steps: NDArray[np.int64], values: NDArray[np.float64], times: NDArray[np.int64]) -> bytes:
    """Return the block of `n` points, `n` at most 4,096 by convention (any number works)."""
    count = len(steps)
    columns = np.empty((3, count), "<u8")
    columns[0] = steps.view(np.uint64)
    columns[1] = times.view(np.uint64)
    columns[2] = np.ascontiguousarray(values).view(np.uint64)
    # From the right: numpy reads the old left neighbour before it writes.
    columns[:2, 1:] -= columns[:2, :-1].copy()
    shuffled = columns.view(np.uint8).reshape(3, count, 8).transpose(0, 2, 1).tobytes()
    packed = zlib.compress(shuffled, 1)
    if len(packed) < len(shuffled):
        return _HEAD.pack(ZLIB, count) + packed
    return _HEAD.pack(RAW, count) + shuffled


def decode(data: bytes) -> Columns:
    """Return the points of a block.

    Raises:
        ValueError: The format byte is unknown or the length does not fit.
    """
    form, count = _HEAD.unpack_from(data)
    if form not in (RAW, ZLIB):
        raise ValueError(f"metric block of unknown format {form}")
    body = data[_HEAD.size :]
    if form == ZLIB:
        body = zlib.decompress(body)
    if len(body) != 24 * count:
        raise ValueError(f"metric block of {count} points has {len(body)} bytes instead of {24 * count}")
    columns = np.frombuffer(body, np.uint8).reshape(3, 8, count).transpose(0, 2, 1)
    numbers = np.ascontiguousarray(columns).view("<u8").reshape(3, count)
    steps = np.cumsum(numbers[0], dtype=np.uint64).view(np.int64)
    times = np.cumsum(numbers[1], dtype=np.uint64).view(np.int64)
    return steps, numbers[2].view(np.float64), times


def concatenate(parts: list[Columns]) -> Columns:
    """Join columns in order."""
    if len(parts) == 1:
        return parts[0]
    steps, values, times = zip(*parts, strict=True)
    return np.concatenate(steps), np.concatenate(values), np.concatenate(times)
