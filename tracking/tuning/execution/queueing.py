"""Putting trials in the queue, each once: the first ones, enumerated ones, and those that are tried again."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from optuna.trial import FrozenTrial, TrialState

from tracking.study_records import CAUSE, PLACE, RETRY_OF, RUN
from tracking.tuning.definition import Choice, FunctionTarget, ParamKind, SweepDefinition, TableTarget
from tracking.tuning.definition_options import LISTED
from tracking.tuning.execution.claims import asking
from tracking.tuning.execution.orders import Orders, counts, retried_numbers
from tracking.tuning.execution.outcomes import Cause
from tracking.tuning.execution.places import SweepPlaces
from tracking.tuning.space import accepts, configurations
from tracking.tuning.storage import StudyStorage

FIXED = "fixed_params"
"""The system attribute of a trial under which Optuna finds the params that are not to be drawn."""
START = "podium:start"
"""System attribute of a trial that the sweep begins with: which one, from 0."""
AHEAD = 2
"""Enumerated trials that wait beside one for each worker."""


class Queue:
    """Puts trials of one sweep in the queue; for its supervisor.

    Args:
        storage: Of the study.
        study: Its id.
        places: Of the sweep.
    """

    def __init__(self, storage: StudyStorage, study: int, places: SweepPlaces) -> None:
        self._storage, self._study, self._places = storage, study, places
        self._walk: Iterator[dict[str, Choice]] | None = None
        self._walked = -1  # the edition that is walked
        self.is_exhausted = False
        """Whether every configuration of an enumerated space is or was a trial."""

    def begin(self, orders: Orders) -> int:
        """Put the configurations in the queue that the sweep begins with; returns how many were not there yet."""
        if orders.goes_on or orders.definition.sampler.name == LISTED:
            return 0
        with asking(self._places):
            there = {
                trial.system_attrs[START]
                for trial in self._storage.get_all_trials(self._study, deepcopy=False)
                if START in trial.system_attrs
            }
            new = [
                (place, params)
                for place, params in enumerate(first_configurations(orders.definition))
                if place not in there
            ]
            for place, params in new:
                self._enqueue(params, {}, {START: place})
        return len(new)

    def feed(self, orders: Orders, trials: list[FrozenTrial]) -> None:
        """Keep a few enumerated configurations in the queue."""
        if orders.definition.sampler.name == LISTED:
            self._feed_listed(orders)
            return
        if self._walk is None or self._walked != orders.edition:
            self._walk, self._walked = configurations(orders.definition.space), orders.edition
            self.is_exhausted = False
        waiting = sum(trial.state is TrialState.WAITING for trial in trials)
        if self.is_exhausted or waiting >= orders.definition.workers + AHEAD:
            return
        with asking(self._places):
            trials = self._storage.get_all_trials(self._study, deepcopy=False)
            known = {_key(params_of(trial)) for trial in trials if RUN in trial.user_attrs or counts(trial)}
            waiting = sum(trial.state is TrialState.WAITING for trial in trials)
            fixed = {param.name for param in orders.definition.space if param.kind is ParamKind.FIXED}
            while waiting < orders.definition.workers + AHEAD:
                configuration = next(self._walk, None)
                if configuration is None:
                    self.is_exhausted = True
                    return
                params = {name: value for name, value in configuration.items() if name not in fixed}
                if _key(params) not in known:
                    self._enqueue(params)
                    waiting += 1

    def _feed_listed(self, orders: Orders) -> None:
        """Put each configuration of the list in the queue that no trial is, whatever else it draws."""
        most = orders.definition.workers + AHEAD
        with asking(self._places):
            trials = self._storage.get_all_trials(self._study, deepcopy=False)
            there = {trial.user_attrs.get(PLACE) for trial in trials if counts(trial)}
            waiting = sum(trial.state is TrialState.WAITING for trial in trials)
            missing = [place for place in range(len(orders.definition.start_with)) if place not in there]
            for place in missing[: max(0, most - waiting)]:
                self._enqueue(orders.definition.start_with[place], {PLACE: place})
        self.is_exhausted = not missing

    def walk_again(self) -> None:
        """Walk the enumerated space from its beginning: a configuration that was passed may be missing now."""
        self._walk = None

    def retry(self, orders: Orders, trials: list[FrozenTrial]) -> list[int]:
        """Put the trials in the queue again whose worker died, as often as the limits allow.

        Returns:
            The numbers of those that are tried again.
        """
        if not orders.definition.limits.retries or not _to_retry(orders, trials):
            return []
        with asking(self._places):
            found = _to_retry(orders, self._storage.get_all_trials(self._study, deepcopy=False))
            for trial in found:
                self._enqueue(params_of(trial), {RETRY_OF: trial.number})
        return [trial.number for trial in found]

    def _enqueue(
        self,
        params: Mapping[str, Any],
        user: Mapping[str, Any] | None = None,
        system: Mapping[str, Any] | None = None,
    ) -> None:
        template = FrozenTrial(
            number=-1,
            trial_id=-1,
            state=TrialState.WAITING,
            value=None,
            values=None,
            datetime_start=None,
            datetime_complete=None,
            params={},
            distributions={},
            user_attrs=dict(user or {}),
            system_attrs={FIXED: dict(params), **(system or {})},
            intermediate_values={},
        )
        self._storage.create_new_trial(self._study, template)


def first_configurations(definition: SweepDefinition) -> list[Mapping[str, Choice]]:
    """Return the configurations that a sweep begins with: those of `start_with`, then a table's defaults.

    The latter only where the space is the one that they are made for.
    """
    found: list[Mapping[str, Choice]] = list(definition.start_with)
    if isinstance(definition.target, TableTarget) and not definition.start_with:
        from tracking.tuning.tables import default_configurations

        usual = default_configurations(definition.target)
        found += [params for params in usual if accepts(definition.space, params)]
    return found


def params_of(trial: FrozenTrial) -> dict[str, Any]:
    """Return what is known of a trial's configuration: the params drawn, and those it was to have."""
    return {**trial.system_attrs.get(FIXED, {}), **trial.params}


def _to_retry(orders: Orders, trials: list[FrozenTrial]) -> list[FrozenTrial]:
    retried = retried_numbers(trials)
    by_number = {trial.number: trial for trial in trials}
    found = []
    for trial in trials:
        died = trial.state is TrialState.FAIL and trial.user_attrs.get(CAUSE) == Cause.WORKER_DIED
        if not died or trial.number in retried or not counts(trial):
            continue
        tries, before = 0, trial.user_attrs.get(RETRY_OF)
        while before in by_number and tries < orders.definition.limits.retries:
            # Only those count whose worker died: a person may have asked for the others.
            tries += by_number[before].user_attrs.get(CAUSE) == Cause.WORKER_DIED
            before = by_number[before].user_attrs.get(RETRY_OF)
        if tries < orders.definition.limits.retries:
            found.append(trial)
    return found


def _key(params: Mapping[str, Any]) -> str:
    return json.dumps(params, sort_keys=True)


def draws_itself(definition: SweepDefinition) -> bool:
    """Whether the target is an Optuna objective, which draws its own params."""
    return isinstance(definition.target, FunctionTarget) and definition.target.objective
