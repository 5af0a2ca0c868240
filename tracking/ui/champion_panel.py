"""A run against the champion: how sure it is that one is better, and what can be done about it.

Drawn wherever a run is shown: on its own page, for the runs of a comparison, for the winner of a sweep.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import streamlit as st

from tracking.analysis.reported import aimed
from tracking.errors import TrackingError
from tracking.records import RunRecord
from tracking.registry_records import Evidence, Verdict, VersionRecord
from tracking.sweep_records import SweepRecord
from tracking.ui import (
    access,
    cache,
    champion_marks,
    evidence_view,
    feedback,
    format,
    frame,
    navigation,
    promote_dialog,
    registry_cache,
    repeat_form,
    state,
    watch,
)
from tracking.ui.evidence_view import MARKS
from tracking.ui.markdown import code, escape

if TYPE_CHECKING:
    from tracking.store import Store

MOST: Final = 3
"""Champions that a run is compared with; of as many models."""
ENOUGH: Final = 5
"""Runs of a side from which evidence no longer says that there are too few."""
SENTENCE: Final = 600
REPEAT: Final = "Repeat…"
NAME: Final = 40


def champions_of(store: Store, run_id: str) -> Sequence[VersionRecord]:
    """Return the champions of models whose versions come from the run's experiment. Shared: read only."""
    return _champions_of(_root(store), registry_cache.revision(store), cache.revisions(store), run_id, store)


def deciding(store: Store, run: RunRecord) -> str | None:
    """Return the metric by which a run is held against another: the first one with a goal, or None."""
    found = aimed(run.metrics, cache.goals(store, [run.experiment]))
    return found[0] if found else None


def evidence_of(store: Store, run: RunRecord, champion: str, metric: str) -> Evidence:
    """Return how sure it is that a run's configuration is better than another's. Shared: read only."""
    seen = (registry_cache.revision(store), cache.revisions(store))
    return _evidence_of(_root(store), *seen, run.id, champion, metric, store)


def show(
    store: Store,
    run: RunRecord,
    *,
    key: str,
    about: str = "",
    compares: bool = True,
    repeat: str = REPEAT,
    names: bool = True,
) -> None:
    """Draw a run against the champions as a section of its own, live while fresh runs of it go on.

    Args:
        store: That has it.
        run: One that has ended.
        key: Distinguishes several runs on one page.
        about: What the run is, such as "The winner, trial 7"; left out where the page says it.
        compares: Whether a link leads to the comparison with the champion.
        repeat: What the button of fresh runs says; empty where the page has another one for them.
        names: Whether the champion is named; not where the page has named the only one.
    """
    begun = repeat_form.started(store, run)
    live = any(each.state.is_live for each in begun)
    read = watch.first(begun, lambda: repeat_form.started(store, run))

    @frame.live(every=watch.live_seconds(live))
    def live_panel() -> None:
        """The run against the champions, as it is now."""
        there = read()
        # First, as it takes the click on a button that may have come in the very moment when the last run ended.
        draw(store, run, there, key=key, about=about, compares=compares, repeat=repeat, names=names)
        navigation.follow()
        if live and not any(each.state.is_live for each in there):
            st.rerun()  # the run's group is whole: what else the page says of it, too

    with st.container():
        live_panel()


def sentence(evidence: Evidence) -> str:
    """Return what evidence says as Markdown on one line, with its mark."""
    return f"**{MARKS[evidence.verdict]}** {escape(format.shorten(evidence.sentence, SENTENCE))}"


def wants_runs(evidence: Evidence | None) -> tuple[bool, bool]:
    """Return whether more runs of the candidate would say more, and whether more of the champion would."""
    if evidence is None or not (evidence.few or evidence.verdict in (Verdict.SINGLE_RUN, Verdict.NO_DATA)):
        return False, False
    if evidence_view.one_group(evidence):
        return False, False
    return len(evidence.candidate) < ENOUGH, len(evidence.champion) < ENOUGH


def promote(store: Store, run: RunRecord, *, key: str, label: str = "Promote…") -> None:
    """Draw the button that opens the dialog of promotion for a run's model."""
    if not access.may_act():
        with st.popover(label, key=f"{key}.promote.locked"):
            access.gate("promote a model", key=f"{key}.promote.access")
        return
    if st.button(
        label,
        key=f"{key}.promote",
        help="Shows what its gates find before anything changes; registers its model where it is not yet.",
    ):
        promote_dialog.open_for_run(store, run)


