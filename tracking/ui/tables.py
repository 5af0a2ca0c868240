"""Tables as frames of values with the text of each cell. Pure; `tracking.ui.grid` draws them.

The browser sorts a column by its values and shows the texts: a number column alone
could not tell NaN from absent, and its points would not line up.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, tzinfo
from typing import Any, Literal

import pandas as pd

from tracking.analysis.differences import MISSING, compare_params
from tracking.records import Goal, MetricSummary, RunRecord
from tracking.ui import format
from tracking.ui.colours import run_colour, run_styles
from tracking.ui.runs_frame import METRIC, PARAM, is_absent

MAX_CELL = 160
"""Characters of one cell; the params table of the run has the whole value."""
MAX_NAME = 40
"""Characters of a name; cells are cut without an ellipsis, so the column is made as wide as the longest."""
SHORT_NAME = 14
MAX_KEY = 60
MAX_HEADING = 32

LARGEST = 2**53 - 1
"""A number column of the browser refuses whole numbers beyond, as inexact."""

DIGIT, LETTER, PADDING = 8, 7, 26
"""Pixels of a character in the widest font of a cell, and of what is around the text."""
WIDEST = 800


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
    """Cells with their columns.

    Attributes:
        frame: What a column is sorted by: text, numbers (float64, blank where a run has none) or points
            in time. The index is 0, 1, ....
        columns: One per column of the frame, by its name.
        texts: What stands in the cells of a column, where that is not the value itself.
        bold: Cells (row, column name) that stand out: the best of a metric.
        colours: Colour of the mark in the column `mark`, by row.
    """

    frame: pd.DataFrame
    columns: Mapping[str, TableColumn]
    texts: Mapping[str, Sequence[str]] = field(default_factory=dict)
    bold: frozenset[tuple[int, str]] = frozenset()
    colours: tuple[str, ...] = field(default=())

    def shown(self, column: str) -> list[str]:
        """Return what stands in the cells of a column."""
        return list(self.texts[column]) if column in self.texts else self.frame[column].tolist()


UNPINNED_RUNS = 8
"""So many columns of runs fit without scrolling; pinned text is drawn paler."""

MARK = TableColumn("", width=10, pinned=True)
"""A stripe in the run's colour, the one of its curves."""
MARKED = TableColumn("", width=28, pinned=True)
"""The stripe with the marker of the curves, where compared runs share a colour."""
_MARKERS = {
    None: "",
    "circle": "●",
    "square": "■",
    "diamond": "◆",
    "triangle-up": "▲",
    "cross": "✚",
    "star": "★",
}


def runs_table(
    frame: pd.DataFrame,
    columns: Sequence[str],
    goals: Mapping[str, Goal],
    *,
    zone: tzinfo = UTC,
    with_experiment: bool = True,
    champions: Sequence[str] = (),
) -> Table:
    """Return the runs table.

    Args:
        frame: Rows of `search`.
        columns: The metric and param columns to show, as `search` names them.
        goals: Goal by metric key.
        zone: The reader's time zone.
        with_experiment: Whether the runs are of several experiments. If not, they are
            rivals: the best shown value of a metric with a goal stands out.
        champions: Which models each run is champion of, by row; no column where nothing is said.
    """
    cells = Cells()
    cells.put_text("mark", [""] * len(frame), MARK)
    opens = TableColumn("Run", help="Click the name to open the run", pinned=True)
    cells.put_names("name", [str(name) for name in frame["name"]], opens)
    cells.put_text(
        "status", [format.status(value) for value in frame["status"]], TableColumn("Status", width=112)
    )
    if any(champions):
        about = "Models of which a version from this run is champion"
        cells.put_text("champion", list(champions), TableColumn("Champion of", help=about))
    if with_experiment:
        experiments = [str(name) for name in frame["experiment"]]
        cells.put_names("experiment", experiments, TableColumn("Experiment"), limit=MAX_HEADING)
    headings = _headings(columns)
    for column in columns:
        values = _values(frame, column)
        heading = format.shorten_key(headings[column], MAX_HEADING)
        if column.startswith(METRIC):
            key = column.removeprefix(METRIC)
            goal = goals.get(key)
            numbers = [_number(value) for value in values]
            described = TableColumn(heading + format.goal_mark(goal), help=_metric_help(key, goal))
            cells.put_numbers(column, numbers, described, format.number_column(numbers), goal)
            if not with_experiment:
                cells.bold |= {(row, column) for row in best_rows(numbers, goal)}
        else:
            described = TableColumn(heading, help=f"Param {column.removeprefix(PARAM)}")
            texts = [_param_cell(value) for value in values]
            if all(is_absent(value) or _is_sortable(value) for value in values):
                cells.put_numbers(column, [_number(value) for value in values], described, texts)
            else:
                cells.put_text(column, texts, described)
    cells.put("created", frame["created"].dt.tz_convert(zone), TableColumn("Created", width=136))
    cells.texts["created"] = [format.moment(when.to_pydatetime(), zone) for when in frame["created"]]
    durations = [_number(value) for value in frame["duration"]]
    cells.put_numbers("duration", durations, TableColumn("Duration"), list(map(format.duration, durations)))
    return cells.table(tuple(run_colour(run) for run in frame["run"]))


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
    cells = Cells()
    cells.put_keys("param", list(params), TableColumn("Param"))
    values = [format.shorten(format.param(value), MAX_CELL) for value in params.values()]
    cells.put_text("value", values, TableColumn("Value", width=min(_width(values), WIDEST)))
    return cells.table()


