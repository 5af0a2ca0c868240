"""Blocks keep every bit."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracking.database.blocks import BLOCK_POINTS, decode, encode

INT64 = st.integers(-(1 << 63), (1 << 63) - 1)
BITS = st.integers(0, (1 << 64) - 1)


def same_bits(left: np.ndarray, right: np.ndarray) -> bool:
    return left.tobytes() == right.tobytes()


@given(st.lists(st.tuples(INT64, BITS, INT64), min_size=1, max_size=300))
def test_any_bits_come_back(points: list[tuple[int, int, int]]) -> None:
    steps = np.array([step for step, _, _ in points], np.int64)
    values = np.array([bits for _, bits, _ in points], np.uint64).view(np.float64)
    times = np.array([time for _, _, time in points], np.int64)
    for given_, back in zip((steps, values, times), decode(encode(steps, values, times)), strict=True):
        assert same_bits(given_, back)


@pytest.mark.parametrize("count", [1, 2, 127, 128, 511, BLOCK_POINTS])
@pytest.mark.parametrize("kind", ["noise", "constant", "smooth"])
def test_full_blocks_of_noise_and_of_order_come_back(count: int, kind: str) -> None:
    steps = np.arange(count)
    noise = np.random.default_rng(0).normal(size=count)
    values = {"noise": noise, "constant": np.full(count, 0.1), "smooth": np.exp(-steps / 100.0)}[kind]
    block = encode(steps, values, steps * 1000)
    for given_, back in zip((steps, values, steps * 1000), decode(block), strict=True):
        assert same_bits(given_, back)
    if count == BLOCK_POINTS:
        assert len(block) < {"noise": 8, "constant": 0.5, "smooth": 8}[kind] * count


def test_special_values_keep_their_bits() -> None:
    values = np.array([np.nan, np.inf, -np.inf, -0.0, 5e-324, 1.7976931348623157e308, 2.0**53 + 2])
    payload = np.frombuffer(struct.pack("<Q", 0x7FF8DEADBEEF0001), "<f8")
    values = np.concatenate((values, payload))
    steps = np.arange(len(values))
    assert same_bits(decode(encode(steps, values, steps))[1], values)


def test_damage_is_told() -> None:
    steps = np.arange(10)
    block = encode(steps, steps * 0.5, steps)
    with pytest.raises(ValueError, match="format 9"):
        decode(b"\x09" + block[1:])
    with pytest.raises(ValueError, match="wrong length"):
        decode(struct.pack("<BII", 1, 11, 0) + block[9:])
