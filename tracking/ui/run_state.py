"""What the address and the session carry of the page of one run, beside `state`: what is open in its tabs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import streamlit as st

ARTIFACTS: Final = "Artifacts"
TABS: Final = (
    "Charts",
    "Params",
    "Metrics",
    ARTIFACTS,
    "Data",
    "Code",
    "Environment",
    "Console",
    "System",
    "Tags and notes",
)

# Bound controls: key of the widget and name in the address.
FIND: Final = "find"
"""What is searched for in the console."""

# Only in the address.
ARTIFACT: Final = "artifact"
"""Name of the artifact that is open; with a slash at its end, a folder of names."""
STEP: Final = "step"
"""Step of that artifact."""
FILE: Final = "file"
"""Path inside a folder artifact; with a slash at its end, a folder in it."""
DATASET: Final = "dataset"
"""Digest of the dataset that is open."""

# Only in the session.
SESSION: Final = "run.session"
"""Of which session of a run captured sections are shown."""

MAX_LENGTH: Final = 5_000
"""Characters of a value from the address that are looked at."""


def read(name: str) -> str:
    """Return what the address says under a name, never trusted; empty when it says nothing."""
    return st.query_params.get(name, "")[:MAX_LENGTH]


def write(values: Mapping[str, str | None]) -> None:
    """Say these in the address; what is empty or None is taken out of it."""
    for name, value in values.items():
        if value:
            st.query_params[name] = value
        else:
            st.query_params.pop(name, None)


def step() -> int | None:
    """Return the step that the address names, None when it names none."""
    text = read(STEP)
    return int(text) if text.removeprefix("-").isdecimal() and text.isascii() and len(text) < 20 else None