def long_params(params: Mapping[str, Any]) -> list[str]:
    """Return the keys whose values `params_table` had to cut."""
    return [
        key for key, value in params.items() if format.shorten(text := format.param(value), MAX_CELL) != text
    ]


def summary_table(metrics: Mapping[str, MetricSummary], goals: Mapping[str, Goal]) -> Table:
    """Return a run's metrics: last, extremes with their steps, mean, points, non-finite ones."""
    summaries = [summary for _, summary in sorted(metrics.items())]
    cells = Cells()
    marked = [summary.key + format.goal_mark(goals.get(summary.key)) for summary in summaries]
    cells.put_keys("metric", marked, TableColumn("Metric"))
    for name, (label, help, counted, value) in _SUMMARY.items():
        values = [value(summary, goals.get(summary.key)) for summary in summaries]
        texts = [_whole(number) if counted else format.number(number) for number in values]
        cells.put_numbers(name, values, TableColumn(label, help=help), texts)
    return cells.table()


def param_comparison(runs: Sequence[RunRecord], *, only_differing: bool = True) -> Table:
    """Return the params of several runs side by side: params down, runs across."""
    compared = compare_params([run.flat_params for run in runs])
    shown = [param for param in compared if param.differs or not only_differing]
    cells = Cells()
    cells.put_keys(
        "param", [param.key for param in shown], TableColumn("Param", pinned=len(runs) > UNPINNED_RUNS)
    )
    for place, run in enumerate(runs):
        cells.put_text(
            run.id,
            [_compared_cell(param.values[place], param.values) for param in shown],
            TableColumn(format.shorten_middle(run.name, 40), help=_run_help(run)),
        )
    return cells.table()


def metric_comparison(
    runs: Sequence[RunRecord], keys: Sequence[str], goals: Mapping[str, Goal], value: str
) -> Table:
    """Return the metrics of several runs side by side: runs down, metrics across.

    Args:
        runs: In the order to show.
        keys: The metrics to show.
        goals: Goal by metric key; the best of each stands out, never of a run that diverged.
        value: One of best, last, min, max, mean. Best is last where a metric has no goal.
    """
    cells = Cells()
    styles = run_styles(run.id for run in runs)
    markers = [_MARKERS[styles[run.id].symbol] for run in runs]
    cells.put_text("mark", markers, MARKED if any(markers) else MARK)
    cells.put_names("name", [run.name for run in runs], TableColumn("Run", pinned=True))
    cells.put_text("status", [format.status(run.status) for run in runs], TableColumn("Status", width=112))
    for key in keys:
        goal = goals.get(key)
        found = [run.metrics.get(key) for run in runs]
        values = [summary_value(summary, value, goal) for summary in found]
        column = METRIC + key
        heading = format.shorten_key(key, MAX_HEADING) + format.goal_mark(goal)
        if value == "best" and goal is None:
            heading += " (last)"
        described = TableColumn(heading, help=_metric_help(key, goal))
        cells.put_numbers(column, values, described, format.number_column(values), goal)
        rivals = [
            None if summary is None or summary.diverged else number
            for summary, number in zip(found, values, strict=True)
        ]
        cells.bold |= {(row, column) for row in best_rows(rivals, goal)}
    return cells.table(tuple(run_colour(run.id) for run in runs))


def summary_value(summary: MetricSummary | None, value: str, goal: Goal | None) -> float | None:
    """Return one number of a summary, None when there is none: best, last, min, max or mean."""
    if summary is None:
        return None
    if value == "best":
        return summary.last if goal is None else summary.best(goal)
    chosen: float | None = getattr(summary, value)
    return chosen


