"""What the pages of sweeps keep between reruns, keyed on revisions as in `tracking.ui.cache`."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, Any, TypeVar, cast

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from tracking.analysis.pareto import pareto_front
from tracking.analysis.trials import finished, trial_frame, value_columns
from tracking.study_records import TrialRecord
from tracking.sweep_records import SweepRecord
from tracking.ui import sweep_axes, sweep_definition, sweep_trial_table

if TYPE_CHECKING:
    import pandas as pd

    from tracking.store import Store
    from tracking.tuning.definition import SweepDefinition

Made = TypeVar("Made")


def trials(store: Store, record: SweepRecord) -> list[TrialRecord]:
    """Return the trials of a sweep's present study in order of number. Shared: read only."""
    return _trials(_root(store), record.study, record.revision, record.name, store)


def frame(store: Store, record: SweepRecord) -> pd.DataFrame:
    """Return the trial frame of a sweep's present study. Shared: read only."""
    return _frame(_root(store), record.study, record.revision, record, store)


def front(store: Store, record: SweepRecord) -> NDArray[np.bool_] | None:
    """Return which rows of the frame are on the Pareto front; None for a single objective."""
    if len(record.objectives) < 2:
        return None
    return _front(_root(store), record.study, record.revision, record, store)


def varying(store: Store, record: SweepRecord) -> list[str]:
    """Return the columns of params that tell the trials apart."""
    return _varying(_root(store), record.study, record.revision, record, store)


def definition(store: Store, record: SweepRecord) -> SweepDefinition | None:
    """Return a sweep's definition, None where this version cannot read it. Shared: read only."""
    return made(store, record, "definition", lambda: sweep_definition.definition_of(record))


def logarithmic(store: Store, record: SweepRecord) -> frozenset[str]:
    """Return the columns of params that are drawn by their logarithm."""
    return _logarithmic(_root(store), record.study, record.revision, record, store)


def made(store: Store, record: SweepRecord, what: str, make: Callable[[], Made]) -> Made:
    """Return what `make` returns, kept under the name `what` until the sweep moves on. Shared: read only."""
    return cast(Made, _made(_root(store), record.study, record.revision, what, make))


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
def _trials(root: str, study: str, revision: int, sweep: str, _store: Store) -> list[TrialRecord]:
    return _store.sweep_trials(sweep, study=study)


@st.cache_resource(max_entries=4, show_spinner=False)
def _frame(root: str, study: str, revision: int, _record: SweepRecord, _store: Store) -> pd.DataFrame:
    return trial_frame(trials(_store, _record), _record.objectives)


@st.cache_resource(max_entries=8, show_spinner=False)
def _front(root: str, study: str, revision: int, _record: SweepRecord, _store: Store) -> NDArray[np.bool_]:
    found = frame(_store, _record)
    columns = list(value_columns(_record.objectives))
    values = found[columns].to_numpy(dtype=np.float64)
    return pareto_front(values, [each.goal for each in _record.objectives], finished(found, columns))


@st.cache_resource(max_entries=8, show_spinner=False)
def _varying(root: str, study: str, revision: int, _record: SweepRecord, _store: Store) -> list[str]:
    return sweep_trial_table.varying(frame(_store, _record))


@st.cache_resource(max_entries=8, show_spinner=False)
def _logarithmic(root: str, study: str, revision: int, _record: SweepRecord, _store: Store) -> frozenset[str]:
    said_by = definition(_store, _record)
    said = {} if said_by is None else {param.name: param.log for param in said_by.space}
    return sweep_axes.logarithmic(frame(_store, _record), said)


@st.cache_resource(max_entries=128, show_spinner=False)
def _made(root: str, study: str, revision: int, what: str, _make: Callable[[], Any]) -> Any:
    return _make()
