"""What a script pays before its first epoch: the import, a cold script, a warm run."""

from __future__ import annotations

import statistics
from collections.abc import Iterator

from benchmarks.report import Row
from benchmarks.workloads import Bench, median_of, script_seconds, seconds

IMPORT = "import tracking"
SCRIPT = """
import sys, tracking
with tracking.start_run("cold", store=sys.argv[1]) as run:
    run.log({"loss": 0.5}, step=1)
"""


def importing(bench: Bench) -> Iterator[Row]:
    repeats = bench.scaled(11, 5)
    script_seconds(IMPORT)
    bare, ours = [], []
    for _ in range(repeats):
        bare.append(script_seconds("pass"))
        ours.append(script_seconds(IMPORT))
    answers = bench.ask_peers("import")
    yield Row(
        "import tracking, beyond bare Python",
        1000 * (statistics.median(ours) - statistics.median(bare)),
        "ms",
        target=100,
        peers={peer: 1000 * answer["seconds"] for peer, answer in answers.items()},
    )


def cold_scripts(bench: Bench) -> Iterator[Row]:
    existing = bench.place("cold")
    script_seconds(SCRIPT, str(existing))
    bare, warm_store, new_store = [], [], []
    for _ in range(bench.scaled(7, 3)):
        bare.append(script_seconds("pass"))
        warm_store.append(script_seconds(SCRIPT, str(existing)))
        new_store.append(script_seconds(SCRIPT, str(bench.place("cold"))))
    base = statistics.median(bare)
    yield Row(
        "cold script on an existing store", 1000 * (statistics.median(warm_store) - base), "ms", target=700
    )
    yield Row(
        "cold script that creates the store", 1000 * (statistics.median(new_store) - base), "ms", target=1200
    )


def warm_run(bench: Bench) -> Iterator[Row]:
    import tracking

    folder = bench.place("warm")

    def one() -> None:
        with tracking.start_run("warm", store=folder, capture=False) as run:
            run.log({"loss": 0.5}, step=1)

    one()
    answers = bench.ask_peers("warm_run")
    yield Row(
        "start + one log + finish, warm",
        1000 * median_of(bench.scaled(101, 21), lambda: seconds(one)),
        "ms",
        target=8,
        peers={peer: 1000 * answer["seconds"] for peer, answer in answers.items()},
    )
