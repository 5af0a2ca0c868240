"""The models of a run's child runs, where it logged none itself: which one is meant is chosen, and said."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from tracking.analysis.reported import aimed
from tracking.records import RunRecord
from tracking.ui import cache, format, registry_cache
from tracking.ui.markdown import escape

if TYPE_CHECKING:
    from tracking.store import Store

_LABEL = 160


def are_there(store: Store, run: RunRecord) -> bool:
    """Whether a child run of a run logged a model."""
    return bool(registry_cache.children_with_models(store, run.id, limit=1))


def choose(store: Store, run: RunRecord, *, key: str) -> RunRecord:
    """Draw which child run's model is meant, the first one until another is chosen; the run itself without any."""
    found = registry_cache.children_with_models(store, run.id)
    if not found:
        return run
    several = "its child run did" if len(found) == 1 else f"{format.count(len(found))} of its child runs did"
    st.markdown(f"**{escape(format.shorten_middle(run.name, 80))}** logged no model itself; {several}.")
    if len(found) == 1:
        return found[0]
    labels = _labels(store, found)
    place: int = st.selectbox(
        "Child run whose model it is",
        range(len(found)),
        format_func=labels.__getitem__,
        key=key,
        help="In the order in which they were started. What repeats one configuration differs by chance: the evidence "
        "is the same for each, and no gate asks for the luckiest one.",
    )
    return found[place]


def _labels(store: Store, found: list[RunRecord]) -> list[str]:
    from tracking.registry.parts import described

    labels = []
    for place, (run, text) in enumerate(zip(found, described(found), strict=True), 1):
        metric = next(iter(aimed(run.metrics, cache.goals(store, [run.experiment]))), None)
        value = "" if metric is None else f", {metric} {format.number(run.metrics[metric].last)}"
        labels.append(format.shorten_middle(f"{place} of {len(found)}: {text}{value}", _LABEL, 60))
    return labels
