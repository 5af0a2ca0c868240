"""Columns with their statistics."""

from __future__ import annotations

from typing import Any

import pytest

from tracking.ui.column_tables import columns_table, statistic


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (0.123456789, "0.12346"),
        (12_000, "12,000"),
        (float("nan"), "NaN"),
        (True, "true"),
        ("<b>x</b>", "<b>x</b>"),
        ([["cat", 20], [None, 3]], "cat (20), None (3)"),
        ([1, 2], "[1, 2]"),
        ({"a": 1}, '{"a": 1}'),
    ],
)
def test_a_statistic_as_text(value: Any, text: str) -> None:
    assert statistic(value) == text


def test_every_statistic_that_one_column_has_is_a_column() -> None:
    table = columns_table([("column", "int64", {"mean": 0.5}), ("b", "str", {"type": "x", "longest": 9})])
    assert table.frame.to_numpy().tolist() == [
        ["column", "int64", "0.5", "–", "–"],
        ["b", "str", "–", "x", "9"],
    ]
    assert [column.label for column in table.columns.values()] == [
        "Column",
        "Type",
        "mean",
        "type",
        "longest",
    ]
    assert columns_table([]).frame.empty
