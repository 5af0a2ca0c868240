"""Reading one metric's whole history back."""

from __future__ import annotations

import statistics
from collections.abc import Iterator

from benchmarks import reference
from benchmarks.report import Row
from benchmarks.workloads import Bench, curve, seconds


def reading(bench: Bench) -> Iterator[Row]:
    import tracking

    count = bench.scaled(100_000, 20_000)
    values = curve(count)
    folder, rows = bench.place("read"), bench.place("rows")
    with tracking.start_run("read", store=folder, capture=False) as run:
        for step, value in enumerate(values):
            run.log({"loss": value}, step=step)
    reference.fill_one_metric(rows, values)
    store = tracking.open_store(folder)
    series = store.series([run.id], ["loss"])[run.id, "loss"]
    if series.values.tolist() != values:
        raise AssertionError("the values read are not those logged")
    store.history([run.id], ["loss"])
    arrays, frames, plain = [], [], []
    for _ in range(bench.scaled(9, 5)):
        plain.append(reference.fetch_seconds(rows))
        arrays.append(seconds(lambda: store.series([run.id], ["loss"])))
        frames.append(seconds(lambda: store.history([run.id], ["loss"])))
    store.close()
    answers = bench.ask_peers("read", points=count)
    fetched = 1000 * statistics.median(plain)
    peers = {peer: 1000 * answer["seconds"] for peer, answer in answers.items()}
    what = f"read {count:,} points of one metric"
    yield Row(
        f"{what} as arrays",
        1000 * statistics.median(arrays),
        "ms",
        reference=fetched,
        ratio_target=0.1,
        peers=peers,
    )
    yield Row(
        f"{what}, history()",
        1000 * statistics.median(frames),
        "ms",
        reference=fetched,
        ratio_target=0.25,
        peers=peers,
    )
