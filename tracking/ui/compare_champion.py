"""Compared runs and the champion: adding it to the comparison, each run against it, promoting one of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import streamlit as st

from tracking.records import RunRecord
from tracking.registry_records import VersionRecord
from tracking.ui import champion_panel, format, promote_dialog, state
from tracking.ui.markdown import escape

if TYPE_CHECKING:
    from tracking.store import Store

LOOKED_AT: Final = 12
"""Compared runs whose champions are offered."""
JUDGED: Final = 6
"""Compared runs that are held against the champion, each with its sentence."""
NAME: Final = 40


def offer(store: Store, runs: Sequence[RunRecord]) -> None:
    """Draw a button for each champion that is not among the runs, which adds it; nothing where there is none."""
    ids = [run.id for run in runs]
    missing = [each for each in champions(store, runs) if each.run not in ids]
    if not missing or len(ids) >= state.MAX_RUNS:
        return
    with st.container(horizontal=True, gap="small", key="compare.champions"):
        for version in missing[: champion_panel.MOST]:
            st.button(
                f"Add champion {escape(format.shorten_middle(version.model, NAME))}/{version.number}",
                key=f"compare.champion.{version.model}",
                on_click=state.set_run_ids,
                args=([*ids, version.run],),
                help=escape(f"Run {format.shorten_middle(version.run_name, NAME)} of {version.experiment}"),
            )


def show(store: Store, runs: Sequence[RunRecord]) -> None:
    """Draw each run against the champion, with what can be done about it; nothing where there is nothing to say."""
    ended = [run for run in runs if run.status.is_final]
    found = champions(store, runs)
    # Alone in its experiment the champion has nobody to be held against.
    mine = [
        run
        for run in ended
        if promote_dialog.can_promote(store, run)
        or any(each.run != run.id for each in champion_panel.champions_of(store, run.id))
    ]
    if not mine:
        return
    one = len(found) == 1
    heading = champion_panel.against(found[0]) if one else "Against the champion" if found else "Promote"
    st.subheader(escape(heading))
    for run in mine[:JUDGED]:
        champion_panel.show(
            store,
            run,
            key=f"compare.{run.id}",
            about=format.shorten_middle(run.name, NAME),
            compares=False,
            names=not one,
        )
    if len(mine) > JUDGED:
        st.caption(
            f"The first {JUDGED} of {format.plural(len(mine), 'run')}; the others are held against it on theirs."
        )


def champions(store: Store, runs: Sequence[RunRecord]) -> list[VersionRecord]:
    """Return the champions of the models that the runs may be versions of, each once."""
    found: dict[str, VersionRecord] = {}
    for run in runs[:LOOKED_AT]:
        for version in champion_panel.champions_of(store, run.id):
            found.setdefault(version.model, version)
    return list(found.values())
