"""First rows and column statistics of Parquet and CSV files, in bounded time and memory.

Parquet is read by a process of its own, `tracking.artifacts.parquet_reader`: a damaged file may end that one.
"""

from __future__ import annotations

import csv
import io
import re
from typing import TYPE_CHECKING, Any, BinaryIO

from tracking.artifacts.column_sources import chunk_of_series
from tracking.artifacts.column_statistics import STATISTICS, TOP, ColumnStatistics
from tracking.artifacts.parquet_reader import CELL, COLUMNS, COUNTED, DAMAGED, ROWS, TYPE, cell_text
from tracking.artifacts.preview_process import ReaderFailed, ReaderTooSlow, ask_reader
from tracking.artifacts.preview_records import ColumnPreview, TablePreview
from tracking.errors import InvalidValue, MissingDependency

if TYPE_CHECKING:
    import pandas as pd

CSV_BYTES = 4 << 20
CSV_COLUMNS = 5_000
LINE = 100_000
_DELIMITERS = ",\t;|"
_READER = "tracking.artifacts.parquet_reader"
_MARKS = (b"PAR1", b"PARE")
_ALLOWED: dict[str, tuple[type, ...]] = {
    "text": (str, type(None)),
    "time": (int, type(None)),
    "bool": (bool, type(None)),
    **dict.fromkeys(("float16", "float32", "float64"), (float,)),
    **{f"{sign}int{bits}": (int,) for sign in ("", "u") for bits in (8, 16, 32, 64)},
}


def preview_parquet(file: BinaryIO) -> TablePreview:
    """Return the beginning of a Parquet file, read by a process of its own.

    Raises:
        InvalidValue: It is no Parquet file, is cut off or is damaged.
        MissingDependency: pyarrow or pandas is not installed.
        TrackingError: The process cannot be started, or the system ended it.
    """
    size = file.seek(0, 2)
    file.seek(0)
    head = file.read(4)
    file.seek(max(0, size - 4))
    if size < 12 or head not in _MARKS or file.read(4) != head:
        raise InvalidValue(
            "This Parquet file cannot be read: it does not begin and end as one; it may be cut off."
        )
    try:
        return table_of_answer(ask_reader(file, _READER))
    except ReaderTooSlow:
        raise InvalidValue(
            "This Parquet file takes longer to read than a preview may; it can be downloaded."
        ) from None
    except ReaderFailed:
        raise InvalidValue(DAMAGED) from None


def preview_csv(file: BinaryIO, *, delimiter: str | None = None) -> TablePreview:
    """Return the beginning of a CSV file; the delimiter is guessed from its first lines.

    Raises:
        InvalidValue: It has no table's form, or lines or columns beyond all measure.
        MissingDependency: pandas is not installed.
    """
    pd = _pandas()
    data = file.read(CSV_BYTES + 1)
    whole = len(data) <= CSV_BYTES
    if not whole:
        end = data.rfind(b"\n", 0, CSV_BYTES)
        if end < 0:
            raise InvalidValue(f"The first line alone has more than {CSV_BYTES:,} bytes.")
        data = data[: end + 1]
    text = data.decode("utf-8-sig", "replace").replace("\0", "\ufffd")
    lines = re.split("\r\n|\r|\n", text[: 20 * LINE], maxsplit=20)[:20]
    if not lines[0].strip():
        raise InvalidValue("The first line is empty, where the names of columns should be.")
    delimiter = delimiter or _delimiter(lines)
    if len(lines[0]) > LINE or lines[0].count(delimiter) > CSV_COLUMNS:
        raise InvalidValue(f"The first line has more than {CSV_COLUMNS:,} columns or {LINE:,} characters.")
    columns = len(next(csv.reader([lines[0]], delimiter=delimiter)))
    try:
        frame = pd.read_csv(
            io.StringIO(text),
            sep=delimiter,
            usecols=range(min(columns, COLUMNS)),
            nrows=COUNTED,
            index_col=False,
            on_bad_lines="skip",
            low_memory=False,
        )
    except (ValueError, OverflowError, pd.errors.ParserError, csv.Error) as error:
        raise InvalidValue(f"This is no table of comma-separated values: {str(error)[:200]}") from None
    rows = len(frame) if whole and len(frame) < COUNTED else None
    schema = []
    for at in range(frame.shape[1]):
        series = frame.iloc[:, at]
        told = ColumnStatistics()
        told.add(chunk_of_series(series))
        kind = "text" if series.dtype == object or series.dtype == "str" else str(series.dtype)
        schema.append(ColumnPreview(str(frame.columns[at]), kind, told.result()))
    return TablePreview(_shown(frame), rows, columns, tuple(schema), len(frame))


