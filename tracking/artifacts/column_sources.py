"""Chunks out of pandas series and Arrow arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tracking.artifacts.columns import Chunk, chunk_of_array, chunk_of_objects
from tracking.errors import InvalidValue

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


def chunk_of_series(series: pd.Series[Any]) -> Chunk:
    """Return a stretch of a pandas column as a chunk; its index does not count.

    Raises:
        InvalidValue: A value is of a type whose content cannot be told.
    """
    import numpy as np

    dtype: Any = series.dtype
    if isinstance(dtype, np.dtype):
        texts = _packed(series) if dtype.kind == "O" else None
        return texts if texts is not None else chunk_of_array(series.to_numpy())
    name = type(dtype).__name__
    if name == "CategoricalDtype":
        return _of_categories(series)
    if name == "DatetimeTZDtype":
        chunk = chunk_of_array(series.array.asi8.view(f"M8[{dtype.unit}]"))
        chunk.kind = "instant" if chunk.kind == "datetime" else chunk.kind
        return chunk
    if name == "ArrowDtype":
        import pyarrow

        return chunk_of_arrow(pyarrow.array(series.array))
    kind = getattr(dtype, "kind", "O")
    missing = series.isna().to_numpy()
    if kind in "biuf" and hasattr(dtype, "numpy_dtype"):
        filled = series.to_numpy(dtype=dtype.numpy_dtype, na_value=dtype.numpy_dtype.type(0))
        return chunk_of_array(filled, missing)
    texts = _packed(series) if kind == "O" else None
    return texts if texts is not None else chunk_of_array(series.to_numpy(dtype=object), missing)


def chunk_of_arrow(array: pa.Array[Any]) -> Chunk:
    """Return an Arrow array as a chunk.

    Raises:
        InvalidValue: A value is of a type whose content cannot be told.
    """
    import pyarrow.types as kinds

    kind = array.type
    if isinstance(kind, _extension_type()):
        return chunk_of_arrow(array.storage)
    if kinds.is_dictionary(kind) or kinds.is_run_end_encoded(kind):
        decoded = array.dictionary_decode() if kinds.is_dictionary(kind) else _decoded(array)
        return chunk_of_arrow(decoded)
    if kinds.is_null(kind):
        return Chunk("empty", len(array))
    gone = array.is_null().to_numpy(zero_copy_only=False) if array.null_count else None
    if kinds.is_boolean(kind) or kinds.is_integer(kind) or kinds.is_floating(kind):
        filled = array.fill_null(False if kinds.is_boolean(kind) else 0) if gone is not None else array
        return chunk_of_array(filled.to_numpy(zero_copy_only=False), gone)
    if kinds.is_timestamp(kind) or kinds.is_duration(kind) or kinds.is_date(kind):
        return _of_times(array, gone)
    if kinds.is_string(kind) or kinds.is_large_string(kind) or kinds.is_string_view(kind):
        if gone is not None and gone.all():
            return Chunk("empty", len(array))
        if kinds.is_string_view(kind):
            array = array.cast("large_string")
        return Chunk("text", len(array), gone, packed=array.fill_null("") if gone is not None else array)
    if kinds.is_binary(kind) or kinds.is_large_binary(kind) or kinds.is_fixed_size_binary(kind):
        values = [value or b"" for value in array.to_pylist()]
        return _texts("bytes", values, gone)
    try:
        # Nested values and the like. Their Python form is what a frame would hold.
        return chunk_of_objects(array.to_pylist())
    except (ValueError, NotImplementedError) as error:
        raise InvalidValue(f"values of the Arrow type {kind} cannot be read: {error}") from error


def _packed(series: pd.Series[Any]) -> Chunk | None:
    """Return a column of strings as Arrow holds them, None when it holds anything else or Arrow is not there."""
    try:
        import pyarrow
    except ImportError:
        return None
    try:
        array = pyarrow.array(series, from_pandas=True)
    except (pyarrow.ArrowException, ValueError, TypeError, OverflowError):
        return None
    if isinstance(array, pyarrow.ChunkedArray):
        array = array.combine_chunks()
    kinds = pyarrow.types
    if kinds.is_string(array.type) or kinds.is_large_string(array.type):
        return chunk_of_arrow(array)
    return Chunk("empty", len(array)) if kinds.is_null(array.type) else None


def _texts(kind: str, values: list[Any], gone: Any) -> Chunk:
    if gone is not None and gone.all():
        return Chunk("empty", len(values))
    return Chunk(kind, len(values), gone, texts=values)


def _of_times(array: pa.Array[Any], gone: Any) -> Chunk:
    import numpy as np
    import pyarrow
    import pyarrow.types as kinds

    kind: Any = array.type
    if gone is not None and gone.all():
        return Chunk("empty", len(array))
    if kinds.is_date(kind):
        days = array.cast(pyarrow.date32()).cast(pyarrow.int32())
        numbers = days.fill_null(0).to_numpy(zero_copy_only=False).astype(np.int64)
        return Chunk("date", len(array), gone, numbers, unit="D")
    numbers = array.cast(pyarrow.int64()).fill_null(0).to_numpy(zero_copy_only=False)
    name = "duration" if kinds.is_duration(kind) else "instant" if kind.tz else "datetime"
    return Chunk(name, len(array), gone, numbers, unit=kind.unit)


def _of_categories(series: pd.Series[Any]) -> Chunk:
    import numpy as np

    codes = series.cat.codes.to_numpy()
    gone = codes < 0
    if gone.all():
        return Chunk("empty", len(series))
    # As pandas would give them out; the categories that are not in use do not count.
    return chunk_of_array(np.asarray(series.astype(series.cat.categories.dtype).to_numpy()), gone)


def _decoded(array: pa.Array[Any]) -> pa.Array[Any]:
    import pyarrow.compute as pc

    decoded: pa.Array[Any] = pc.run_end_decode(array)
    return decoded


def _extension_type() -> type:
    import pyarrow

    extension: type = pyarrow.BaseExtensionType
    return extension
