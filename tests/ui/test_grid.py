"""Tables as they are drawn: how much of them is seen."""

from __future__ import annotations

import pytest

from tracking.ui.grid import HEADER_HEIGHT, ROW_HEIGHT, height


@pytest.mark.parametrize(
    ("length", "rows"), [(0, 1), (1, 1), (17, 17), (18, 18), (19, 19), (20, 17.5), (900, 17.5)]
)
def test_a_table_is_whole_or_shows_that_more_rows_follow(length: int, rows: float) -> None:
    assert (height(length, 17) - HEADER_HEIGHT - 2) / ROW_HEIGHT == pytest.approx(rows, abs=0.05)
