"""Numbers of a trial as metric history: a series of the study's own session of the trial's run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from sqlalchemy import Connection, Table, bindparam, insert, select

from tracking.database import run_writes
from tracking.database.blocks import BLOCK_POINTS
from tracking.database.prepared import Prepared
from tracking.database.series import (
    EMPTY,
    SeriesState,
    blocks,
    prepare_change,
    series_table,
    write_changes,
)
from tracking.database.summaries import ADD, summaries, summarize
from tracking.validation import INT64_MAX, INT64_MIN


def _given(table: Table, *, but: str = "") -> dict[str, Any]:
    return {column.name: bindparam(column.name) for column in table.columns if column.name != but}


_FIND_KEY = Prepared(
    select(run_writes.metric_keys.c.id).where(run_writes.metric_keys.c.name == bindparam("name"))
)
_FIND_SERIES = Prepared(
    select(series_table.c.id).where(
        series_table.c.run_id == bindparam("run"),
        series_table.c.key_id == bindparam("key"),
        series_table.c.session_id == bindparam("session"),
    )
)
_ADD_SERIES = Prepared(
    insert(series_table).values(
        run_id=bindparam("run"), key_id=bindparam("key"), session_id=bindparam("session")
    )
)
_SIZES = Prepared(
    select(blocks.c.position, blocks.c.count)
    .where(blocks.c.series_id == bindparam("series"))
    .order_by(blocks.c.position.desc())
    .limit(64)
)


_ADD_BLOCK = Prepared(insert(blocks).values(_given(blocks, but="id")))
_ADD_SUMMARY = Prepared(ADD.values(_given(summaries)))


def add_points(
    connection: Connection, run: int, session: int, key: str, points: Mapping[int, float], at: int
) -> None:
    """Append points to a metric of a run and to its summary.

    Args:
        connection: In a write transaction.
        run: Internal number of the run, and `session` of the study's session of it.
        session: See `run`.
        key: The metric.
        points: Value by step; steps that do not fit 64 bits are left out.
        at: When they were reported, in microseconds since 1970-01-01 UTC.
    """
    points = {step: value for step, value in points.items() if INT64_MIN <= step <= INT64_MAX}
    if not points:
        return
    steps = np.fromiter(points, np.int64, len(points))
    values = np.array([float("nan") if value is None else float(value) for value in points.values()])
    columns = steps, values, np.full(len(points), at, np.int64)
    number = _key(connection, key)
    given = {"run": run, "key": number, "session": session}
    series = _FIND_SERIES.value(connection, **given)
    if series is None:
        series = _ADD_SERIES.run(connection, **given)
        state = SeriesState(number, series)
    else:
        state = _state(connection, number, series)
    change = prepare_change(connection, state, columns)
    if change.replaced or len(change.rows) > 1:
        write_changes(connection, [change])
    else:
        _ADD_BLOCK.run(connection, **change.rows[0])
    _ADD_SUMMARY.run(connection, run_id=run, key_id=number, **summarize(steps, values))


def close_series(connection: Connection, run: int, session: int, key: str) -> None:
    """Merge the small blocks of a series: nothing more will come."""
    number = _FIND_KEY.value(connection, name=key)
    if number is None:
        return
    series = _FIND_SERIES.value(connection, run=run, key=number, session=session)
    if series is not None:
        state = _state(connection, number, series)
        if len(state.open) > 1:
            write_changes(connection, [prepare_change(connection, state, EMPTY, final=True)])


def _key(connection: Connection, name: str) -> int:
    found = _FIND_KEY.value(connection, name=name)
    if found is None:
        found = run_writes.key_numbers(connection, run_writes.metric_keys, [name])[name]
    return int(found)


def _state(connection: Connection, key: int, series: int) -> SeriesState:
    """Return where a series stands: its points, and its blocks at the end that may still be merged."""
    state = SeriesState(key, series)
    for position, count in _SIZES.rows(connection, series=series):
        state.points = state.points or position + count
        if count >= BLOCK_POINTS:
            break
        state.open.insert(0, (position, count))
    return state
