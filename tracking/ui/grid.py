"""Draws the tables of `tracking.ui.tables` and says which rows are chosen."""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pandas as pd
import streamlit as st

from tracking.ui import format
from tracking.ui.markdown import escape
from tracking.ui.spreadsheet import harmless
from tracking.ui.tables import Table, TableColumn

ROW_HEIGHT = 33
HEADER_HEIGHT = 32
WIDTHS = {"small": 75, "medium": 200, "large": 400}
"""Pixels of the widths that Streamlit has names for."""
NARROWEST_SPACE = 2.5
"""Pixels of a space in the narrowest font of a cell."""


def show(
    table: Table,
    *,
    alt: str,
    key: str | None = None,
    rows: int = 16,
    on_open: Callable[[int], None] | None = None,
    open_column: str = "name",
    whole_cell: bool = False,
) -> None:
    """Draw a table to read.

    Args:
        table: What to draw.
        alt: What the table is, for those who cannot see it.
        key: Keeps scroll and column widths while the content changes; needed with `on_open`.
        rows: More than this many scroll inside the table.
        on_open: Called with the row when the cell in `open_column` is pressed.
        open_column: The column whose cells open the row.
        whole_cell: Whether such a cell can be pressed beside its text, too. Its text then ends in spaces,
            also where it is copied or exported: not for names that are looked up elsewhere.
    """
    if on_open is not None and whole_cell:
        table = _filled(table, open_column)
    st.dataframe(
        _styled(table),
        width="content",  # stretched, a number stands far from its heading, which is always at the left
        height=height(len(table.frame), rows),
        hide_index=True,
        column_config=_column_config(table, key, open_column, on_open),
        row_height=ROW_HEIGHT,
        key=key,
        alt=alt,
        placeholder=format.ABSENT,  # for blank cells the browser draws this, not their text
    )


def choose(
    table: Table,
    *,
    alt: str,
    key: str,
    ticked: Sequence[int] = (),
    rows: int = 16,
    on_open: Callable[[int], None] | None = None,
    open_column: str = "name",
) -> list[int]:
    """Draw a table whose rows can be ticked, as `show` does; return the chosen rows, ascending.

    The selection is of positions: while one stands, the rows have to keep their places.
    `ticked` are those chosen when the table of this key is drawn for the first time.
    """
    event: Any = st.dataframe(
        _styled(table),
        width="content",  # stretched, a number stands far from its heading, which is always at the left
        height=height(len(table.frame), rows),
        hide_index=True,
        column_config=_column_config(table, key, open_column, on_open),
        row_height=ROW_HEIGHT,
        on_select="rerun",
        selection_mode="multi-row",
        selection_default={"selection": {"rows": list(ticked)}},
        key=key,
        alt=alt,
        placeholder=format.ABSENT,  # for blank cells the browser draws this, not their text
    )
    return sorted(row for row in event["selection"]["rows"] if 0 <= row < len(table.frame))


def chosen_before(key: str) -> list[int]:
    """Return the rows chosen in the table of that key, readable before it is drawn again."""
    state: Any = st.session_state.get(key) or {}
    return sorted(state.get("selection", {}).get("rows", []))


def height(length: int, limit: int) -> int:
    """Return the pixels of a table of `length` rows that shows about `limit` of them.

    Half a row at the end says that more follow: scroll bars are often not drawn.
    """
    shown = limit + 0.5 if length > limit + 2 else max(1, length)
    return HEADER_HEIGHT + int(ROW_HEIGHT * shown) + 2


def _filled(table: Table, column: str) -> Table:
    """Return the table with the texts of a column as wide as the column: of a button only the text is pressed."""
    width = table.columns[column].width
    pixels = width if isinstance(width, int) else WIDTHS.get(width or "", WIDTHS["large"])
    texts = table.frame[column].str.ljust(math.ceil(pixels / NARROWEST_SPACE))
    return replace(table, frame=table.frame.assign(**{column: texts}))


def _open_column(column: TableColumn, key: str, on_open: Callable[[int], None]) -> Any:
    click = f"{key}.open"

    def opened() -> None:
        pressed = st.session_state.get(click)
        if pressed:
            on_open(int(pressed["row"]))

    return st.column_config.ButtonColumn(
        column.label,
        help=column.help and escape(column.help),
        width=column.width,
        pinned=column.pinned,
        alignment="left",
        type="tertiary",
        on_click=opened,
        key=click,
    )


def _column_config(
    table: Table, key: str | None, open_column: str, on_open: Callable[[int], None] | None
) -> dict[str, Any]:
    config: dict[str, Any] = {
        name: _column_type(table.frame[name])(
            column.label,
            help=column.help and escape(column.help),
            width=column.width,
            pinned=column.pinned,
            alignment=column.align,
        )
        for name, column in table.columns.items()
    }
    if on_open is not None and key is not None:
        config[open_column] = _open_column(table.columns[open_column], key, on_open)
    return config


def _column_type(cells: pd.Series[Any]) -> Callable[..., Any]:
    """Return the type of a column, by which the browser sorts. A format would replace the table's texts."""
    if isinstance(cells.dtype, pd.DatetimeTZDtype):
        return functools.partial(st.column_config.DatetimeColumn, step=timedelta(milliseconds=1))
    return st.column_config.NumberColumn if cells.dtype == "float64" else st.column_config.TextColumn


def _styled(table: Table) -> Any:
    """Return the frame, with texts and styles only where the table has some: they cost time per cell."""
    frame = harmless(table.frame)
    if not table.texts and not table.bold and not table.colours:
        return frame
    styles = {name: [""] * len(frame) for name in frame.columns}
    for row, column in table.bold:
        styles[column][row] = "font-weight: 700"
    if table.colours:
        styles["mark"] = [f"background-color: {colour}; color: #ffffff" for colour in table.colours]
    styler = frame.style.apply(lambda _: pd.DataFrame(styles, index=frame.index), axis=None)
    # A formatter is asked once for each cell of a column, from the top; its value may stand for another.
    styler.format({name: _in_turn(cells) for name, cells in table.texts.items()})
    return styler


def _in_turn(texts: Sequence[str]) -> Callable[[object], str]:
    turns = itertools.cycle(texts)
    return lambda _: next(turns)
