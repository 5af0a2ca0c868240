"""Smoothing follows its formula and never hides what is not finite."""

from __future__ import annotations

import numpy as np
import pytest

from tracking.analysis.smoothing import smooth


def _by_definition(values: np.ndarray, weight: float) -> np.ndarray:
    smoothed, total, norm = [], 0.0, 0.0
    for value in values:
        if not np.isfinite(value):
            smoothed.append(value)
            continue
        total, norm = weight * total + value, weight * norm + 1.0
        smoothed.append(total / norm)
    return np.array(smoothed)


@pytest.mark.parametrize("count", [1, 2, 63, 64, 65, 4096, 10_001])
@pytest.mark.parametrize("weight", [0.01, 0.6, 0.9, 0.999])
def test_smoothing_equals_its_definition(count: int, weight: float) -> None:
    rng = np.random.default_rng(count)
    values = rng.normal(size=count).cumsum()
    values[rng.random(count) < 0.05] = np.nan
    values[rng.random(count) < 0.02] = np.inf
    np.testing.assert_allclose(smooth(values, weight), _by_definition(values, weight), rtol=1e-9, atol=1e-9)


def test_first_value_is_itself_and_a_constant_stays_exactly_constant() -> None:
    assert smooth(np.array([3.0, 100.0]), 0.9)[0] == 3.0
    assert (smooth(np.full(10_000, 0.1), 0.99) == 0.1).all()


def test_weight_zero_changes_nothing() -> None:
    values = np.array([1.0, np.nan, -np.inf, 2.0])
    np.testing.assert_array_equal(smooth(values, 0.0), values)


def test_the_argument_is_left_alone_even_when_read_only() -> None:
    values = np.array([1.0, np.nan, 3.0])
    values.flags.writeable = False
    smooth(values, 0.5)
    assert values[2] == 3.0


def test_series_without_finite_values_and_empty_ones_come_back() -> None:
    assert np.isnan(smooth(np.full(5, np.nan), 0.9)).all()
    assert len(smooth(np.array([]), 0.9)) == 0


@pytest.mark.parametrize("weight", [-0.1, 1.0, 2.0, float("nan")])
def test_weights_outside_the_range_are_refused(weight: float) -> None:
    with pytest.raises(ValueError, match="weight"):
        smooth(np.ones(3), weight)
