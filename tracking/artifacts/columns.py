"""Columns of tables, piece by piece, in one form whatever library holds them.

A chunk is a stretch of one column as numpy numbers or as texts, with what is missing told
apart. Its kind says what the values are, not how they are stored: an `int8`, an `int64` and
a nullable integer column are all "int", an object column of strings and a categorical one
are both "text".
"""

from __future__ import annotations

import datetime
import decimal
import json
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tracking.errors import InvalidValue

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

NUMBERS = ("bool", "int", "uint", "float", "complex")
TIMES = ("datetime", "instant", "duration", "date")
TEXTS = ("text", "bytes", "decimal", "time", "json", "mixed")
"""Kinds of a chunk; "empty" is the kind of one that misses every value."""

_UNITS = {"D": 1 / 86_400, "h": 1 / 3_600, "m": 1 / 60, "s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
_DEEP = 50


@dataclass(slots=True)
class Chunk:
    """A stretch of one column.

    Attributes:
        kind: One of `NUMBERS`, `TIMES`, `TEXTS` or "empty".
        length: Rows, missing ones among them.
        missing: bool, shape (length,), or None when nothing is missing.
        numbers: For NUMBERS, shape (length,): bool, int64, uint64, float64 or complex128; for TIMES
            int64 in `unit`s since 1970. What stands at a missing place is 0.
        texts: For TEXTS, one string (bytes for "bytes") a row, "" where it is missing.
        packed: For "text", instead of `texts`, an Arrow string array without nulls.
        unit: For TIMES: "D", "s", "ms", "us" or "ns".
    """

    kind: str
    length: int
    missing: NDArray[np.bool_] | None = None
    numbers: NDArray[Any] | None = None
    texts: list[Any] | None = None
    packed: Any = None
    unit: str = ""

    def missing_count(self) -> int:
        """Return how many rows have no value."""
        if self.kind == "empty":
            return self.length
        return 0 if self.missing is None else int(self.missing.sum())


def chunk_of_array(values: NDArray[Any], missing: NDArray[np.bool_] | None = None) -> Chunk:
    """Return a chunk of a one-dimensional numpy array; NaN and NaT count as missing.

    Raises:
        InvalidValue: Its dtype is one whose content cannot be told (void, objects of unknown types).
    """
    import numpy as np

    kind, length = values.dtype.kind, len(values)
    if kind in "biufc":
        wide = {"b": np.bool_, "i": np.int64, "u": np.uint64, "f": np.float64, "c": np.complex128}[kind]
        if (
            kind == "f"
            and values.dtype.itemsize > 8
            and not np.array_equal(values.astype(np.float64), values, equal_nan=True)
        ):
            raise InvalidValue(f"{values.dtype} numbers have digits that float64 does not. Convert them.")
        numbers: NDArray[Any] = values.astype(wide, copy=False)
        if kind in "fc":
            missing = _either(missing, np.isnan(numbers))
        name = {"b": "bool", "i": "int", "u": "uint", "f": "float", "c": "complex"}[kind]
        return _settled(Chunk(name, length, missing, numbers))
    if kind in "mM":
        unit, count = np.datetime_data(values.dtype)
        if unit not in _UNITS or count != 1:
            target = "D" if unit in ("Y", "M", "W") else "s" if unit in _UNITS else "ns"
            values = values.astype(f"{kind}8[{target}]")
            unit = target
        elif unit in ("h", "m"):
            values, unit = values.astype(f"{kind}8[s]"), "s"
        missing = _either(missing, np.isnat(values))
        name = "duration" if kind == "m" else "datetime"
        if name == "duration" and unit == "D":
            values, unit = values.astype("m8[s]"), "s"
        return _settled(Chunk(name, length, missing, values.view(np.int64), unit=unit))
    if kind == "U":
        return _settled(Chunk("text", length, missing, texts=values.tolist()))
    if kind == "S":
        return _settled(Chunk("bytes", length, missing, texts=values.tolist()))
    if kind in "OT":
        listed = values.tolist()
        if missing is not None:
            listed = [None if gone else value for value, gone in zip(listed, missing.tolist(), strict=True)]
        return chunk_of_objects(listed)
    raise InvalidValue(f"values of dtype {values.dtype} have no content that could be compared.")


def chunk_of_objects(values: list[Any]) -> Chunk:
    """Return a chunk of Python values, of the kind that all of them share, else of kind "mixed".

    None, NaN, NaT and `pandas.NA` are missing. Of a mixed column each value is kept as a text that
    names its kind, so that 1, "1" and True stay apart.

    Raises:
        InvalidValue: A value is of a type whose content cannot be told.
    """
    import numpy as np

    gone = np.fromiter((is_missing(value) for value in values), np.bool_, len(values))
    present = [value for value, no in zip(values, gone.tolist(), strict=True) if not no]
    if not present:
        return Chunk("empty", len(values))
    kinds = {_kind_of_object(kind, present) for kind in set(map(type, present))}
    if kinds == {"int", "float"}:
        # As numpy holds them together; beyond 2**53 an integer would lose digits.
        exact = all(type(value) is float or abs(int(value)) <= 1 << 53 for value in present)
        kinds = {"float"} if exact else {"mixed"}
    kind = kinds.pop() if len(kinds) == 1 else "mixed"
    if kind in ("int", "float", "bool", "complex"):
        numbers = _numbers(kind, present)
        if numbers is None:
            kind = "mixed"
        else:
            whole = np.zeros(len(values), numbers.dtype)
            whole[~gone] = numbers
            name = "uint" if whole.dtype.kind == "u" else kind
            return _settled(Chunk(name, len(values), gone, whole))
    if kind in ("datetime", "instant", "date", "duration"):
        try:
            return _times(kind, values, gone, present)
        except (OverflowError, ValueError):
            kind = "mixed"
    write = _WRITERS.get(kind, _mixed_text)
    empty: Any = b"" if kind == "bytes" else ""
    texts = [empty if no else write(value) for value, no in zip(values, gone.tolist(), strict=True)]
    return _settled(Chunk(kind, len(values), gone, texts=texts))


def is_missing(value: object) -> bool:
    """Whether a value stands for no value: None, NaN, NaT, `pandas.NA`."""
    if value is None:
        return True
    kind = type(value)
    if kind is float:
        return value != value
    if kind is str or kind is int or kind is bool:
        return False
    if kind.__name__ in ("NaTType", "NAType"):
        return True
    if getattr(value, "ndim", 0) != 0 or isinstance(value, (list, dict, tuple, set)):
        return False
    try:
        return bool(value != value)
    except Exception:
        return False


def plain_json(value: object, above: tuple[int, ...] = ()) -> object:
    """Return a nested value as JSON knows it; keys become strings, dates and paths texts, bytes hexadecimal.

    NaN and infinities become the strings "nan", "inf" and "-inf". A dataclass is its fields.

    Raises:
        InvalidValue: Nested deeper than 50 levels or into itself, or of a type without a readable content.
    """
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else repr(float(value))
    if len(above) > _DEEP or id(value) in above:
        raise InvalidValue(f"a value is nested into itself, or deeper than {_DEEP} levels.")
    inside = (*above, id(value))
    if isinstance(value, Mapping):
        return {_key(key): plain_json(item, inside) for key, item in value.items()}
    if isinstance(value, (set, frozenset)):
        value = sorted(value, key=str)
    if isinstance(value, (list, tuple)):
        return [plain_json(item, inside) for item in value]
    if isinstance(value, (bytes, bytearray)):
        return bytes(value).hex()
    fields = getattr(value, "__dataclass_fields__", None)
    if fields is not None and not isinstance(value, type):
        return {name: plain_json(getattr(value, name), inside) for name in fields}
    if callable(getattr(value, "detach", None)) and callable(getattr(value, "cpu", None)):
        value = value.detach().cpu()  # type: ignore[attr-defined]
    tolist = getattr(value, "tolist", None)
    if callable(tolist):
        return plain_json(tolist(), inside)
    if is_missing(value):
        return None
    if hasattr(value, "isoformat"):
        return str(value.isoformat())
    if isinstance(value, (decimal.Decimal, datetime.timedelta)) or hasattr(value, "__fspath__"):
        return str(value)
    raise InvalidValue(f"a value of type {type(value).__name__} has no content that could be kept.")


def _key(key: object) -> str:
    return key if isinstance(key, str) else str(key)


def _either(left: NDArray[np.bool_] | None, right: NDArray[np.bool_]) -> NDArray[np.bool_] | None:
    if left is not None:
        return left | right
    return right if right.any() else None


def _settled(chunk: Chunk) -> Chunk:
    """Put 0 and "" where values are missing, so that what stood there by accident does not count."""
    missing = chunk.missing
    if missing is None or not missing.any():
        chunk.missing = None
        return chunk
    if missing.all():
        return Chunk("empty", chunk.length)
    if chunk.numbers is not None:
        numbers = chunk.numbers.copy()
        numbers[missing] = 0
        chunk.numbers = numbers
    elif chunk.texts is not None:
        empty: Any = b"" if chunk.kind == "bytes" else ""
        pairs = zip(chunk.texts, missing.tolist(), strict=True)
        chunk.texts = [empty if gone else value for value, gone in pairs]
    return chunk


def _kind_of_object(kind: type, present: list[Any]) -> str:
    name = kind.__name__
    if issubclass(kind, bool) or name in ("bool_", "bool"):
        return "bool"
    if issubclass(kind, int) or name.startswith(("int", "uint")):
        return "int"
    if issubclass(kind, float) or name.startswith("float"):
        return "float"
    if issubclass(kind, complex):
        return "complex"
    if issubclass(kind, str):
        return "text"
    if issubclass(kind, (bytes, bytearray)):
        return "bytes"
    if issubclass(kind, datetime.datetime):
        aware = {value.tzinfo is not None for value in present if isinstance(value, kind)}
        return "mixed" if len(aware) > 1 else "instant" if aware.pop() else "datetime"
    for what, its in (
        (datetime.date, "date"),
        (datetime.timedelta, "duration"),
        (datetime.time, "time"),
        (decimal.Decimal, "decimal"),
    ):
        if issubclass(kind, what):
            return its
    return {"datetime64": "datetime", "timedelta64": "duration"}.get(name, "json")


def _numbers(kind: str, present: list[Any]) -> NDArray[Any] | None:
    import numpy as np

    if kind != "int":
        wide: Any = {"float": np.float64, "bool": np.bool_, "complex": np.complex128}[kind]
        return np.array(present, wide)
    for whole in (np.int64, np.uint64):
        try:
            return np.array([int(value) for value in present], whole)
        except OverflowError:
            continue
    return None


def _times(kind: str, values: list[Any], gone: NDArray[np.bool_], present: list[Any]) -> Chunk:
    import numpy as np

    # pandas' Timestamp counts nanoseconds beside what a datetime knows.
    if kind in ("datetime", "instant", "duration") and any(hasattr(value, "value") for value in present):
        fine = [int(value.value) if hasattr(value, "value") else None for value in present]
        if None not in fine and len({getattr(value, "unit", "ns") for value in present}) <= 4:
            whole = np.zeros(len(values), np.int64)
            whole[~gone] = np.array(fine, np.int64)
            return _settled(Chunk(kind, len(values), gone, whole, unit="ns"))
    if kind == "instant":
        present = [value.astimezone(datetime.UTC).replace(tzinfo=None) for value in present]
    unit = "D" if kind == "date" else "us"
    if any(type(value).__name__.endswith("64") for value in present):
        unit = "ns"
    letter = "m" if kind == "duration" else "M"
    whole = np.zeros(len(values), np.int64)
    whole[~gone] = np.array(present, f"{letter}8[{unit}]").view(np.int64)
    return _settled(Chunk(kind, len(values), gone, whole, unit=unit))


def _mixed_text(value: object) -> str:
    kind = _kind_of_object(type(value), [value])
    if kind == "float" and float(value).is_integer():  # type: ignore[arg-type]
        return f"int {int(value)}"  # type: ignore[call-overload]
    if kind in ("int", "bool", "float", "complex"):
        wide: Any = {"int": int, "bool": bool, "float": float, "complex": complex}[kind]
        return f"{kind} {wide(value)!r}"
    if kind == "bytes":
        return f"bytes {bytes(value).hex()}"  # type: ignore[call-overload]
    return f"{kind} {_WRITERS.get(kind, str)(value)}"


def _json_text(value: object) -> str:
    return json.dumps(plain_json(value), sort_keys=True, ensure_ascii=False, allow_nan=False)


def _decimal_text(value: decimal.Decimal) -> str:
    # 1.0 and 1.00 are one number.
    return str(value.normalize()) if value.is_finite() else str(value)


_WRITERS: dict[str, Callable[[Any], Any]] = {
    "text": str,
    "bytes": bytes,
    "time": lambda value: value.isoformat(),
    "decimal": _decimal_text,
    "json": _json_text,
}


def iso_time(number: int, kind: str, unit: str) -> str:
    """Return a value of a chunk of TIMES as people read it."""
    import numpy as np

    if kind == "duration":
        return str(datetime.timedelta(seconds=number / _UNITS[unit]))
    text = str(np.array(number, f"M8[{unit}]"))
    return text + "Z" if kind == "instant" else text


def stretches(length: int, rows: int) -> Iterable[slice]:
    """Yield slices that cut `length` rows into pieces of `rows`."""
    return (slice(at, min(at + rows, length)) for at in range(0, length, rows))
