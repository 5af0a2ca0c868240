"""Creating runs, and finding some of very many."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.report import Row
from benchmarks.workloads import Bench, median_of, seconds


def fill(folder: Path, runs: int, seed: int = 0) -> float:
    """Create runs with 10 params and 10 metrics each and return the mean seconds a run took."""
    import tracking

    draw = random.Random(seed)
    began = time.perf_counter()
    for number in range(runs):
        params = {f"param{i}": draw.random() for i in range(8)} | {
            "model": draw.choice("abc"),
            "seed": number % 5,
        }
        with tracking.start_run("many", params=params, store=folder, capture=False) as run:
            run.log({f"metric{i}": draw.random() for i in range(10)}, step=1)
    return (time.perf_counter() - began) / runs


def searching(bench: Bench) -> Iterator[Row]:
    import tracking

    folder = bench.folder / "many"
    runs = bench.scaled(10_000, 500)
    fill(folder, 10)
    each = fill(folder, runs - 10)
    answers = bench.ask_peers("create", runs=20)
    yield Row(
        "create a run with 10 params and 10 metrics",
        1000 * each,
        "ms",
        target=10,
        peers={peer: 1000 * answer["seconds"] for peer, answer in answers.items()},
        note=f"Mean over {runs - 10:,} runs in one store.",
    )
    store = tracking.open_store(folder)
    where = 'metrics.metric0 > 0.5 and params.model == "a"'

    def ask() -> None:
        frame = store.search(where, experiment="many", order_by="metrics.metric1 desc", limit=100)
        assert len(frame) == min(100, len(frame)) and frame["metrics.metric1"].is_monotonic_decreasing

    ask()
    yield Row(
        f"search {runs:,} runs: filter, order, 100 rows",
        1000 * median_of(bench.scaled(21, 5), lambda: seconds(ask)),
        "ms",
        target=30,
        note=f"{store.count(where)} runs match; all their columns are answered.",
    )
    store.close()
