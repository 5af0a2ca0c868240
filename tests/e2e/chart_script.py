"""A page with nothing but live charts, for test_live_chart.py: points arrive at every tick."""

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from tracking.ui.live_chart import live_chart, visible_range


@st.fragment(run_every=0.4)
def curves() -> None:
    tick = st.session_state["tick"] = st.session_state.get("tick", 0) + 1
    steps = np.arange(1, 100 + 20 * tick)
    known_before = visible_range("loss")
    figure = go.Figure(layout={"xaxis": {"title": {"text": "step"}}})
    figure.add_scatter(x=steps, y=1.0 / steps, name="run <b>one</b>")
    figure.add_scatter(x=steps, y=2.0 / steps, name="run two")
    view = live_chart(figure, key="loss", alt="Loss of two runs by step")
    assert known_before == view.x_range
    logarithmic = {
        "data": [{"type": "scatter", "x": steps, "y": 1.0 / steps, "name": "one"}],
        "layout": {"xaxis": {"type": "log"}},
    }
    log_view = live_chart(logarithmic, key="log", height=240, alt="The same on a logarithmic axis")
    times = np.datetime64("2026-01-02T03:00:00") + steps.astype("timedelta64[m]")
    dated = go.Figure(go.Scatter(x=times, y=steps))
    date_view = live_chart(dated, key="date", height=240, alt="The same by time")
    still = {"data": [{"type": "scatter", "x": [1, 2], "y": [1, 2], "name": "still"}], "layout": {}}
    live_chart(still, key="still", height=160, alt="The same at every tick")
    st.text(
        f"tick={tick} points={len(steps)} loss={view.x_range} log={log_view.x_range} date={date_view.x_range}"
    )


curves()
