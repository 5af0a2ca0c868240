"""What the pages of sweeps keep between reruns, keyed on revisions as in `tracking.ui.cache`."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, TypeVar, cast

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from tracking.analysis.pareto import pareto_front
from tracking.analysis.trials import feasible, finished, trial_frame, value_columns
from tracking.study_records import TrialRecord
from tracking.sweep_records import SweepRecord
from tracking.ui import format, sweep_axes, sweep_definition, sweep_trial_table
from tracking.ui.sweep_snapshots import Snapshots

if TYPE_CHECKING:
    import pandas as pd

    from tracking.store import Store
    from tracking.tuning.definition import SweepDefinition

Made = TypeVar("Made")
_TRIALS = "trials"


def trials(store: Store, record: SweepRecord) -> list[TrialRecord]:
    """Return the trials of a sweep's present study in order of number. Shared: read only."""

    def make(now: SweepRecord) -> list[TrialRecord]:
        known: list[TrialRecord] = _snapshots(_root(store)).before(now, _TRIALS) or []
        return store.sweep_trials(now.name, study=now.study, known=known)

    return made(store, record, _TRIALS, make)


def frame(store: Store, record: SweepRecord) -> pd.DataFrame:
    """Return the trial frame of a sweep's present study. Shared: read only."""
    return made(store, record, "frame", lambda now: trial_frame(trials(store, now), now.objectives))


def front(store: Store, record: SweepRecord) -> NDArray[np.bool_] | None:
    """Return which rows of the frame are on the Pareto front; None for a single objective."""

    def make(now: SweepRecord) -> NDArray[np.bool_]:
        found, columns = frame(store, now), list(value_columns(now.objectives))
        values = found[columns].to_numpy(dtype=np.float64)
        competing = finished(found, columns) & feasible(found)
        return pareto_front(values, [each.goal for each in now.objectives], competing)

    return None if len(record.objectives) < 2 else made(store, record, "front", make)


def varying(store: Store, record: SweepRecord) -> list[str]:
    """Return the columns of params that tell the trials apart."""
    return made(store, record, "varying", lambda now: sweep_trial_table.varying(frame(store, now)))


def definition(store: Store, record: SweepRecord) -> SweepDefinition | None:
    """Return a sweep's definition, None where this version cannot read it. Shared: read only."""
    return made(store, record, "definition", sweep_definition.definition_of)


def logarithmic(store: Store, record: SweepRecord) -> frozenset[str]:
    """Return the columns of params that are drawn by their logarithm."""

    def make(now: SweepRecord) -> frozenset[str]:
        said_by = definition(store, now)
        said = {} if said_by is None else {param.name: param.log for param in said_by.space}
        return sweep_axes.logarithmic(frame(store, now), said)

    return made(store, record, "logarithmic", make)


def made(
    store: Store, record: SweepRecord, what: str, make: Callable[[SweepRecord], Made], *, again: bool = True
) -> Made:
    """Return what `make` returns for the sweep's revision, made once. Shared: read only.

    Args:
        store: The store.
        record: The sweep at that revision.
        what: Names it.
        make: Makes it of a record of the sweep, of this or a later revision, and of constants; draws nothing.
        again: Whether a later revision will want it too; not what hangs on a page of a table, say.
    """
    return cast(Made, _snapshots(_root(store)).of(record).made(what, make, again=again))


def shown(store: Store, record: SweepRecord) -> SweepRecord:
    """Return the record to draw charts and trials from, which of a large live sweep may be a little behind."""
    return _snapshots(_root(store)).shown(record)


def behind_note(store: Store, shown_: SweepRecord, record: SweepRecord) -> str:
    """Return how much what is shown is behind, as the end of a line; empty where it is not."""
    if shown_.revision == record.revision:
        return ""
    return f" · as of {format.duration(max(1.0, _snapshots(_root(store)).age(shown_)))} ago"


def standing(store: Store, name: str) -> Hashable:
    """Return what the page of a sweep hangs on: another one means that something has happened. Uncached."""
    return standing_of(store.sweep(name))


def standing_of(record: SweepRecord) -> Hashable:
    """Return what the page of a sweep hangs on, from its record."""
    return (record.state, record.reason, record.revision, record.active)


def all_standing(store: Store) -> Hashable:
    """Return what the list of sweeps hangs on. Uncached."""
    return tuple((record.name, record.state, record.revision) for record in store.sweeps())


def _root(store: Store) -> str:
    return str(store.location.root)


@st.cache_resource(max_entries=4, show_spinner=False)
def _snapshots(root: str) -> Snapshots:
    return Snapshots()
