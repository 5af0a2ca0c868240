"""Everything the dashboard keeps between reruns.

Each entry is keyed on the store's folder and the revisions of what it shows, and
holds until they move; nothing ages by the clock. A revision is read before what
it stands for, so an entry can be newer than its key says, never older. What is
returned is shared between sessions: it is not to be changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st

from tracking.analysis.reported import aimed
from tracking.errors import NotFound
from tracking.records import ExperimentRecord, Goal, KeyCatalogue, RunRecord
from tracking.ui.curve_cache import CurveCache
from tracking.ui.runs_frame import METRIC, order_term, tell_absent_from_nan, unsure_rows

if TYPE_CHECKING:
    import pandas as pd

    from tracking.store import Store

Revisions = tuple[tuple[str, tuple[int, int]], ...]


@dataclass(frozen=True, slots=True)
class RunsQuery:
    """What a page of the runs table asks for; the arguments of `Store.search`."""

    where: str = ""
    experiment: str | None = None
    order_by: str = "created desc"
    limit: int = 100
    after: str | None = None
    columns: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class BestRun:
    """The best run of an experiment by one metric."""

    run: str
    name: str
    metric: str
    value: float


def revisions(store: Store, experiment: str | None = None) -> Revisions:
    """Return the revisions of one experiment, or of all: what cached answers hang on. One query, uncached."""
    known = store.revisions()
    if experiment is not None:
        known = {experiment: known[experiment]} if experiment in known else {}
    return tuple(sorted(known.items()))


def experiments(store: Store) -> tuple[ExperimentRecord, ...]:
    """Return all experiments, the most recently active first."""
    return _experiments(_root(store), revisions(store), store)


def keys(store: Store, experiment: str | None) -> KeyCatalogue:
    """Return the metric keys, params and tags in use."""
    return _keys(_root(store), revisions(store, experiment), experiment, store)


def goals(store: Store, names: Sequence[str] | None = None) -> dict[str, Goal]:
    """Return the goal of each metric that has one, in the experiments named or in all.

    A metric whose goals contradict each other between experiments has none here.
    """
    found: dict[str, Goal] = {}
    contradicted: set[str] = set()
    for experiment in experiments(store):
        if names is not None and experiment.name not in names:
            continue
        for key, goal in experiment.goals.items():
            if found.setdefault(key, goal) is not goal:
                contradicted.add(key)
    return {key: goal for key, goal in found.items() if key not in contradicted}


def search(store: Store, query: RunsQuery) -> pd.DataFrame:
    """Return one page of the runs table; None in a cell is an absent value, NaN is NaN."""
    return _search(_root(store), revisions(store, query.experiment), query, store)


def count(store: Store, query: RunsQuery) -> int:
    """Return how many runs fit the query, on all its pages."""
    return _count(_root(store), revisions(store, query.experiment), query.where, query.experiment, store)


def best_run(store: Store, experiment: ExperimentRecord) -> BestRun | None:
    """Return the best finished run by the first goal of the experiment.

    None without a goal, and when no finished run has a best value: a run that diverged has none.
    """
    if not experiment.goals:
        return None
    return _best_run(_root(store), experiment.name, experiment.activity, experiment, store)


def run(store: Store, run_id: str) -> RunRecord:
    """Return one run.

    Raises:
        NotFound: There is no such run.
    """
    return _run(_root(store), run_id, store.run_revision(run_id), store)


def known_runs(store: Store, run_ids: Sequence[str]) -> tuple[list[RunRecord], list[str]]:
    """Return the runs that exist, in the order asked, and the ids that do not."""
    return _known_runs(_root(store), revisions(store), tuple(run_ids), store)


def curve_cache(store: Store) -> CurveCache:
    """Return the curves kept for this store."""
    return _curve_cache(_root(store))


def _root(store: Store) -> str:
    return str(store.location.root)


@st.cache_resource(max_entries=8, show_spinner=False)
def _experiments(root: str, revisions: Revisions, _store: Store) -> tuple[ExperimentRecord, ...]:
    return tuple(_store.experiments())


@st.cache_resource(max_entries=32, show_spinner=False)
def _keys(root: str, revisions: Revisions, experiment: str | None, _store: Store) -> KeyCatalogue:
    return _store.keys(experiment)


@st.cache_resource(max_entries=32, show_spinner=False)
def _search(root: str, revisions: Revisions, query: RunsQuery, _store: Store) -> pd.DataFrame:
    frame = _store.search(
        query.where,
        experiment=query.experiment,
        order_by=query.order_by,
        limit=query.limit,
        after=query.after,
        columns=None if query.columns is None else list(query.columns),
    )
    ids = unsure_rows(frame)
    return tell_absent_from_nan(frame, _store.runs(ids)) if ids else frame


@st.cache_resource(max_entries=64, show_spinner=False)
def _count(root: str, revisions: Revisions, where: str, experiment: str | None, _store: Store) -> int:
    return _store.count(where, experiment=experiment)


@st.cache_resource(max_entries=256, show_spinner=False)
def _best_run(
    root: str, name: str, activity: int, _experiment: ExperimentRecord, _store: Store
) -> BestRun | None:
    metric = aimed(_experiment.goals, _experiment.goals)[0]
    goal = _experiment.goals[metric]
    order = f"best({order_term(METRIC + metric)}) {'desc' if goal is Goal.MAXIMIZE else 'asc'}"
    finished = 'status == "finished"'  # what was killed halfway is no result
    frame = _store.search(finished, experiment=name, order_by=order, limit=1, columns=[METRIC + metric])
    if frame.empty:
        return None
    best = _store.run(str(frame["run"].iloc[0]))
    summary = best.metrics.get(metric)
    value = None if summary is None else summary.best(goal)
    return None if value is None else BestRun(best.id, best.name, metric, value)


@st.cache_resource(max_entries=512, show_spinner=False)
def _run(root: str, run_id: str, revision: int, _store: Store) -> RunRecord:
    return _store.run(run_id)


@st.cache_resource(max_entries=32, show_spinner=False)
def _known_runs(
    root: str, revisions: Revisions, run_ids: tuple[str, ...], _store: Store
) -> tuple[list[RunRecord], list[str]]:
    try:
        return _store.runs(run_ids), []
    except NotFound:
        pass  # at least one of them: find out which
    found: list[RunRecord] = []
    unknown: list[str] = []
    for run_id in run_ids:
        try:
            found.append(_store.run(run_id))
        except NotFound:
            unknown.append(run_id)
    return found, unknown


@st.cache_resource(max_entries=4, show_spinner=False)
def _curve_cache(root: str) -> CurveCache:
    return CurveCache()
