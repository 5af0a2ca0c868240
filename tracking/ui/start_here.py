"""What an empty store shows: a program to copy, and the sample experiment to start."""

from __future__ import annotations

import shlex

import streamlit as st

from tracking.config import StoreLocation
from tracking.ui import access, feedback, sample_launch
from tracking.ui.markdown import escape

PROGRAM = """\
import math
import tracking

params = {"lr": 0.1, "batch_size": 32}
with tracking.start_run("first-steps", params=params, total_steps=100) as run:
    tracking.define_metric("accuracy", goal="maximize")
    for step in range(1, 101):
        loss = math.exp(-params["lr"] * step / 5)
        run.log({"loss": loss, "accuracy": 1 - loss / 2}, step=step)
print(run.id)
"""


def program(location: StoreLocation) -> str:
    """Return ten lines that log a first run to this store, to be run anywhere."""
    if not location.named:
        return PROGRAM
    return PROGRAM.replace("total_steps=100)", f"total_steps=100, store={str(location.root)!r})")


def show_program(location: StoreLocation) -> None:
    """Draw the empty state with the program, and where its runs will appear."""
    feedback.empty(
        "No runs yet",
        "Save these lines as first_steps.py and run them with the Python of this environment. "
        "The run appears here while it logs.",
        code=program(location),
    )
    st.caption(
        f"This page shows the store in {escape(location.root)}. A script started elsewhere finds it with "
        f"`TRACKING_STORE={shlex.quote(str(location.root))}`."
        if not location.named
        else f"This page shows the store in {escape(location.root)}."
    )


def sample_button(location: StoreLocation, *, key: str = "sample") -> None:
    """Draw the button that starts the sample experiment, or say that it runs."""
    st.markdown(
        "**Or watch a real one.** Three scikit-learn models learn to read digits, three seeds each: "
        "nine runs, about a minute, on this machine."
    )
    allowed = access.gate("run the sample experiment", key=f"{key}.gate")
    running = sample_launch.is_running(location)
    pressed = st.button(
        "Run the sample experiment",
        type="primary",
        key=key,
        disabled=running or not allowed,
        help="Runs as a process of its own: it goes on when this page is closed.",
    )
    if pressed:
        access.require_key()
        sample_launch.start(location)
        running = True
    if running:
        st.caption("The sample experiment is starting. Its first run appears here in a few seconds.")
    elif tail := sample_launch.log_tail(location):
        st.caption("The sample experiment was started before and has ended. The end of what it printed:")
        st.code(tail, language=None)
