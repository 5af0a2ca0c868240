"""Fewer points for the eye, without losing what the eye would have seen.

Buckets of equal width along x; of each bucket the lowest and the highest finite
value are kept, and the first point of every kind that is not finite (NaN, inf,
-inf), so a spike of a single step, a gap and a divergence stay visible at every
zoom. The first and the last point always stay. The result is a function of its
arguments: the same series reduces to the same points on every load.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]


def reduce(x: NDArray[np.generic], y: Floats, max_points: int, *, log_x: bool = False) -> Indices:
    """Return the indices, ascending, of at most `max_points` points that show the series.

    Args:
        x: Shape `(n,)`, ascending (repeats allowed), any real or integer type.
        y: Shape `(n,)`. NaN and infinities may be anywhere.
        max_points: Upper bound of what is kept, at least 8.
        log_x: The x axis is logarithmic: buckets of equal ratio. Points with x <= 0
            cannot be drawn there and share one bucket.

    Raises:
        ValueError: The shapes differ or `max_points` is below 8.
    """
    if x.shape != y.shape or x.ndim != 1:
        raise ValueError(f"x and y must be one-dimensional and of one length, not {x.shape} and {y.shape}.")
    if max_points < 8:
        raise ValueError(f"max_points={max_points}: at least 8 are needed to keep the ends and one bucket.")
    count = len(x)
    if count <= max_points:
        return np.arange(count, dtype=np.int64)

    finite = np.isfinite(y)
    kinds = [] if finite.all() else [kind for kind in _non_finite_kinds(y) if kind.any()]
    # Each bucket yields a minimum, a maximum and one point of every kind present.
    buckets = max(1, (max_points - 2) // (2 + len(kinds)) - int(log_x))
    starts = _bucket_starts(np.asarray(x, dtype=np.float64), buckets, log_x)

    kept = [np.array([0, count - 1], dtype=np.int64)]
    masked = y if not kinds else np.where(finite, y, np.nan)
    kept.append(_first_where(masked, np.fmin.reduceat(masked, starts), starts))
    kept.append(_first_where(masked, np.fmax.reduceat(masked, starts), starts))
    for kind in kinds:
        hits = np.flatnonzero(kind)
        kept.append(_first_in_bucket(hits, starts))
    return np.unique(np.concatenate(kept))


def window(x: NDArray[np.generic], low: float, high: float) -> slice:
    """Return the slice of ascending `x` inside `[low, high]`, one point more on either side.

    The neighbours outside make a line run to the edge of the picture.
    """
    if low > high:
        low, high = high, low
    start = int(np.searchsorted(x, low, side="left"))
    stop = int(np.searchsorted(x, high, side="right"))
    return slice(max(0, start - 1), min(len(x), stop + 1))


def _non_finite_kinds(y: Floats) -> tuple[NDArray[np.bool_], ...]:
    return np.isnan(y), np.isposinf(y), np.isneginf(y)


def _bucket_starts(x: Floats, buckets: int, log_x: bool) -> Indices:
    """Return the index of the first point of every non-empty bucket."""
    undrawable = int(np.searchsorted(x, 0.0, side="right")) if log_x else 0
    shown = np.log(x[undrawable:]) if log_x else x
    if not len(shown):
        return np.zeros(1, dtype=np.int64)
    edges = np.linspace(shown[0], shown[-1], buckets + 1)[:-1]
    starts = np.searchsorted(shown, edges, side="left") + undrawable
    starts[0] = 0 if not undrawable else starts[0]
    return np.unique(np.concatenate([[0], starts]))


def _first_where(values: Floats, wanted: Floats, starts: Indices) -> Indices:
    """Return, per bucket, the first index whose value is the bucket's wanted one."""
    lengths = np.diff(starts, append=len(values))
    return _first_in_bucket(np.flatnonzero(values == np.repeat(wanted, lengths)), starts)


def _first_in_bucket(hits: Indices, starts: Indices) -> Indices:
    """Return the first of the ascending `hits` in each bucket that has one."""
    if not len(hits):
        return hits
    bucket = np.searchsorted(starts, hits, side="right")
    first = np.ones(len(hits), dtype=bool)
    first[1:] = bucket[1:] != bucket[:-1]
    return hits[first]
