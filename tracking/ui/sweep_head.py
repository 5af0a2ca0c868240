"""The head of a sweep's page: where it stands, how far it is, the best so far."""

from __future__ import annotations

from typing import Final

import streamlit as st

from tracking.sweep_records import BestTrial, SweepRecord
from tracking.ui import facts, format, state, sweep_format
from tracking.ui.markdown import escape
from tracking.ui.sweep_list import show_progress
from tracking.ui.zone import reader_zone

LONG_NAME: Final = 80
BEST_SHOWN: Final = 5
"""Trials of a Pareto set that the head lists; the table has all."""
PARAMS_SHOWN: Final = 12


def heading(record: SweepRecord) -> None:
    """Draw name, state, sentence, progress and counts."""
    st.page_link(state.SWEEPS_PAGE, label="← all sweeps")
    shown = format.shorten(record.name, LONG_NAME)
    st.title(escape(shown), anchor=False, help=escape(record.name) if shown != record.name else None)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.badge(
            sweep_format.state(record.state),
            color=sweep_format.state_colour(record.state),
            help=f"{record.state}: {sweep_format.state_meaning(record.state)}",
        )
        st.caption(escape(_about(record)), width="content")
    if record.reason:
        st.markdown(escape(format.shorten(record.reason, 400)))
    if record.notes:
        st.caption(escape(format.shorten(record.notes, 400)))
    show_progress(record)
    st.caption(escape(_counts(record)))


def best(record: SweepRecord) -> None:
    """Draw the best trial with its params; of several objectives the first of the front."""
    if not record.best:
        return
    if len(record.objectives) == 1:
        found = record.best[0]
        values = {f"best {record.objectives[0].metric}": format.number(found.values[0])}
        facts.show({**values, **_trial_fact(record, found), **_params(found)})
        _open(found)
        return
    for found in record.best[:BEST_SHOWN]:
        values = {
            wanted.metric: format.number(value)
            for wanted, value in zip(record.objectives, found.values, strict=False)
        }
        with st.container(horizontal=True, gap="medium", vertical_alignment="center"):
            facts.show({**values, **_trial_fact(record, found)})
    if len(record.best) > BEST_SHOWN:
        st.caption(f"and {format.count(len(record.best) - BEST_SHOWN)} more on the front")


def _trial_fact(record: SweepRecord, found: BestTrial) -> dict[str, str]:
    elsewhere = "" if found.study == record.study else f" of {found.study}"
    return {"trial": f"{found.number}{elsewhere}"}


def _params(found: BestTrial) -> dict[str, str]:
    shown = dict(list(found.params.items())[:PARAMS_SHOWN])
    return {name: sweep_format.param(value) for name, value in shown.items()}


def _open(found: BestTrial) -> None:
    if found.run is None:
        st.caption("Its run was deleted.")
        return
    st.page_link(state.RUN_PAGE, label="Open its run", query_params={state.RUN: found.run})


def _about(record: SweepRecord) -> str:
    parts = [record.target, sweep_format.goal(record)]
    parts += [
        f"{record.sampler} sampler" if record.sampler else "",
        f"{record.pruner} pruner" if record.pruner else "",
    ]
    parts.append(f"started {format.moment(record.created, reader_zone())}")
    if record.edition > 1:
        parts.append(f"edition {record.edition}")
    return " · ".join(filter(None, parts))


def _counts(record: SweepRecord) -> str:
    said = sweep_format.counts(record)
    if record.state.is_live and record.workers is not None:
        busy = [f"trial {each.trial}" for each in record.active if each.trial is not None]
        said += f" · {len(record.active)} of {format.plural(record.workers, 'worker')}"
        said += f" ({', '.join(busy[:8])}{', …' * (len(busy) > 8)})" if busy else ""
    return said
