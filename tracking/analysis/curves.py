"""From a series to what is drawn of it: smoothed, cut to the visible range, then reduced."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from tracking.analysis.reduction import reduce, window
from tracking.analysis.smoothing import smooth
from tracking.records import Series

Floats = NDArray[np.float64]


class Axis(StrEnum):
    """What runs along x."""

    STEP = "step"
    RELATIVE = "relative"
    """Seconds since the run began."""
    WALL = "wall"
    """Microseconds since 1970-01-01 UTC."""


@dataclass(frozen=True, slots=True)
class Curve:
    """What is drawn of one series. All arrays are one-dimensional.

    Attributes:
        x: Ascending; int64 steps or microseconds, or float64 seconds.
        y: Smoothed values; NaN where the line has a gap.
        raw: The values as logged, at `raw_x`; None when nothing was smoothed.
        raw_x: What `raw` is drawn at: the points that would be drawn without smoothing.
        marked_x: Where a value is not finite.
        marked_y: NaN, inf or -inf, as logged.
        total: Points of the series in the visible range.
        shown: How many of them are drawn as they were logged.
        hidden: Finite points that a logarithmic axis cannot show (x or y not above 0).
        non_finite: Points of the visible range that are NaN or infinite.
    """

    x: NDArray[np.generic]
    y: Floats
    raw: Floats | None
    marked_x: NDArray[np.generic]
    marked_y: Floats
    total: int
    shown: int
    hidden: int = 0
    non_finite: int = 0
    raw_x: NDArray[np.generic] | None = None


@dataclass(frozen=True, slots=True)
class CurveOptions:
    """How series become curves.

    Attributes:
        axis: What runs along x.
        smoothing: Weight of the moving average, 0 for none.
        max_points: Upper bound of the points kept of one series.
        visible: The range of x in view, in the axis' unit, None for everything.
        log_x: Whether x is logarithmic.
        log_y: Whether y is logarithmic.
    """

    axis: Axis = Axis.STEP
    smoothing: float = 0.0
    max_points: int = 1000
    visible: tuple[float, float] | None = None
    log_x: bool = False
    log_y: bool = False


def curve_of(series: Series, options: CurveOptions, *, began: int = 0) -> Curve:
    """Return what is drawn of `series`.

    Args:
        series: All visible points of one metric of one run.
        options: Axis, smoothing, range and budget.
        began: When the run began, microseconds since the epoch; the zero of `Axis.RELATIVE`.
    """
    x, raw = _along(series, options.axis, began)
    smoothed = smooth(raw, options.smoothing)
    inside = slice(0, len(x)) if options.visible is None else window(x, *options.visible)
    kept = _kept(x, raw, inside, options, options.max_points)
    # An average changes slowly: half the points show its extremes.
    drawn = (
        _kept(x, smoothed, inside, options, max(8, options.max_points // 2)) if options.smoothing else kept
    )
    marked = kept[~np.isfinite(raw[kept])]
    return Curve(
        x=x[drawn],
        y=_with_gaps(smoothed[drawn]),
        raw=_with_gaps(raw[kept]) if options.smoothing else None,
        raw_x=x[kept] if options.smoothing else None,
        marked_x=x[marked],
        marked_y=raw[marked],
        total=inside.stop - inside.start,
        shown=int(((kept >= inside.start) & (kept < inside.stop)).sum()),
        hidden=_undrawable(x[inside], raw[inside], options),
        non_finite=int((~np.isfinite(raw[inside])).sum()),
    )


def _kept(
    x: NDArray[np.generic], y: Floats, inside: slice, options: CurveOptions, max_points: int
) -> NDArray[np.int64]:
    """Return the ascending indices of the points to draw of one line."""
    kept: NDArray[np.int64] = inside.start + reduce(x[inside], y[inside], max_points, log_x=options.log_x)
    if options.visible is None:
        return kept
    # A coarse rest, so that panning and zooming out show the whole line before the next answer.
    rest = reduce(x, y, max(8, max_points // 4), log_x=options.log_x)
    return np.unique(np.concatenate([kept, rest]))


def _along(series: Series, axis: Axis, began: int) -> tuple[NDArray[np.generic], Floats]:
    if axis is Axis.STEP:
        return series.steps, series.values
    x: NDArray[np.generic] = series.times
    if axis is Axis.RELATIVE:
        x = (series.times - began) / 1e6
    if len(x) > 1 and (np.diff(x) < 0).any():
        # Steps may have been logged out of order; along time the line runs as time did.
        order = np.argsort(x, kind="stable")
        return x[order], series.values[order]
    return x, series.values


def _undrawable(x: NDArray[np.generic], y: Floats, options: CurveOptions) -> int:
    lost = np.zeros(len(x), dtype=bool)
    if options.log_x:
        lost |= np.asarray(x, dtype=np.float64) <= 0
    if options.log_y:
        lost |= y <= 0
    return int((lost & np.isfinite(y)).sum())


def _with_gaps(values: Floats) -> Floats:
    """Return the values with NaN for everything that is not finite: a line has a gap there."""
    finite = np.isfinite(values)
    return values if finite.all() else np.where(finite, values, np.nan)
