"""Digests of the content of columns.

What counts: the number of rows, and for each column, in order, its name, what its values are, which rows miss
one, and the values of the others, in order.

What does not count: how the values are stored. The same are

- numbers of equal value: int8 to uint64, float16 to float64, nullable or not, 2 and 2.0; -0.0 and 0.0.
  (A float32 has the value it has: 0.1 as float32 is another number than 0.1.)
- None, NaN, NaT and `pandas.NA`: all are a missing value; a column of nothing else has no type
- texts as object, `str`, `string` or categorical columns, in whatever encoding; the categories that
  are not in use do not count; texts are not normalized, and "" is not missing
- times of equal moment in whatever unit; with a time zone, in whatever zone
- the metadata, compression and row groups of a file, and the chunks in which it is read

Different are truth values and numbers, numbers and their texts, dates and times at midnight, times with and without a
zone. Values of several types in one column are compared one by one, each with its type.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tracking.artifacts.columns import Chunk

FORMAT = "podium-dataset-1"
_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
_INT64 = 1 << 63


class ColumnDigest:
    """Gathers the digest of one column, chunk by chunk; where the chunks end does not matter."""

    def __init__(self) -> None:
        self._rows = 0
        self._kind = ""
        self._positions = hashlib.sha256()
        self._values = hashlib.sha256()
        self._lengths = hashlib.sha256()
        # Of numbers: floats may all turn out to be whole, so they are hashed both ways until one is not.
        self._whole: Any = hashlib.sha256()
        self._beyond = False

    def add(self, chunk: Chunk) -> None:
        """Take a stretch of the column; all but empty ones are of one kind, or int and uint.

        Raises:
            ValueError: They are not.
        """
        import numpy as np

        start, self._rows = self._rows, self._rows + chunk.length
        if chunk.kind == "empty":
            self._positions.update(np.arange(start, self._rows, dtype="<i8").tobytes())
            return
        if chunk.missing is not None:
            self._positions.update((np.flatnonzero(chunk.missing) + start).astype("<i8").tobytes())
        kind = "int" if chunk.kind == "uint" else chunk.kind
        if self._kind not in ("", kind):
            raise ValueError(f"a column of {self._kind} goes on with {kind}")
        self._kind = kind
        if chunk.numbers is not None:
            present = chunk.numbers if chunk.missing is None else chunk.numbers[~chunk.missing]
            self._add_numbers(present, chunk)
        else:
            self._add_texts(chunk)

    def result(self) -> tuple[str, str]:
        """Return what the values are and the digest in hexadecimal."""
        kind, values = self._kind or "empty", self._values
        if kind == "float" and self._whole is not None:
            kind, values = "int", self._whole
        elif kind == "int":
            kind, values = "uint" if self._beyond else "int", self._whole
        parts = (self._positions, values, self._lengths)
        told = [kind, self._rows, *(part.hexdigest() for part in parts)]
        return kind, hashlib.sha256(json.dumps(told).encode()).hexdigest()

    def _add_numbers(self, present: NDArray[Any], chunk: Chunk) -> None:
        import numpy as np

        if chunk.unit:
            self._add_times(present, chunk.unit)
        elif chunk.kind in ("int", "uint"):
            # Below 2**63 both have the same bits.
            if chunk.kind == "uint" and len(present) and int(present.max()) >= _INT64:
                self._beyond = True
            self._whole.update(_bytes(present, "<i8" if chunk.kind == "int" else "<u8"))
        elif chunk.kind == "float":
            positive = present + 0.0  # of -0.0 as well
            self._values.update(_bytes(positive, "<f8"))
            if self._whole is not None:
                with np.errstate(invalid="ignore"):
                    is_whole = (positive == np.rint(positive)).all() and (np.abs(positive) < _INT64).all()
                if is_whole:
                    self._whole.update(_bytes(positive.astype(np.int64), "<i8"))
                else:
                    self._whole = None
        elif chunk.kind == "complex":
            self._values.update(_bytes(present + 0.0, "<c16"))
        else:
            self._values.update(_bytes(present, "|u1"))

    def _add_times(self, present: NDArray[Any], unit: str) -> None:
        import numpy as np

        pairs = np.zeros((len(present), 2), "<i8")
        if unit == "D":
            pairs[:, 0] = present * 86_400
        else:
            per = _PER_SECOND[unit]
            pairs[:, 0], rest = np.divmod(present, per)
            pairs[:, 1] = rest * (10**9 // per)
        self._values.update(pairs.tobytes())

    def _add_texts(self, chunk: Chunk) -> None:
        import numpy as np

        if chunk.packed is not None:
            lengths, data = _unpacked(chunk)
            self._lengths.update(lengths)
            self._values.update(data)
            return
        texts = chunk.texts or []
        if chunk.missing is not None:
            texts = [text for text, gone in zip(texts, chunk.missing.tolist(), strict=True) if not gone]
        if chunk.kind != "bytes":
            texts = [text.encode("utf-8", "surrogatepass") for text in texts]
        self._lengths.update(np.fromiter(map(len, texts), "<i8", len(texts)).tobytes())
        self._values.update(b"".join(texts))


def combined(kind: str, columns: list[tuple[str, ColumnDigest]], more: object = None) -> str:
    """Return the digest of a dataset from those of its columns, sha256 in hexadecimal."""
    told = [FORMAT, kind, more, [[name, *column.result()] for name, column in columns]]
    return hashlib.sha256(json.dumps(told, ensure_ascii=True).encode()).hexdigest()


def _bytes(values: NDArray[Any], dtype: str) -> Any:
    import numpy as np

    return np.ascontiguousarray(values, dtype).view(np.uint8)


def _unpacked(chunk: Chunk) -> tuple[bytes, Any]:
    """Return the lengths in bytes and the bytes of an Arrow string array's values that are not missing."""
    import numpy as np
    import pyarrow as pa

    array = chunk.packed
    if chunk.missing is not None:
        array = array.filter(pa.array(~chunk.missing))
    if not pa.types.is_string(array.type) and not pa.types.is_large_string(array.type):
        array = array.cast(pa.large_string())
    if not len(array):
        return b"", b""
    _, places, data = array.buffers()
    width: Any = np.int32 if pa.types.is_string(array.type) else np.int64
    offsets = np.frombuffer(places, width)[array.offset : array.offset + len(array) + 1]
    text = b"" if data is None else memoryview(data)[int(offsets[0]) : int(offsets[-1])]
    return np.diff(offsets).astype("<i8").tobytes(), text
