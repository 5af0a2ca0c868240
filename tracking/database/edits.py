"""Edits of runs from pages and the command line: ordinary transactions."""

from __future__ import annotations

import time
from collections.abc import Mapping

from sqlalchemy import Connection, select

from tracking.config import StoreLocation
from tracking.database import run_writes
from tracking.database.opening import open_database
from tracking.database.run_writes import metric_keys, runs
from tracking.errors import NotFound


def set_text(connection: Connection, uid: str, column: str, value: str) -> None:
    """Set a run's name or notes."""
    number, experiment = _numbers(connection, uid)
    run_writes.set_column(connection, number, column, value)
    run_writes.bump(connection, experiment, number, structure=True)


def set_tags(connection: Connection, uid: str, tags: list[str]) -> None:
    """Replace a run's tags."""
    number, experiment = _numbers(connection, uid)
    run_writes.set_tags(connection, number, tags)
    run_writes.bump(connection, experiment, number, structure=True)


def define_repeat(connection: Connection, experiment: str, vary: list[str], ignore: list[str]) -> None:
    """Set an experiment's repeat params."""
    number = run_writes.experiment_number(connection, experiment, time.time_ns() // 1000)
    run_writes.set_repeat(connection, number, vary, ignore)
    run_writes.bump_experiment(connection, number, structure=True)


def define_repeat_in(location: StoreLocation, experiment: str, vary: list[str], ignore: list[str]) -> None:
    """Open a store, set an experiment's repeat params, and close it."""
    engines = open_database(location)
    try:
        engines.write(lambda connection: define_repeat(connection, experiment, vary, ignore))
    finally:
        engines.dispose()


def offer_goals(connection: Connection, experiment: str, goals: Mapping[str, str]) -> None:
    """Say which direction of an experiment's metrics is better, of those where nobody has yet."""
    number = run_writes.experiment_number(connection, experiment, time.time_ns() // 1000)
    said = run_writes.goals
    known = select(metric_keys.c.name).join_from(said, metric_keys).where(said.c.experiment_id == number)
    missing = goals.keys() - set(connection.execute(known).scalars())
    for key in sorted(missing):
        run_writes.set_goal(connection, number, key, goals[key])
    if missing:
        run_writes.bump_experiment(connection, number, structure=True)


def _numbers(connection: Connection, uid: str) -> tuple[int, int]:
    row = connection.execute(select(runs.c.id, runs.c.experiment_id).where(runs.c.uid == uid)).first()
    if row is None:
        raise NotFound(f"There is no run {uid!r} in this store. store.search() lists the runs.")
    return row[0], row[1]
