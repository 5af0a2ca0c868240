"""How many points a killed process loses."""

from __future__ import annotations

import mmap
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.report import Row
from benchmarks.workloads import Bench, environment

CALLS = 4_900

# Counts in a shared page, after each return of log(): what was acknowledged outlives the process.
SCRIPT = """
import mmap, struct, sys, time, tracking
store, counter = sys.argv[1:3]
with open(counter, "r+b") as file:
    page = mmap.mmap(file.fileno(), 8)
run = tracking.start_run("crash", store=store, capture=False)
step = 0
while True:
    run.log({"a": step, "b": step, "c": step, "d": step, "e": step}, step=step)
    step += 1
    struct.pack_into("q", page, 0, step)
    time.sleep(0.001)
"""


def killed_after(command: list[str], counter: Path, calls: int) -> int:
    """Run a command until it has counted so many calls, kill it, and return how many it had counted."""
    counter.write_bytes(bytes(8))
    with counter.open("r+b") as file, mmap.mmap(file.fileno(), 8) as page:
        process = subprocess.Popen(command, env=environment(), stdout=subprocess.DEVNULL)
        try:
            while struct.unpack_from("q", page)[0] < calls:
                if process.poll() is not None:
                    raise RuntimeError(f"the workload ended by itself with exit code {process.returncode}")
                time.sleep(0.0005)
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()
        return int(struct.unpack_from("q", page)[0])


def crash(bench: Bench) -> Iterator[Row]:
    import tracking

    lost, acknowledged = [], []
    for _ in range(bench.scaled(5, 2)):
        folder = bench.place("crash")
        counter = bench.place("counter")
        calls = killed_after([sys.executable, "-c", SCRIPT, str(folder), str(counter)], counter, CALLS)
        store = tracking.open_store(folder)
        store.recover()
        run = store.search(columns=[])["run"].iloc[0]
        found = sum(summary.count for summary in store.run(run).metrics.values())
        store.close()
        acknowledged.append(5 * calls)
        lost.append(max(0, 5 * calls - found))
    yield Row(
        f"points lost on kill -9 of about {sum(acknowledged) // len(acknowledged):,}",
        max(lost),
        "points",
        target=0,
        peers={peer: answer["lost"] for peer, answer in bench.ask_peers("crash", calls=CALLS).items()},
        note=f"The most of {len(lost)} kills, of points for which log() had returned, 1 ms between calls.",
    )
