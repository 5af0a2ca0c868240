"""The bytes of a metric block: up to 4,096 points, bit for bit as logged.

The points are three columns of 8-byte little-endian integers::

    steps    int64, each but the first minus the one before it (modulo 2**64)
    times    int64 microseconds since 1970-01-01 UTC, coded in the same way
    values   float64 bit patterns as they are, NaN payloads and -0.0 included

Each column is byte-shuffled into 8 planes (all first bytes, then all second bytes, …),
which makes 24 planes of one byte a point. A block is, little-endian::

    u8 format (1) | u32 points | u32 mask | planes whose bit of the mask is set, as they are
                                          | one zlib stream of the others

Noise does not compress, and inflating it again would be half the time of a read: such
planes (the low bytes of most floats) are the ones stored as they are. To read a block
without Podium: see `decode`, which is nothing but numpy and zlib.
"""

from __future__ import annotations

import struct
import zlib

import numpy as np
from numpy.typing import NDArray

BLOCK_POINTS = 4096
FORMAT = 1
_HEAD = struct.Struct("<BII")
_PLANES = 24
_VALUES = 16
"""The first plane of the values; the others are worth compressing as a rule."""
_SAMPLE = 512


class BlockDamaged(ValueError):
    """The bytes are no block: an unknown format, a wrong length, or damage that zlib found."""


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
    planes = np.ascontiguousarray(columns.view(np.uint8).reshape(3, count, 8).transpose(0, 2, 1))
    planes = planes.reshape(_PLANES, count)
    mask = sum(1 << place for place in range(_VALUES, _PLANES) if _is_noise(planes[place]))
    noise = [bool(mask >> place & 1) for place in range(_PLANES)]
    packed = zlib.compress(planes[np.logical_not(noise)].tobytes(), 1)
    return _HEAD.pack(FORMAT, count, mask) + planes[noise].tobytes() + packed


def _is_noise(plane: NDArray[np.uint8]) -> bool:
    """Whether the bytes look evenly spread, by how often two of a sample are equal."""
    sample = plane[:_SAMPLE]
    count = len(sample)
    if count < 128:
        return False
    pairs = int((np.bincount(sample) ** 2).sum()) - count
    return pairs < 1.5 * count * (count - 1) / 256


def decode(data: bytes) -> Columns:
    """Return the points of a block.

    Raises:
        BlockDamaged: The format is unknown or the length does not fit.
    """
    if len(data) < _HEAD.size:
        raise BlockDamaged("metric block without a head")
    form, count, mask = _HEAD.unpack_from(data)
    if form != FORMAT or mask >> _PLANES:
        raise BlockDamaged(f"metric block of unknown format {form}")
    noise = bin(mask).count("1")
    stored = _HEAD.size + count * noise
    try:
        packed = zlib.decompress(memoryview(data)[stored:])
    except zlib.error as error:
        raise BlockDamaged(f"metric block of {count} points: {error}") from error
    if len(packed) != (_PLANES - noise) * count:
        raise BlockDamaged(f"metric block of {count} points has the wrong length")
    raw = iter(np.frombuffer(data, np.uint8, count * noise, _HEAD.size).reshape(noise, count))
    inflated = iter(np.frombuffer(packed, np.uint8).reshape(_PLANES - noise, count))
    # Plane by plane into its place: the shuffle is undone as it is read.
    numbers = np.empty((3, count), "<u8")
    places = numbers.view(np.uint8).reshape(3, count, 8)
    for plane in range(_PLANES):
        places[plane // 8, :, plane % 8] = next(raw if mask >> plane & 1 else inflated)
    steps = np.cumsum(numbers[0], dtype=np.uint64).view(np.int64)
    times = np.cumsum(numbers[1], dtype=np.uint64).view(np.int64)
    return steps, numbers[2].view(np.float64), times


def concatenate(parts: list[Columns]) -> Columns:
    """Join columns in order."""
    if len(parts) == 1:
        return parts[0]
    steps, values, times = zip(*parts, strict=True)
    return np.concatenate(steps), np.concatenate(values), np.concatenate(times)
