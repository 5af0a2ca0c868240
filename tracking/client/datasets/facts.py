"""What is told of a dataset, gathered in one pass over its columns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tracking.client.datasets.digests import ColumnDigest, combined
from tracking.errors import InvalidValue
from tracking.validation import storable

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tracking.artifacts.columns import Chunk

ROWS = 1 << 17
"""Of one chunk."""
MOST_STATISTICS = 200
MOST_SCHEMA = 1_000
_NAME = 200


@dataclass(frozen=True, slots=True)
class Facts:
    """A dataset as its event tells it; see `DatasetRecord`."""

    digest: str
    kind: str
    rows: int | None = None
    columns: int | None = None
    size: int | None = None
    schema: dict[str, Any] = field(default_factory=dict)
    statistics: dict[str, Any] = field(default_factory=dict)


class ColumnFacts:
    """Digest and, of the first columns, statistics of one column."""

    def __init__(self, name: str, dtype: str, place: int) -> None:
        from tracking.artifacts.column_statistics import ColumnStatistics

        self.name, self.dtype = name, dtype
        self.digest = ColumnDigest()
        self.statistics = ColumnStatistics() if place < MOST_STATISTICS else None

    def add(self, chunk: Chunk) -> None:
        """Take a stretch of the column."""
        self.digest.add(chunk)
        if self.statistics is not None:
            self.statistics.add(chunk)


def facts_of_columns(columns: list[tuple[str, Any]], size: int | None) -> Facts:
    """Return what is told of columns in memory, by name and values (series, arrays, Arrow arrays, lists).

    Raises:
        InvalidValue: Columns differ in length, or a value is of a type whose content cannot be told.
    """
    lengths = sorted({len(values) for _, values in columns})
    if len(lengths) > 1:
        raise InvalidValue(f"the columns of a dataset have one length; these have {lengths[:5]}.")
    found = []
    for place, (name, values) in enumerate(columns):
        column = ColumnFacts(name, _type_of(values), place)
        try:
            for chunk in _chunks(values):
                column.add(chunk)
        except InvalidValue as error:
            raise InvalidValue(f"column {name!r:.80}: {error}") from None
        found.append(column)
    return facts_of(found, lengths[0] if lengths else 0, size)


def facts_of(columns: list[ColumnFacts], rows: int, size: int | None) -> Facts:
    """Return what is told of columns that were gathered."""
    digest = combined("frame", [(column.name, column.digest) for column in columns], rows)
    names = [storable(column.name)[:_NAME] for column in columns]
    schema: dict[str, Any] = {}
    statistics: dict[str, Any] = {}
    for name, column in zip(names[:MOST_SCHEMA], columns, strict=False):
        plain, count = name, 1
        while plain in schema:
            count += 1
            plain = f"{name} ({count})"
        schema[plain] = column.dtype
        if column.statistics is not None:
            statistics[plain] = column.statistics.result()
    return Facts(digest, "frame", rows, len(columns), size, schema, statistics)


def facts_of_array(array: NDArray[Any]) -> Facts:
    """Return what is told of an array; its shape and values count, not its dtype's width or its strides.

    Raises:
        InvalidValue: It holds values of a type whose content cannot be told.
    """
    import numpy as np

    from tracking.artifacts.columns import chunk_of_array, chunk_of_objects, stretches

    if array.dtype.names:
        columns = [(name, array[name].reshape(-1)) for name in array.dtype.names]
        return facts_of_columns(columns, array.nbytes)
    whole = ColumnFacts("values", str(array.dtype), 0)
    if array.dtype.kind == "O":
        whole.add(chunk_of_objects(array.reshape(-1).tolist()))
    else:
        # Row by row in C order, without a copy of the whole.
        flat = array.reshape(1) if array.ndim == 0 else array
        inner = max(1, int(np.prod(flat.shape[1:], dtype=np.int64)))
        for part in stretches(len(flat), max(1, ROWS * 4 // inner)):
            whole.add(chunk_of_array(flat[part].reshape(-1)))
    digest = combined("array", [("values", whole.digest)], list(array.shape))
    return Facts(
        digest=digest,
        kind="array",
        rows=array.shape[0] if array.ndim else None,
        columns=array.shape[1] if array.ndim == 2 else None,
        size=array.nbytes,
        schema={"dtype": str(array.dtype), "shape": list(array.shape)},
        statistics={} if whole.statistics is None else {"values": whole.statistics.result()},
    )


def _chunks(values: Any) -> Iterator[Chunk]:
    """Yield a column in chunks of one kind."""
    from tracking.artifacts.columns import chunk_of_array, chunk_of_objects, stretches

    if hasattr(values, "iloc"):
        yield from _of_series(values)
    elif hasattr(values, "iterchunks") or hasattr(values, "null_count"):
        yield from _of_arrow(values)
    elif hasattr(values, "dtype") and values.dtype.kind != "O":
        for part in stretches(len(values), ROWS):
            yield chunk_of_array(values[part])
    else:
        yield chunk_of_objects(list(values))


def _of_series(series: Any) -> Iterator[Chunk]:
    from tracking.artifacts.column_sources import chunk_of_series
    from tracking.artifacts.columns import chunk_of_objects, stretches

    if str(series.dtype) != "object":
        for part in stretches(len(series), ROWS):
            yield chunk_of_series(series.iloc[part])
        return
    # Objects may be anything, and what they are together is known at the end only.
    chunks = []
    for part in stretches(len(series), ROWS):
        chunk = chunk_of_series(series.iloc[part])
        if chunk.kind not in ("text", "empty"):
            yield chunk_of_objects(series.tolist())
            return
        chunks.append(chunk)
    yield from chunks


def _of_arrow(values: Any) -> Iterator[Chunk]:
    from tracking.artifacts.column_sources import chunk_of_arrow
    from tracking.artifacts.columns import stretches

    for array in values.iterchunks() if hasattr(values, "iterchunks") else [values]:
        for part in stretches(len(array), ROWS):
            yield chunk_of_arrow(array.slice(part.start, part.stop - part.start))


def _type_of(values: Any) -> str:
    kind = getattr(values, "dtype", None) or getattr(values, "type", None)
    return "list" if kind is None or callable(kind) else str(kind)[:80]
