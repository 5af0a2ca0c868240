"""What the machine did while a run ran: its load, memory and accelerators over time."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import streamlit as st

from tracking.analysis.curves import Axis
from tracking.records import RunRecord
from tracking.ui import chart_grid, feedback
from tracking.ui.controls import ChartControls
from tracking.ui.runs_frame import SYSTEM, system_keys

if TYPE_CHECKING:
    from tracking.store import Store

FIRST_CHARTS: Final = 12
_RANK: Final = re.compile(re.escape(SYSTEM) + r"rank(\d+)/")


def show(store: Store, run: RunRecord) -> None:
    """Draw the metrics of the machine over time, those of each rank together."""
    ranks = by_rank(system_keys([run]))
    if not ranks:
        feedback.empty(
            "No system metrics",
            "Processor, memory and GPU are recorded every few seconds unless the run was started with "
            "capture=False, or ended before the first look.",
        )
        return
    for rank, keys in ranks.items():
        if len(ranks) > 1:
            st.markdown("**This machine**" if rank is None else f"**Rank {rank}**")
        chosen = ChartControls(Axis.RELATIVE, smoothing=0.0, log_x=False, log_y=False, metrics=tuple(keys))
        owner = f"{run.id}.system.{'' if rank is None else rank}"
        chart_grid.draw(store, [run], chosen, {}, owner=owner, first=FIRST_CHARTS)


def by_rank(keys: list[str]) -> dict[int | None, list[str]]:
    """Return system metrics by the rank they are of; None for those of a run of one process, first."""
    found: dict[int | None, list[str]] = {}
    for key in keys:
        match = _RANK.match(key)
        found.setdefault(int(match[1]) if match else None, []).append(key)
    return dict(sorted(found.items(), key=lambda item: -1 if item[0] is None else item[0]))
