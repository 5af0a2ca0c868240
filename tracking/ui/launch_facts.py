"""What the store knows of a target from before: which metrics it logs, and how long one run takes."""

from __future__ import annotations

import os
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Final

import streamlit as st

from tracking.analysis.reported import is_reported
from tracking.records import SYSTEM_METRICS, Goal, RunStatus
from tracking.ui import cache
from tracking.ui.launch_plan import Pace

if TYPE_CHECKING:
    from tracking.store import Store
    from tracking.sweep_records import SweepRecord
    from tracking.ui.launch_targets import Offer

EXPERIMENTS: Final = 40
"""Of so many experiments, the most recently active, the last runs are looked at."""
RUNS: Final = 5
_METRICS: Final = 500


@dataclass(frozen=True, slots=True)
class Facts:
    """What earlier runs say.

    Attributes:
        metrics: Names to choose from: objectives of the target's earlier sweeps, metrics of its runs, all others.
        own: How many of them are the target's own.
        goals: Of metrics that have one.
        pace: How long one run took, None where no run of the target has finished.
        experiments: Names of all, the most recently active first.
        studies: Names that a sweep cannot have any more.
    """

    metrics: tuple[str, ...] = ()
    own: int = 0
    goals: Mapping[str, Goal] = field(default_factory=dict)
    pace: Pace | None = None
    experiments: tuple[str, ...] = ()
    studies: frozenset[str] = frozenset()


def facts(store: Store, offer: Offer) -> Facts:
    """Return what is known of a target, from the store as it is now."""
    studies = frozenset(each.name for each in store.studies())
    return _facts(str(store.location.root), cache.revisions(store), studies, offer.id, offer, store)


@st.cache_resource(max_entries=32, show_spinner=False)
def _facts(
    root: str,
    revisions: cache.Revisions,
    studies: frozenset[str],
    offer_id: str,
    _offer: Offer,
    _store: Store,
) -> Facts:
    sweeps = [each for each in _store.sweeps() if _is_of(each, _offer)]
    used: dict[str, None] = {each.experiment: None for each in sweeps}
    paces: list[tuple[datetime, Pace]] = []
    for sweep in sweeps[:1]:
        if (found := _pace_of_sweep(_store, sweep)) is not None:
            paces.append((sweep.created, found))
    experiments = cache.experiments(_store)
    if _offer.kind == "script":
        script = os.path.realpath(_store.location.project / Path(_offer.label))
        for experiment in experiments[:EXPERIMENTS]:
            if experiment.name not in used and (seen := _pace_of_runs(_store, experiment.name, script)):
                used[experiment.name] = None
                paces.append(seen)
    objectives = [each for sweep in sweeps for each in sweep.objectives]
    own: dict[str, None] = {each.metric: None for each in objectives}
    for name in used:
        own |= dict.fromkeys(cache.keys(_store, name).metrics)
    every = _named(
        {**own, **dict.fromkeys(cache.keys(_store, None).metrics)}, {each.metric for each in objectives}
    )
    # The newest sweep is the first, and decides.
    chosen = {each.metric: each.goal for each in reversed(objectives) if each.goal is not None}
    return Facts(
        metrics=tuple(every[:_METRICS]),
        own=sum(name in own for name in every),
        # What the target's own experiments say counts where others say otherwise.
        goals={**cache.goals(_store), **(cache.goals(_store, list(used)) if used else {}), **chosen},
        pace=max(paces, key=lambda each: each[0])[1] if paces else None,
        experiments=tuple(each.name for each in experiments),
        studies=studies,
    )


def _named(metrics: Iterable[str], wanted: Container[str]) -> list[str]:
    """Return the metrics to choose from; what a study was told, its trials' runs have beside the metric itself."""
    found = [key for key in metrics if not key.startswith(SYSTEM_METRICS)]
    return [key for key in found if key in wanted or not is_reported(key)] or found


def _is_of(sweep: SweepRecord, offer: Offer) -> bool:
    return sweep.target.startswith(f"{offer.label}: ") if offer.is_table else sweep.target == offer.label


def _pace_of_sweep(store: Store, sweep: SweepRecord) -> Pace | None:
    from tracking.errors import InvalidDefinition
    from tracking.tuning.definition_file import read_definition

    try:
        repeats = read_definition(sweep.text).repeats
    except InvalidDefinition:  # written by another version
        return None
    first = max(0, sum(sweep.trials.values()) + sweep.taken_over - 10 * RUNS)
    ended = [
        each.duration
        for each in store.sweep_trials(sweep.name, first=first)
        if each.state == "complete" and each.duration is not None
    ]
    if not ended:
        return None
    times = 1 if repeats is None else len(repeats.values)
    return Pace(median(ended[-RUNS:]) / times, len(ended[-RUNS:]))


def _pace_of_runs(store: Store, experiment: str, script: str) -> tuple[datetime, Pace] | None:
    """Return the pace of an experiment's last finished runs, None where the last one is not of the script."""
    runs = store.search(f"status == '{RunStatus.FINISHED}'", experiment=experiment, limit=RUNS, columns=[])
    if runs.empty or not _ran(store, str(runs["run"].iloc[0]), script):
        return None
    when: datetime = runs["created"].iloc[0].to_pydatetime()
    return when, Pace(float(runs["duration"].median()), len(runs))


def _ran(store: Store, run_id: str, script: str) -> bool:
    return any(
        each.section == "script" and _is_file(each.data.get("path"), script)
        for each in store.captures(run_id)
    )


def _is_file(path: object, script: str) -> bool:
    return isinstance(path, str) and os.path.realpath(path) == script
