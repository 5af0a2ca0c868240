"""Comparing many long runs: from the store to the figure as it is sent."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.report import Row
from benchmarks.workloads import Bench, curve

if TYPE_CHECKING:
    from tracking.records import Series

SPIKE = 100.0


def write_runs(folder: Path, runs: int, points: int) -> list[str]:
    import tracking

    ids = []
    for number in range(runs):
        values = curve(points, seed=number)
        values[points // 3] = SPIKE + number
        with tracking.start_run("compare", params={"seed": number}, store=folder, capture=False) as run:
            for step, value in enumerate(values):
                run.log({"loss": value}, step=step)
        ids.append(run.id)
    return ids


def figure_json(series: dict[tuple[str, str], Series], ids: list[str]) -> str:
    """Return the chart of the runs as the page sends it."""
    from tracking.analysis.curves import CurveOptions, curve_of
    from tracking.ui import charts, colours, live_chart

    options = CurveOptions(max_points=charts.points_per_line(1, len(ids)))
    styles = colours.run_styles(ids)
    lines = [charts.Line(run, run, curve_of(series[run, "loss"], options), styles[run]) for run in ids]
    if [float(line.curve.y.max()) for line in lines] != [SPIKE + number for number in range(len(ids))]:
        raise AssertionError("a spike of one point is missing from the curves")
    return live_chart._figure_json(charts.metric_chart(lines, options), uirevision="loss")


def comparing(bench: Bench) -> Iterator[Row]:
    import tracking

    runs, points = bench.scaled(50, 10), bench.scaled(10_000, 2_000)
    folder = bench.place("compare")
    ids = write_runs(folder, runs, points)
    figure_json(tracking.open_store(folder).series(ids[:1], ["loss"]), ids[:1])
    cold, cached, sent = [], [], ""
    for _ in range(bench.scaled(5, 3)):
        began = time.perf_counter()
        store = tracking.open_store(folder)
        series = store.series(ids, ["loss"])
        sent = figure_json(series, ids)
        cold.append(time.perf_counter() - began)
        began = time.perf_counter()
        figure_json(series, ids)
        cached.append(time.perf_counter() - began)
        store.close()
    what = f"compare {runs} runs × {points:,} points, server side"
    yield Row(f"{what}, cold", statistics.median(cold), "s", target=0.3)
    yield Row(f"{what}, series from cache", statistics.median(cached), "s", target=0.05)
    yield Row(f"{what}, sent", len(sent) / 1e6, "MB", target=2)
