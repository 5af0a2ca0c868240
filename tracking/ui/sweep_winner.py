"""The winner of a sweep against the champion, and the trial that fresh runs find better."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracking.errors import NotFound
from tracking.records import RunRecord
from tracking.sweep_records import ConfirmationRecord, SweepRecord
from tracking.ui import cache, champion_panel, promote_dialog, repeat_form

if TYPE_CHECKING:
    from tracking.analysis.confirmation import Confirmation
    from tracking.store import Store


def show(store: Store, record: SweepRecord) -> None:
    """Draw the best trial of an ended sweep against the champion.

    Nothing is drawn of several objectives, of which no trial is the best, or of a sweep that runs what was run before.
    """
    if record.state.is_live or record.confirms is not None or record.repeats_run is not None:
        return
    if len(record.objectives) != 1 or not record.best:
        return
    run = _run(store, record.best[0].run)
    if run is not None and run.status.is_final:
        trial = f"trial {record.best[0].number}"
        # Without a champion its fresh runs are those of the best configurations, which are confirmed below.
        repeat = f"Repeat {trial} alone…" if champion_panel.champions_of(store, run.id) else ""
        champion_panel.show(store, run, key="sweep.winner", about=f"The winner, {trial}", repeat=repeat)


def confirmed(store: Store, sweep: SweepRecord, record: ConfirmationRecord, found: Confirmation) -> None:
    """Draw the configuration that does best on fresh runs against the champion, where it is not the sweep's winner.

    Its model is that of its trial in the sweep; where that has none, the one that was fitted in the confirmation.
    """
    if record.own.state.is_live or len(record.own.objectives) != 1:
        return
    if not found.trials or found.trials[0].mean is None:
        return
    first = next(each for each in record.trials if each.trial == found.trials[0].trial)
    if sweep.best and first.run == sweep.best[0].run:
        return
    runs = [each for each in (_run(store, first.run), _run(store, first.fresh_run)) if each is not None]
    chosen = next((run for run in runs if promote_dialog.can_promote(store, run)), runs[0] if runs else None)
    if chosen is not None:
        key = f"sweep.confirmed.{record.own.studies[0]}"
        there = repeat_form.started(store, chosen)
        champion_panel.draw(
            store,
            chosen,
            there,
            key=key,
            about=f"Best on fresh runs, trial {first.trial}",
            repeat=f"Repeat trial {first.trial} alone…",
            within=record.own.name,
        )


def _run(store: Store, run_id: str | None) -> RunRecord | None:
    try:
        return None if run_id is None else cache.run(store, run_id)
    except NotFound:
        return None
