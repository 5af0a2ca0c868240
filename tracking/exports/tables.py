"""Tables on their way out: typed columns, a batch of rows at a time."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, BinaryIO, Protocol, TextIO

from tracking.errors import MissingDependency
from tracking.exports.cells import csv_cell, json_text, jsonable, printable, time_text
from tracking.validation import INT64_MAX, INT64_MIN

Batch = Mapping[str, Sequence[Any]]
"""Values by column, all of one length; None where a row has none. Times are microseconds since 1970 UTC."""


class Type(StrEnum):
    """What a column holds, which decides how Parquet stores it."""

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    TIME = "time"
    MIXED = "mixed"
    """Values of several types; Parquet gets each as the text that a CSV would show, without quotes."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table."""

    name: str
    type: Type


class TableWriter(Protocol):
    """Writes one table; `write` any number of times, then `close`."""

    def write(self, batch: Batch) -> None:
        """Add rows."""

    def close(self) -> None:
        """End the table; the file stays open."""


class CsvWriter:
    """Comma-separated values with a header; see `csv_cell` for what a cell may be."""

    def __init__(self, file: TextIO, columns: Sequence[Column], *, for_terminal: bool = False) -> None:
        self._columns = columns
        self._clean = for_terminal
        self._rows = csv.writer(file, lineterminator="\n")
        self._rows.writerow([self._cell(column.name) for column in columns])

    def write(self, batch: Batch) -> None:
        self._rows.writerows(zip(*(self._cells(column, batch) for column in self._columns), strict=True))

    def close(self) -> None:
        pass

    def _cells(self, column: Column, batch: Batch) -> list[str | int | float]:
        values = batch[column.name]
        if column.type is Type.TIME:
            return [time_text(value) for value in values]
        return [self._cell(value) for value in values]

    def _cell(self, value: Any) -> str | int | float:
        cell = csv_cell(value)
        return printable(cell) if self._clean and isinstance(cell, str) else cell


class JsonWriter:
    """One object a row: a line each, or all of them in one list; what a row lacks is left out."""

    def __init__(self, file: TextIO, columns: Sequence[Column], *, lines: bool) -> None:
        self._file = file
        self._columns = columns
        self._lines = lines
        self._any = False
        if not lines:
            file.write("[")

    def write(self, batch: Batch) -> None:
        names = [column.name for column in self._columns]
        cells = [self._values(column, batch) for column in self._columns]
        for values in zip(*cells, strict=True):
            row = {name: value for name, value in zip(names, values, strict=True) if value is not None}
            if self._lines:
                self._file.write(json_text(row) + "\n")
            else:
                self._file.write((",\n" if self._any else "\n") + json_text(row))
            self._any = True

    def close(self) -> None:
        if not self._lines:
            self._file.write("\n]\n" if self._any else "]\n")

    def _values(self, column: Column, batch: Batch) -> Sequence[Any]:
        values = batch[column.name]
        return [time_text(value) for value in values] if column.type is Type.TIME else values


class ParquetWriter:
    """Parquet, one row group a batch: NaN is NaN, and null where a row has no value."""

    def __init__(self, file: BinaryIO, columns: Sequence[Column]) -> None:
        try:
            import pyarrow as pa
            import pyarrow.parquet as parquet
        except ImportError as error:
            raise MissingDependency(
                "Parquet needs the package pyarrow: pip install pyarrow, or export as CSV."
            ) from error
        types = {
            Type.TEXT: pa.string(),
            Type.MIXED: pa.string(),
            Type.INTEGER: pa.int64(),
            Type.NUMBER: pa.float64(),
            Type.BOOLEAN: pa.bool_(),
            Type.TIME: pa.timestamp("us", tz="UTC"),
        }
        self._arrow = pa
        self._columns = columns
        self._schema = pa.schema([(column.name, types[column.type]) for column in columns])
        self._writer = parquet.ParquetWriter(file, self._schema)

    def write(self, batch: Batch) -> None:
        arrays = [
            self._arrow.array(_stored(batch[column.name], column.type), field.type, from_pandas=False)
            for column, field in zip(self._columns, self._schema, strict=True)
        ]
        self._writer.write_table(self._arrow.Table.from_arrays(arrays, schema=self._schema))

    def close(self) -> None:
        self._writer.close()


def _stored(values: Sequence[Any], kind: Type) -> Sequence[Any]:
    if kind is Type.MIXED:
        return [None if value is None else _as_text(value) for value in values]
    if kind is Type.NUMBER and isinstance(values, list):
        return [None if value is None else float(value) for value in values]
    return values


def _as_text(value: Any) -> str:
    return (
        value if isinstance(value, str) else str(jsonable(value)) if _is_number(value) else json_text(value)
    )


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


class TypeFinder:
    """Finds the types of columns whose values come in batches."""

    def __init__(self) -> None:
        self._kinds: dict[str, set[Type]] = {}

    def see(self, batch: Batch) -> None:
        """Look at a batch."""
        for name, values in batch.items():
            kinds = self._kinds.setdefault(name, set())
            if len(kinds) < len(Type):
                kinds.update(_type_of(value) for value in values if value is not None)

    def columns(self, fixed: Mapping[str, Type]) -> list[Column]:
        """Return the columns in the order in which they were first seen; `fixed` types are what they are."""
        return [Column(name, fixed.get(name) or _joined(kinds)) for name, kinds in self._kinds.items()]


def _type_of(value: Any) -> Type:
    if isinstance(value, bool):
        return Type.BOOLEAN
    if isinstance(value, int):
        return Type.INTEGER if INT64_MIN <= value <= INT64_MAX else Type.MIXED
    if isinstance(value, float):
        return Type.NUMBER
    return Type.TEXT if isinstance(value, str) else Type.MIXED


def _joined(kinds: set[Type]) -> Type:
    if len(kinds) == 1:
        return next(iter(kinds))
    if kinds == {Type.INTEGER, Type.NUMBER}:
        return Type.NUMBER
    return Type.MIXED if kinds else Type.TEXT
