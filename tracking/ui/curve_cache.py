"""Series and curves kept in memory by bytes, so that a redraw reads only what has changed.

Unlike `st.cache_data`, entries are per run while loads are for many runs at once:
one live run among fifty costs one series, not fifty.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from typing import TYPE_CHECKING, Generic, TypeVar

import numpy as np

from tracking.analysis.curves import Curve, CurveOptions, curve_of
from tracking.records import RunRecord, Series

if TYPE_CHECKING:
    from tracking.store import Store

Value = TypeVar("Value")

SERIES_BYTES = 64 * 2**20
CURVE_BYTES = 16 * 2**20

EMPTY = Series(np.empty(0, np.int64), np.empty(0, np.float64), np.empty(0, np.int64))


class ByteBoundedCache(Generic[Value]):
    """Values by key, the least recently used dropped first; safe from several threads.

    Args:
        limit: Bytes to hold. The newest value stays even when it alone is larger.
        size: The bytes of a value.
    """

    def __init__(self, limit: int, size: Callable[[Value], int]) -> None:
        self._limit, self._size = limit, size
        self._values: OrderedDict[Hashable, Value] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def get(self, key: Hashable) -> Value | None:
        """Return the value, None when it is not held."""
        with self._lock:
            value = self._values.get(key)
            if value is not None:
                self._values.move_to_end(key)
            return value

    def put(self, key: Hashable, value: Value) -> None:
        """Hold the value, and let go of old ones past the limit."""
        with self._lock:
            replaced = self._values.pop(key, None)
            if replaced is not None:
                self._bytes -= self._size(replaced)
            self._values[key] = value
            self._bytes += self._size(value)
            while self._bytes > self._limit and len(self._values) > 1:
                _, dropped = self._values.popitem(last=False)
                self._bytes -= self._size(dropped)

    @property
    def held_bytes(self) -> int:
        """Bytes of all values held."""
        return self._bytes


class CurveCache:
    """Curves of one store's runs, drawn from the full series and kept until a run's revision moves."""

    def __init__(self, series_bytes: int = SERIES_BYTES, curve_bytes: int = CURVE_BYTES) -> None:
        self._series: ByteBoundedCache[Series] = ByteBoundedCache(series_bytes, _series_size)
        self._curves: ByteBoundedCache[Curve] = ByteBoundedCache(curve_bytes, _curve_size)

    def curves(
        self, store: Store, runs: Mapping[str, RunRecord], key: str, options: CurveOptions
    ) -> dict[str, Curve]:
        """Return the curve of the metric `key` for each of the runs that has it.

        Args:
            store: Where missing series are read from, all in one query.
            runs: The runs by id; their revisions say what is still fresh.
            key: The metric.
            options: How the series become curves.
        """
        having = {run_id: run for run_id, run in runs.items() if key in run.metrics}
        curves = {
            run_id: curve
            for run_id, run in having.items()
            if (curve := self._curves.get((run_id, run.revision, key, options))) is not None
        }
        missing = {run_id: run for run_id, run in having.items() if run_id not in curves}
        for run_id, series in self._load(store, missing, key).items():
            run = missing[run_id]
            curve = curve_of(series, options, began=int(run.created.timestamp() * 1e6))
            self._curves.put((run_id, run.revision, key, options), curve)
            curves[run_id] = curve
        return {run_id: curves[run_id] for run_id in having}

    def _load(self, store: Store, runs: Mapping[str, RunRecord], key: str) -> dict[str, Series]:
        held = {run_id: self._series.get((run_id, run.revision, key)) for run_id, run in runs.items()}
        absent = [run_id for run_id, series in held.items() if series is None]
        read = store.series(absent, [key]) if absent else {}
        loaded = {run_id: series for run_id, series in held.items() if series is not None}
        for run_id in absent:
            series = read.get((run_id, key), EMPTY)
            self._series.put((run_id, runs[run_id].revision, key), series)
            loaded[run_id] = series
        return loaded


def _series_size(series: Series) -> int:
    return 200 + series.steps.nbytes + series.values.nbytes + series.times.nbytes


def _curve_size(curve: Curve) -> int:
    raw = sum(array.nbytes for array in (curve.raw, curve.raw_x) if array is not None)
    return 400 + curve.x.nbytes + curve.y.nbytes + raw + curve.marked_x.nbytes + curve.marked_y.nbytes
