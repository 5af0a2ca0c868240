"""The parts of the Compare page, but its charts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import streamlit as st

from tracking.records import Goal, RunRecord
from tracking.ui import cache, format, grid, navigation, state, tables

if TYPE_CHECKING:
    from tracking.store import Store

CANDIDATES = 200
COLUMNS_SHOWN = 30
SUMMARIES = ("best", "last", "min", "max", "mean")
PICKER = "compare.picked"
ID_END = 6


def choose_runs(store: Store, runs: Sequence[RunRecord]) -> None:
    """Draw the picker that adds and removes runs, and writes them into the address."""
    names = {run.id: _label(run.name, run.experiment) for run in runs}
    experiments = {run.experiment for run in runs}
    experiment = experiments.pop() if len(experiments) == 1 else None
    recent = cache.search(store, cache.RunsQuery(experiment=experiment, limit=CANDIDATES, columns=()))
    for run_id, name, owner in zip(recent["run"], recent["name"], recent["experiment"], strict=True):
        names.setdefault(run_id, _label(name, owner))
    labels = distinct(names)
    # What the address says holds, also after somebody went back in the browser's history.
    st.session_state[PICKER] = [run.id for run in runs]
    st.multiselect(
        "Runs",
        list(names),
        key=PICKER,
        format_func=lambda run_id: labels.get(run_id, run_id),
        max_selections=state.MAX_RUNS,
        on_change=_write_picked,
        placeholder="Choose runs",
        help=f"The newest {CANDIDATES} runs can be added here; all others by ticking them on the page Runs.",
    )


def metrics(runs: Sequence[RunRecord], keys: Sequence[str], goals: Mapping[str, Goal]) -> None:
    """Draw one value of each metric for each run, the best by goal standing out."""
    st.subheader("Metrics")
    value = st.segmented_control(
        "Value",
        SUMMARIES,
        default=SUMMARIES[0],
        required=True,
        key=state.SUMMARY,
        bind="query-params",
        label_visibility="collapsed",
        help="Best is by the goal of the metric; the last value where it has none. A run that diverged "
        "(its last value is not finite) has no best.",
    )
    ids = [run.id for run in runs]
    grid.show(
        tables.metric_comparison(
            runs, keys[:COLUMNS_SHOWN], goals, value if value in SUMMARIES else SUMMARIES[0]
        ),
        alt="Metrics of the compared runs",
        key="compare.metrics",
        on_open=lambda row: navigation.open_run(ids[row]),
    )
    notes = []
    if any(key in goals for key in keys):
        notes.append("Bold: the best of these runs, by the goal of the metric.")
    if len(keys) > COLUMNS_SHOWN:
        notes.append(f"{COLUMNS_SHOWN} of {format.count(len(keys))} metrics; choose others above.")
    if notes:
        st.caption(" ".join(notes))


def params(runs: Sequence[RunRecord]) -> None:
    """Draw the params side by side, those that differ or all."""
    st.subheader("Params")
    everything = st.toggle("Show params that are the same, too", key=state.ALL_PARAMS, bind="query-params")
    table = tables.param_comparison(runs, only_differing=not everything)
    if table.frame.empty:
        st.caption(
            "The params of these runs are the same." if not everything else "These runs have no params."
        )
        return
    grid.show(table, alt="Params of the compared runs, one run a column", key="compare.params", rows=24)


def distinct(names: Mapping[str, str]) -> dict[str, str]:
    """Return the name of each run, with the end of its id where runs share one: a picker tells them by it."""
    shared = {name for name, count in Counter(names.values()).items() if count > 1}
    return {
        run_id: f"{name} · {run_id[-ID_END:]}" if name in shared else name for run_id, name in names.items()
    }


def _label(name: str, experiment: str) -> str:
    return f"{format.shorten(name, tables.MAX_NAME)} · {format.shorten(experiment, tables.MAX_HEADING)}"


def _write_picked() -> None:
    state.set_run_ids(st.session_state[PICKER])
