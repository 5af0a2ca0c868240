"""Curves are read once per revision, and bounded by bytes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np

from tracking.analysis.curves import CurveOptions
from tracking.records import MetricSummary, RunRecord, RunStatus, Series
from tracking.ui.curve_cache import ByteBoundedCache, CurveCache


class SeriesStore:
    """Counts what is read from it."""

    def __init__(self) -> None:
        self.reads: list[list[str]] = []
        self.length = 1000

    def series(self, runs: Sequence[str], keys: Sequence[str]) -> dict[tuple[str, str], Series]:
        self.reads.append(list(runs))
        steps = np.arange(self.length)
        return {(run, key): Series(steps, np.sin(steps), steps * 1000) for run in runs for key in keys}


def run(run_id: str, revision: int = 1, keys: Sequence[str] = ("loss",)) -> RunRecord:
    summaries = {key: MetricSummary(key, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0) for key in keys}
    created = datetime(2026, 1, 1, tzinfo=UTC)
    return RunRecord(
        run_id, "e", run_id, RunStatus.RUNNING, created, None, 1.0, metrics=summaries, revision=revision
    )


def curves(
    cache: CurveCache, store: Any, *runs: RunRecord, options: CurveOptions | None = None
) -> dict[str, Any]:
    return cache.curves(store, {one.id: one for one in runs}, "loss", options or CurveOptions())


def test_a_redraw_reads_nothing_until_a_revision_moves() -> None:
    store, cache = SeriesStore(), CurveCache()
    first = curves(cache, store, run("a"), run("b"))
    again = curves(cache, store, run("a"), run("b"))
    assert again["a"] is first["a"]
    store.length = 2000
    moved = curves(cache, store, run("a", revision=2), run("b"))
    assert store.reads == [["a", "b"], ["a"]]
    assert (moved["a"].total, moved["b"].total) == (2000, 1000)


def test_zooming_draws_anew_without_reading() -> None:
    store, cache = SeriesStore(), CurveCache()
    curves(cache, store, run("a"))
    zoomed = curves(cache, store, run("a"), options=CurveOptions(visible=(10, 20)))
    assert zoomed["a"].total == 13
    assert store.reads == [["a"]]


def test_runs_without_the_metric_are_left_out() -> None:
    store = SeriesStore()
    assert list(curves(CurveCache(), store, run("a", keys=["other"]), run("b"))) == ["b"]
    assert store.reads == [["b"]]


def test_old_values_go_when_the_limit_is_passed() -> None:
    cache: ByteBoundedCache[bytes] = ByteBoundedCache(100, len)
    cache.put("a", b"x" * 40)
    cache.put("b", b"x" * 40)
    cache.get("a")
    cache.put("c", b"x" * 40)
    assert (cache.get("a"), cache.get("b")) == (b"x" * 40, None)
    assert cache.held_bytes == 80


def test_a_value_larger_than_the_limit_is_held_alone() -> None:
    cache: ByteBoundedCache[bytes] = ByteBoundedCache(10, len)
    cache.put("a", b"x")
    cache.put("big", b"x" * 50)
    assert cache.get("big") is not None and cache.get("a") is None
    cache.put("big", b"x")
    assert cache.held_bytes == 1
