"""The head of a sweep's page: where it stands, how far it is, the best so far."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Final

import streamlit as st

from tracking.records import Goal
from tracking.sweep_records import BestTrial, SweepRecord, SweepState
from tracking.ui import facts, format, state, sweep_format, sweep_names
from tracking.ui.markdown import escape
from tracking.ui.sweep_list import show_progress
from tracking.ui.zone import reader_zone

LONG_NAME: Final = 80
PARAMS_SHOWN: Final = 12
LONG_PARAM: Final = 24
_AS_EXPECTED: Final = frozenset({SweepState.FINISHED, SweepState.STOPPED})
"""States that need no sentence of their own: why they came about is said beside the counts."""


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
        st.caption(escape(_about(record)))
    if record.confirms is not None:
        st.page_link(
            state.SWEEP_PAGE,
            label=escape(
                f"It confirms {format.shorten(record.confirms, LONG_NAME)}: see what came of it there"
            ),
            query_params={state.SWEEP: record.confirms},
        )
    if record.repeats_run is not None:
        st.page_link(
            state.RUN_PAGE,
            label="It runs the configuration of a run again: open that run",
            query_params={state.RUN: record.repeats_run},
        )
    if record.reason and record.state not in _AS_EXPECTED:
        st.markdown(escape(format.shorten(record.reason, 400)))
    if record.notes:
        st.caption(escape(format.shorten(record.notes, 400)))
    show_progress(record)
    st.caption(escape(_counts(record)))


def best(record: SweepRecord) -> None:
    """Draw the best trial with its params; of several objectives the best of each."""
    if not record.best:
        return
    if len(record.objectives) == 1:
        found = record.best[0]
        params = dict(list(found.params.items())[:PARAMS_SHOWN])
        short = sweep_names.short(list(params), LONG_PARAM)
        _row(
            [(f"best {record.objectives[0].metric}", format.number(found.values[0]))],
            record,
            found,
            [(short[name], sweep_format.param(value)) for name, value in params.items()]
            + ([("more params", format.count(more))] if (more := len(found.params) - len(params)) else []),
        )
        return
    with st.container(horizontal=True, gap="medium"):
        for place, wanted in enumerate(record.objectives):
            pick: Callable[..., BestTrial] = max if wanted.goal is Goal.MAXIMIZE else min
            found = pick(record.best, key=lambda each: each.values[place])
            with st.container(width="content"):
                _row([(f"best {wanted.metric}", format.number(found.values[place]))], record, found, [])
        with st.container(width="content"):
            facts.show({"on the Pareto front": format.plural(len(record.best), "trial")})


def _row(
    values: Sequence[tuple[str, str]], record: SweepRecord, found: BestTrial, more: Sequence[tuple[str, str]]
) -> None:
    """Draw facts of a trial, with a link to its run."""
    with st.container(horizontal=True, gap="medium", vertical_alignment="center"):
        for label, value in values:
            _fact(label, value)
        elsewhere = "" if found.study == record.study else f" of {format.shorten(found.study, 40)}"
        _fact("in trial", f"{found.number}{elsewhere}" + ("" if found.run else ", deleted"))
        for label, value in more:
            _fact(label, value)
        if found.run is not None:
            st.page_link(state.RUN_PAGE, label="Open the run →", query_params={state.RUN: found.run})


def _fact(label: str, value: str) -> None:
    text = format.shorten(value, facts.MAX_VALUE)
    with st.container(width="content", gap=None):
        st.caption(escape(format.shorten(label, facts.MAX_VALUE)))
        st.text(text, help=None if text == value else escape(value))


def outline(record: SweepRecord) -> Hashable:
    """Return what the whole page hangs on while the sweep is live: other actions, other sections."""
    failures = tuple((group.cause, group.trials, group.retried) for group in record.failures)
    workers = tuple(worker.token for worker in record.active)
    return (record.state, record.reason, record.edition, record.study, len(record.edits), failures, workers)


def _about(record: SweepRecord) -> str:
    parts = [record.target, sweep_format.goal(record)]
    parts += [
        f"{record.sampler} sampler" if record.sampler else "",
        f"{record.pruner} pruner" if record.pruner not in (None, "none") else "",
    ]
    began = "created" if record.state is SweepState.WAITING else "started"
    parts.append(f"{began} {format.moment(record.created, reader_zone())}")
    if record.edition > 1:
        parts.append(f"edition {record.edition}")
    return " · ".join(filter(None, parts))


def _counts(record: SweepRecord) -> str:
    said = sweep_format.counts(record)
    if record.state.is_live and record.workers is not None:
        busy = [f"trial {each.trial}" for each in record.active if each.trial is not None]
        said += f" · {len(record.active)} of {format.plural(record.workers, 'worker')}"
        said += f" ({', '.join(busy[:8])}{', …' * (len(busy) > 8)})" if busy else ""
    if record.reason and record.state in _AS_EXPECTED:
        said += f" · {format.shorten(record.reason, 400)}"
    return said
