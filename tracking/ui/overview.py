"""The sections of the Overview page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from tracking.analysis.reported import is_reported
from tracking.records import ExperimentRecord, RunRecord
from tracking.sweep_records import SweepRecord
from tracking.ui import cache, format, grid, navigation, state, tables
from tracking.ui.markdown import escape
from tracking.ui.runs_frame import metric_rank
from tracking.ui.tables import Cells, Table, TableColumn
from tracking.ui.zone import reader_zone

if TYPE_CHECKING:
    from tracking.store import Store

RUNNING_ROWS = 6
EXPERIMENT_ROWS = 30
RECENT_ROWS = 10
LATEST_METRICS = 4
MAX_METRIC = 22
MAX_RUN, MAX_EXPERIMENT = 28, 22
"""Characters of names here, where several tables have to fit into a narrow window; both ends of them show."""
_BEST = (
    "The best of the first metric that has a goal (define_metric), among the finished runs. None is named of fresh "
    "runs of the same configurations: the best of them is the luckiest"
)


def running_now(store: Store) -> None:
    """Draw the live runs with progress and latest values."""
    query = cache.RunsQuery(where='status == "running"', limit=RUNNING_ROWS, columns=())
    ids = cache.search(store, query)["run"].tolist()
    if not ids:
        return
    runs, _ = cache.known_runs(store, ids)
    total = cache.count(store, query)
    st.subheader("Running now")
    with st.container(border=True, gap="small"):
        for run in runs:
            _running_row(run)
        if total > len(runs):
            st.caption(f"and {format.count(total - len(runs))} more")


def experiments_table(store: Store, experiments: Sequence[ExperimentRecord], now: datetime) -> None:
    """Draw the experiments, the most recently active first."""
    shown = experiments[:EXPERIMENT_ROWS]
    st.subheader("Experiments")
    sweeps = store.sweeps()
    again = _run_again(sweeps)
    best = [None if each.name in again else cache.best_run(store, each) for each in shown]
    grid.show(
        experiment_rows(shown, best, now, told=_told(sweeps)),
        alt="Experiments with their number of runs, best result and last activity",
        key="overview.experiments",
        rows=12,
        on_open=lambda row: navigation.open_experiment(shown[row].name),
    )
    if len(experiments) > len(shown):
        st.caption(
            f"The {len(shown)} most recently active of {format.count(len(experiments))}. "
            "The page Runs has all of them in its picker."
        )


def experiment_rows(
    experiments: Sequence[ExperimentRecord],
    best: Sequence[cache.BestRun | None],
    now: datetime,
    *,
    told: Mapping[tuple[str, str], str] | None = None,
) -> Table:
    """Return the table of experiments.

    Args:
        experiments: One per row.
        best: The best run of each, None where there is none.
        now: For what is said of their last activity.
        told: By experiment and name under which a study keeps what it was told: the metric that this is.
    """
    told = told or {}
    cells = Cells()
    opens = TableColumn("Experiment", help="Click the name to see its runs", pinned=True)
    cells.put_names("name", [experiment.name for experiment in experiments], opens, MAX_EXPERIMENT)
    runs = [experiment.runs for experiment in experiments]
    live = [experiment.live for experiment in experiments]
    cells.put_numbers("runs", runs, TableColumn("Runs"), list(map(format.count, runs)))
    cells.put_numbers("live", live, TableColumn("Running"), list(map(format.count, live)))
    values = [None if found is None else found.value for found in best]
    cells.put_numbers(
        "best",
        values,
        TableColumn("Best value", help=_BEST),
        list(map(format.number, values)),
    )
    of = TableColumn(
        "Of metric", help="The metric of the best value: ↑ more is better, ↓ less is better", width=88
    )
    cells.put_names(
        "metric",
        [
            format.ABSENT
            if found is None
            else format.shorten_key(told.get((experiment.name, found.metric), found.metric), MAX_METRIC)
            + format.goal_mark(experiment.goals[found.metric])
            for found, experiment in zip(best, experiments, strict=True)
        ],
        of,
    )
    reached = TableColumn("Best run", help="The run that reached the best value")
    names = [format.ABSENT if found is None else found.name for found in best]
    cells.put_names("best_run", names, reached, MAX_RUN)
    active = [experiment.last_activity for experiment in experiments]
    cells.put("activity", pd.Series(pd.to_datetime(active, utc=True)), TableColumn("Last activity"))
    cells.texts["activity"] = [format.ago(when, now) for when in active]
    return cells.table()


def _told(sweeps: Sequence[SweepRecord]) -> dict[tuple[str, str], str]:
    """Return the metrics of sweeps' objectives by experiment and the name under which a study keeps their values."""
    found: dict[tuple[str, str], str] = {}
    for sweep in sweeps:
        several = len(sweep.objectives) > 1
        for place, wanted in enumerate(sweep.objectives):
            found.setdefault((sweep.experiment, f"values.{place}" if several else "value"), wanted.metric)
    return found


