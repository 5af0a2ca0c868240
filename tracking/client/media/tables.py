"""Tables as Parquet, whatever holds them."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tracking.client.media.arrays import as_array, is_tensor
from tracking.client.media.encoded import Encoded
from tracking.client.media.frames import columns_of_frame, is_pandas
from tracking.errors import InvalidValue, MissingDependency
from tracking.records import ArtifactKind
from tracking.validation import storable

if TYPE_CHECKING:
    import pyarrow as pa

MEDIA = "application/vnd.apache.parquet"
MAX_COLUMNS = 10_000


def encode_table(table: Any) -> Encoded:
    """Return a table as Parquet.

    Raises:
        InvalidValue: It is no table, or its columns differ in length.
        MissingDependency: pyarrow is not installed.
    """
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise MissingDependency(
            "log_table keeps tables as Parquet, which pyarrow writes. Install it: pip install pyarrow"
        ) from None
    columns = columns_of(table)
    if len(columns) > MAX_COLUMNS:
        raise InvalidValue(f"a table of {len(columns):,} columns is wider than {MAX_COLUMNS:,}.")
    lengths = {len(column) for _, column in columns}
    if len(lengths) > 1:
        raise InvalidValue(f"the columns of a table have one length; these have {sorted(lengths)[:5]}.")
    names = unique_names([name for name, _ in columns])
    arrow = pa.table([arrow_column(column) for _, column in columns], names=names)
    sink = io.BytesIO()
    pq.write_table(arrow, sink, compression="zstd", row_group_size=1 << 17)
    details = {"extension": ".parquet", "rows": arrow.num_rows, "columns": arrow.num_columns}
    return Encoded(ArtifactKind.TABLE, MEDIA, sink.getvalue(), details)


def check_arguments(name: str | None, unknown: Mapping[str, Any]) -> None:
    """Say what is wrong with a call that gives no name or other arguments.

    Raises:
        InvalidValue: Always, but for a call that is right.
    """
    example = "log_table({'epoch': [1, 2], 'loss': [0.5, 0.4]}, 'losses')"
    if unknown:
        names = ", ".join(f"{one}=" for one in sorted(unknown))
        raise InvalidValue(f"log_table knows no {names}; it takes a table and a name: {example}.")
    if name is None:
        raise InvalidValue(f"log_table takes a table and a name: {example}.")


def columns_of(table: Any, verb: str = "log_table") -> list[tuple[str, Any]]:
    """Return name and values of each column.

    Args:
        table: What the user gave.
        verb: To whom, for the message.

    Raises:
        InvalidValue: It is no table.
    """
    import numpy as np

    if is_pandas(table):
        return columns_of_frame(table)
    if hasattr(table, "__arrow_c_stream__") or hasattr(table, "to_arrow"):
        import pyarrow as pa

        arrow = pa.table(table) if hasattr(table, "__arrow_c_stream__") else table.to_arrow()
        return list(zip(arrow.column_names, arrow.columns, strict=True))
    if callable(getattr(table, "to_pandas", None)):
        return columns_of_frame(table.to_pandas())
    if isinstance(table, Mapping):
        return [(str(name), _listed(values, str(name))) for name, values in table.items()]
    if isinstance(table, np.ndarray) or is_tensor(table):
        return _of_array(as_array(table, "a table"))
    if isinstance(table, (list, tuple)) and all(isinstance(row, Mapping) for row in table):
        names = dict.fromkeys(name for row in table for name in row)
        return [(str(name), [row.get(name) for row in table]) for name in names]
    if isinstance(table, (list, tuple)) and all(isinstance(row, (list, tuple)) for row in table):
        fields = getattr(table[0], "_fields", None) if table else None
        width = max(map(len, table), default=0)
        if any(len(row) != width for row in table):
            raise InvalidValue("the rows of a table have one length; these differ.")
        return [(str(fields[at] if fields else at), [row[at] for row in table]) for at in range(width)]
    raise InvalidValue(
        f"{verb} takes a data frame, a dict of columns, a list of dicts or an array of two dimensions, "
        f"not {type(table).__name__}."
    )


def arrow_column(values: Any) -> pa.Array[Any] | pa.ChunkedArray[Any]:
    """Return a column as Arrow; values that share no type become texts, each by the same rule.

    Texts stay, numbers and truth values are written as Python writes them, bytes in hexadecimal, nested
    values as JSON, anything else as its str() or repr(); what is missing stays missing. Columns of dicts become
    texts in any case, since each may have other keys.
    """
    import numpy as np
    import pyarrow as pa

    if isinstance(values, (pa.Array, pa.ChunkedArray)):
        return values
    if isinstance(values, np.ndarray):
        if values.dtype == np.longdouble and values.dtype.itemsize > 8:
            values = values.astype(np.float64)
        if values.dtype.kind == "V" or values.ndim != 1:
            values = values.tolist()
    elif type(getattr(values, "dtype", None)).__name__ == "SparseDtype":
        values = np.asarray(values)
    try:
        array = pa.array(values, from_pandas=not isinstance(values, np.ndarray))
        if not _awkward(array.type):
            return array
    except (pa.ArrowException, ValueError, TypeError, OverflowError, NotImplementedError, UnicodeError):
        pass
    return pa.array([_text(value) for value in values], pa.string())


def unique_names(names: list[str]) -> list[str]:
    """Return names of columns as they can be stored, a repeated one with its number: "a", "a (2)"."""
    taken: set[str] = set()
    found: list[str] = []
    for name in names:
        plain = base = storable(name)
        count = 1
        while plain in taken:
            count += 1
            plain = f"{base} ({count})"
        taken.add(plain)
        found.append(plain)
    return found


def _awkward(kind: pa.DataType) -> bool:
    """Whether a type means nothing without its library, or does not go into Parquet whatever its values are."""
    import pyarrow as pa
    import pyarrow.types as kinds

    if isinstance(kind, pa.BaseExtensionType) or kinds.is_struct(kind) or kinds.is_interval(kind):
        return True
    return kinds.is_nested(kind) and any(_awkward(kind.field(at).type) for at in range(kind.num_fields))


def _listed(values: Any, name: str) -> Any:
    import numpy as np

    if is_tensor(values):
        values = as_array(values, f"column {name!r}")
    if isinstance(values, np.ndarray):
        if values.ndim == 0:
            raise InvalidValue(f"column {name!r} is one value; a column is a list of them.")
        return values if values.ndim == 1 else list(values.tolist())
    if is_pandas(values):
        return columns_of_frame(values)[-1][1]
    if isinstance(values, (str, bytes)) or not hasattr(values, "__len__"):
        raise InvalidValue(f"column {name!r} is one value; a column is a list of them.")
    return list(values)


def _of_array(array: Any) -> list[tuple[str, Any]]:
    if array.dtype.names:
        return [(name, array[name].reshape(-1)) for name in array.dtype.names]
    if array.ndim == 1:
        return [("value", array)]
    if array.ndim != 2:
        raise InvalidValue(f"a table has two dimensions, not the shape {array.shape}.")
    return [(str(at), array[:, at]) for at in range(array.shape[1])]


def _text(value: Any) -> str | None:
    from tracking.artifacts.columns import is_missing

    try:
        if is_missing(value):
            return None
        if isinstance(value, str):
            return storable(value)
        if isinstance(value, (bytes, bytearray)):
            return bytes(value).hex()
        if isinstance(value, (list, tuple, dict, set, frozenset)) or getattr(value, "ndim", None):
            return _json(value)
        return storable(str(value.item() if hasattr(value, "item") else value))
    except Exception as error:
        return f"<{type(value).__name__} that cannot be written: {type(error).__name__}>"


def _json(value: Any) -> str:
    import json

    from tracking.artifacts.columns import plain_json

    try:
        return storable(json.dumps(plain_json(value), ensure_ascii=False))
    except InvalidValue:
        return storable(repr(value))