def draw(
    store: Store,
    run: RunRecord,
    there: Sequence[SweepRecord],
    *,
    key: str,
    about: str = "",
    compares: bool = True,
    repeat: str = REPEAT,
    names: bool = True,
    within: str = "",
) -> None:
    """Draw what `show` does, inside of a section that there is already.

    Args:
        store: As for `show`.
        run: As for `show`.
        there: The sweeps that repeat the run.
        key: As for `show`.
        about: As for `show`.
        compares: As for `show`.
        repeat: As for `show`.
        names: As for `show`.
        within: Name of the sweep of which the section is: how that one stands is said beside it.
    """
    champions = champions_of(store, run.id)
    rivals = [each for each in champions if each.run != run.id][:MOST]
    versions = registry_cache.run_versions(store, run.id)
    if not (repeat or rivals or versions or promote_dialog.can_promote(store, run)):
        return
    if about:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown(f"**{escape(about)}**", width="content")
            champion_marks.draw(versions)
    wanted = [wants_runs(_against(store, run, rival, names=names)) for rival in rivals]
    more_runs = bool(repeat) and any(own for own, _ in wanted)
    idle = access.may_act() and not any(each.state.is_live for each in there)
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"{key}.actions"):
        if promote_dialog.can_promote(store, run):
            promote(store, run, key=key)
        for rival in rivals if compares else ():
            st.page_link(
                state.COMPARE_PAGE,
                label=f"Compare with champion {escape(_shown(rival))} →",
                query_params={state.RUNS: f"{run.id},{rival.run}"},
            )
        for rival, (_, of_champion) in zip(rivals, wanted, strict=True):
            if of_champion:
                st.page_link(
                    state.RUN_PAGE,
                    label=f"Open champion {escape(_shown(rival))} to repeat it →",
                    query_params={state.RUN: rival.run},
                )
        if repeat and idle and not more_runs:
            with st.popover(repeat, key=f"{key}.repeat.open"):
                st.caption("Runs the same configuration again, to see how far its result varies.")
                repeat_form.draw(store, run, there, key=key)
        for version in versions[:MOST]:
            st.page_link(
                state.MODEL_PAGE,
                label=f"Open {escape(_shown(version))} →",
                query_params={state.MODEL: version.model, state.VERSION: str(version.number)},
            )
    if more_runs and idle:
        # A field with its label over it stands lower than links and buttons: a row of its own.
        with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key=f"{key}.repeats"):
            repeat_form.draw(store, run, there, key=key)
    if repeat:
        repeat_form.outcome(run, [each for each in there if each.name != within])


def against(rival: VersionRecord) -> str:
    """Return what stands over the evidence against a champion."""
    run = format.shorten_middle(rival.run_name, NAME)
    return f"Against the champion of {rival.model}, version {rival.number} ({run})"


def _against(store: Store, run: RunRecord, rival: VersionRecord, *, names: bool) -> Evidence | None:
    """Draw what is known of a run against a champion, and return it; None where nothing can be."""
    said = against(rival) if names else ""
    metric = deciding(store, run)
    if metric is None:
        _name(said)
        st.caption(
            "No metric of the run has a goal, so nothing says which one decides. In the script: "
            + code('tracking.define_metric("accuracy", goal="maximize")')
        )
        return None
    try:
        evidence = evidence_of(store, run, rival.run, metric)
    except TrackingError as error:
        _name(said)
        feedback.show_error(error)
        return None
    with st.container(gap="xxsmall"):
        _name(said)
        st.markdown(sentence(evidence))
        evidence_view.left_out(evidence)
    return evidence


def _name(said: str) -> None:
    if said:
        st.caption(escape(said))


def _shown(version: VersionRecord) -> str:
    return f"{format.shorten_middle(version.model, NAME)}/{version.number}"


def _root(store: Store) -> str:
    return str(store.location.root)


@st.cache_resource(max_entries=128, show_spinner=False)
def _champions_of(
    root: str, revision: int, runs: cache.Revisions, run_id: str, _store: Store
) -> Sequence[VersionRecord]:
    return tuple(_store.champion_of(run_id))


@st.cache_resource(max_entries=128, show_spinner=False)
def _evidence_of(
    root: str,
    revision: int,
    runs: cache.Revisions,
    candidate: str,
    champion: str,
    metric: str,
    _store: Store,
) -> Evidence:
    return _store.evidence(candidate, champion, metric)
