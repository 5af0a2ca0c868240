"""Reads the beginning of a Parquet file, in a process of its own: `python -m tracking.artifacts.parquet_reader`.

pyarrow reads Parquet in C++, where a damaged file can abort the process, and a file that lies about its sizes can
take all memory. So nobody but `tracking.artifacts.preview_process` runs this. The file is standard input; the answer
is one JSON object on standard output: {"table": …}, {"refused": why} or {"missing": what to install}.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
from collections import Counter
from typing import TYPE_CHECKING, Any

from tracking.artifacts.column_sources import chunk_of_arrow
from tracking.artifacts.column_statistics import ColumnStatistics
from tracking.errors import InvalidValue

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

ROWS = 200
COLUMNS = 100
COUNTED = 100_000
CELL = 500
TYPE = 80
MEMORY_BYTES = 2 << 30
"""Of address space, of which Python and pyarrow take 0.3 GB before they read anything."""
DAMAGED = "This Parquet file is damaged and cannot be shown; it can be downloaded."
SECONDS = 20
"""Of the processor. The one who waits has a clock of its own; this one ends what nobody waits for."""
_CHUNK_BYTES = 512 << 20
"""A column of one row group may unpack to this much, page by page; a larger one is not read."""
_ALL_BYTES = 4 << 30
_TEXT_BYTES = 64 << 20
_DELTA_BYTES = 1 << 16


class _Input(io.RawIOBase):
    """A file by its descriptor, read without moving the position, which it has in common with our parent's."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor, self._at = descriptor, 0
        self._size = os.fstat(descriptor).st_size

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self._at = max(0, offset + (0, self._at, self._size)[whence])
        return self._at

    def read(self, size: int = -1) -> bytes:
        # Never room for more than there is, whatever the file says of itself.
        left = max(0, self._size - self._at)
        data = os.pread(self._descriptor, left if size is None or size < 0 else min(size, left), self._at)
        self._at += len(data)
        return data


def main() -> None:
    """Answer, and end at once: nothing is left to be tidied up in a process that may be damaged."""
    _bound_this_process()
    answers = os.dup(1)
    os.dup2(2, 1)  # what a library prints is no answer
    try:
        data = _as_bytes(read_parquet(0))
    except MemoryError:
        data = _as_bytes(
            {"refused": "This Parquet file takes more memory than a preview may; it can be downloaded."}
        )
    except Exception:  # of pyarrow, which has met what it was not written for
        data = _as_bytes({"refused": DAMAGED})
    left = memoryview(data)
    while left:
        left = left[os.write(answers, left) :]
    os._exit(0)


def _as_bytes(answer: dict[str, Any]) -> bytes:
    return json.dumps(answer, ensure_ascii=False).encode("utf-8", "backslashreplace")


def read_parquet(descriptor: int) -> dict[str, Any]:
    """Return the beginning of a Parquet file as JSON knows it; what pandas wrote into its metadata is not looked at.

    Raises:
        MemoryError: It takes more than this process may have.
    """
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        return {"missing": "Parquet files are shown with pyarrow: pip install pyarrow"}
    try:
        limits: Any = {"thrift_string_size_limit": 16 << 20, "thrift_container_size_limit": 1 << 20}
        schema = pq.ParquetFile(_Input(descriptor), **limits).schema_arrow
        # Texts stay as the file has them: each different one once, however many rows say it.
        texts = [field.name for field in schema if _is_text(field.type)]
        source = pq.ParquetFile(
            _Input(descriptor), read_dictionary=texts, pre_buffer=False, buffer_size=1 << 20, **limits
        )
        return {"table": _parquet(source, schema)}
    except MemoryError:
        raise
    except (InvalidValue, pa.ArrowException, OSError, ValueError, OverflowError) as error:
        return {"refused": f"This Parquet file cannot be read: {str(error)[:200]}"}


def _bound_this_process() -> None:
    """Take from this process what the system lets it give away: memory, time, files of its remains."""
    signal.alarm(2 * SECONDS)
    with contextlib.suppress(ImportError):
        import resource

        bounds = (
            (resource.RLIMIT_AS, MEMORY_BYTES),
            (resource.RLIMIT_CPU, SECONDS),
            (resource.RLIMIT_CORE, 0),
        )
        for kind, wanted in bounds:
            with contextlib.suppress(OSError, ValueError):
                hard = resource.getrlimit(kind)[1]
                limit = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
                resource.setrlimit(kind, (limit, limit))


