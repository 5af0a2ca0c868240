"""Confirmations for tests whose fresh runs are made up: no process is started."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import optuna

import tracking
from tracking.config import StoreLocation
from tracking.study_records import CAUSE, PLACE, REASON, REPEATS
from tracking.sweep_records import ConfirmationRecord
from tracking.tuning.definition_file import read_definition
from tracking.tuning.space import suggest
from tracking.tuning.sweep_state import find, opened, stopped


def give(
    location: StoreLocation, name: str, fresh: Sequence[Sequence[float | Sequence[float] | None] | None]
) -> None:
    """Give the configurations that a sweep named `name` confirms their fresh values, in order.

    A None in them makes the trial a failed one; None in place of them leaves the configuration waiting.
    """
    with tracking.open_store(location.root) as store:
        (record,) = [
            each
            for sweep in store.sweeps()
            for each in store.confirmations(sweep.name)
            if each.own.name == name
        ]
    definition = read_definition(record.own.text)
    study = optuna.load_study(study_name=name, storage=tracking.study_storage(location.root))
    for place, (trial, values) in enumerate(zip(record.trials, fresh, strict=True)):
        if values is None:
            continue
        study.enqueue_trial(dict(trial.params), user_attrs={PLACE: place})
        asked = study.ask()
        suggest(asked, definition.space)
        asked.set_user_attr(REPEATS, list(values))
        known = [value for value in values if value is not None]
        if len(known) == len(values):
            study.tell(asked, np.mean(np.array(known), axis=0).tolist())
        else:
            asked.set_user_attr(CAUSE, "incomplete")
            asked.set_user_attr(REASON, "A repeat is missing: no luck.")
            study.tell(asked, state=optuna.trial.TrialState.FAIL)


def end(location: StoreLocation, name: str) -> None:
    """Say of a sweep that it was stopped."""
    with opened(location) as engines:
        find(engines, location, name).set_attributes(stopped())


def confirmation(location: StoreLocation, name: str) -> ConfirmationRecord:
    """Return the newest confirmation of a sweep."""
    with tracking.open_store(location.root) as store:
        return store.confirmations(name)[0]
