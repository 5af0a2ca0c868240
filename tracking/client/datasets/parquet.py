"""The content of a Parquet file, row group by row group."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, BinaryIO

from tracking.client.datasets.facts import ROWS, ColumnFacts, Facts, facts_of
from tracking.client.media.frames import INDEX
from tracking.errors import InvalidValue

if TYPE_CHECKING:
    import pyarrow.parquet as pq


def facts_of_parquet(file: BinaryIO, size: int) -> Facts | None:
    """Return what is told of a Parquet file, None when it cannot be read as one (or pyarrow is not there).

    An index that pandas wrote counts as it does of a frame: when it has a name, and before the columns.

    Args:
        file: Open for reading.
        size: Its bytes.
    """
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        return None
    from tracking.artifacts.column_sources import chunk_of_arrow
    from tracking.artifacts.columns import chunk_of_array

    try:
        source = pq.ParquetFile(file, pre_buffer=False)
        names = source.schema_arrow.names
        if len(set(names)) < len(names):
            return None
        index, ranges = _index(source)
        order = [name for name in index if name in names] + [name for name in names if name not in index]
        order = [name for name in order if not _unnamed(name)]
        types = dict(zip(names, map(str, source.schema_arrow.types), strict=True))
        made = [ColumnFacts(name, "int64", at) for at, name in enumerate(ranges)]
        for column, numbers in zip(made, ranges.values(), strict=True):
            for part in _stretches(numbers):
                column.add(chunk_of_array(part))
        found = {name: ColumnFacts(name, types[name][:80], at + len(made)) for at, name in enumerate(order)}
        rows = 0
        for batch in source.iter_batches(batch_size=ROWS, use_threads=False):
            rows += batch.num_rows
            for at, name in enumerate(batch.schema.names):
                if name in found:
                    found[name].add(chunk_of_arrow(batch.column(at)))
    except (pa.ArrowException, OSError, InvalidValue, ValueError, KeyError, TypeError, MemoryError):
        return None
    return facts_of([*made, *found.values()], rows, size)


def _index(source: pq.ParquetFile) -> tuple[list[str], dict[str, range]]:
    """Return the columns that hold the named levels of a frame's index, and named ones that are ranges."""
    kept = (source.schema_arrow.metadata or {}).get(b"pandas", b"{}")
    try:
        told: Any = json.loads(kept)
        levels = told.get("index_columns", [])
    except (ValueError, AttributeError, RecursionError):
        return [], {}
    columns: list[str] = []
    ranges: dict[str, range] = {}
    for level in levels if isinstance(levels, list) else []:
        if isinstance(level, str):
            columns.append(level)
        elif isinstance(level, dict) and level.get("kind") == "range" and isinstance(level.get("name"), str):
            numbers = range(int(level["start"]), int(level["stop"]), int(level["step"]))
            if len(numbers) == source.metadata.num_rows:
                ranges[level["name"]] = numbers
    return columns, ranges


def _unnamed(name: str) -> bool:
    return name.startswith(INDEX) and name.endswith("__")


def _stretches(numbers: range) -> Iterator[Any]:
    import numpy as np

    for at in range(0, len(numbers), ROWS):
        part = numbers[at : at + ROWS]
        yield np.arange(part.start, part.stop, part.step, dtype=np.int64)
