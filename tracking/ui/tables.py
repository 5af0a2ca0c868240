"""Tables as frames of text with a description of their columns. Pure; `tracking.ui.grid` draws them.

Values are text because a number column could not tell NaN from absent and would
not line up; the order of rows comes from the store, not from the browser.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from typing import Any, Literal

import pandas as pd

from tracking.analysis.differences import MISSING, compare_params
from tracking.records import Goal, MetricSummary, RunRecord
from tracking.ui import format
from tracking.ui.colours import run_colour
from tracking.ui.runs_frame import METRIC, PARAM, is_absent

MAX_CELL = 160
"""Characters of one cell; the params table of the run has the whole value."""


@dataclass(frozen=True, slots=True)
class TableColumn:
    """How one column is headed and set."""

    label: str
    help: str | None = None
    align: Literal["left", "right", "center"] = "left"
    width: Literal["small", "medium", "large"] | int | None = None
    pinned: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """Text cells with their columns.

    Attributes:
        frame: Every cell a str; the index is 0, 1, ....
        columns: One per column of the frame, by its name.
        bold: Cells (row, column name) that stand out: the best of a metric.
        colours: Colour of the mark in the column `mark`, by row.
    """

    frame: pd.DataFrame
    columns: Mapping[str, TableColumn]
    bold: frozenset[tuple[int, str]] = frozenset()
    colours: tuple[str, ...] = field(default=())


UNPINNED_RUNS = 8
"""So many columns of runs fit without scrolling; pinned text is drawn paler."""

MARK = TableColumn("", width=10, pinned=True)
"""A stripe in the run's colour, the one of its curves."""


def runs_table(
    frame: pd.DataFrame,
    columns: Sequence[str],
    goals: Mapping[str, Goal],
    *,
    zone: tzinfo = UTC,
    with_experiment: bool = True,
) -> Table:
    """Return the runs table.

    Args:
        frame: Rows of `search`.
        columns: The metric and param columns to show, as `search` names them.
        goals: Goal by metric key.
        zone: The reader's time zone.
        with_experiment: Whether the runs are of several experiments. If not, they are
            rivals: the best shown value of a metric with a goal stands out.
    """
    shown: dict[str, list[str]] = {
        "mark": [""] * len(frame),
        "name": [format.shorten(str(name)) for name in frame["name"]],
        "status": [format.status(value) for value in frame["status"]],
    }
    described = {
        "mark": MARK,
        "name": TableColumn("Run", help="Click the name to open the run", pinned=True, width="medium"),
        "status": TableColumn("Status", width=112),
    }
    if with_experiment:
        shown["experiment"] = [format.shorten(str(name)) for name in frame["experiment"]]
        described["experiment"] = TableColumn("Experiment")
    bold: set[tuple[int, str]] = set()
    headings = _headings(columns)
    for column in columns:
        values = _values(frame, column)
        if column.startswith(METRIC):
            goal = goals.get(column.removeprefix(METRIC))
            shown[column] = format.number_column([_number(value) for value in values])
            described[column] = TableColumn(
                headings[column] + format.goal_mark(goal), help=_metric_help(goal), align="right"
            )
            if not with_experiment:
                bold |= {(row, column) for row in best_rows([_number(value) for value in values], goal)}
        else:
            numeric = all(_is_number(value) for value in values if not is_absent(value))
            shown[column] = [_param_cell(value) for value in values]
            described[column] = TableColumn(
                headings[column], help="Param", align="right" if numeric else "left"
            )
    shown["created"] = [format.moment(when.to_pydatetime(), zone) for when in frame["created"]]
    shown["duration"] = [format.duration(_number(value)) for value in frame["duration"]]
    described["created"] = TableColumn("Created", width=136)
    described["duration"] = TableColumn("Duration", align="right", width=104)
    return Table(
        pd.DataFrame(shown, dtype="str"),
        described,
        frozenset(bold),
        tuple(run_colour(run) for run in frame["run"]),
    )


def _headings(columns: Sequence[str]) -> dict[str, str]:
    """Return the bare names of columns; where a metric and a param share one, the param says that it is one."""
    bare = {column: column.removeprefix(METRIC).removeprefix(PARAM) for column in columns}
    metrics = {name for column, name in bare.items() if column.startswith(METRIC)}
    return {
        column: column if column.startswith(PARAM) and name in metrics else name
        for column, name in bare.items()
    }


def best_rows(values: Sequence[float | None], goal: Goal | None) -> list[int]:
    """Return the rows of the best finite value; none without a goal or with a single value to choose from."""
    finite = [(row, value) for row, value in enumerate(values) if value is not None and math.isfinite(value)]
    if goal is None or len(finite) < 2:
        return []
    pick: Callable[..., float] = max if goal is Goal.MAXIMIZE else min
    best = pick(value for _, value in finite)
    return [row for row, value in finite if value == best]


def params_table(params: Mapping[str, Any]) -> Table:
    """Return a run's flat params, one a row, long values cut."""
    return Table(
        pd.DataFrame(
            {
                "param": list(params),
                "value": [format.shorten(format.param(value), MAX_CELL) for value in params.values()],
            },
            dtype="str",
        ),
        {"param": TableColumn("Param", width="medium"), "value": TableColumn("Value", width="large")},
    )


