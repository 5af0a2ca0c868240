"""Reduction keeps what the eye would have seen."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracking.analysis.reduction import reduce, window

FLOATS = st.floats(allow_nan=True, allow_infinity=True, width=64)


@given(
    values=st.lists(FLOATS, min_size=1, max_size=400),
    gaps=st.lists(st.integers(0, 1000), min_size=400, max_size=400),
    budget=st.integers(8, 60),
    log_x=st.booleans(),
)
def test_any_series_keeps_ends_extremes_and_kinds_within_budget(
    values: list[float], gaps: list[int], budget: int, log_x: bool
) -> None:
    y = np.array(values)
    x = np.cumsum(np.array(gaps[: len(y)], dtype=np.int64)) - 500
    kept = reduce(x, y, budget, log_x=log_x)

    assert len(kept) <= budget
    assert (np.diff(kept) > 0).all()
    assert kept[0] == 0 and kept[-1] == len(y) - 1
    finite = y[np.isfinite(y)]
    if len(finite):
        shown = y[kept][np.isfinite(y[kept])]
        assert shown.min() == finite.min() and shown.max() == finite.max()
    for kind in (np.isnan, np.isposinf, np.isneginf):
        assert kind(y).any() == kind(y[kept]).any()


@pytest.mark.parametrize("position", [0, 1, 499_999, 500_000, 999_998, 999_999])
@pytest.mark.parametrize("spike", [50.0, -50.0, np.nan, np.inf, -np.inf])
def test_single_step_spike_in_a_million_points_is_kept(position: int, spike: float) -> None:
    y = np.sin(np.linspace(0, 100, 1_000_000))
    y[position] = spike
    assert position in reduce(np.arange(1_000_000), y, 1000)


def test_extremes_of_every_bucket_are_kept() -> None:
    rng = np.random.default_rng(0)
    y = rng.normal(size=100_000)
    x = np.arange(100_000)
    kept = reduce(x, y, 1002)
    for bucket in np.array_split(np.arange(100_000), 500):
        # Buckets are by position here, because the steps are equally spaced (within one point at the edges).
        inner = bucket[1:-1]
        inside = kept[(kept >= bucket[0]) & (kept <= bucket[-1])]
        assert y[inside].max() >= y[inner].max()
        assert y[inside].min() <= y[inner].min()


def test_buckets_are_by_x_so_a_dense_stretch_does_not_starve_the_rest() -> None:
    x = np.concatenate([np.arange(100_000), np.linspace(200_000, 1_000_000, 300).astype(np.int64)])
    y = np.arange(len(x), dtype=float)
    kept = reduce(x, y, 1000)
    assert (x[kept] >= 200_000).sum() >= 290


def test_log_x_spends_the_budget_on_decades_alike() -> None:
    x = np.arange(1, 1_000_001)
    y = np.random.default_rng(1).normal(size=len(x))
    kept = reduce(x, y, 600, log_x=True)
    counts = [((x[kept] >= low) & (x[kept] < 10 * low)).sum() for low in (1e3, 1e4, 1e5)]
    assert max(counts) - min(counts) <= 6


def test_a_gap_of_nan_stays_between_its_neighbours() -> None:
    y = np.ones(10_000)
    y[4_000:4_500] = np.nan
    kept = reduce(np.arange(10_000), y, 100)
    inside = kept[(kept >= 4_000) & (kept < 4_500)]
    assert len(inside) and np.isnan(y[inside]).all()


def test_two_reductions_of_one_series_are_identical() -> None:
    y = np.random.default_rng(2).normal(size=50_000)
    x = np.arange(50_000)
    assert (reduce(x, y, 500) == reduce(x.copy(), y.copy(), 500)).all()


def test_short_series_stay_whole() -> None:
    assert reduce(np.arange(5), np.ones(5), 8).tolist() == [0, 1, 2, 3, 4]
    assert reduce(np.arange(0), np.ones(0), 8).tolist() == []


def test_unusable_arguments_are_refused() -> None:
    with pytest.raises(ValueError, match="one length"):
        reduce(np.arange(3), np.ones(4), 100)
    with pytest.raises(ValueError, match="max_points=2"):
        reduce(np.arange(3), np.ones(3), 2)


def test_window_takes_one_neighbour_on_either_side() -> None:
    x = np.arange(0, 100, 10)
    assert x[window(x, 25, 55)].tolist() == [20, 30, 40, 50, 60]
    assert x[window(x, 55, 25)].tolist() == [20, 30, 40, 50, 60]
    assert x[window(x, -5, 500)].tolist() == x.tolist()
    assert x[window(x, 31, 39)].tolist() == [30, 40]
