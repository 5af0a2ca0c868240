"""Reading metric history: which points show, in which order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, select

from tracking.database.blocks import Columns, concatenate, decode
from tracking.database.tables import MetricBlockRow, MetricKeyRow, MetricSeriesRow, RunRow, SessionRow
from tracking.errors import NotFound
from tracking.records import Series

blocks = MetricBlockRow.__table__  # type: ignore[attr-defined]
series_table = MetricSeriesRow.__table__  # type: ignore[attr-defined]
sessions = SessionRow.__table__  # type: ignore[attr-defined]
runs = RunRow.__table__  # type: ignore[attr-defined]
keys_table = MetricKeyRow.__table__  # type: ignore[attr-defined]

Item = TypeVar("Item")
CHUNK = 500
"""Ids per IN list: SQLite bounds the number of bound values."""

SessionColumns = tuple[bool, Columns]
"""Whether the session owned the run, and what it said, in the order of writing."""


def read_series(
    connection: Connection, run_ids: Sequence[str], keys: Sequence[str], *, superseded: bool = False
) -> dict[tuple[str, str], Series]:
    """Return the points of every (run, key) that has any.

    Args:
        connection: For reading.
        run_ids: Public ids.
        keys: Metric keys.
        superseded: Also points whose step a later session logged again.

    Raises:
        NotFound: A run is unknown.
    """
    found: dict[tuple[str, str], dict[int, tuple[bool, list[Columns]]]] = {}
    numbers = _run_numbers(connection, run_ids)
    names: dict[int, str] = {}
    for chunk in _chunks(list(dict.fromkeys(keys))):
        query = select(keys_table.c.id, keys_table.c.name).where(keys_table.c.name.in_(chunk))
        names.update((number, name) for number, name in connection.execute(query))
    for run_chunk in _chunks(list(numbers)):
        for key_chunk in _chunks(list(names)):
            query = (
                select(
                    series_table.c.run_id,
                    series_table.c.key_id,
                    sessions.c.ordinal,
                    sessions.c.owner,
                    blocks.c.data,
                )
                .join(blocks, blocks.c.series_id == series_table.c.id)
                .join(sessions, sessions.c.id == series_table.c.session_id)
                .where(series_table.c.run_id.in_(run_chunk), series_table.c.key_id.in_(key_chunk))
                .order_by(series_table.c.id, blocks.c.position)
            )
            for run, key, ordinal, owner, data in connection.execute(query):
                by_session = found.setdefault((numbers[run], names[key]), {})
                by_session.setdefault(ordinal, (owner, []))[1].append(decode(data))
    result = {}
    for run_id in dict.fromkeys(run_ids):
        for key in dict.fromkeys(keys):
            said = found.get((run_id, key))
            if said:
                ordered = [(owner, concatenate(parts)) for _, (owner, parts) in sorted(said.items())]
                result[run_id, key] = _series(ordered if superseded else visible(ordered))
    return result


def visible(said: list[SessionColumns]) -> list[SessionColumns]:
    """Leave out the points whose step a later owner session logged again; `said` is in order of sessions."""
    if len(said) == 1:
        return said
    kept: list[SessionColumns] = []
    covered: NDArray[np.int64] | None = None
    for owner, (steps, values, times) in reversed(said):
        shown = steps, values, times
        if covered is not None:
            free = ~np.isin(steps, covered)
            shown = steps[free], values[free], times[free]
        kept.append((owner, shown))
        if owner:
            covered = steps if covered is None else np.concatenate((covered, steps))
    return kept[::-1]


def read_visible(connection: Connection, run_number: int, key_id: int) -> Columns:
    """Return the visible points of one metric in the order of writing, for its summary."""
    query = (
        select(sessions.c.ordinal, sessions.c.owner, blocks.c.data)
        .select_from(series_table)
        .join(blocks, blocks.c.series_id == series_table.c.id)
        .join(sessions, sessions.c.id == series_table.c.session_id)
        .where(series_table.c.run_id == run_number, series_table.c.key_id == key_id)
        .order_by(sessions.c.ordinal, blocks.c.position)
    )
    by_session: dict[int, tuple[bool, list[Columns]]] = {}
    for ordinal, owner, data in connection.execute(query):
        by_session.setdefault(ordinal, (owner, []))[1].append(decode(data))
    said = visible([(owner, concatenate(parts)) for owner, parts in by_session.values()])
    steps, values, times = concatenate([columns for _, columns in said])
    order = np.argsort(times, kind="stable")
    return steps[order], values[order], times[order]


def _series(said: list[SessionColumns]) -> Series:
    steps, values, times = concatenate([columns for _, columns in said])
    if len(steps) > 1 and not bool((steps[1:] >= steps[:-1]).all()):
        order = np.argsort(steps, kind="stable")
        steps, values, times = steps[order], values[order], times[order]
    for column in (steps, values, times):
        column.flags.writeable = False
    return Series(steps, values, times)


def _run_numbers(connection: Connection, run_ids: Sequence[str]) -> dict[int, str]:
    numbers: dict[int, str] = {}
    for chunk in _chunks(list(dict.fromkeys(run_ids))):
        query = select(runs.c.id, runs.c.uid).where(runs.c.uid.in_(chunk))
        numbers.update((number, uid) for number, uid in connection.execute(query))
    unknown = set(run_ids) - set(numbers.values())
    if unknown:
        raise NotFound(
            f"There is no run {sorted(unknown)[0]!r} in this store. store.search() lists the runs."
        )
    return numbers


def _chunks(items: list[Item]) -> list[list[Item]]:
    return [items[at : at + CHUNK] for at in range(0, len(items), CHUNK)]
