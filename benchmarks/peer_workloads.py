"""The same workloads for other trackers; runs in their interpreter and prints one line of JSON.

    .bench-peers/bin/python -m benchmarks.peer_workloads trackio log FOLDER '{"calls": 2000}'

Every workload is sized so that the slowest tracker ends in minutes (a quick one gets
`patience` times as much); what is compared are rates, sizes and times of one operation.
"""

from __future__ import annotations

import contextlib
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.crash import killed_after
from benchmarks.workloads import KEYS, curve, environment, folder_bytes, median_of, script_seconds, seconds


class Trackio:
    """Trackio, writing to a folder without its dashboard or hardware metrics."""

    patience = 10

    def __init__(self, folder: Path) -> None:
        os.environ["TRACKIO_DIR"] = str(folder)
        os.environ["HF_HUB_OFFLINE"] = "1"
        import trackio

        self.module = trackio

    def start(self, name: str, params: dict[str, Any]) -> None:
        # It says where its data is at every start.
        with contextlib.redirect_stdout(sys.stderr):
            self.module.init(
                project="bench", name=name, config=params, auto_log_gpu=False, auto_log_cpu=False, embed=False
            )

    def log(self, metrics: dict[str, float], step: int) -> None:
        self.module.log(metrics, step=step)

    def finish(self) -> None:
        with contextlib.redirect_stdout(sys.stderr):
            self.module.finish()

    def fill(self, name: str, values: list[float]) -> None:
        self.start(name, {})
        for step, value in enumerate(values):
            self.log({"loss": value}, step)
        self.finish()

    def read(self, name: str, key: str) -> int:
        from trackio.sqlite_storage import SQLiteStorage

        return len(SQLiteStorage.get_metric_values("bench", name, key))


class Mlflow:
    """MLflow on its SQLite backend, synchronous logging."""

    patience = 1

    def __init__(self, folder: Path) -> None:
        os.environ["MLFLOW_DISABLE_TELEMETRY"] = os.environ["DO_NOT_TRACK"] = "true"
        import mlflow

        self.module = mlflow
        mlflow.set_tracking_uri(f"sqlite:///{folder}/mlflow.db")
        if mlflow.get_experiment_by_name("bench") is None:
            mlflow.create_experiment("bench", artifact_location=(folder / "artifacts").as_uri())
        mlflow.set_experiment("bench")

    def start(self, name: str, params: dict[str, Any]) -> None:
        self.module.start_run(run_name=name)
        if params:
            self.module.log_params(params)

    def log(self, metrics: dict[str, float], step: int) -> None:
        self.module.log_metrics(metrics, step=step)

    def finish(self) -> None:
        self.module.end_run()

    def fill(self, name: str, values: list[float]) -> None:
        from mlflow.entities import Metric

        self.start(name, {})
        client, run = self.module.MlflowClient(), self.module.active_run().info.run_id
        now = int(time.time() * 1000)
        points = [Metric("loss", value, now + step, step) for step, value in enumerate(values)]
        for first in range(0, len(points), 1000):
            client.log_batch(run, metrics=points[first : first + 1000])
        self.finish()

    def read(self, name: str, key: str) -> int:
        client = self.module.MlflowClient()
        experiment = client.get_experiment_by_name("bench").experiment_id
        run = client.search_runs([experiment], f"attributes.run_name = '{name}'")[0].info.run_id
        return len(client.get_metric_history(run, key))


PEERS: dict[str, Callable[[Path], Any]] = {"trackio": Trackio, "mlflow": Mlflow}


def importing(name: str, folder: Path) -> dict[str, float]:
    script_seconds(f"import {name}")
    bare = median_of(5, lambda: script_seconds("pass"))
    return {"seconds": median_of(5, lambda: script_seconds(f"import {name}")) - bare}


def warm_run(name: str, folder: Path) -> dict[str, float]:
    peer = PEERS[name](folder)

    def one() -> None:
        peer.start(f"run{time.perf_counter_ns()}", {})
        peer.log({"loss": 0.5}, 1)
        peer.finish()

    one()
    return {"seconds": median_of(11, lambda: seconds(one))}


def create(name: str, folder: Path, runs: int) -> dict[str, float]:
    peer = PEERS[name](folder)

    def one() -> None:
        peer.start(f"run{time.perf_counter_ns()}", {f"param{i}": i / 3 for i in range(10)})
        peer.log({f"metric{i}": i / 3 for i in range(10)}, 1)
        peer.finish()

    one()
    return {"seconds": median_of(runs, lambda: seconds(one))}


def log(name: str, folder: Path, calls: int) -> dict[str, float]:
    peer = PEERS[name](folder)
    values = curve(calls)
    peer.start("log", {})
    spent = [seconds(lambda s=step: peer.log(dict.fromkeys(KEYS, values[s]), s)) for step in range(calls)]
    peer.finish()
    return {"median": statistics.median(spent)}


def durable(name: str, folder: Path, calls: int) -> dict[str, float]:
    peer = PEERS[name](folder)
    calls *= peer.patience
    values = curve(calls)
    peer.start("warm", {})
    peer.finish()
    empty = folder_bytes(folder)

    def write() -> None:
        peer.start("durable", {})
        for step, value in enumerate(values):
            peer.log(dict.fromkeys(KEYS, value), step)
        peer.finish()

    spent = seconds(write)
    points = calls * len(KEYS)
    return {"points_per_second": points / spent, "bytes_per_point": (folder_bytes(folder) - empty) / points}


def read(name: str, folder: Path, points: int) -> dict[str, float]:
    PEERS[name](folder).fill("read", curve(points))
    # A process of its own: nothing that writing left in a cache.
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.peer_workloads", name, "read-again", str(folder), "{}"],
        env=environment(),
        check=True,
        capture_output=True,
        text=True,
    )
    answer: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    if answer["points"] != points:
        raise RuntimeError(f"{answer['points']} of {points} points came back")
    return answer


def read_again(name: str, folder: Path) -> dict[str, float]:
    peer = PEERS[name](folder)
    began = time.perf_counter()
    points = peer.read("read", "loss")
    return {"seconds": time.perf_counter() - began, "points": points}


def crash(name: str, folder: Path, calls: int) -> dict[str, float]:
    counter = folder / "counter"
    child = [sys.executable, "-m", "benchmarks.peer_workloads", name, "log-for-ever", str(folder), "{}"]
    counted = killed_after(child, counter, calls)
    found = sum(PEERS[name](folder).read("crash", key) for key in KEYS)
    return {"lost": max(0, counted * len(KEYS) - found), "acknowledged": counted * len(KEYS)}


def log_for_ever(name: str, folder: Path) -> dict[str, float]:
    import mmap
    import struct

    peer = PEERS[name](folder)
    peer.start("crash", {})
    step = 0
    with (folder / "counter").open("r+b") as file, mmap.mmap(file.fileno(), 8) as page:
        while True:
            peer.log(dict.fromkeys(KEYS, float(step)), step)
            step += 1
            struct.pack_into("q", page, 0, step)
            time.sleep(0.001)


WORKLOADS: dict[str, Callable[..., dict[str, float]]] = {
    "import": importing,
    "warm_run": warm_run,
    "create": create,
    "log": log,
    "durable": durable,
    "read": read,
    "read-again": read_again,
    "crash": crash,
    "log-for-ever": log_for_ever,
}


def main() -> None:
    name, workload, folder, options = sys.argv[1:]
    answer = WORKLOADS[workload](name, Path(folder), **json.loads(options))
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
