"""Running one trial: its evaluations, what they come to, and telling the study."""

from __future__ import annotations

import logging
import shutil
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import optuna
from optuna.trial import TrialState

from tracking.config import StoreLocation
from tracking.database.engine import Engines
from tracking.database.study_queries import trial_records
from tracking.errors import TrackingError
from tracking.study_records import REPEATS
from tracking.tuning.definition import Choice, SweepDefinition, TableTarget
from tracking.tuning.definition_options import DOMINATED
from tracking.tuning.execution.claims import Claim
from tracking.tuning.execution.curves import Peers
from tracking.tuning.execution.dominated import DominanceReporter
from tracking.tuning.execution.domination import Dominance
from tracking.tuning.execution.finished import metrics_of, take_in, where_else
from tracking.tuning.execution.folds import FoldMeans
from tracking.tuning.execution.launching import Launch, StartFailed, environment
from tracking.tuning.execution.outcomes import (
    Cause,
    Ended,
    Ending,
    Outcome,
    State,
    attributes,
    failed,
    outcome_of,
)
from tracking.tuning.execution.patience import patiently
from tracking.tuning.execution.places import RESULT, SweepPlaces, read_json
from tracking.tuning.execution.queueing import draws_itself
from tracking.tuning.execution.readings import MetricReader
from tracking.tuning.execution.reporting import Overseer, Reporter, Reporting
from tracking.tuning.execution.requests import command
from tracking.tuning.execution.watching import GRACE_SECONDS, Watch, evaluate
from tracking.tuning.space import suggest

_LOG = logging.getLogger(__name__)
_STATES = {State.COMPLETE: TrialState.COMPLETE, State.PRUNED: TrialState.PRUNED, State.FAIL: TrialState.FAIL}


@dataclass(frozen=True, slots=True)
class Workplace:
    """What a worker runs its trials with.

    Attributes:
        location: Of the store.
        engines: On its database.
        places: Of the sweep.
        slot: Of the worker.
        stop: Set when the trial under way is to be ended.
        is_wanted: Whether the trial under way is to go on.
        began: Called with the process group of each evaluation and when it was created.
        orphans: Whether the worker is the parent of processes whose own parent died.
        grace: Seconds between SIGTERM and SIGKILL.
        peers: What complete trials logged, kept from trial to trial.
    """

    location: StoreLocation
    engines: Engines
    places: SweepPlaces
    slot: int
    stop: threading.Event
    is_wanted: Callable[[], bool]
    began: Callable[[int, float], None]
    orphans: bool = False
    grace: float = GRACE_SECONDS
    peers: Peers = field(default_factory=Peers)


@dataclass(frozen=True, slots=True)
class RunningTrial:
    """A trial under way.

    Attributes:
        study: With the sampler and the pruner of this worker.
        claim: Of the trial.
        run: Id of its run.
        trial: As Optuna has it; None where the objective draws its params itself.
        params: The configuration.
    """

    study: optuna.Study
    claim: Claim
    run: str
    trial: optuna.Trial | None
    params: Mapping[str, Choice]

    @property
    def definition(self) -> SweepDefinition:
        """The sweep's, as it was when the trial was claimed."""
        return self.claim.orders.definition


def run_trial(place: Workplace, study: optuna.Study, claim: Claim) -> Outcome:
    """Run a trial to its end, whatever it is; returns what it came to.

    Raises:
        TrackingError: The store cannot be used any more.
    """
    definition = claim.orders.definition
    run = patiently(lambda: _run_id(place, study, claim))
    trial: optuna.Trial | None = None
    params: Mapping[str, Choice] = {}
    if not draws_itself(definition):
        try:
            trial = patiently(lambda: optuna.Trial(study, claim.trial_id))
            drawing = partial(suggest, trial, definition.space)
            # Params that were drawn before the database was locked stay: it goes on where it was.
            params = patiently(drawing)
        except TrackingError:
            raise
        except Exception as error:
            _LOG.exception("No configuration could be drawn for trial %d.", claim.number)
            said = f"{type(error).__name__}: {error}"
            return failed(Cause.BAD_PARAMS, f"No configuration could be drawn for it: {said}")
    under_way = RunningTrial(study, claim, run, trial, params)
    if definition.repeats is not None:
        from tracking.tuning.execution.repeats import run_repeats

        return run_repeats(place, under_way, definition.repeats)
    reporter = _reporter(place, under_way)
    outcome = run_evaluation(place, under_way, params, reporter=reporter)
    if reporter is not None and outcome.state is not State.FAIL:
        # The value of a pruned trial is the last one that the study was told.
        patiently(partial(reporter.look_at_all, last=outcome.state is State.PRUNED))
    return outcome


