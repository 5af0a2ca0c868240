"""What the run of an evaluation that is over has logged, wherever it is by now."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import numpy as np

from tracking.client.launch import ELSEWHERE
from tracking.config import StoreLocation
from tracking.database.engine import Engines
from tracking.database.recovery import recover
from tracking.database.run_queries import run_records
from tracking.database.study_queries import child_runs, has_sessions
from tracking.database.summaries import summarize
from tracking.errors import NotFound, StoreError
from tracking.records import MetricSummary
from tracking.spool.files import spools_of
from tracking.tuning.execution.logs import read_log
from tracking.tuning.execution.patience import patiently
from tracking.tuning.execution.readings import MetricReader, Point

SECONDS = 60.0
"""A spool that is there after so long, with the database free, cannot be read in or is held by a stranger."""


def take_in(location: StoreLocation, engines: Engines, runs: Collection[str]) -> None:
    """Bring into the database what dead processes have left in the spools of runs, as long as it may be locked."""
    for run in runs:
        give_up = time.monotonic() + SECONDS
        rest = 0.05
        while next(spools_of(location.spool, run), None) is not None and time.monotonic() < give_up:
            # Recovery leaves a locked database alone and says nothing: who waits for it is we.
            waited = time.monotonic()
            patiently(lambda: engines.write(lambda _: None))
            give_up += time.monotonic() - waited
            recover(location, engines, run=run, patience=60.0)
            # Another process may be at it just now.
            if next(spools_of(location.spool, run), None) is not None:
                time.sleep(rest)
                rest = min(1.0, rest * 1.2)


def metrics_of(
    location: StoreLocation, engines: Engines, run: str, keys: Collection[str] = ()
) -> tuple[Mapping[str, MetricSummary], bool]:
    """Return the metrics of a run, and whether any process but its study has said anything in it.

    Args:
        location: Of the store.
        engines: On its database.
        run: Id of the run.
        keys: Metrics that are read from the run's spools where those are still there.
    """
    # Before the database is read: what goes meanwhile is there.
    has_spool = next(spools_of(location.spool, run), None) is not None
    found: dict[str, MetricSummary] = {}
    spoke = has_spool
    with engines.reading() as connection:
        try:
            (record,) = run_records(connection, [run])
        except NotFound:  # the run of a repeat that never started it
            pass
        else:
            found.update(record.metrics)
            spoke = spoke or has_sessions(connection, run)
    for key in keys if has_spool else ():
        reader = MetricReader(location, engines, run, key)
        if logged := reader.poll():
            found[key] = _summary(key, _together(reader.stored(), logged))
    return found, spoke


def where_else(location: StoreLocation, engines: Engines, run: str, keys: Sequence[str], log: Path) -> str:
    """Return a sentence that says where metrics were logged that are not in a trial's run; empty if nobody knows.

    Args:
        location: Of the store.
        engines: On its database.
        run: Id of the run.
        keys: The metrics.
        log: What the evaluation printed.
    """
    try:
        printed = read_log(log)
    except OSError:
        printed = b""
    if ELSEWHERE.encode() in printed:
        return "Its script names a store of its own, where its run is none of the sweep's: leave store= out."
    recover(location, engines, patience=5.0)  # of children, whose ids nobody knows yet
    try:
        with engines.reading() as connection:
            records = run_records(connection, child_runs(connection, run))
    except (StoreError, NotFound):
        return ""
    for record in records:
        there = [key for key in keys if key in record.metrics]
        if there:
            return (
                f"{there[0]!r} is only in {record.name!r} ({record.id}): the first start_run() of a script is its "
                "trial's run, a further one begins a run below it. Log it in the first one."
            )
    return ""


def _together(stored: Sequence[Point], spooled: Sequence[Point]) -> list[Point]:
    """Return points of which some are in both, each once, those of the spool last: they are the latest."""
    both = Counter((step, repr(value)) for step, value in spooled)
    both.subtract((step, repr(value)) for step, value in stored)
    earlier: list[Point] = []
    for step, value in reversed(stored):
        if both[step, repr(value)] < 0:
            both[step, repr(value)] += 1
            earlier.append((step, value))
    return [*reversed(earlier), *spooled]


def _summary(key: str, points: Sequence[Point]) -> MetricSummary:
    steps = np.array([step for step, _ in points], dtype=np.int64)
    row = summarize(steps, np.array([value for _, value in points], dtype=np.float64))
    for place in ("first", "last"):
        row[place] = math.nan if row[place] is None else row[place]
    return MetricSummary(key=key, **row)
