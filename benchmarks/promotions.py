"""Whether a training run notices that others promote models in the same store."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.log_calls import beyond
from benchmarks.report import Row
from benchmarks.workloads import Bench, environment

PROMOTERS = 2
VERSIONS = 4

# Promotes back and forth through its gates, as fast as it goes, until its standard input ends.
PROMOTER = """
import select, sys, time, tracking
folder, own = sys.argv[1], int(sys.argv[2])
with tracking.open_store(folder) as store:
    print("ready", flush=True)
    sys.stdin.readline()
    spent = []
    while not select.select([sys.stdin], [], [], 0)[0]:
        began = time.perf_counter()
        try:
            store.promote("digits", 1 + (own + len(spent)) % 4, reason="bench")
        except tracking.PromotionRefused:
            pass
        spent.append(time.perf_counter() - began)
for seconds in spent:
    print(seconds)
"""

# Reads, as a dashboard would, how old the newest point is that the database shows.
READER = """
import select, sys, time, tracking
folder, run = sys.argv[1:3]
with tracking.open_store(folder) as store:
    print("ready", flush=True)
    sys.stdin.readline()
    ages = []
    while not select.select([sys.stdin], [], [], 0)[0]:
        summary = store.run(run).metrics["stamp"]
        if summary.count > 1:  # the first one was there before the others had started
            ages.append(time.time() - summary.last)
        time.sleep(0.02)
for age in ages:
    print(age)
"""


def prepare(folder: Path) -> None:
    """Make a store of a model with four versions of five runs each, and gates that read all of them."""
    from sklearn.linear_model import LogisticRegression

    import tracking

    model = LogisticRegression().fit([[0.0], [1.0]], [0, 1])
    with tracking.open_store(folder) as store:
        for number in range(VERSIONS):
            for seed in range(5):
                params = {"lr": number, "seed": seed}
                with tracking.start_run("digits", params=params, store=folder, capture=False) as run:
                    run.define_metric("accuracy", goal="maximize")
                    run.log({"accuracy": 0.9 + 0.01 * ((3 * seed + number) % 5)})
                    if seed == 0:
                        run.log_model(model, "model", input_example=[[0.0], [1.0]])
                        first = run.id
            store.register("digits", first)
        store.set_gates("digits", ["accuracy >= 0.5", "repeats >= 5"])


def beside(bench: Bench, folder: Path, promoters: int) -> tuple[list[float], list[float], list[float]]:
    """Log while others promote and one reads; return seconds of calls, of promotions, and ages of points."""
    import tracking

    with tracking.start_run("beside", store=folder, capture=False) as run:
        run.log({"stamp": time.time()})
        scripts = [(PROMOTER, str(number)) for number in range(promoters)] + [(READER, run.id)]
        others = [
            subprocess.Popen(
                [sys.executable, "-c", text, str(folder), argument],
                env=environment(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for text, argument in scripts
        ]
        for other in others:
            assert other.stdout is not None
            if other.stdout.readline() != "ready\n":
                raise RuntimeError("a process beside the run did not start")
        say(others)
        spent: list[float] = []
        end = time.perf_counter() + bench.scaled(10, 3)
        while time.perf_counter() < end:
            began = time.perf_counter()
            run.log(
                {"stamp": time.time(), "loss": 0.1, "accuracy": 0.9, "val_loss": 0.2, "val_accuracy": 0.8}
            )
            spent.append(time.perf_counter() - began)
            time.sleep(0.001)
        # The reader first, and all before any is waited for: nothing new is logged from here on.
        say(others[::-1])
        *promoted, ages = [list(map(float, other.communicate()[0].split())) for other in others]
    return spent, [seconds for each in promoted for seconds in each], ages


def say(others: list[subprocess.Popen[str]]) -> None:
    """Give each process a line: they begin at the first and end at the second."""
    for other in others:
        assert other.stdin is not None
        other.stdin.write("\n")
        other.stdin.flush()


def promotions(bench: Bench) -> Iterator[Row]:
    folder = bench.place("promotions")
    prepare(folder)
    alone, _, ages_alone = beside(bench, folder, 0)
    spent, promoted, ages = beside(bench, folder, PROMOTERS)
    yield Row(
        "log() while others promote, 99 % of calls",
        1e6 * beyond(spent, 0.99),
        "µs",
        target=2_000,
        reference=1e6 * beyond(alone, 0.99),
        note=f"{len(spent):,} calls with 5 metrics, 1 ms between; {PROMOTERS} processes promoted "
        f"{len(promoted):,} times meanwhile, as fast as they could. The reference is without them.",
    )
    yield Row(
        "age of the newest point that a reader sees, 99 %",
        beyond(ages, 0.99),
        "s",
        target=1.0,
        reference=beyond(ages_alone, 0.99),
    )
    yield Row("a promotion through two gates, median", statistics.median(promoted), "s")
