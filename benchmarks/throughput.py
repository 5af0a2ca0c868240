"""How fast points become durable rows, and how much room they take."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks import reference
from benchmarks.report import Row
from benchmarks.workloads import KEYS, Bench, curve, store_bytes


def durable_seconds(folder: Path, values: list[float]) -> float:
    """Return the time of one run with a call per value and five metrics a call, `finish()` included."""
    import tracking

    began = time.perf_counter()
    with tracking.start_run("durable", store=folder, capture=False) as run:
        for step, value in enumerate(values):
            run.log(
                {
                    "loss": value,
                    "accuracy": value,
                    "val_loss": value,
                    "val_accuracy": value,
                    "learning_rate": value,
                },
                step=step,
            )
    return time.perf_counter() - began


def throughput(bench: Bench) -> Iterator[Row]:
    import tracking

    calls = bench.scaled(200_000, 40_000)
    values = curve(calls)
    folder = bench.place("durable")
    durable_seconds(folder, values[:1000])
    empty = store_bytes(folder)
    ours, plain = [], []
    for _ in range(bench.repeats):
        plain.append(reference.rows_per_second(bench.place("rows"), values))
        ours.append(calls * len(KEYS) / durable_seconds(folder, values))
    answers = bench.ask_peers("durable", calls=4_000)
    rate = statistics.median(ours)
    yield Row(
        f"{calls:,} calls × 5 metrics durable, finish() included",
        rate,
        "points/s",
        reference=statistics.median(plain),
        ratio_target=1.2,
        more_is_better=True,
        peers={peer: answer["points_per_second"] for peer, answer in answers.items()},
    )
    store = tracking.open_store(folder)
    found = sum(int(store.run(run).metrics[key].count) for run in store.search()["run"] for key in KEYS)
    store.close()
    expected = (bench.repeats * calls + 1000) * len(KEYS)
    yield Row("points missing of those", expected - found, "", target=0)
    rows_file = bench.place("size")
    reference.rows_per_second(rows_file, values)
    yield Row(
        f"size of a point, {calls:,} points a key",
        (store_bytes(folder) - empty) / (bench.repeats * calls * len(KEYS)),
        "bytes",
        target=10,
        reference=reference.bytes_per_row(rows_file, calls * len(KEYS)),
        peers={peer: answer["bytes_per_point"] for peer, answer in answers.items()},
    )


def small_runs(bench: Bench) -> Iterator[Row]:
    import tracking

    folder = bench.place("small")
    points, keys, runs = 50, [f"metric{i}" for i in range(20)], bench.scaled(100, 20)
    values = curve(points * len(keys) * (runs + 1))

    def one(number: int) -> None:
        taken = iter(values[number * points * len(keys) :])
        with tracking.start_run("small", store=folder, capture=False) as run:
            for step in range(points):
                run.log({key: next(taken) for key in keys}, step=step)

    one(runs)
    empty = store_bytes(folder)
    for number in range(runs):
        one(number)
    yield Row(
        f"size of a point, {points} points × {len(keys)} keys",
        (store_bytes(folder) - empty) / (runs * points * len(keys)),
        "bytes",
        target=40,
        note=f"{runs} runs, everything the store holds of them.",
    )
