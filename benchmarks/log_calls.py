"""What `log()` takes from the training loop while ingest runs beside it."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator

from benchmarks import reference
from benchmarks.report import Row
from benchmarks.workloads import KEYS, Bench, curve


def durations(bench: Bench, pause: float) -> list[float]:
    """Return the seconds of each call in a loop of about 10 s, with a pause in between."""
    import tracking

    values = curve(100_000)
    spent: list[float] = []
    now = time.perf_counter
    with tracking.start_run("log", store=bench.place("log"), capture=False) as run:
        end = now() + bench.scaled(10, 2)
        step = 0
        while now() < end:
            value = values[step % len(values)]
            began = now()
            run.log(
                {
                    "loss": value,
                    "accuracy": 1 - value,
                    "val_loss": value + 0.1,
                    "val_accuracy": 0.9 - value,
                    "learning_rate": 0.001,
                },
                step=step,
            )
            spent.append(now() - began)
            step += 1
            if pause:
                time.sleep(pause)
    return spent


def beyond(spent: list[float], share: float) -> float:
    """Return the quantile, as the value below which that share of the calls stays."""
    ordered = sorted(spent)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def log_calls(bench: Bench) -> Iterator[Row]:
    reference_file = bench.place("reference")
    before = reference.insert_seconds(reference_file, curve(5_000), 5_000)
    tight = durations(bench, pause=0)
    paced = durations(bench, pause=0.001)
    after = reference.insert_seconds(reference_file, curve(5_000), 5_000)
    answers = bench.ask_peers("log", calls=2_000)
    calls = (
        f"{len(tight):,} calls in a tight loop, {len(paced):,} with 1 ms between; {len(KEYS)} metrics each."
    )
    yield Row(
        "log() of 5 metrics, median",
        1e6 * statistics.median(tight),
        "µs",
        target=5,
        reference=1e6 * statistics.median([before, after]),
        ratio_target=0.15,
        peers={peer: 1e6 * answer["median"] for peer, answer in answers.items()},
        note=calls,
    )
    yield Row("the same, mean, tight, ingest running", 1e6 * statistics.fmean(tight), "µs", target=10)
    yield Row("the same, mean, paced 1 ms", 1e6 * statistics.fmean(paced), "µs", target=25)
    yield Row("the same, 99.9 % of calls, tight", 1e6 * beyond(tight, 0.999), "µs", target=2_000)
    yield Row("the same, 99.9 % of calls, paced", 1e6 * beyond(paced, 0.999), "µs", target=2_000)