@dataclass(slots=True)
class Cells:
    """Columns of a table while it is made."""

    values: dict[str, Any] = field(default_factory=dict)
    columns: dict[str, TableColumn] = field(default_factory=dict)
    texts: dict[str, Sequence[str]] = field(default_factory=dict)
    bold: set[tuple[int, str]] = field(default_factory=set)

    def put(self, name: str, values: pd.Series[Any], column: TableColumn) -> None:
        self.values[name], self.columns[name] = values.reset_index(drop=True), column

    def put_text(
        self, name: str, values: Sequence[str], column: TableColumn, texts: Sequence[str] | None = None
    ) -> None:
        """Add text; `texts` where the cells show less than is searched and copied."""
        self.put(name, pd.Series(values, dtype="str"), column)
        if texts is not None and list(texts) != list(values):
            self.texts[name] = texts

    def put_names(self, name: str, names: Sequence[str], column: TableColumn, limit: int = MAX_NAME) -> None:
        """Add names, cut in the middle, in a column that holds the longest; its width is the least it has."""
        texts = [format.shorten_middle(text, limit) for text in names]
        least = column.width if isinstance(column.width, int) else _width([])
        self.put_text(name, texts, replace(column, width=max(least, _width(texts, 0))))

    def put_keys(self, name: str, keys: Sequence[str], column: TableColumn) -> None:
        """Add keys, of which a long one shows its end; whole they are searched, copied and shown by a click."""
        texts = [format.shorten_key(key, MAX_KEY) for key in keys]
        self.put_text(name, keys, replace(column, width=_width(texts)), texts)

    def put_numbers(
        self,
        name: str,
        values: Sequence[float | None],
        column: TableColumn,
        texts: Sequence[str],
        goal: Goal | None = None,
    ) -> None:
        """Add numbers, wide enough that no digit of them is cut. NaN is sorted as the worst by the goal."""
        longest = max([len(column.label), *map(len, texts)])
        fitting = replace(column, align="right", width=DIGIT * longest + PADDING)
        self.put(name, pd.Series([_sortable(value, goal) for value in values], dtype="float64"), fitting)
        self.texts[name] = texts

    def table(self, colours: tuple[str, ...] = ()) -> Table:
        return Table(pd.DataFrame(self.values), self.columns, self.texts, frozenset(self.bold), colours)


def _width(texts: Sequence[str], least: int = SHORT_NAME) -> int:
    return LETTER * max([least, *map(len, texts)]) + PADDING


def _sortable(value: float | None, goal: Goal | None) -> float:
    """Return what a number column takes: it draws every NaN as absent, and nothing beyond its range.

    Infinity has the right place in the order; the text of the cell says what the value is.
    """
    if value is None:
        return math.nan
    if math.isnan(value):
        return -math.inf if goal is Goal.MAXIMIZE else math.inf
    return value if abs(value) <= LARGEST else math.copysign(math.inf, value)


def _best(summary: MetricSummary, goal: Goal | None) -> float | None:
    return None if goal is None else summary.best(goal)


def _best_step(summary: MetricSummary, goal: Goal | None) -> float | None:
    return None if goal is None else summary.best_step(goal)


_BEST_HELP = (
    f"By the goal of the metric (↑ more is better, ↓ less). {format.ABSENT} without a goal, and where the run "
    "diverged: its last value is not finite"
)
_SUMMARY: Mapping[str, tuple[str, str | None, bool, Callable[[MetricSummary, Goal | None], float | None]]] = {
    "last": ("Last", None, False, lambda summary, _: summary.last),
    "best": ("Best", _BEST_HELP, False, _best),
    "best_step": ("at step", None, True, _best_step),
    "min": ("Min", None, False, lambda summary, _: summary.min),
    "min_step": ("at step", None, True, lambda summary, _: summary.min_step),
    "max": ("Max", None, False, lambda summary, _: summary.max),
    "max_step": ("at step", None, True, lambda summary, _: summary.max_step),
    "mean": ("Mean", "Over the finite values", False, lambda summary, _: summary.mean),
    "points": ("Points", None, True, lambda summary, _: summary.count),
    "other": ("NaN or inf", None, True, lambda summary, _: summary.non_finite),
}
"""Columns of the summary: heading, help, whether it counts, and its value."""


def _whole(value: float | None) -> str:
    return format.ABSENT if value is None else format.count(int(value))


def _run_help(run: RunRecord) -> str:
    return f"Run {run.id}: {format.shorten(run.name, 300)}"


def _metric_help(key: str, goal: Goal | None) -> str:
    if goal is None:
        return f"Metric {key}. It has no goal: its best is its last value (define_metric sets one)"
    return f"Metric {key}: {'more' if goal is Goal.MAXIMIZE else 'less'} is better"


def _param_cell(value: Any) -> str:
    if isinstance(value, float) and math.isfinite(value):
        return f"{value:.6g}"  # the page of the run has every digit
    return format.shorten(format.param(MISSING if is_absent(value) else value), MAX_CELL)


def _compared_cell(value: Any, others: Sequence[Any]) -> str:
    """Return the text of a param beside those of other runs: every digit only where it tells them apart."""
    text = _param_cell(value)
    alike = any(other != value and _param_cell(other) == text for other in others)
    return format.shorten(format.param(value), MAX_CELL) if alike else text


def _values(frame: pd.DataFrame, column: str) -> list[Any]:
    if column not in frame:
        return [None] * len(frame)
    cells = frame[column]
    if cells.dtype in ("float64", "object"):
        return cells.tolist()
    # The other types have only one kind of blank, the absent value.
    return [None if blank else value for value, blank in zip(cells.tolist(), cells.isna(), strict=True)]


def _is_sortable(value: Any) -> bool:
    """Whether a param is a number that a number column takes as it is; a long seed is a name, not a number."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return False
    return not math.isfinite(value) or abs(value) <= LARGEST


def _number(value: Any) -> float | None:
    return None if is_absent(value) else float(value)
