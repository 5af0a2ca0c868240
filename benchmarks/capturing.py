"""What capture takes from a run: its start and end, and the time of its loop."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator

from benchmarks.report import Row
from benchmarks.workloads import Bench, median_of, script_seconds, seconds

SCRIPT = """
import sys, time
import tracking
before = time.perf_counter()
run = tracking.start_run("cold", store=sys.argv[1], capture=sys.argv[2] == "on")
print(time.perf_counter() - before)
run.finish()
"""


def capturing(bench: Bench) -> Iterator[Row]:
    import tracking

    folder = bench.place("captured")

    def one(capture: bool) -> None:
        with tracking.start_run("captured", store=folder, capture=capture) as run:
            run.log({"loss": 0.5}, step=1)

    one(True)
    yield Row(
        "start + one log + finish, warm, with capture",
        1000 * median_of(bench.scaled(51, 11), lambda: seconds(lambda: one(True))),
        "ms",
        target=30,
    )
    began = {
        capture: median_of(bench.scaled(51, 11), lambda on=capture: start_seconds(bench, on))  # type: ignore[misc]
        for capture in (True, False)
    }
    yield Row("start_run with capture, beyond without", 1000 * (began[True] - began[False]), "ms", target=30)
    cold = {capture: [] for capture in ("on", "off")}  # type: dict[str, list[float]]
    for _ in range(bench.scaled(7, 3)):
        for capture, times in cold.items():
            times.append(script_seconds(SCRIPT, str(folder), capture))
    extra = statistics.median(cold["on"]) - statistics.median(cold["off"])
    yield Row("cold script with capture, beyond without", 1000 * extra, "ms")
    yield from loops(bench)


def start_seconds(bench: Bench, capture: bool) -> float:
    import tracking

    began = time.perf_counter()
    run = tracking.start_run("captured", store=bench.folder / "starts", capture=capture)
    spent = time.perf_counter() - began
    run.finish()
    return spent


def loops(bench: Bench) -> Iterator[Row]:
    """Compare what a step costs with and without capture, in short turns.

    In processor time of the whole process, the threads beside the loop included: it bounds what the loop can lose,
    and other programs of the machine do not disturb it as much as they do the clock on the wall.
    """
    costs: dict[bool, list[float]] = {True: [], False: []}
    turn = bench.scaled(10, 2)
    for _ in range(bench.scaled(3, 1)):
        for capture in (False, True):
            costs[capture].append(step_seconds(bench, turn, capture))
    more = statistics.median(costs[True]) / statistics.median(costs[False]) - 1
    yield Row(
        f"loop of {turn} s with capture, processor time of a step",
        100 * more,
        "% more",
        target=2,
        note="Steps of arithmetic, about 1 ms each, with a log() and every hundredth a print().",
    )


def step_seconds(bench: Bench, turn: float, capture: bool) -> float:
    import tracking

    spent = time.process_time()
    with tracking.start_run("loop", store=bench.folder / "loops", capture=capture) as run:
        end = time.perf_counter() + turn
        step = 0
        while time.perf_counter() < end:
            loss = sum(number * 0.5 for number in range(20_000))
            run.log({"loss": loss}, step=step)
            if not step % 100:
                print(end="")
            step += 1
    return (time.process_time() - spent) / step