def run_evaluation(
    place: Workplace,
    under_way: RunningTrial,
    params: Mapping[str, Choice],
    *,
    repeat: int | None = None,
    run: str | None = None,
    reporter: Reporting | None = None,
) -> Outcome:
    """Run one evaluation of a trial; returns what it came to.

    Args:
        place: Of the worker.
        under_way: The trial.
        params: The configuration, with what the repeat varies.
        repeat: Which repeat it is, from 0.
        run: Id of the repeat's run; the trial's when None.
        reporter: Of what is logged.
    """
    definition, number = under_way.definition, under_way.claim.number
    run = under_way.run if run is None else run
    folder = place.places.evaluation(number, repeat)
    overseer = Overseer(place.is_wanted, reporter, place.stop)
    try:
        arguments = command(
            definition.target,
            params,
            project=under_way.claim.orders.project,
            folder=folder,
            about=_about(place, under_way),
        )
        ended = evaluate(
            Launch(
                arguments,
                under_way.claim.orders.project,
                environment(place.location, under_way.run, repeat, definition.environment),
                place.places.log(number, repeat),
            ),
            Watch(definition.limits.seconds, definition.limits.memory, place.grace),
            stop=place.stop,
            prune=overseer.prune,
            began=place.began,
            orphans=place.orphans,
        )
    except StartFailed as error:
        ended = Ended(Ending.NEVER_BEGAN, problem=str(error))
    except (TrackingError, ValueError) as error:
        return failed(Cause.BAD_PARAMS, f"Its command line could not be made: {error}")
    finally:
        overseer.finish()
    said = read_json(folder / RESULT)
    shutil.rmtree(folder, ignore_errors=True)
    take_in(place.location, place.engines, [run])
    keys = [objective.metric for objective in definition.objectives]
    logged, started = patiently(lambda: metrics_of(place.location, place.engines, run, keys))
    ended = replace(ended, started=started, **_result(said))
    limits = definition.limits
    judged = partial(outcome_of, objectives=definition.objectives, logged=logged)
    outcome = judged(ended, seconds=limits.seconds, memory=limits.memory)
    if outcome.cause is Cause.NO_METRIC:
        missing, log = [key for key in keys if key not in logged], place.places.log(number, repeat)
        outcome = judged(replace(ended, astray=where_else(place.location, place.engines, run, missing, log)))
    if ended.ending is Ending.PRUNER and reporter is not None and reporter.reason:
        return replace(outcome, reason=f"{reporter.reason} {outcome.reason or ''}".strip())
    return outcome


def tell(study: optuna.Study, claim: Claim, outcome: Outcome) -> bool:
    """Tell the study what a trial came to; returns False when somebody else had ended it before."""
    storage = study._storage
    try:
        for name, value in attributes(outcome).items():
            if name != REPEATS or value != storage.get_trial(claim.trial_id).user_attrs.get(REPEATS):
                storage.set_trial_user_attr(claim.trial_id, name, value)
        study.tell(
            claim.number, list(outcome.values) if outcome.values else None, state=_STATES[outcome.state]
        )
    except (optuna.exceptions.UpdateFinishedTrialError, ValueError) as error:
        if not storage.get_trial(claim.trial_id).state.is_finished():
            raise
        _LOG.warning("Trial %d was ended by somebody else meanwhile: %s", claim.number, error)
        return False
    except TrackingError:
        raise
    except Exception:  # of a sampler's own after_trial; the state is told before it comes to us
        if not storage.get_trial(claim.trial_id).state.is_finished():
            raise
        _LOG.exception("The sampler could not learn from trial %d.", claim.number)
    return True


def _run_id(place: Workplace, study: optuna.Study, claim: Claim) -> str:
    with place.engines.reading() as connection:
        (record,) = trial_records(connection, study.study_name, first=claim.number, limit=1)
    if record.run is None:
        raise TrackingError(f"The run of trial {claim.number} was removed for good while it ran.")
    return record.run


def _reporter(place: Workplace, under_way: RunningTrial) -> Reporting | None:
    definition = under_way.definition
    if definition.pruner.name == DOMINATED:
        return DominanceReporter(
            place.location,
            place.engines,
            under_way.run,
            place.peers.of(place.engines, under_way.study.study_name, definition.objectives),
            Dominance.of(definition.pruner.options),
        )
    # An objective reports for itself; Optuna takes no reports of several objectives.
    if under_way.trial is None or len(definition.objectives) != 1:
        return None
    metric, prunes = definition.objectives[0].metric, definition.pruner.name != "none"
    if isinstance(definition.target, TableTarget):
        from tracking.tuning.tables.evaluation import FOLD_SUFFIX

        scores = MetricReader(place.location, place.engines, under_way.run, metric + FOLD_SUFFIX)
        # Wilcoxon compares fold with fold; the others compare what is known by now.
        reader = scores if definition.pruner.name == "wilcoxon" else FoldMeans(scores)
        return Reporter(under_way.trial, reader, prunes=prunes)
    reader = MetricReader(place.location, place.engines, under_way.run, metric)
    return Reporter(under_way.trial, reader, prunes=prunes)


def _about(place: Workplace, under_way: RunningTrial) -> dict[str, Any]:
    definition = under_way.definition
    return {
        "metrics": [objective.metric for objective in definition.objectives],
        "experiment": definition.experiment or definition.name,
        "study": under_way.study.study_name,
        "trial": under_way.claim.trial_id,
        "number": under_way.claim.number,
        "slot": place.slot,
        "workers": definition.workers,
        "definition": under_way.claim.orders.text,
    }


def _result(said: Mapping[str, Any] | None) -> dict[str, Any]:
    if said is None:
        return {}
    values = said.get("values")
    return {
        "values": tuple(values) if isinstance(values, list) else values,
        "problem": said.get("problem"),
        "traceback": said.get("traceback"),
        "pruned": bool(said.get("pruned")),
    }
