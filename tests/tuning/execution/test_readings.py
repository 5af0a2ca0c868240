"""A metric is read as it is logged, whether its points are in a spool or in the database by now."""

from __future__ import annotations

import math
import subprocess
import time
from collections.abc import Callable

import pytest

import tracking
from tracking.database.opening import open_database
from tracking.spool.files import spools_of
from tracking.spool.lock import try_lock
from tracking.store import Store
from tracking.tuning.execution import finished
from tracking.tuning.execution.finished import metrics_of, take_in
from tracking.tuning.execution.readings import MetricReader, Point

StartScript = Callable[..., "subprocess.Popen[str]"]

SCRIPT = """
import sys, tracking
run = tracking.start_run("a", store=sys.argv[1], params={"text": "x" * int(sys.argv[2])})
print(run.id, flush=True)
for line in sys.stdin:
    run.log({"loss": float(line), "other": 1.0})
    run.log({"other": 2.0})
    print("logged", flush=True)
"""


def log(process: subprocess.Popen[str], value: float) -> None:
    assert process.stdin is not None and process.stdout is not None
    process.stdin.write(f"{value}\n")
    process.stdin.flush()
    assert process.stdout.readline() == "logged\n"


def until(reader: MetricReader, count: int) -> list[Point]:
    found: list[Point] = []
    give_up = time.monotonic() + 30
    while len(set(found)) < count and time.monotonic() < give_up:
        found += reader.poll()
    return found


def test_points_are_read_once_logged_and_the_rest_when_the_run_is_over(
    store: Store, start_script: StartScript
) -> None:
    # The params are larger than what is read at a time.
    process = start_script(SCRIPT, str(store.location.root), "100000")
    assert process.stdout is not None
    run = process.stdout.readline().strip()
    engines = open_database(store.location)
    reader = MetricReader(store.location, engines, run, "loss")
    assert reader.poll() == []
    for value in (1.5, 2.5):
        log(process, value)
    assert until(reader, 2) == [(0, 1.5), (2, 2.5)]
    assert reader.poll() == []
    log(process, math.inf)
    process.communicate(timeout=60)
    # The spool may be gone by now: then it comes from the database, with what was there before.
    assert set(until(reader, 1)) >= {(4, math.inf)}
    take_in(store.location, engines, [run])
    assert reader.stored() == [(0, 1.5), (2, 2.5), (4, math.inf)]
    engines.dispose()


def test_what_a_killed_process_logged_is_taken_in(store: Store, start_script: StartScript) -> None:
    process = start_script(SCRIPT, str(store.location.root), "10")
    assert process.stdout is not None
    run = process.stdout.readline().strip()
    log(process, 3.5)
    process.kill()
    process.wait()
    engines = open_database(store.location)
    take_in(store.location, engines, [run])
    metrics, spoke = metrics_of(store.location, engines, run)
    assert spoke and metrics["loss"].last == 3.5
    assert metrics_of(store.location, engines, "nosuchrun") == ({}, False)
    trial = tracking.create_study("s", store=store).ask()
    trial.report(0.5, 0)
    (record,) = store.trials("s")
    metrics, spoke = metrics_of(store.location, engines, str(record.run))
    assert "intermediate_value" in metrics and not spoke
    engines.dispose()


def test_what_stands_in_a_spool_that_somebody_holds_is_read_from_there(
    store: Store, start_script: StartScript, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = start_script(SCRIPT, str(store.location.root), "10")
    assert process.stdout is not None
    run = process.stdout.readline().strip()
    for value in (3.5, math.nan, 1.5, 2.5):
        log(process, value)
    process.kill()
    process.wait()
    (files,) = spools_of(store.location.spool, run)
    stranger = try_lock(files.lock)
    assert stranger is not None
    monkeypatch.setattr(finished, "SECONDS", 0.2)
    engines = open_database(store.location)
    take_in(store.location, engines, [run])
    metrics, spoke = metrics_of(store.location, engines, run, ["loss", "nosuch"])
    assert spoke and set(metrics) >= {"loss"} and "nosuch" not in metrics
    stranger.close()
    take_in(store.location, engines, [run])
    assert list(spools_of(store.location.spool, run)) == []
    stored, _ = metrics_of(store.location, engines, run, ["loss"])
    assert stored["loss"] == metrics["loss"]
    assert (stored["loss"].last, stored["loss"].min, stored["loss"].count) == (2.5, 1.5, 4)
    engines.dispose()