def table_of_answer(answer: Any) -> TablePreview:
    """Return the table that `parquet_reader` tells of.

    Raises:
        InvalidValue, MissingDependency: As it says.
        ReaderFailed: It says anything that no reader of ours would: its memory was damaged.
    """
    if not isinstance(answer, dict) or len(answer) != 1:
        raise ReaderFailed("The answer is none.")
    ((verdict, told),) = answer.items()
    if verdict in ("refused", "missing") and isinstance(told, str) and len(told) <= 1_000:
        raise InvalidValue(told) if verdict == "refused" else MissingDependency(told)
    if verdict != "table" or not isinstance(told, dict) or not _is_table(told):
        raise ReaderFailed("The table is none.")
    try:
        frame = _pandas().DataFrame(
            {each["name"]: _column(each["kind"], each["cells"]) for each in told["schema"]}
        )
    except (ValueError, TypeError, OverflowError) as error:
        raise ReaderFailed(f"The cells make no column: {error}") from None
    schema = (ColumnPreview(each["name"], each["type"], each["statistics"]) for each in told["schema"])
    return TablePreview(
        _shown(frame), told["rows"], told["columns"], tuple(schema), told["counted"], note=told["note"]
    )


def _is_table(told: dict[str, Any]) -> bool:
    numbers = [told.get(name) for name in ("rows", "columns", "counted")]
    schema, note = told.get("schema"), told.get("note")
    return (
        all(type(number) is int and number >= 0 for number in numbers)
        and isinstance(note, str)
        and len(note) <= 1_000
        and isinstance(schema, list)
        and len(schema) <= COLUMNS
        and all(isinstance(each, dict) and _is_column(each) for each in schema)
        and len({each["name"] for each in schema}) == len(schema)
        and len({len(each["cells"]) for each in schema}) <= 1
    )


def _is_column(told: dict[str, Any]) -> bool:
    name, kind, about, cells = (told.get(key) for key in ("name", "type", "statistics", "cells"))
    return (
        isinstance(name, str)
        and isinstance(kind, str)
        and len(kind) <= TYPE
        and isinstance(about, dict)
        and str(told.get("kind")) in _ALLOWED
        and isinstance(cells, list)
        and len(cells) <= ROWS
        and all(_is_statistic(key, value) for key, value in about.items())
        and type(about.get("count")) is type(about.get("missing")) is int
    )


def _is_statistic(key: str, value: Any) -> bool:
    if key == "top":
        pairs = value if isinstance(value, list) else [None]
        return len(pairs) <= TOP and all(
            isinstance(pair, list) and len(pair) == 2 and type(pair[1]) is int and _is_scalar(pair[0])
            for pair in pairs
        )
    return key in STATISTICS and _is_scalar(value)


def _is_scalar(value: Any) -> bool:
    return (
        value is None or isinstance(value, (int, float)) or (isinstance(value, str) and len(value) <= 1_000)
    )


def _column(kind: str, cells: list[Any]) -> Any:
    """Return cells as what pandas makes a column of; raises ValueError, TypeError or OverflowError."""
    import numpy as np

    allowed = _ALLOWED[kind]
    if not all(type(cell) in allowed and (type(cell) is not str or len(cell) <= CELL) for cell in cells):
        raise ValueError(f"not all of the kind {kind}")
    if kind == "text":
        return cells
    if kind == "time":
        missing = np.iinfo(np.int64).min
        return np.array([missing if cell is None else cell for cell in cells], np.int64).view("M8[us]")
    return np.array(cells, object if None in cells else kind)


def _delimiter(lines: list[str]) -> str:
    """Return what stands equally often in the first lines, a comma when nothing does."""
    best, most = ",", 0
    for mark in _DELIMITERS:
        counts = [line.count(mark) for line in lines if line.strip()]
        if counts[0] and min(counts) == max(counts) and counts[0] > most:
            best, most = mark, counts[0]
    if most == 0:
        best = max(_DELIMITERS, key=lines[0].count)
    return best


def _shown(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the first rows with unique names of columns and short cells."""
    frame = frame.iloc[:ROWS, :COLUMNS].copy()
    names: list[str] = []
    for name in frame.columns:
        plain = base = cell_text(str(name)).encode("utf-8", "backslashreplace").decode() or " "
        count = 1
        while plain in names:
            count += 1
            plain = f"{base} ({count})"
        names.append(plain)
    frame.columns = names
    for name in names:
        column = frame[name]
        if column.dtype == object or str(column.dtype) in ("str", "string"):
            frame[name] = [None if pd_missing(value) else cell_text(value) for value in column]
    return frame.reset_index(drop=True)


def pd_missing(value: object) -> bool:
    """Whether a cell is empty."""
    return value is None or (isinstance(value, float) and value != value)


def _pandas() -> Any:
    try:
        import pandas
    except ImportError:
        raise MissingDependency("Tables are shown with pandas: pip install pandas") from None
    return pandas
