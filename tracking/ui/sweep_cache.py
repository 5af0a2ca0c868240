"""What the pages of sweeps keep between reruns, keyed on revisions as in `tracking.ui.cache`."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING

import streamlit as st

from tracking.study_records import TrialRecord
from tracking.sweep_records import SweepRecord

if TYPE_CHECKING:
    from tracking.store import Store


def trials(store: Store, record: SweepRecord, study: str | None = None) -> list[TrialRecord]:
    """Return the trials of a sweep's present study, or of an earlier one, in order of number. Shared: read only."""
    name = study or record.study
    root = str(store.location.root)
    return _trials(root, record.name, name, store.study_revision(name), store)


def standing(store: Store, name: str) -> Hashable:
    """Return what the page of a sweep hangs on: another one means that something has happened. Uncached."""
    return standing_of(store.sweep(name))


def standing_of(record: SweepRecord) -> Hashable:
    """Return what the page of a sweep hangs on, from its record."""
    return (record.state, record.reason, record.revision, record.active)


def all_standing(store: Store) -> Hashable:
    """Return what the list of sweeps hangs on. Uncached."""
    return tuple((record.name, record.state, record.revision) for record in store.sweeps())


@st.cache_resource(max_entries=8, show_spinner=False)
def _trials(root: str, sweep: str, study: str, revision: int, _store: Store) -> list[TrialRecord]:
    return _store.sweep_trials(sweep, study=study)
