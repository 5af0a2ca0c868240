"""What is drawn of a series."""

from __future__ import annotations

import numpy as np
import pytest

from tracking.analysis.curves import Axis, CurveOptions, curve_of
from tracking.analysis.smoothing import smooth
from tracking.records import Series


def series(values: np.ndarray, steps: np.ndarray | None = None, times: np.ndarray | None = None) -> Series:
    n = len(values)
    return Series(
        steps=np.arange(n) if steps is None else steps,
        values=values.astype(float),
        times=1_000_000 * np.arange(n) if times is None else times,
    )


def test_a_short_series_is_drawn_whole() -> None:
    curve = curve_of(series(np.array([3.0, 1.0, 2.0])), CurveOptions())
    assert curve.x.tolist() == [0, 1, 2] and curve.y.tolist() == [3, 1, 2]
    assert (curve.total, curve.shown, curve.raw) == (3, 3, None)


def test_non_finite_values_are_gaps_and_marks() -> None:
    curve = curve_of(series(np.array([1.0, np.nan, np.inf, -np.inf, 2.0])), CurveOptions(smoothing=0.5))
    assert np.isnan(curve.y).tolist() == [False, True, True, True, False]
    assert curve.marked_x.tolist() == [1, 2, 3]
    np.testing.assert_array_equal(curve.marked_y, [np.nan, np.inf, -np.inf])


def test_smoothing_comes_before_reducing() -> None:
    values = np.random.default_rng(0).normal(size=100_000)
    curve = curve_of(series(values), CurveOptions(smoothing=0.9, max_points=100))
    np.testing.assert_array_equal(curve.y, smooth(values, 0.9)[curve.x])
    assert curve.raw is not None and curve.raw_x is not None
    np.testing.assert_array_equal(curve.raw, values[curve.raw_x])
    assert curve.raw.max() == values.max() and curve.y.max() == smooth(values, 0.9).max()


@pytest.mark.parametrize("visible", [None, (2_000, 90_000)])
def test_the_raw_line_and_its_count_are_the_same_with_smoothing(visible: tuple[float, float] | None) -> None:
    values = np.random.default_rng(0).normal(size=100_000)
    values[[7, 50_000]] = np.nan, np.inf
    plain = curve_of(series(values), CurveOptions(max_points=400, visible=visible))
    smoothed = curve_of(series(values), CurveOptions(max_points=400, visible=visible, smoothing=0.9))
    np.testing.assert_array_equal(smoothed.raw_x, plain.x)
    np.testing.assert_array_equal(smoothed.raw, plain.y)
    np.testing.assert_array_equal(smoothed.marked_x, plain.marked_x)
    assert (smoothed.shown, smoothed.total) == (plain.shown, plain.total)
    assert len(smoothed.x) <= 400


def test_zooming_reads_the_visible_range_from_the_full_series() -> None:
    values = np.random.default_rng(0).normal(size=100_000)
    curve = curve_of(series(values), CurveOptions(max_points=400, visible=(50_000, 50_300)))
    inside = (curve.x >= 50_000) & (curve.x <= 50_300)
    assert inside.sum() == 301
    assert curve.shown == curve.total == 303
    # The rest of the line is still there, coarsely.
    assert curve.x[0] == 0 and curve.x[-1] == 99_999


def test_smoothing_does_not_depend_on_the_zoom() -> None:
    values = np.random.default_rng(0).normal(size=1000)
    whole = curve_of(series(values), CurveOptions(smoothing=0.95, max_points=2000))
    part = curve_of(series(values), CurveOptions(smoothing=0.95, max_points=2000, visible=(500, 600)))
    np.testing.assert_array_equal(part.y[(part.x >= 500) & (part.x <= 600)], whole.y[500:601])


def test_relative_time_counts_seconds_from_the_start() -> None:
    began = 1_700_000_000_000_000
    curve = curve_of(
        series(np.ones(3), times=began + np.array([0, 1_500_000, 3_000_000])),
        CurveOptions(axis=Axis.RELATIVE),
        began=began,
    )
    assert curve.x.tolist() == [0.0, 1.5, 3.0]


@pytest.mark.parametrize("axis", [Axis.RELATIVE, Axis.WALL])
def test_along_time_points_run_in_order_of_time(axis: Axis) -> None:
    curve = curve_of(
        series(np.array([1.0, 2.0, 3.0]), times=np.array([5_000_000, 1_000_000, 3_000_000])),
        CurveOptions(axis=axis),
    )
    assert curve.y.tolist() == [2, 3, 1]


def test_points_a_log_axis_cannot_show_are_counted() -> None:
    values = np.array([0.0, -1.0, 1.0, np.nan])
    assert curve_of(series(values), CurveOptions(log_y=True)).hidden == 2
    assert curve_of(series(values), CurveOptions(log_x=True)).hidden == 1
    assert curve_of(series(values), CurveOptions()).hidden == 0


def test_an_empty_series_is_an_empty_curve() -> None:
    curve = curve_of(series(np.array([])), CurveOptions(smoothing=0.5, visible=(0, 1)))
    assert (len(curve.x), curve.total, curve.shown) == (0, 0, 0)