def long_params(params: Mapping[str, Any]) -> list[str]:
    """Return the keys whose values `params_table` had to cut."""
    return [
        key for key, value in params.items() if format.shorten(text := format.param(value), MAX_CELL) != text
    ]


def summary_table(metrics: Mapping[str, MetricSummary], goals: Mapping[str, Goal]) -> Table:
    """Return a run's metrics: last, extremes with their steps, mean, points, non-finite ones."""
    rows = [_summary_row(summary, goals.get(key)) for key, summary in sorted(metrics.items())]
    numbers = {"last": "Last", "best": "Best", "best_step": "at step", "min": "Min", "min_step": "at step"}
    numbers |= {
        "max": "Max",
        "max_step": "at step",
        "mean": "Mean",
        "points": "Points",
        "other": "NaN or inf",
    }
    described = {"metric": TableColumn("Metric", width="medium")}
    described |= {name: TableColumn(label, align="right") for name, label in numbers.items()}
    described["best"] = TableColumn(
        "Best", help="By the goal of the metric (↑ more is better, ↓ less); NaN is never best", align="right"
    )
    described["mean"] = TableColumn("Mean", help="Over the finite values", align="right")
    return Table(pd.DataFrame(rows, columns=list(described), dtype="str"), described)


def param_comparison(runs: Sequence[RunRecord], *, only_differing: bool = True) -> Table:
    """Return the params of several runs side by side: params down, runs across."""
    compared = compare_params([run.flat_params for run in runs])
    shown = [param for param in compared if param.differs or not only_differing]
    cells: dict[str, list[str]] = {"param": [param.key for param in shown]}
    described = {"param": TableColumn("Param", pinned=len(runs) > UNPINNED_RUNS, width="medium")}
    for place, run in enumerate(runs):
        cells[run.id] = [format.shorten(format.param(param.values[place]), MAX_CELL) for param in shown]
        described[run.id] = TableColumn(format.shorten(run.name, 40), help=f"Run {run.id}")
    return Table(pd.DataFrame(cells, dtype="str"), described)


def metric_comparison(
    runs: Sequence[RunRecord], keys: Sequence[str], goals: Mapping[str, Goal], value: str
) -> Table:
    """Return the metrics of several runs side by side: runs down, metrics across.

    Args:
        runs: In the order to show.
        keys: The metrics to show.
        goals: Goal by metric key; the best of each stands out.
        value: One of best, last, min, max, mean. Best is last where a metric has no goal.
    """
    cells: dict[str, list[str]] = {
        "mark": [""] * len(runs),
        "name": [format.shorten(run.name) for run in runs],
        "status": [format.status(run.status) for run in runs],
    }
    described = {
        "mark": MARK,
        "name": TableColumn("Run", pinned=True, width="medium"),
        "status": TableColumn("Status", width=112),
    }
    bold: set[tuple[int, str]] = set()
    for key in keys:
        goal = goals.get(key)
        values = [summary_value(run.metrics.get(key), value, goal) for run in runs]
        column = METRIC + key
        cells[column] = format.number_column(values)
        described[column] = TableColumn(key + format.goal_mark(goal), help=_metric_help(goal), align="right")
        bold |= {(row, column) for row in best_rows(values, goal)}
    return Table(
        pd.DataFrame(cells, dtype="str"),
        described,
        frozenset(bold),
        tuple(run_colour(run.id) for run in runs),
    )


def summary_value(summary: MetricSummary | None, value: str, goal: Goal | None) -> float | None:
    """Return one number of a summary, None when there is none: best, last, min, max or mean."""
    if summary is None:
        return None
    if value == "best":
        value = "last" if goal is None else "max" if goal is Goal.MAXIMIZE else "min"
    chosen: float | None = getattr(summary, value)
    return chosen


def _summary_row(summary: MetricSummary, goal: Goal | None) -> list[str]:
    numbers = [
        summary.last,
        None if goal is None else summary_value(summary, "best", goal),
        summary.min,
        summary.max,
        summary.mean,
    ]
    last, best, low, high, mean = (format.number(number) for number in numbers)
    low_step, high_step = _step(summary.min_step), _step(summary.max_step)
    best_step = format.ABSENT if goal is None else high_step if goal is Goal.MAXIMIZE else low_step
    return [
        summary.key + format.goal_mark(goal),
        *(last, best, best_step, low, low_step, high, high_step, mean),
        format.count(summary.count),
        format.count(summary.non_finite),
    ]


def _step(step: int | None) -> str:
    return format.ABSENT if step is None else format.count(step)


def _metric_help(goal: Goal | None) -> str:
    if goal is None:
        return "Metric"
    return "Metric: more is better" if goal is Goal.MAXIMIZE else "Metric: less is better"


def _param_cell(value: Any) -> str:
    if isinstance(value, float) and math.isfinite(value):
        return f"{value:.6g}"  # the page of the run has every digit
    return format.shorten(format.param(MISSING if is_absent(value) else value), MAX_CELL)


def _values(frame: pd.DataFrame, column: str) -> list[Any]:
    if column not in frame:
        return [None] * len(frame)
    cells = frame[column]
    if cells.dtype in ("float64", "object"):
        return cells.tolist()
    # The other types have only one kind of blank, the absent value.
    return [None if blank else value for value, blank in zip(cells.tolist(), cells.isna(), strict=True)]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _number(value: Any) -> float | None:
    return None if is_absent(value) else float(value)
