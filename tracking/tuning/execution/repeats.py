"""A trial that is run several times: a run for each repeat, their mean for the sampler."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence

import numpy as np
from optuna.trial import TrialState

from tracking.client.description import RunDescription, now_us
from tracking.client.ending import Ending as SessionEnding
from tracking.client.launch import repeat_id
from tracking.client.metrics import MetricPacker
from tracking.client.session import Session
from tracking.config import StoreLocation
from tracking.records import RunStatus
from tracking.study_records import REPEATS
from tracking.tuning.definition import Objective, Repeats
from tracking.tuning.definition_options import DOMINATED
from tracking.tuning.execution.domination import Dominance
from tracking.tuning.execution.finished import take_in
from tracking.tuning.execution.outcomes import Outcome, State, of_repeats
from tracking.tuning.execution.patience import patiently
from tracking.tuning.execution.trials import RunningTrial, Workplace, run_evaluation

_LOG = logging.getLogger(__name__)


def run_repeats(place: Workplace, under_way: RunningTrial, repeats: Repeats) -> Outcome:
    """Run a trial once for each repeat, one after the other; returns what it comes to.

    It ends with the first repeat that is missing: without it there is no mean, whatever the others say.
    """
    study, definition = under_way.study, under_way.definition
    storage, trial_id = study._storage, under_way.claim.trial_id
    summary = RepeatSummary(place.location, under_way.run, definition.experiment or definition.name)
    outcomes: list[Outcome] = []
    pruned_after: int | None = None
    try:
        for index, value in enumerate(repeats.values):
            outcome = run_evaluation(
                place,
                under_way,
                {**under_way.params, **({} if repeats.vary is None else {repeats.vary: value})},
                repeat=index,
                run=repeat_id(under_way.run, index),
            )
            outcomes.append(outcome)
            if outcome.state is not State.COMPLETE:
                break
            done = [one.values for one in outcomes if one.values is not None]
            summary.log(index, definition.objectives, done)
            so_far = list(of_repeats(repeats.vary, repeats.values, outcomes, index + 1).repeats or ())

            def note(found: list[float | tuple[float, ...] | None] = so_far) -> None:
                storage.set_trial_user_attr(trial_id, REPEATS, found)

            patiently(note)
            if _is_pruned(under_way, index, done) and index + 1 < len(repeats.values):
                pruned_after = index + 1
                break
    finally:
        summary.end()
    take_in(place.location, place.engines, [under_way.run])
    return of_repeats(repeats.vary, repeats.values, outcomes, pruned_after)


def _is_pruned(under_way: RunningTrial, index: int, done: Sequence[Sequence[float]]) -> bool:
    """Report a repeat; returns whether the pruner says that the others are not worth it."""
    definition, trial = under_way.definition, under_way.trial
    if definition.pruner.name == DOMINATED:
        return patiently(lambda: _is_dominated(under_way, index, done))
    if trial is None or len(definition.objectives) != 1:
        return False
    values = [one[0] for one in done]
    # Wilcoxon compares repeat with repeat; the others compare what is known by now.
    value = values[-1] if definition.pruner.name == "wilcoxon" else sum(values) / len(values)
    patiently(lambda: trial.report(value, index))
    if definition.pruner.name == "none":
        return False
    try:
        return patiently(trial.should_prune)
    except ValueError:
        _LOG.exception("The pruner cannot judge trial %d.", under_way.claim.number)
        return False


def _is_dominated(under_way: RunningTrial, index: int, done: Sequence[Sequence[float]]) -> bool:
    """Return whether the mean so far is dominated by that of a complete trial over as many repeats."""
    definition = under_way.definition
    rule = Dominance.of(definition.pruner.options)
    complete = under_way.study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    repeats = [trial.user_attrs.get(REPEATS) or () for trial in complete]
    others = [np.mean(each[: index + 1], axis=0) for each in repeats if len(each) > index]
    if not others or index < rule.first_step([len(each) - 1 for each in repeats if len(each)]):
        return False
    return rule.dominator(np.mean(done, axis=0), np.array(others), definition.objectives) is not None


class RepeatSummary:
    """Logs the mean and the spread of the repeats to the trial's run, as they end.

    Args:
        location: Of the store.
        run: Id of the trial's run.
        experiment: That it belongs to.
    """

    def __init__(self, location: StoreLocation, run: str, experiment: str) -> None:
        description = RunDescription(location, run, experiment, "", now_us())
        self._session = Session.attached(description)
        self._packer = MetricPacker(self._session, self._session.notices, strict=False)

    def log(self, index: int, objectives: Sequence[Objective], done: Sequence[Sequence[float]]) -> None:
        """Log the metrics of the objectives at the step of a repeat.

        Args:
            index: Of the repeat, from 0.
            objectives: Of the sweep.
            done: The values of each repeat so far.
        """
        found: dict[str, float] = {}
        for objective, values in zip(objectives, zip(*done, strict=True), strict=True):
            mean = sum(values) / len(values)
            found[objective.metric] = mean
            if len(values) > 1:
                spread = sum((value - mean) ** 2 for value in values) / (len(values) - 1)
                found[f"{objective.metric}_std"] = math.sqrt(spread)
        self._packer.log(found, index)

    def end(self) -> None:
        """Say that nothing more comes."""
        self._session.end(SessionEnding(RunStatus.FINISHED), 5.0)