def _run_again(sweeps: Sequence[SweepRecord]) -> set[str]:
    """Return the experiments in which sweeps do nothing but run what was run before."""
    again = {each.experiment for each in sweeps if each.confirms or each.repeats_run}
    return again - {each.experiment for each in sweeps if not each.confirms and not each.repeats_run}


def recent_runs(store: Store) -> None:
    """Draw the newest runs of all experiments."""
    frame = cache.search(store, cache.RunsQuery(limit=RECENT_ROWS, columns=()))
    st.subheader("Recent runs")
    ids = frame["run"].tolist()
    short = frame.assign(
        name=[format.shorten_middle(str(name), MAX_RUN) for name in frame["name"]],
        experiment=[format.shorten_middle(str(name), MAX_EXPERIMENT) for name in frame["experiment"]],
    )
    grid.show(
        tables.runs_table(short, [], {}, zone=reader_zone()),
        alt="The newest runs of all experiments",
        key="overview.recent",
        on_open=lambda row: navigation.open_run(ids[row]),
    )


def progress_of(run: RunRecord) -> tuple[int, float | None]:
    """Return the last step of a run and, where it announced its total, the share that is done (0..1)."""
    step = max((summary.last_step for summary in run.metrics.values()), default=0)
    if not run.total_steps or run.total_steps < 1:
        return step, None
    return step, min(1.0, max(0.0, step / run.total_steps))


def latest_values(run: RunRecord) -> str:
    """Return the last values of the first metrics as one line."""
    own = [key for key in run.metrics if not is_reported(key)] or list(run.metrics)
    keys = sorted(own, key=lambda key: metric_rank(key, {}))[:LATEST_METRICS]
    return " · ".join(f"{key} {format.number(run.metrics[key].last, 4)}" for key in keys)


def _running_row(run: RunRecord) -> None:
    name, progress, values = st.columns([3, 3, 5], vertical_alignment="center")
    with name:
        st.page_link(
            state.RUN_PAGE,
            label=escape(
                f"{format.shorten_middle(run.name, 40)} · {format.shorten_middle(run.experiment, 30)}"
            ),
            query_params={state.RUN: run.id},
        )
    with progress:
        show_progress(run)
    values.caption(escape(latest_values(run)) or "no metrics yet")


def show_progress(run: RunRecord) -> None:
    """Draw how far a run is: a bar where it announced its steps, else the step and the time."""
    step, share = progress_of(run)
    elapsed = format.duration(run.duration)
    if share is None:
        st.caption(f"step {format.count(step)} · {elapsed}")
        return
    # Named after its run: else the bar of another run would slide from there to here.
    with st.container(key=f"progress.{run.id}"):
        st.progress(share, f"step {format.count(step)} of {format.count(run.total_steps or 0)} · {elapsed}")
