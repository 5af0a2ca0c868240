"""A sweep's next study: opened where Optuna cannot go on under a changed space, with the trials that still fit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from tracking.database import sweep_queries
from tracking.database.study_ops import STATES, Op, OpCode
from tracking.database.study_reaping import reap
from tracking.database.sweep_standing import standing
from tracking.errors import StoreBusy
from tracking.spool.lock import wait_lock
from tracking.study_records import CAUSE, REASON
from tracking.sweep_records import BEFORE, NEXT, OUTCOME, PREVIOUS, PROJECT, STOPPED, WANTED
from tracking.tuning.definition import SweepDefinition
from tracking.tuning.execution.places import SweepPlaces
from tracking.tuning.space import fits
from tracking.tuning.spawning import HANDOVER, SUPERVISOR, spawn
from tracking.tuning.storage import StudyStorage
from tracking.tuning.study_draft import StudyDraft
from tracking.tuning.sweep_state import Sweep, append, definition_attribute, find, now, wanted
from tracking.tuning.taken import compatible_trials

MOVED = "It had not begun when the sweep went on in its next study."
CHUNK = 500


@dataclass(frozen=True, slots=True)
class Opened:
    """A next study.

    Attributes:
        sweep: With that study as its present one.
        sentence: What was done with the trials that there were.
    """

    sweep: Sweep
    sentence: str


def open_next(sweep: Sweep, definition: SweepDefinition, what: str, edited: str, why: str) -> Opened:
    """Open the next study of a sweep, and let the sweep go on in it if it was going on.

    Trials that run end in their own study and are taken over then; those that wait are enqueued again as far as
    they fit.

    Args:
        sweep: As its editor has it.
        definition: The changed one.
        what: The kind of the edit.
        edited: A sentence that says what was changed.
        why: Why the present study cannot go on.
    """
    present = sweep.present
    reap(sweep.location, sweep.engines, study=present.number)
    before = {key: present.attributes.get(key) for key in (WANTED, OUTCOME)}
    goes_on = sweep.wanted == "run" and sweep.outcome is None
    places = SweepPlaces(sweep.location, present.number)
    places.make()
    sweep.set_attributes(wanted("drain"))
    asking = wait_lock(places.ask_lock)  # nobody takes a trial from here on
    try:
        waiting = _waiting(sweep)
        record = sweep.record()
        running = record.trials["running"]
        taken, left = compatible_trials(sweep.engines, sweep.chain, definition)
        draft = StudyDraft([StudyDirection(number) for number in present.directions])
        kept = [params for params in map(_fixed, waiting) if _may_have(definition, params)]
        sentence = _sentence(edited, why, len(taken), left, running, len(waiting), len(kept))
        draft.set_attributes(
            {
                **definition_attribute(definition, sweep.edition + 1),
                PROJECT: str(sweep.project),
                PREVIOUS: present.name,
                # What runs on in the old study uses up the budget too.
                BEFORE: {"trials": record.done + running, "seconds": record.elapsed or 0.0},
                **(wanted("run") if goes_on else before),
            }
        )
        for trial in taken:
            draft.add(trial)
        for params in kept:
            draft.enqueue(params)
        name = _write(draft, sweep, present.experiment)
        new = find(sweep.engines, sweep.location, name)
        new.set_attributes(new.edit_attributes(what, sentence, new.edition))
        append(sweep.engines, present.number, _moved(waiting))
        sweep.set_attributes({NEXT: name})
    except BaseException:
        if sweep.present.name == find(sweep.engines, sweep.location, sweep.name).present.name:
            sweep.set_attributes(before)
        raise
    finally:
        asking.close()
    if goes_on:
        module = HANDOVER if earlier_alive(new) else SUPERVISOR
        spawn(sweep.location, new.present.number, name, definition, module)
    return Opened(find(sweep.engines, sweep.location, name), sentence)


def take_over_rest(sweep: Sweep) -> int:
    """Take over the trials that ended in earlier studies since the present one was opened; returns how many.

    Nothing is taken twice, whoever calls it, as long as only one does at a time: hold the sweep's edit lock.
    """
    if len(sweep.chain) == 1:
        return 0
    with sweep.engines.reading() as connection:
        known = sweep_queries.linked_runs(connection, sweep.present.number)
    taken, _ = compatible_trials(sweep.engines, sweep.chain[:-1], sweep.definition, known=frozenset(known))
    if not taken:
        return 0
    draft = StudyDraft([StudyDirection(number) for number in sweep.present.directions])
    for trial in taken:
        draft.add(trial)
    ops = draft.trial_ops
    for at in range(0, len(ops), CHUNK):
        append(sweep.engines, sweep.present.number, ops[at : at + CHUNK])
    return len(taken)


def earlier_alive(sweep: Sweep) -> bool:
    """Whether processes still work on an earlier study of a sweep."""
    stands = [standing(sweep.location, study.number, study.name) for study in sweep.chain[:-1]]
    return any(each.supervised or each.awaited or each.workers for each in stands)


def _write(draft: StudyDraft, sweep: Sweep, experiment: str) -> str:
    first = len(sweep.chain) + 1
    for number in range(first, first + 1000):
        name = f"{sweep.name} ({number})"
        if draft.write(sweep.engines, name, experiment) is not None:
            return name
    raise StoreBusy(f"There are a thousand studies named {sweep.name!r} with a number.")


def _waiting(sweep: Sweep) -> list[FrozenTrial]:
    """Return the trials that wait. What they are to have stands in the journal alone, which is replayed."""
    with sweep.engines.reading() as connection:
        if not sweep_queries.count_trials(connection, sweep.present.number, "waiting"):
            return []
    storage = StudyStorage(sweep.location)
    try:
        return storage.get_all_trials(sweep.present.number, states=(TrialState.WAITING,))
    finally:
        storage.remove_session()


def _fixed(trial: FrozenTrial) -> Mapping[str, Any]:
    found = trial.system_attrs.get("fixed_params")
    return found if isinstance(found, dict) else {}


def _may_have(definition: SweepDefinition, params: Mapping[str, Any]) -> bool:
    space = {param.name: param for param in definition.space}
    return all(name in space and fits(space[name], value) for name, value in params.items())


def _moved(trials: list[FrozenTrial]) -> list[Op]:
    ops: list[Op] = []
    for trial in trials:
        about = {"worker_id": "", "trial_id": trial.number}
        for key, value in ((REASON, MOVED), (CAUSE, STOPPED)):
            ops.append({"op_code": OpCode.SET_TRIAL_USER_ATTR.value, "user_attr": {key: value}, **about})
        ops.append(
            {
                "op_code": OpCode.SET_TRIAL_STATE_VALUES.value,
                "state": STATES.index("fail"),
                "values": None,
                "datetime_complete": now(),
                **about,
            }
        )
    return ops


def _sentence(edited: str, why: str, taken: int, left: int, running: int, waiting: int, kept: int) -> str:
    parts = [
        edited,
        f"That needs a study of its own ({why}): the sweep's next one.",
    ]
    if taken or left:
        rest = f"; {left} do not fit the new space and stay in the earlier study" if left else ""
        parts.append(f"{_trials(taken)} of before {'is' if taken == 1 else 'are'} known to it{rest}.")
    if running:
        parts.append(
            f"{_trials(running)} still {'runs' if running == 1 else 'run'} in the earlier study first."
        )
    if waiting:
        parts.append(f"Of {_trials(waiting)} that waited, {kept} wait here.")
    return " ".join(parts)


def _trials(count: int) -> str:
    return "1 trial" if count == 1 else f"{count} trials"
