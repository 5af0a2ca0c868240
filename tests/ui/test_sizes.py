"""Sizes as text."""

from __future__ import annotations

import pytest

from tracking.ui.sizes import memory, size


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (9_949, "9.9 kB"),
        (9_950, "10 kB"),
        (999_499, "999 kB"),
        (999_500, "1.0 MB"),
        (10**9, "1.0 GB"),
        (10**19, "10,000 PB"),
    ],
)
def test_bytes_in_the_unit_that_fits(count: int, text: str) -> None:
    assert size(count) == text


def test_memory_in_the_unit_it_is_sold_in() -> None:
    assert memory(16 * 2**30) == "16.0 GiB"
