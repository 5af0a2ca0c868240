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

LARGEST_DRAWN = 1e303
"""Charts draw no linear axis to numbers ten times as large."""
SMALLEST_DRAWN = 1e-285
"""What is closer to 0 is drawn as 0 on a linear axis; charts draw none to values 1e-308 apart."""


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
        y: Smoothed values; NaN where the line has a gap, also for values beyond a linear axis.
        raw: The values as logged, at `raw_x`; None when nothing was smoothed.
        raw_x: What `raw` is drawn at: the points that would be drawn without smoothing.
        marked_x: Where a value is not finite, or beyond what a linear axis is drawn to.
        marked_y: NaN, inf, -inf or the large value, as logged.
        total: Points of the series in the visible range.
        shown: How many of them are drawn as they were logged.
        hidden: Finite points that a logarithmic axis cannot show (x or y not above 0).
        non_finite: Points of the visible range that are NaN or infinite.
        tiny: Points of the visible range that are drawn as 0 though they are not.
        beyond: Finite points of the visible range that are too large for a linear axis.
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
    beyond: int = 0
    tiny: int = 0


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
    limit = np.inf if options.log_y else LARGEST_DRAWN
    least = 0.0 if options.log_y else SMALLEST_DRAWN
    marked = kept[~_drawn(raw[kept], limit)]
    return Curve(
        x=x[drawn],
        y=_with_gaps(smoothed[drawn], least, limit),
        raw=_with_gaps(raw[kept], least, limit) if options.smoothing else None,
        raw_x=x[kept] if options.smoothing else None,
        marked_x=x[marked],
        marked_y=raw[marked],
        total=inside.stop - inside.start,
        shown=int(((kept >= inside.start) & (kept < inside.stop)).sum()),
        hidden=_undrawable(x[inside], raw[inside], options),
        non_finite=int((~np.isfinite(raw[inside])).sum()),
        beyond=int((np.isfinite(raw[inside]) & ~_drawn(raw[inside], limit)).sum()),
        tiny=int(_tiny(raw[inside], least).sum()),
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


def _drawn(values: Floats, limit: float) -> NDArray[np.bool_]:
    return np.asarray(np.isfinite(values) & (np.abs(values) <= limit))


def _tiny(values: Floats, least: float) -> NDArray[np.bool_]:
    return np.asarray((values != 0) & (np.abs(values) < least))


def _with_gaps(values: Floats, least: float, limit: float) -> Floats:
    """Return the values with NaN for what cannot be drawn: a line has a gap there. What is tiny is 0."""
    drawn = _drawn(values, limit)
    shown = values if drawn.all() else np.where(drawn, values, np.nan)
    tiny = _tiny(shown, least)
    return np.where(tiny, 0.0, shown) if tiny.any() else shown
