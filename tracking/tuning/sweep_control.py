"""What a sweep can be asked for while it goes on, and going on after it was ended."""

from __future__ import annotations

import shlex
from dataclasses import replace

from tracking.config import StoreLocation
from tracking.database.study_reaping import reap
from tracking.database.sweep_standing import standing
from tracking.errors import NotFound, RunStateError
from tracking.sweep_records import (
    OUTCOME,
    STOP_WORKERS,
    SweepRecord,
    SweepState,
)
from tracking.tuning.next_study import earlier_alive, take_over_rest
from tracking.tuning.spawning import HANDOVER, SUPERVISOR, spawn
from tracking.tuning.sweep_edits import Edited
from tracking.tuning.sweep_state import (
    Sweep,
    definition_attribute,
    editing,
    stopped,
    wanted,
)


def pause(location: StoreLocation, name: str) -> Edited:
    """Let a sweep start no further trial until it is resumed; those that run go on to their end.

    Raises:
        NotFound: There is no such sweep.
        RunStateError: It has ended.
    """
    with editing(location, name) as sweep:
        if sweep.outcome is not None:
            raise RunStateError(f"The sweep {sweep.name!r} has ended: {sweep.outcome.get('reason')}")
        return _asked(sweep, "pause", "No further trial begins.")


def stop(location: StoreLocation, name: str, *, now: bool = False) -> Edited:
    """End a sweep when the trials that run have ended, or `now`, ending them too. It can be resumed.

    Raises:
        NotFound: There is no such sweep.
        RunStateError: It has ended already.
    """
    with editing(location, name) as sweep:
        if sweep.outcome is not None and sweep.record().state is not SweepState.STOPPING:
            raise RunStateError(f"The sweep {sweep.name!r} has ended already: {sweep.outcome.get('reason')}")
        for study in sweep.chain[:-1]:
            sweep.set_attributes(wanted("stop" if now else "drain"), study=study)
        done = _asked(
            sweep,
            "stop" if now else "drain",
            "Its trials are being ended." if now else "It ends with the trials that run.",
        )
        record = done.sweep
        if record.active or record.state is not SweepState.STOPPED:
            return done
        # Nobody is there to say so.
        reap(location, sweep.engines, study=sweep.present.number)
        sweep.set_attributes(stopped())
        return Edited(sweep.record(), "It is stopped.")


def _asked(sweep: Sweep, state: str, sentence: str) -> Edited:
    what = {"pause": "pause", "drain": "stop", "stop": "stop", "run": "resume"}[state]
    sweep.set_attributes({**wanted(state), **sweep.edit_attributes(what, sentence, sweep.edition)})
    return Edited(sweep.record(), sentence)


def resume(location: StoreLocation, name: str) -> Edited:
    """Let a sweep go on that is paused, stopped, failed or interrupted, also after its machine went down.

    Raises:
        NotFound: There is no such sweep.
        RunStateError: It has finished, with its budget used.
    """
    with editing(location, name) as sweep:
        return _go_on(sweep)


def _go_on(sweep: Sweep, sentence: str = "") -> Edited:
    before = sweep.record()
    if sweep.wanted == "run" and sweep.outcome is None:
        # Said before it is looked who is there: a supervisor that is leaving reads it once it has let its lock go.
        sweep.set_attributes(wanted("run"))
        if is_on_its_way(sweep):
            return Edited(before, sentence or "It is running.")
    dead = [each for study in sweep.chain for each in reap(sweep.location, sweep.engines, study=study.number)]
    _check_budget(sweep, before)
    take_over_rest(sweep)
    again = f"{len(dead)} trial(s) had lost their worker and ended as failed. " if dead else ""
    sentence = f"{sentence} {again}It goes on.".strip()
    sweep.set_attributes(
        {**wanted("run"), OUTCOME: None, **sweep.edit_attributes("resume", sentence, sweep.edition)}
    )
    start_processes(sweep)
    return Edited(sweep.record(), sentence)


