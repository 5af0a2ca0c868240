"""Versions whose run is a trial that a search picked: its score is the search's own, which luck has made higher.

What such a configuration is worth is said by the runs of it that were made after the search.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import streamlit as st

from tracking.errors import TrackingError
from tracking.registry_records import VersionRecord
from tracking.ui import cache, format, registry_cache
from tracking.ui.model_metrics import Shown

if TYPE_CHECKING:
    from tracking.store import Store

LOOKED_AT: Final = 50
"""Versions of searches whose fresh runs are counted; of more only where they are from is known."""
PICKED: Final = "picked: the search's own score"


@dataclass(frozen=True, slots=True)
class Fresh:
    """What the runs of a configuration came to that were made after the search: their mean, and how many they are."""

    mean: float | None
    count: int

    @property
    def text(self) -> str:
        """As a fact: `0.9123 (n = 5)`."""
        return "none counts" if self.mean is None else f"{format.number(self.mean)} (n = {self.count})"


def picks(store: Store, versions: Sequence[VersionRecord], shown: Sequence[Shown]) -> Mapping[int, Fresh]:
    """Return by number the versions whose run is a search's trial, with its fresh runs by the first telling metric."""
    metric = next((each for each in shown if each.goal is not None), None)
    if metric is None:
        return {}
    searched = [each for each in versions if _trials(each) > 1]
    seen = (registry_cache.revision(store), cache.revisions(store)) if searched else (0, ())
    found = {}
    for version in searched[:LOOKED_AT]:
        fresh = _fresh(str(store.location.root), *seen, version.run, metric, store)
        if fresh is not None:
            found[version.number] = fresh
    return found


def _trials(version: VersionRecord) -> int:
    told = version.lineage.get("picked_from")
    return told if isinstance(told, int) else 0


@st.cache_resource(max_entries=256, show_spinner=False)
def _fresh(
    root: str, revision: int, runs: cache.Revisions, run: str, shown: Shown, _store: Store
) -> Fresh | None:
    """Return the fresh runs, None where the run is one of them itself."""
    try:
        found = _store.evidence(run, None, shown.metric, at=shown.at, goal=shown.goal)
    except TrackingError:
        return None  # the run is gone, or its group cannot be told
    if any(point.run == run for point in found.candidate):
        return None
    values = [point.value for point in found.candidate]
    return Fresh(math.fsum(values) / len(values) if values else None, len(values))
