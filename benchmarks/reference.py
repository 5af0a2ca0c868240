"""The reference: a plain sqlite3 loop, one row per point (WAL, synchronous NORMAL, no index)."""

from __future__ import annotations

import sqlite3
import statistics
import time
from pathlib import Path

from benchmarks.workloads import KEYS

INSERT = "INSERT INTO points VALUES (?, ?, ?, ?, ?)"
BATCH = 5_000


def connect(file: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(file, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute(
        "CREATE TABLE IF NOT EXISTS points (run INTEGER, key TEXT, step INTEGER, value REAL, time REAL)"
    )
    return connection


def insert_seconds(file: Path, values: list[float], count: int) -> float:
    """Return the median time to insert five metrics and commit."""
    connection = connect(file)
    durations = []
    for step in range(count):
        began = time.perf_counter()
        now = time.time()
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(INSERT, [(1, key, step, values[step], now) for key in KEYS])
        connection.execute("COMMIT")
        durations.append(time.perf_counter() - began)
    connection.close()
    return statistics.median(durations)


def rows_per_second(file: Path, values: list[float]) -> float:
    """Return the rate of a loop over all values times five metrics that commits every 5,000 rows."""
    connection = connect(file)
    began = time.perf_counter()
    rows: list[tuple[int, str, int, float, float]] = []
    for step, value in enumerate(values):
        now = time.time()
        for key in KEYS:
            rows.append((1, key, step, value, now))
        if len(rows) >= BATCH:
            flush(connection, rows)
    flush(connection, rows)
    elapsed = time.perf_counter() - began
    connection.close()
    return len(values) * len(KEYS) / elapsed


def flush(connection: sqlite3.Connection, rows: list[tuple[int, str, int, float, float]]) -> None:
    connection.execute("BEGIN IMMEDIATE")
    connection.executemany(INSERT, rows)
    connection.execute("COMMIT")
    rows.clear()


def bytes_per_row(file: Path, count: int) -> float:
    """Return the size of the database per row after a checkpoint."""
    connection = connect(file)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    return file.stat().st_size / count


def fill_one_metric(file: Path, values: list[float]) -> None:
    connection = connect(file)
    now = time.time()
    flush(connection, [(1, "loss", step, value, now + step) for step, value in enumerate(values)])
    connection.close()


def fetch_seconds(file: Path) -> float:
    """Return the time to fetch every point of one metric in order of step."""
    connection = connect(file)
    query = "SELECT step, value, time FROM points WHERE run = 1 AND key = 'loss' ORDER BY step"
    began = time.perf_counter()
    connection.execute(query).fetchall()
    elapsed = time.perf_counter() - began
    connection.close()
    return elapsed
