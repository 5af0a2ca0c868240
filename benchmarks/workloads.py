"""What every benchmark shares: its folder, its values, fresh interpreters and medians."""

from __future__ import annotations

import contextlib
import math
import os
import random
import sqlite3
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.peers import Peer

ROOT = Path(__file__).parent.parent
KEYS = ("loss", "accuracy", "val_loss", "val_accuracy", "learning_rate")


@dataclass
class Bench:
    """The settings of one run of the benchmarks.

    Attributes:
        folder: An empty folder, removed at the end.
        quick: Smaller workloads and one repeat: for a look, not for a claim.
        peers: Other trackers that can be asked for the same workload.
    """

    folder: Path
    quick: bool = False
    peers: list[Peer] = field(default_factory=list)

    @property
    def repeats(self) -> int:
        return 1 if self.quick else 3

    def scaled(self, full: int, quick: int) -> int:
        return quick if self.quick else full

    def place(self, name: str) -> Path:
        """Return a folder of that name which does not exist yet."""
        count = sum(1 for _ in self.folder.glob(f"{name}-*"))
        return self.folder / f"{name}-{count}"

    def ask_peers(self, workload: str, **options: float) -> dict[str, dict[str, float]]:
        """Run a workload with every peer; those that lack it are left out."""
        answers = {}
        for peer in self.peers:
            folder = self.place(f"{peer.name}-{workload}")
            folder.mkdir(parents=True)
            if answer := peer.measure(workload, folder, options):
                answers[peer.name] = answer
        return answers


def curve(count: int, seed: int = 0) -> list[float]:
    """Return a falling loss with Gaussian noise: smooth on the whole, every last bit random."""
    noise = random.Random(seed)
    return [2.0 * math.exp(-5 * i / count) + 0.1 * noise.gauss(0, 1) for i in range(count)]


def environment() -> dict[str, str]:
    settings = {name: value for name, value in os.environ.items() if not name.startswith("TRACKING_")}
    return {**settings, "PYTHONPATH": str(ROOT)}


def script_seconds(text: str, *arguments: str) -> float:
    """Return the wall time of a fresh interpreter that runs a text."""
    began = time.perf_counter()
    subprocess.run(
        [sys.executable, "-c", text, *arguments], env=environment(), check=True, stdout=subprocess.DEVNULL
    )
    return time.perf_counter() - began


def median_of(repeats: int, measure: Callable[[], float]) -> float:
    return statistics.median(measure() for _ in range(repeats))


def seconds(action: Callable[[], object]) -> float:
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


def store_bytes(folder: Path) -> int:
    """Return the size of a store whose write-ahead log has been copied into the database."""
    with contextlib.closing(sqlite3.connect(folder / "tracking.db")) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return folder_bytes(folder)


def folder_bytes(folder: Path) -> int:
    """Return the bytes of every file below a folder."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
