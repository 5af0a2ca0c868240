"""Metric history as written by one session: blocks that double until they are full.

New points become a block at the end of their series. As long as the block before it
is not larger, the two become one, so that a live series of n points has about log n
small blocks and each point is encoded about log n times, however slowly they come.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sqlalchemy import Connection, delete, insert, select

from tracking.database.blocks import BLOCK_POINTS, Columns, concatenate, decode, encode
from tracking.database.tables import MetricBlockRow, MetricKeyRow, MetricSeriesRow

blocks = MetricBlockRow.__table__  # type: ignore[attr-defined]
series_table = MetricSeriesRow.__table__  # type: ignore[attr-defined]
keys = MetricKeyRow.__table__  # type: ignore[attr-defined]


@dataclass(slots=True)
class SeriesState:
    """What the ingesting process knows of a series: its points and its blocks that are not full.

    `open` holds (position, count) of the blocks at the end that may still be merged.
    """

    key_id: int
    series_id: int
    points: int = 0
    open: list[tuple[int, int]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class SeriesChange:
    """New blocks of a series and the positions of those that they replace."""

    state: SeriesState
    replaced: list[int]
    rows: list[dict[str, Any]]
    points: int
    open: list[tuple[int, int]]

    def number(self, key_id: int, series_id: int) -> None:
        """Give a new series its numbers, which only the transaction knows."""
        self.state.key_id, self.state.series_id = key_id, series_id
        for row in self.rows:
            row["series_id"] = series_id

    def done(self) -> None:
        """Take the change into the state, once it is committed."""
        self.state.points = self.points
        self.state.open = self.open


def prepare_change(
    connection: Connection, state: SeriesState, new: Columns, *, final: bool = False
) -> SeriesChange:
    """Read the blocks to merge with, and encode. Writes nothing.

    Args:
        connection: For reading.
        state: The series.
        new: The points to append; may be empty with `final`.
        final: Merge all open blocks: nothing more will come.
    """
    keep = list(state.open)
    merged: list[int] = []
    size = len(new[0])
    while keep and (final or keep[-1][1] <= size):
        position, count = keep.pop()
        merged.append(position)
        size += count
    if len(merged) == 1 and not len(new[0]):
        return SeriesChange(state, [], [], state.points, state.open)
    parts = read_blocks(connection, state.series_id, sorted(merged)) if merged else []
    columns = concatenate([*parts, new]) if len(new[0]) else concatenate(parts)
    start = min(merged, default=state.points)
    rows: list[dict[str, Any]] = []
    for offset in range(0, size, BLOCK_POINTS):
        piece = slice(offset, offset + BLOCK_POINTS)
        steps, values, times = columns[0][piece], columns[1][piece], columns[2][piece]
        rows.append(
            {
                "series_id": state.series_id,
                "position": start + offset,
                "count": len(steps),
                "min_step": int(steps.min()),
                "max_step": int(steps.max()),
                "data": encode(steps, values, times),
            }
        )
        if len(steps) < BLOCK_POINTS:
            keep.append((start + offset, len(steps)))
    return SeriesChange(state, merged, rows, state.points + len(new[0]), keep)


def write_changes(connection: Connection, changes: list[SeriesChange]) -> None:
    """Write prepared changes in the caller's transaction."""
    for change in changes:
        if change.replaced:
            connection.execute(
                delete(blocks).where(
                    blocks.c.series_id == change.state.series_id, blocks.c.position.in_(change.replaced)
                )
            )
    rows = [row for change in changes for row in change.rows]
    if rows:
        connection.execute(insert(blocks), rows)


def read_blocks(connection: Connection, series_id: int, positions: list[int] | None = None) -> list[Columns]:
    """Return the decoded blocks of a series in order, or those at `positions`."""
    query = select(blocks.c.data).where(blocks.c.series_id == series_id).order_by(blocks.c.position)
    if positions is not None:
        query = query.where(blocks.c.position.in_(positions))
    return [decode(data) for (data,) in connection.execute(query)]


def load_states(connection: Connection, run_id: int, session_id: int) -> dict[str, SeriesState]:
    """Return the states of a session's series by metric key, for a process that takes over."""
    states: dict[str, SeriesState] = {}
    by_series: dict[int, SeriesState] = {}
    mine = (series_table.c.run_id == run_id, series_table.c.session_id == session_id)
    query = select(keys.c.name, keys.c.id, series_table.c.id).join(keys, keys.c.id == series_table.c.key_id)
    for name, key_id, series_id in connection.execute(query.where(*mine)):
        states[name] = by_series[series_id] = SeriesState(key_id, series_id)
    sizes = (
        select(blocks.c.series_id, blocks.c.position, blocks.c.count)
        .join(series_table, series_table.c.id == blocks.c.series_id)
        .where(*mine)
        .order_by(blocks.c.series_id, blocks.c.position)
    )
    for series_id, position, count in connection.execute(sizes):
        state = by_series[series_id]
        state.points = position + count
        if count < BLOCK_POINTS:
            state.open.append((position, count))
        else:
            state.open.clear()
    return states


EMPTY: Columns = (np.empty(0, np.int64), np.empty(0, np.float64), np.empty(0, np.int64))
