"""First rows and column statistics of Parquet and CSV files, in bounded time and memory."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from typing import TYPE_CHECKING, Any, BinaryIO

from tracking.artifacts.column_sources import chunk_of_arrow, chunk_of_series
from tracking.artifacts.column_statistics import ColumnStatistics
from tracking.artifacts.preview_records import ColumnPreview, TablePreview
from tracking.errors import InvalidValue, MissingDependency

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq

ROWS = 200
COLUMNS = 100
COUNTED = 100_000
CELL = 500
CSV_BYTES = 4 << 20
CSV_COLUMNS = 5_000
LINE = 100_000
_CHUNK_BYTES = 512 << 20
"""A column of one row group may unpack to this much, page by page; a larger one is not read."""
_ALL_BYTES = 4 << 30
_TEXT_BYTES = 64 << 20
_DELTA_BYTES = 1 << 16
_DELIMITERS = ",\t;|"


def preview_parquet(file: BinaryIO) -> TablePreview:
    """Return the beginning of a Parquet file.

    What pandas wrote into its metadata is not looked at.

    Raises:
        InvalidValue: It is no Parquet file, is cut off or is damaged.
        MissingDependency: pyarrow is not installed.
    """
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise MissingDependency("Parquet files are shown with pyarrow: pip install pyarrow") from None
    try:
        limits: Any = {"thrift_string_size_limit": 16 << 20, "thrift_container_size_limit": 1 << 20}
        schema = pq.ParquetFile(file, **limits).schema_arrow
        # Texts stay as the file has them: each different one once, however many rows say it.
        texts = [field.name for field in schema if _is_text(field.type)]
        return _parquet(
            pq.ParquetFile(file, read_dictionary=texts, pre_buffer=False, buffer_size=1 << 20, **limits),
            schema,
        )
    except InvalidValue:
        raise
    except (pa.ArrowException, OSError, ValueError, OverflowError, MemoryError) as error:
        raise InvalidValue(f"This Parquet file cannot be read: {str(error)[:200]}") from None


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


def _parquet(source: pq.ParquetFile, schema: pa.Schema) -> TablePreview:
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
    columns = {field.name: _cells(first[field.name][0][:ROWS]) for field in shown if field.name in first}
    frame = _pandas().DataFrame(columns or {field.name: [] for field in shown})
    previews = tuple(
        ColumnPreview(field.name, _type_name(field.type), told[field.name].result()) for field in shown
    )
    note = ""
    if len(names) < min(len(schema), COLUMNS):
        note = "Columns of the same name, or larger than a preview reads, are left out."
    return TablePreview(_shown(frame), metadata.num_rows, len(schema), previews, counted, note=note)


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


def _cells(array: pa.Array[Any]) -> Any:
    import pyarrow as pa
    import pyarrow.types as kinds

    if kinds.is_dictionary(array.type):
        array = _cut_texts(array)
    kind: Any = array.type
    if kinds.is_boolean(kind) or kinds.is_integer(kind) or kinds.is_floating(kind):
        return array.to_pandas()
    if (kinds.is_timestamp(kind) and not kind.tz) or kinds.is_date(kind):
        try:
            return array.cast(pa.timestamp("us")).to_pandas()
        except pa.ArrowException:
            pass
    try:
        values = array.to_pylist()
    except (pa.ArrowException, ValueError, OverflowError):
        return ["?"] * len(array)
    return [None if value is None else cell_text(value) for value in values]


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
    return text if len(text) <= 80 else text[:79] + "…"


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
