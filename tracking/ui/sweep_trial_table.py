"""The trials of a sweep as a table: which of them, in which order, and each page of them. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tracking.analysis.differences import MISSING
from tracking.analysis.trials import PARAM, feasible, param_columns, value_columns
from tracking.records import Goal
from tracking.sweep_records import SweepRecord
from tracking.ui import format, sweep_colours, sweep_format, sweep_names
from tracking.ui.sweep_axes import BREAKS
from tracking.ui.tables import MARK, MAX_CELL, MAX_HEADING, MAX_NAME, Cells, Table, TableColumn

NEWEST, OLDEST, BEST, LONGEST = "newest first", "oldest first", "best first", "longest first"
PAGE_SIZE: Final = 50
MAX_PARAMS: Final = 40
"""Params that have a column; the runs have all."""
GONE: Final = "deleted"


@dataclass(frozen=True, slots=True)
class Choice:
    """What the reader asked the table for.

    Attributes:
        order: One of the orders above.
        states: Only trials in these, empty for all.
        brushed: Only trials of these numbers, None for all.
        page: From 0.
    """

    order: str = NEWEST
    states: tuple[str, ...] = ()
    brushed: frozenset[int] | None = None
    page: int = 0


def states(frame: pd.DataFrame) -> list[str]:
    """Return the states of the trials, `stopped` for those that somebody ended, in order of the rows."""
    said: list[str] = frame["state"].tolist()
    for place in np.flatnonzero(frame["stopped"].to_numpy(dtype=bool)).tolist():
        said[place] = "stopped"
    return said


def chosen(
    frame: pd.DataFrame, record: SweepRecord, choice: Choice, front: NDArray[np.bool_] | None
) -> NDArray[np.int64]:
    """Return the rows of the frame that fit, in order, on all pages.

    Best first goes by the first objective; of several objectives those on the front come before the others.
    """
    kept = np.ones(len(frame), dtype=bool)
    if choice.states:
        kept &= np.isin(np.array(states(frame), dtype=object), list(choice.states))
    if choice.brushed is not None:
        kept &= np.isin(frame["number"].to_numpy(), list(choice.brushed))
    rows = np.flatnonzero(kept)
    if choice.order == OLDEST:
        return rows
    if choice.order == LONGEST:
        lasted = np.nan_to_num(frame["duration"].to_numpy(dtype=np.float64)[rows], nan=-1.0)
        return rows[np.argsort(-lasted, kind="stable")]
    if choice.order == BEST:
        return _best_first(frame, record, rows, front)
    return rows[::-1]


def _best_first(
    frame: pd.DataFrame, record: SweepRecord, rows: NDArray[np.int64], front: NDArray[np.bool_] | None
) -> NDArray[np.int64]:
    values = frame[value_columns(record.objectives)[0]].to_numpy(dtype=np.float64)[rows]
    loss = -values if record.objectives[0].goal is Goal.MAXIMIZE else values
    complete = (frame["state"] == "complete").to_numpy(dtype=bool)[rows]
    behind = ~complete | np.isnan(loss) | ~feasible(frame)[rows]
    outside = np.zeros(len(rows), dtype=bool) if front is None else ~front[rows]
    return rows[np.lexsort((np.nan_to_num(loss, nan=np.inf), outside, behind))]


def page_of(rows: NDArray[np.int64], page: int) -> tuple[NDArray[np.int64], int]:
    """Return the rows of a page and the number of that page, the last one where there are fewer."""
    last = max(0, (len(rows) - 1) // PAGE_SIZE)
    page = min(max(page, 0), last)
    return rows[page * PAGE_SIZE : (page + 1) * PAGE_SIZE], page


def trials_table(
    frame: pd.DataFrame, record: SweepRecord, best: Collection[int], *, zone: tzinfo, varying: Sequence[str]
) -> Table:
    """Return a page of trials.

    Args:
        frame: Its rows of the trial frame.
        record: The sweep.
        best: Numbers of the trials that stand out.
        zone: The reader's time zone.
        varying: The columns of params to show.
    """
    cells = Cells()
    runs = [None if pd.isna(run) else str(run) for run in frame["run"]]
    numbers = frame["number"].tolist()
    cells.put_text("mark", [""] * len(frame), MARK)
    opens = TableColumn("Trial", help="Click it to open the run of the trial", pinned=True)
    names = [
        f"trial {number}" + ("" if run else f" ({GONE})") for number, run in zip(numbers, runs, strict=True)
    ]
    cells.put_names("name", names, opens)
    said = [sweep_format.trial_state_text(each) for each in states(frame)]
    cells.put_text("state", said, TableColumn("State", width=112))
    for wanted, column in zip(record.objectives, value_columns(record.objectives), strict=True):
        values = [None if np.isnan(value) else float(value) for value in frame[column]]
        heading = format.shorten_key(wanted.metric, MAX_HEADING) + format.goal_mark(wanted.goal)
        described = TableColumn(heading, help=_help(wanted.metric, wanted.goal, wanted.at))
        cells.put_numbers(column, values, described, format.number_column(values), wanted.goal)
        cells.bold |= {(row, column) for row, number in enumerate(numbers) if number in best}
    headings = sweep_names.short([column.removeprefix(PARAM) for column in varying], MAX_HEADING)
    for column in varying:
        heading = headings[column.removeprefix(PARAM)]
        _put_param(
            cells, column, heading, frame[column].tolist() if column in frame else [MISSING] * len(frame)
        )
    durations = [None if np.isnan(value) else float(value) for value in frame["duration"]]
    cells.put_numbers("duration", durations, TableColumn("Duration"), list(map(format.duration, durations)))
    cells.put("started", frame["started"].dt.tz_convert(zone), TableColumn("Started", width=136))
    cells.texts["started"] = [
        format.ABSENT if pd.isna(when) else format.moment(when.to_pydatetime(), zone)
        for when in frame["started"]
    ]
    why = [
        format.shorten(
            (BREAKS if state == "complete" and not held else "") if pd.isna(text) else str(text), MAX_CELL
        )
        for text, state, held in zip(frame["reason"], frame["state"], feasible(frame), strict=True)
    ]
    if any(why):
        cells.put_text("why", why, TableColumn("Why it ended", width=min(7 * max(map(len, why)) + 26, 800)))
    found = zip(states(frame), numbers, feasible(frame), strict=True)
    return cells.table(
        tuple(
            sweep_colours.mark(state, best=number in best, feasible=bool(held))
            for state, number, held in found
        )
    )


def varying(frame: pd.DataFrame) -> list[str]:
    """Return the columns of params that tell the trials apart; all of them where there are few trials."""
    columns = param_columns(frame)
    if len(frame) < 3:
        return list(columns)[:MAX_PARAMS]
    found = [name for name in columns if _differs(frame[name])]
    return (found or list(columns))[:MAX_PARAMS]


def _differs(values: pd.Series[Any]) -> bool:
    if values.dtype == object:
        return len({str(value) for value in values}) > 1
    return values.nunique(dropna=False) > 1


def _put_param(cells: Cells, column: str, heading: str, values: Sequence[Any]) -> None:
    described = TableColumn(heading, help=f"Param {column.removeprefix(PARAM)}")
    blank = [
        value is MISSING or (isinstance(value, float) and np.isnan(value)) or value is pd.NA
        for value in values
    ]
    if all(
        gone or (isinstance(value, int | float) and not isinstance(value, bool))
        for gone, value in zip(blank, values, strict=True)
    ):
        numbers = [None if gone else float(value) for gone, value in zip(blank, values, strict=True)]
        texts = [
            format.ABSENT if gone else sweep_format.param(value)
            for gone, value in zip(blank, values, strict=True)
        ]
        cells.put_numbers(column, numbers, described, texts)
        return
    texts = [
        format.ABSENT if gone else format.shorten(format.param(value), MAX_NAME)
        for gone, value in zip(blank, values, strict=True)
    ]
    cells.put_names(column, texts, described)


def _help(metric: str, goal: Goal | None, at: str) -> str:
    better = "" if goal is None else f": {'more' if goal is Goal.MAXIMIZE else 'less'} is better"
    point = "" if at == "last" else f", the {at} of its points"
    return f"Metric {metric}{point}{better}. Of a pruned trial it is what it had come to."
