"""Taking trials: each by one worker, never more than the budget allows."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from optuna.exceptions import UpdateFinishedTrialError
from optuna.trial import FrozenTrial, TrialState

from tracking.spool.lock import wait_lock
from tracking.study_records import WORKER
from tracking.tuning.execution.orders import RUNS, Orders, judge, read_orders
from tracking.tuning.execution.places import SweepPlaces, read_json
from tracking.tuning.samplers import is_enumerated
from tracking.tuning.storage import StudyStorage


@dataclass(frozen=True, slots=True)
class Claim:
    """A trial that runs from now on, by the worker that claimed it.

    Attributes:
        trial_id: As the storage knows it.
        number: Its place in the study.
        orders: As they were when it was claimed: the trial keeps to that definition.
    """

    trial_id: int
    number: int
    orders: Orders


@contextmanager
def asking(places: SweepPlaces) -> Iterator[None]:
    """Hold the lock under which trials are claimed and put in the queue."""
    lock = wait_lock(places.ask_lock)
    try:
        yield
    finally:
        lock.close()


def seconds_spent(places: SweepPlaces) -> float:
    """Return how long supervisors of the sweep have run."""
    said = (read_json(places.clock) or {}).get("seconds")
    return float(said) if isinstance(said, int | float) and math.isfinite(said) else 0.0


def claim(storage: StudyStorage, study: int, places: SweepPlaces, token: str) -> Claim | None:
    """Return a trial that this worker has to run, None when there is none for it now.

    Args:
        storage: Of the study.
        study: Its id.
        places: Of the sweep.
        token: The worker's; its lock is held.
    """
    with asking(places):
        orders = read_orders(storage.get_study_system_attrs(study))
        if orders.wanted != RUNS or orders.outcome is not None or token in orders.leaving:
            return None
        trials = storage.get_all_trials(study, deepcopy=False)
        for trial in trials:
            # It was claimed before, and the database was locked before the worker had heard of it.
            if trial.state is TrialState.RUNNING and trial.user_attrs.get(WORKER) == token:
                return Claim(trial._trial_id, trial.number, orders)
        if not judge(orders, trials, seconds_spent(places)).goes_on:
            return None
        for trial in trials:
            if trial.state is TrialState.WAITING and _take(storage, trial, token):
                return Claim(trial._trial_id, trial.number, orders)
        if is_enumerated(orders.definition):
            return None  # the supervisor says which are next
        trial_id = storage.create_new_trial(study, _running(token))
        return Claim(trial_id, storage.get_trial(trial_id).number, orders)


def _take(storage: StudyStorage, trial: FrozenTrial, token: str) -> bool:
    try:
        storage.set_trial_user_attr(trial._trial_id, WORKER, token)
        return storage.set_trial_state_values(trial._trial_id, TrialState.RUNNING)
    except UpdateFinishedTrialError:
        return False


def _running(token: str) -> FrozenTrial:
    """Return a template of a trial that runs and names its worker from its first moment on."""
    return FrozenTrial(
        number=-1,
        trial_id=-1,
        state=TrialState.RUNNING,
        value=None,
        values=None,
        datetime_start=datetime.now(UTC),
        datetime_complete=None,
        params={},
        distributions={},
        user_attrs={WORKER: token},
        system_attrs={},
        intermediate_values={},
    )
