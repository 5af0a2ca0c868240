"""What the address and the session carry, every name in one place.

The address is the state that a pasted link shows again. Controls bound to it
(`bind="query-params"`) use the names below as their keys: Streamlit writes them
to the address and drops values it does not know. What is not a control is read
here, and never trusted.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import streamlit as st

# Bound controls: key of the widget and name in the address.
EXPERIMENT: Final = "experiment"
WHERE: Final = "where"
SORT: Final = "sort"
ORDER: Final = "order"
COLUMNS: Final = "columns"
METRICS: Final = "metrics"
X_AXIS: Final = "x"
LOG_X: Final = "logx"
LOG_Y: Final = "logy"
SMOOTHING: Final = "smoothing"
SUMMARY: Final = "summary"
ALL_PARAMS: Final = "allparams"
TAB: Final = "tab"
STATES: Final = "states"
OBJECTIVE: Final = "objective"

# Only in the address.
RUN: Final = "run"
RUNS: Final = "runs"
SWEEP: Final = "sweep"
"""Name of the sweep that a page shows."""
NEW_SWEEP: Final = "new"
"""What a new sweep is to tune: `<kind>:<path>` or `<kind>:<path>:<name>`."""
MODEL: Final = "model"
"""Name of the model that a page shows."""
VERSION: Final = "version"
"""Number of the version of it that is shown whole."""
ROW: Final = "row"
"""Position of the row of the journal that is shown whole."""
AFTER: Final = "after"
ZOOM: Final = "zoom"
"""Once for each chart that is zoomed: `low:high:name` of x, `low:high:low:high:name` of x and y.

The ends of x are empty where only y is zoomed. No name begins with a number. Written by the browser,
see `live_chart.js`.
"""

BRUSH: Final = "brush"
"""Once for each range brushed on parallel coordinates: `low:high:column`. Written by the browser, as zooms are."""
PAGE: Final = "page"
"""Number of the page of a sweep's trials, from 1."""

# Only in the session.
SHOWN_RUNS: Final = "runs.shown"
"""Ids of the runs in the table as it was drawn last: what its selection speaks of."""
TABLE_GENERATION: Final = "runs.generation"
"""Counts how often the ticks of the table were cleared."""
TICKED: Final = "runs.ticked"
"""Ids of the ticked runs, on all pages of the table, in the order in which they were ticked."""
PAGES: Final = "runs.pages"
"""Where the pages of the table begin that were turned to, in their order; the first is None."""
READABLE_WHERE: Final = "runs.readable"
"""The last filter that could be read: what the table shows while somebody mends the one in the box."""

RUNS_QUERY: Final = "runs.query"
"""What the address of the table said when it was drawn last."""

MAX_RUNS: Final = 50
_ID: Final = re.compile(r"[\w.-]{1,128}")

RUNS_PAGE: Final = "pages/runs.py"
RUN_PAGE: Final = "pages/run.py"
COMPARE_PAGE: Final = "pages/compare.py"
OVERVIEW_PAGE: Final = "pages/overview.py"
SWEEPS_PAGE: Final = "pages/sweeps.py"
SWEEP_PAGE: Final = "pages/sweep.py"
MODELS_PAGE: Final = "pages/models.py"
MODEL_PAGE: Final = "pages/model.py"


@dataclass(frozen=True, slots=True)
class Zoom:
    """The ranges of a chart that the reader chose; None for a direction that shows everything."""

    x: tuple[float, float] | None = None
    y: tuple[float, float] | None = None


def run_id() -> str | None:
    """Return the run that the address names, None when it names none."""
    return _checked_id(st.query_params.get(RUN, ""))


def run_ids() -> tuple[str, ...]:
    """Return the runs that the address names, each once, in its order; `MAX_RUNS` of them fit a comparison."""
    given = ",".join(st.query_params.get_all(RUNS)).split(",")
    return tuple(dict.fromkeys(run_id for part in given if (run_id := _checked_id(part)) is not None))


def set_run_ids(ids: Sequence[str]) -> None:
    """Name these runs in the address."""
    if ids:
        st.query_params[RUNS] = ",".join(ids)
    else:
        st.query_params.pop(RUNS, None)


def zoom(name: str) -> Zoom:
    """Return what the address gives the chart of this name to show."""
    for entry in st.query_params.get_all(ZOOM):
        ends = entry.removesuffix(f":{name}").split(":")
        if not entry.endswith(f":{name}") or len(ends) not in (2, 4):
            continue
        y = _checked_range(*ends[2:]) if ends[2:] else None
        if y is not None or len(ends) == 2:  # else the name is the end of a longer one
            return Zoom(_checked_range(*ends[:2]), y)
    return Zoom()


def brush() -> dict[str, list[tuple[float, float]]]:
    """Return the ranges that the address brushes, by the column of their axis."""
    found: dict[str, list[tuple[float, float]]] = {}
    for entry in st.query_params.get_all(BRUSH):
        low, _, rest = entry.partition(":")
        high, _, column = rest.partition(":")
        if (ends := _checked_range(low, high)) is not None and column:
            found.setdefault(column, []).append(ends)
    return found


def page() -> int:
    """Return the page of a table that the address names, from 0."""
    given = st.query_params.get(PAGE, "")
    return int(given) - 1 if re.fullmatch(r"[1-9]\d{0,6}", given) else 0


def set_page(page: int) -> None:
    """Name a page of a table, from 0, in the address; the first one needs no name."""
    if page:
        st.query_params[PAGE] = str(page + 1)
    else:
        st.query_params.pop(PAGE, None)


def _checked_range(low: str, high: str) -> tuple[float, float] | None:
    try:
        ends = float(low), float(high)
    except ValueError:
        return None
    return ends if all(map(math.isfinite, ends)) and ends[0] < ends[1] else None


def remember_runs_query() -> None:
    """Keep what the address of the table says, for the way back from a run."""
    st.session_state[RUNS_QUERY] = {name: st.query_params.get_all(name) for name in st.query_params}


def runs_query(experiment: str) -> dict[str, list[str]]:
    """Return the query of the table that shows this experiment's runs, as the reader left it if so."""
    left: dict[str, list[str]] = st.session_state.get(RUNS_QUERY, {})
    return left if left.get(EXPERIMENT) == [experiment] else {EXPERIMENT: [experiment]}


def after() -> str | None:
    """Return the run after which the page of the table begins, None for the first page."""
    return _checked_id(st.query_params.get(AFTER, ""))


def set_after(run_id: str | None) -> None:
    """Name the run after which the page of the table begins."""
    if run_id is None:
        st.query_params.pop(AFTER, None)
    else:
        st.query_params[AFTER] = run_id


def _checked_id(text: str) -> str | None:
    text = text.strip()
    return text if _ID.fullmatch(text) else None
