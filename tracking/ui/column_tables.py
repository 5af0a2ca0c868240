"""The columns of tables and datasets with their types and statistics, as a table. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from tracking.ui import format
from tracking.ui.tables import MAX_CELL, Table, TableColumn


def columns_table(columns: Iterable[tuple[str, str, Mapping[str, Any]]]) -> Table:
    """Return columns, one a row, with every statistic that one of them has.

    Args:
        columns: Name, type and statistics of each.
    """
    listed = list(columns)
    measures = list(dict.fromkeys(measure for _, _, statistics in listed for measure in statistics))
    cells: dict[str, list[str]] = {
        "column": [format.shorten(name, MAX_CELL) for name, _, _ in listed],
        "type": [format.shorten(kind, 60) for _, kind, _ in listed],
    }
    described = {"column": TableColumn("Column", width="medium"), "type": TableColumn("Type")}
    for measure in measures:
        values = [statistics.get(measure) for _, _, statistics in listed]
        numeric = all(value is None or isinstance(value, int | float) for value in values)
        # Apart from the columns above, whatever a statistic is called.
        cells[f"statistic {measure}"] = [statistic(value) for value in values]
        described[f"statistic {measure}"] = TableColumn(
            format.shorten(str(measure), 40), align="right" if numeric else "left"
        )
    return Table(pd.DataFrame(cells, dtype="str"), described)


def statistic(value: Any) -> str:
    """Return one statistic as text: `0.5`, `cat (20), dog (3)`."""
    if value is None:
        return format.ABSENT
    if isinstance(value, int | float) and not isinstance(value, bool):
        return format.number(value)
    if isinstance(value, str):
        return format.shorten(value, MAX_CELL)
    if isinstance(value, list) and all(isinstance(pair, list) and len(pair) == 2 for pair in value):
        return format.shorten(", ".join(f"{format.param(one)} ({count})" for one, count in value), MAX_CELL)
    return format.shorten(json.dumps(value, ensure_ascii=False, default=str), MAX_CELL)
