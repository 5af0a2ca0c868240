"""A few numbers on a column, gathered piece by piece in bounded memory."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING, Any

from tracking.artifacts.columns import NUMBERS, TIMES, Chunk, iso_time

if TYPE_CHECKING:
    from numpy.typing import NDArray

DISTINCT = 1_000
"""Distinct values are counted up to this many."""
TOP = 5
STATISTICS = ("count", "missing", "distinct", "min", "max", "mean", "std", "infinite", "longest", "top")
"""All that a column may be told of; see `ColumnStatistics`."""
_TEXT = 100
_SAMPLE = 4_096


class ColumnStatistics:
    """What is told of one column.

    `result()` gives, as JSON knows them: `count` (values there), `missing`, `distinct` (None when there are
    more than 1,000), and by kind: `min` and `max`; `mean` and `std` (of the sample, n - 1) of finite
    numbers, with `infinite`, how many are not; for texts `longest` in characters; and for texts and
    truth values `top`, the most frequent with their counts, when they are countable.
    """

    def __init__(self) -> None:
        self._count = self._missing = self._infinite = self._longest = 0
        self._finite, self._mean, self._squares = 0, 0.0, 0.0
        self._low: Any = None
        self._high: Any = None
        self._seen: Counter[Any] | None = Counter()
        self._kinds: list[str] = []
        self._unit = ""

    def add(self, chunk: Chunk) -> None:
        """Count a stretch of the column."""
        gone = chunk.missing_count()
        self._missing += gone
        self._count += chunk.length - gone
        if chunk.kind == "empty" or gone == chunk.length:
            return
        if chunk.kind not in self._kinds:
            self._kinds.append(chunk.kind)
        if chunk.numbers is not None:
            present = chunk.numbers if chunk.missing is None else chunk.numbers[~chunk.missing]
            if chunk.kind in TIMES:
                self._unit = self._unit or chunk.unit
                if chunk.unit != self._unit:
                    self._seen = None
                    return
            self._add_numbers(present, chunk.kind)
        elif chunk.packed is not None:
            self._add_packed(chunk)
        elif chunk.texts is not None:
            texts = chunk.texts
            if chunk.missing is not None:
                texts = [text for text, no in zip(texts, chunk.missing.tolist(), strict=True) if not no]
            self._longest = max(self._longest, max(map(len, texts)))
            self._see_texts(texts)

    def result(self) -> dict[str, Any]:
        """Return what was gathered."""
        told: dict[str, Any] = {"count": self._count, "missing": self._missing}
        told["distinct"] = None if self._seen is None else len(self._seen)
        kind = self._kinds[0] if len(self._kinds) == 1 else self._numeric_mix()
        if kind in TIMES:
            if self._low is not None:
                told["min"] = iso_time(self._low, kind, self._unit)
                told["max"] = iso_time(self._high, kind, self._unit)
        elif kind in ("int", "uint", "float"):
            told.update(min=_number(self._low), max=_number(self._high))
            if self._finite:
                told["mean"] = _number(self._mean)
            if self._finite > 1:
                told["std"] = _number(math.sqrt(max(self._squares / (self._finite - 1), 0.0)))
            if self._infinite:
                told["infinite"] = self._infinite
        elif kind not in (*NUMBERS, ""):
            told["longest"] = self._longest
        if self._seen and kind not in ("int", "uint", "float", "complex", *TIMES):
            first = sorted(self._seen.items(), key=lambda item: (-item[1], str(item[0])))[:TOP]
            told["top"] = [[_short(value), count] for value, count in first]
        return told

    def _numeric_mix(self) -> str:
        return "float" if self._kinds and set(self._kinds) <= {"int", "uint", "float"} else ""

    def _add_numbers(self, present: NDArray[Any], kind: str) -> None:
        import numpy as np

        if kind in ("bool", "complex"):
            self._see_numbers(present)
            return
        finite = present
        if kind == "float":
            whole = np.isfinite(present)
            if not whole.all():
                self._infinite += int(len(present) - whole.sum())
                finite = present[whole]
        if len(finite):
            low, high = finite.min().item(), finite.max().item()
            self._low = low if self._low is None else min(self._low, low)
            self._high = high if self._high is None else max(self._high, high)
            if kind not in TIMES:
                self._merge(finite)
        self._see_numbers(present)

    def _merge(self, finite: NDArray[Any]) -> None:
        # Chan, Golub, LeVeque (1983): moments of two parts make those of the whole.
        import numpy as np

        with np.errstate(over="ignore", invalid="ignore"):
            numbers = finite.astype(np.float64, copy=False)
            mean = float(numbers.mean())
            squares = float(np.square(numbers - mean).sum())
            n, more = self._finite, len(numbers)
            delta = mean - self._mean
            self._finite = n + more
            self._mean += delta * more / self._finite
            self._squares += squares + delta * delta * n * more / self._finite

    def _see_numbers(self, present: NDArray[Any]) -> None:
        import numpy as np

        if self._seen is None:
            return
        if len(present) > _SAMPLE and len(np.unique(present[:_SAMPLE])) > DISTINCT:
            self._seen = None
            return
        values, counts = _counted(present)
        if len(values) > DISTINCT:
            self._seen = None
            return
        self._seen.update(dict(zip(values.tolist(), counts.tolist(), strict=True)))
        self._forget_many()

    def _add_packed(self, chunk: Chunk) -> None:
        import pyarrow
        import pyarrow.compute as pc

        texts = chunk.packed
        if chunk.missing is not None:
            texts = texts.filter(pyarrow.array(~chunk.missing))
        self._longest = max(self._longest, pc.max(pc.utf8_length(texts)).as_py())
        if self._seen is None or len(pc.unique(texts[:_SAMPLE])) > DISTINCT:
            self._seen = None
            return
        counted = pc.value_counts(texts)
        if len(counted) > DISTINCT:
            self._seen = None
            return
        values, counts = counted.field(0).to_pylist(), counted.field(1).to_pylist()
        self._seen.update(dict(zip(values, counts, strict=True)))
        self._forget_many()

    def _see_texts(self, texts: list[Any]) -> None:
        if self._seen is None:
            return
        if len(texts) > _SAMPLE and len(set(texts[:_SAMPLE])) > DISTINCT:
            self._seen = None
            return
        self._seen.update(texts)
        self._forget_many()

    def _forget_many(self) -> None:
        if self._seen is not None and len(self._seen) > DISTINCT:
            self._seen = None


def _counted(present: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the different values and how often each occurs."""
    import numpy as np

    if present.dtype.kind == "i":
        low, high = int(present.min()), int(present.max())
        if high - low < _SAMPLE:  # counting costs less than sorting
            counts = np.bincount(present - low, minlength=1)
            there = np.flatnonzero(counts)
            return there + low, counts[there]
    return np.unique(present, return_counts=True)


def _number(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _short(value: Any) -> Any:
    if isinstance(value, (bool, int)):
        return value
    text = value.hex() if isinstance(value, bytes) else str(value)
    text = text if len(text) <= _TEXT else text[: _TEXT - 1] + "…"
    return text.encode("utf-8", "backslashreplace").decode()