def _parquet(source: pq.ParquetFile, schema: pa.Schema) -> dict[str, Any]:
    metadata = source.metadata
    names = _readable(source)
    first: dict[str, list[Any]] = {}
    told = {name: ColumnStatistics() for name in names}
    unclear: set[str] = set()
    counted = 0
    if names:
        for batch in source.iter_batches(batch_size=4096, columns=names, use_threads=False):
            if not first:
                first = {name: [batch.column(at)] for at, name in enumerate(batch.schema.names)}
            for at, name in enumerate(batch.schema.names):
                if name in told and name not in unclear:
                    _count(told[name], batch.column(at), name, unclear)
            counted += batch.num_rows
            if counted >= COUNTED:
                break
    shown = [field for field in schema if field.name in told]
    columns = []
    for field in shown:
        kind, cells = _cells(first[field.name][0][:ROWS]) if field.name in first else ("text", [])
        about = {"name": field.name, "type": _type_name(field.type), "statistics": told[field.name].result()}
        columns.append({**about, "kind": kind, "cells": cells})
    note = ""
    if len(names) < min(len(schema), COLUMNS):
        note = "Columns of the same name, or larger than a preview reads, are left out."
    whole = {"rows": metadata.num_rows, "columns": len(schema), "counted": counted}
    return {**whole, "schema": columns, "note": note}


def _readable(source: pq.ParquetFile) -> list[str]:
    """Return the columns to read: the first 100 that are neither ambiguous nor huge."""
    metadata, names = source.metadata, source.schema_arrow.names
    repeated = Counter(names)
    sizes: dict[str, int] = {}
    for group in range(min(metadata.num_row_groups, 8)):
        row_group = metadata.row_group(group)
        for at in range(min(row_group.num_columns, 10 * COLUMNS)):
            column = row_group.column(at)
            name = column.path_in_schema.partition(".")[0]
            if "DELTA_BYTE_ARRAY" in column.encodings and column.total_uncompressed_size > _DELTA_BYTES:
                sizes[name] = _ALL_BYTES  # each text may repeat all of the one before it
            sizes[name] = max(sizes.get(name, 0), column.total_uncompressed_size)
    kept, total = [], 0
    for name in names:
        size = sizes.get(name, 0)
        # iter_batches takes a dot for a path into a nested column.
        if repeated[name] > 1 or size > _CHUNK_BYTES or total + size > _ALL_BYTES or "." in name:
            continue
        kept.append(name)
        total += size
        if len(kept) == COLUMNS:
            break
    return kept


def _count(told: ColumnStatistics, array: pa.Array[Any], name: str, unclear: set[str]) -> None:
    try:
        if _unpacked_bytes(array) > _TEXT_BYTES:
            raise InvalidValue("The texts are too long to be counted.")
        told.add(chunk_of_arrow(array))
    except InvalidValue:
        unclear.add(name)


def _is_text(kind: pa.DataType) -> bool:
    import pyarrow.types as kinds

    sorts = (kinds.is_string, kinds.is_large_string, kinds.is_binary, kinds.is_large_binary)
    return any(sort(kind) for sort in sorts)


def _unpacked_bytes(array: pa.Array[Any]) -> int:
    """Return how many bytes an array of texts could take with each text written out."""
    import pyarrow.compute as pc
    import pyarrow.types as kinds

    if not kinds.is_dictionary(array.type) or not _is_text(array.dictionary.type):
        return 0
    longest = pc.max(pc.binary_length(array.dictionary)).as_py() or 0
    return int(longest) * len(array)


def _cut_texts(array: pa.Array[Any]) -> pa.Array[Any]:
    """Return texts in which the long ones are cut, one character more than a cell shows."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.types as kinds

    texts = array.dictionary
    if not _is_text(texts.type):
        return array.dictionary_decode()
    is_binary = kinds.is_binary(texts.type) or kinds.is_large_binary(texts.type)
    cut = pc.binary_slice if is_binary else pc.utf8_slice_codeunits
    return pa.DictionaryArray.from_arrays(array.indices, cut(texts, 0, CELL + 1)).dictionary_decode()


def _cells(array: pa.Array[Any]) -> tuple[str, list[Any]]:
    """Return a column's cells and what they are: NumPy's name of a type of numbers, "time" (in µs) or "text"."""
    import pyarrow as pa
    import pyarrow.types as kinds

    if kinds.is_dictionary(array.type):
        array = _cut_texts(array)
    kind: Any = array.type
    if kinds.is_boolean(kind) or kinds.is_integer(kind) or kinds.is_floating(kind):
        numbers = array.to_numpy(zero_copy_only=False)
        return ("bool" if kinds.is_boolean(kind) else numbers.dtype.name), numbers.tolist()
    if (kinds.is_timestamp(kind) and not kind.tz) or kinds.is_date(kind):
        try:
            return "time", array.cast(pa.timestamp("us")).cast(pa.int64()).to_pylist()
        except pa.ArrowException:
            pass
    try:
        values = array.to_pylist()
    except (pa.ArrowException, ValueError, OverflowError):
        return "text", ["?"] * len(array)
    return "text", [None if value is None else cell_text(value) for value in values]


def cell_text(value: object) -> str:
    """Return a cell's value as a text of bounded length."""
    if isinstance(value, bytes):
        text = value[:CELL].hex()
    elif isinstance(value, str):
        text = value
    else:
        text = str(value)
    return text if len(text) <= CELL else text[: CELL - 1] + "…"


def _type_name(kind: pa.DataType) -> str:
    text = str(kind)
    return text if len(text) <= TYPE else text[: TYPE - 1] + "…"


if __name__ == "__main__":
    main()
