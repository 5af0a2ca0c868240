"""The charts of one or of several runs: a chart per metric, grouped by the part before `/`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import streamlit as st

from tracking.analysis.curves import Axis, CurveOptions
from tracking.records import Goal, RunRecord
from tracking.ui import cache, feedback, format
from tracking.ui.charts import Line, TimeUnit, metric_chart, points_note, points_per_line, relative_unit
from tracking.ui.colours import run_styles
from tracking.ui.controls import ChartControls
from tracking.ui.live_chart import live_chart, visible_range
from tracking.ui.markdown import escape
from tracking.ui.runs_frame import metric_order
from tracking.ui.zone import reader_offset

if TYPE_CHECKING:
    from tracking.store import Store

CHART_HEIGHT = 280
LEGEND_HEIGHT = 70
MIN_CHART_WIDTH = 420
TURN = 3
"""Charts that a large group draws before the next group has its turn."""
UNGROUPED = "Ungrouped"


def draw(
    store: Store,
    runs: Sequence[RunRecord],
    controls: ChartControls,
    goals: Mapping[str, Goal],
    *,
    owner: str,
    first: int,
) -> None:
    """Draw the charts of the chosen metrics, or of the first ones with a button for more.

    Args:
        store: Where the series are.
        runs: The runs to draw, as they are now.
        controls: What the reader chose.
        goals: Goal by metric key, for the arrow beside its name.
        owner: The page; distinguishes the keys of its charts.
        first: How many charts are drawn before the reader asks for more.
    """
    known = {key for run in runs for key in run.metrics}
    keys = [key for key in controls.metrics if key in known] or metric_order(runs, goals)
    if not keys:
        feedback.empty(
            "No metrics yet", 'Each metric that is logged gets a chart: run.log({"loss": 0.3}, step=1)'
        )
        return
    shown_key = f"{owner}.charts"
    shown = max(first, int(st.session_state.get(shown_key, first)))
    groups = group_by_prefix(keys)
    drawn = first_of_each(groups, shown)
    charts = sum(map(len, drawn.values()))
    for group, members in drawn.items():
        if len(groups) > 1:
            hidden = len(groups[group]) - len(members)
            more = f" · {format.count(hidden)} more below" if hidden else ""
            st.markdown(f"**{escape(group or UNGROUPED)}**{more}")
        columns = min(len(members), 2 if len(runs) > 1 else 3)
        grid = st.grid(columns, min_column_width=MIN_CHART_WIDTH, gap="small")
        for key in members:
            with grid.cell(), st.container(gap=None):
                _chart(store, runs, key, controls, goals.get(key), owner, charts=charts)
    if len(keys) > charts:
        left = len(keys) - charts

        def show_more() -> None:
            st.session_state[shown_key] = charts + 2 * first

        st.button(
            f"Show {format.plural(min(left, 2 * first), 'more chart')}"
            + (f" of {format.count(left)}" if left > 2 * first else ""),
            key=f"{shown_key}.more",
            on_click=show_more,
        )


def group_by_prefix(keys: Sequence[str]) -> dict[str, list[str]]:
    """Return the keys by what stands before their first `/`; a group stands where its first key does.

    A prefix of a single key is no group; those keys and the ones without a prefix are together under "".
    """
    prefixes = [key.partition("/")[0] if "/" in key else "" for key in keys]
    shared = {prefix for prefix in prefixes if prefixes.count(prefix) > 1}
    groups: dict[str, list[str]] = {}
    for key, prefix in zip(keys, prefixes, strict=True):
        groups.setdefault(prefix if prefix in shared else "", []).append(key)
    return groups


def first_of_each(groups: Mapping[str, Sequence[str]], charts: int) -> dict[str, list[str]]:
    """Return about as many keys as `charts` asks for, so that every group has its turn.

    Small groups are taken whole; a large one gives a row's worth in each turn, so that
    the many keys of one group do not hide the next group. May exceed `charts` by what
    completes the last group. More charts never hide what fewer had shown.
    """
    taken = dict.fromkeys(groups, 0)
    wanted = min(charts, sum(map(len, groups.values())))
    while (count := sum(taken.values())) < wanted:
        for group, members in groups.items():
            left = len(members) - taken[group]
            step = left if left < 2 * TURN else TURN
            taken[group] += step
            count += step
            if count >= wanted:
                break
    return {group: list(groups[group][:number]) for group, number in taken.items() if number}


def _chart(
    store: Store,
    runs: Sequence[RunRecord],
    key: str,
    controls: ChartControls,
    goal: Goal | None,
    owner: str,
    *,
    charts: int,
) -> None:
    unit = relative_unit(max((run.duration for run in runs), default=0.0))
    offset = reader_offset()
    # A new meaning of x or y is a new chart: the zoom of the old one would be nonsense on it.
    meaning = f"{controls.axis}-{unit.name}-{controls.log_x:d}{controls.log_y:d}"
    chart_key = f"{owner}.chart.{meaning}.{key}"
    along = unit.name if controls.axis is Axis.RELATIVE else controls.axis.value
    address_name = f"{along}:{key}"
    options = CurveOptions(
        axis=controls.axis,
        smoothing=controls.smoothing,
        max_points=points_per_line(charts, len(runs)),
        visible=_in_axis_units(visible_range(chart_key, address_name), controls.axis, unit, offset),
        log_x=controls.log_x,
        log_y=controls.log_y,
    )
    by_id = {run.id: run for run in runs}
    curves = cache.curve_cache(store).curves(store, by_id, key, options)
    # A line alone on its chart needs no dash to be told apart; elsewhere a run has one look on the whole page.
    styles = run_styles(by_id if len(curves) > 1 else curves)
    lines = [
        Line(run_id, format.readable(by_id[run_id].name), curve, styles[run_id])
        for run_id, curve in curves.items()
    ]
    legend = len(runs) > 1
    st.markdown(f"{escape(key)}{format.goal_mark(goal)}")
    live_chart(
        metric_chart(lines, options, unit=unit, zone_offset=offset, legend=legend),
        key=chart_key,
        height=CHART_HEIGHT + (LEGEND_HEIGHT if legend else 0),
        alt=f"{key} by {controls.axis}, {format.plural(len(lines), 'run')}",
        address_name=address_name,
    )
    note = points_note(list(curves.values()), zoomed=options.visible is not None)
    absent = len(runs) - len(lines)
    st.caption(note + (f" · {format.plural(absent, 'run')} without it" if absent else ""))


def _in_axis_units(
    visible: tuple[float, float] | None, axis: Axis, unit: TimeUnit, zone_offset: float
) -> tuple[float, float] | None:
    """Return the visible range in the unit of the curve instead of the one drawn."""
    if visible is None or axis is Axis.STEP:
        return visible
    low, high = visible
    if axis is Axis.RELATIVE:
        return low * unit.seconds, high * unit.seconds
    return low - zone_offset * 1e6, high - zone_offset * 1e6
