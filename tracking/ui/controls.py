"""The controls that pages share; each is bound to the address, so a link carries them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from tracking.analysis.curves import Axis
from tracking.ui import state

MAX_SMOOTHING = 0.99


@dataclass(frozen=True, slots=True)
class ChartControls:
    """What the reader chose for all charts of a page. `metrics` is empty for the page's own choice."""

    axis: Axis
    smoothing: float
    log_x: bool
    log_y: bool
    metrics: tuple[str, ...]


def chart_controls(metric_keys: Sequence[str]) -> ChartControls:
    """Draw the row of controls over the charts.

    Args:
        metric_keys: The metrics that can be chosen.
    """
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        metrics = st.multiselect(
            "Metrics",
            list(metric_keys),
            key=state.METRICS,
            bind="query-params",
            placeholder="All metrics",
            help="Which metrics have a chart. Empty: all of them, the first ones drawn.",
            width=320,
        )
        axis = st.segmented_control(
            "X axis",
            [axis.value for axis in Axis],
            default=Axis.STEP.value,
            required=True,
            key=state.X_AXIS,
            bind="query-params",
            help="Step as logged, time relative to the start of each run, or wall time as on the clock.",
        )
        smoothing = st.slider(
            "Smoothing",
            min_value=0.0,
            max_value=MAX_SMOOTHING,
            value=0.0,
            step=0.01,
            key=state.SMOOTHING,
            bind="query-params",
            help="Weight of the exponential moving average over all points. The raw values stay, faintly.",
            width=200,
        )
        log_y = st.toggle("Log y", key=state.LOG_Y, bind="query-params", help="Logarithmic values")
        on_the_clock = axis == Axis.WALL
        log_x = st.toggle(
            "Log x",
            key=state.LOG_X,
            bind="query-params",
            disabled=on_the_clock,
            help="Wall time has no zero to count from, so it cannot be logarithmic"
            if on_the_clock
            else "Logarithmic steps or relative time",
        )
    chosen_axis = Axis(axis) if axis in set(Axis) else Axis.STEP
    return ChartControls(
        axis=chosen_axis,
        smoothing=min(MAX_SMOOTHING, max(0.0, float(smoothing))),
        log_x=bool(log_x) and chosen_axis is not Axis.WALL,
        log_y=bool(log_y),
        metrics=tuple(key for key in metrics if key in set(metric_keys)),
    )
