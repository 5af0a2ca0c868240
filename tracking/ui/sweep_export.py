"""Downloads of a sweep: its trials as CSV, its definition as TOML."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, BinaryIO, Final

import streamlit as st

from tracking.analysis.differences import MISSING
from tracking.analysis.trials import PARAM, VALUE, trial_frame
from tracking.sweep_records import SweepRecord
from tracking.ui import run_downloads, sweep_cache
from tracking.ui.spreadsheet import harmless

if TYPE_CHECKING:
    from tracking.store import Store

_UNSAFE: Final = re.compile(r"[^\w.()+=@-]+")
_ABOUT: Final = ("number", "state", "cause", "reason", "started", "completed", "duration", "worker", "run")


def show(store: Store, record: SweepRecord) -> None:
    """Draw what can be downloaded; files are made when they are asked for."""
    with st.popover("Export", key="sweep.export.open"):
        run_downloads.button(
            "Trials (CSV)",
            lambda: io.BytesIO(trials_csv(store, record)),
            file_name=file_name(record.name, "-trials.csv"),
            key="sweep.export.csv",
        )

        def definition() -> BinaryIO:
            return io.BytesIO(record.text.encode("utf-8", "backslashreplace"))

        run_downloads.button(
            "Definition (TOML)",
            definition,
            file_name=file_name(record.name, ".toml"),
            key="sweep.export.toml",
        )


def trials_csv(store: Store, record: SweepRecord) -> bytes:
    """Return the trials of the sweep's present study as CSV: values as they are, absent ones blank.

    Text that a spreadsheet would run as a formula begins with a character of no width.
    """
    frame = trial_frame(sweep_cache.trials(store, record), record.objectives)
    kept = [name for name in frame.columns if name in _ABOUT or name.startswith((VALUE, PARAM))]
    frame = frame[kept].copy()
    for name in kept:
        if frame[name].dtype == object:
            frame[name] = [None if value is MISSING else value for value in frame[name]]
    return harmless(frame).to_csv(index=False, lineterminator="\n").encode("utf-8", "backslashreplace")


def file_name(name: str, ending: str) -> str:
    """Return a name for a download that is one on every system."""
    return (_UNSAFE.sub("_", name).strip("._- ")[:100] or "sweep") + ending