def is_on_its_way(sweep: Sweep) -> bool:
    """Whether a sweep is to run and a process lives that sees to it.

    One that was started a moment ago may not be seen yet; another one then leaves again.
    """
    stands = standing(sweep.location, sweep.present.number, sweep.present.name)
    return sweep.wanted == "run" and sweep.outcome is None and (stands.supervised or stands.awaited)


def start_processes(sweep: Sweep) -> None:
    """Start what a sweep that is to run needs: one that lives already lets the new one go."""
    module = HANDOVER if earlier_alive(sweep) else SUPERVISOR
    spawn(sweep.location, sweep.present.number, sweep.present.name, sweep.definition, module)


def _check_budget(sweep: Sweep, record: SweepRecord) -> None:
    if record.state is not SweepState.FINISHED:
        return  # nobody has ended it for that yet: its supervisor does, and keeps the best model
    budget = sweep.definition.budget
    waiting = record.trials["waiting"]
    if budget.trials is not None and record.done >= budget.trials:
        ways = f"tracking sweep add {shlex.quote(sweep.name)} --trials 10"
        raise RunStateError(
            f"The budget of {sweep.name!r} is used: {record.done} of {budget.trials} trials."
            f"{f' {waiting} wait.' if waiting else ''} To go on: {ways}"
        )
    check_time(sweep, record)


def check_time(sweep: Sweep, record: SweepRecord) -> None:
    """Raise RunStateError where a sweep has used its time, and say how to give it more."""
    budget = sweep.definition.budget
    if budget.seconds is not None and record.elapsed is not None and record.elapsed >= budget.seconds:
        raise RunStateError(
            f"The time of {sweep.name!r} is used: {record.elapsed:.0f} of {budget.seconds:g} s. "
            f"To go on: tracking sweep add {shlex.quote(sweep.name)} --time 1h"
        )


def stop_worker(location: StoreLocation, name: str, worker: str | int) -> Edited:
    """End one worker now, with the trial that it runs, and let the sweep go on with one fewer.

    Args:
        location: Of the store.
        name: Of the sweep.
        worker: Its token or its slot.

    Raises:
        NotFound: There is no such sweep, or no such worker lives.
    """
    with editing(location, name) as sweep:
        active = sweep.record().active
        found = [
            each for each in active if worker in (each.token, each.slot) or str(each.slot) == str(worker)
        ]
        if not found:
            there = ", ".join(f"{each.slot} ({each.token})" for each in active)
            raise NotFound(f"No worker {worker!r} of {sweep.name!r} lives. There are: {there or 'none'}.")
        one = found[0]
        study = next(each for each in sweep.chain if each.name == one.study)
        said = study.attributes.get(STOP_WORKERS)
        living = {each.token for each in active}
        leaving = [each for each in (said if isinstance(said, list) else []) if each in living]
        sentence = f"Worker {one.slot} is ended"
        sentence += "." if one.trial is None else f", and trial {one.trial} with it."
        values = {STOP_WORKERS: [*leaving, one.token]}
        edition, definition = sweep.edition, sweep.definition
        if definition.workers > 1:
            edition, definition = edition + 1, replace(definition, workers=definition.workers - 1)
            sentence += f" The sweep goes on with {definition.workers}."
        else:
            sentence += " Another one takes its place: the sweep has one worker. To let none work: pause."
        said_at_once = {
            **(definition_attribute(definition, edition) if edition != sweep.edition else {}),
            **sweep.edit_attributes("workers", sentence, edition),
        }
        if study is sweep.present:
            # At once, or its supervisor might replace the worker before it knows that there is to be one fewer.
            sweep.set_attributes({**said_at_once, **values})
        else:
            sweep.set_attributes(values, study=study)
            sweep.set_attributes(said_at_once)
        return Edited(sweep.record(), sentence)
