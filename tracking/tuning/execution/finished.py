"""What the run of an evaluation that is over has logged, once all of it is in the database."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping

from tracking.config import StoreLocation
from tracking.database.engine import Engines
from tracking.database.recovery import recover
from tracking.database.run_queries import run_records
from tracking.database.study_queries import has_sessions
from tracking.errors import NotFound
from tracking.records import MetricSummary
from tracking.spool.files import spools_of
from tracking.tuning.execution.patience import patiently

SECONDS = 10.0
"""A spool that is there after so long, with the database free, cannot be read in or is held by a stranger."""


def take_in(location: StoreLocation, engines: Engines, runs: Collection[str]) -> None:
    """Bring into the database what dead processes have left in the spools of runs, as long as it may be locked."""
    for run in runs:
        give_up = time.monotonic() + SECONDS
        while next(spools_of(location.spool, run), None) is not None and time.monotonic() < give_up:
            # Recovery leaves a locked database alone and says nothing: who waits for it is we.
            waited = time.monotonic()
            patiently(lambda: engines.write(lambda _: None))
            give_up += time.monotonic() - waited
            recover(location, engines, run=run, patience=60.0)
            # Another process may be at it just now.
            if next(spools_of(location.spool, run), None) is not None:
                time.sleep(0.05)


def metrics_of(engines: Engines, run: str) -> tuple[Mapping[str, MetricSummary], bool]:
    """Return the metrics of a run, and whether any process but its study has said anything in it."""
    with engines.reading() as connection:
        try:
            (record,) = run_records(connection, [run])
        except NotFound:  # the run of a repeat that never started it
            return {}, False
        return record.metrics, has_sessions(connection, run)
