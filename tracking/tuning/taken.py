"""Finished trials and runs that a study takes over: as linked trials, which make no new runs."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from optuna.trial import FrozenTrial, TrialState

from tracking.config import StoreLocation
from tracking.database import run_queries, study_queries
from tracking.database.engine import Engines
from tracking.database.sweep_queries import SweepStudy
from tracking.errors import InvalidDefinition
from tracking.records import RunStatus
from tracking.store import Store
from tracking.study_records import RUN, TrialRecord
from tracking.tuning.definition import Choice, ParamKind, ParamSpace, SweepDefinition
from tracking.tuning.definition_file import read_definition
from tracking.tuning.execution.outcomes import value_of
from tracking.tuning.space import accepts, distributions, is_active

CHUNK = 500


def prior_trials(location: StoreLocation, definition: SweepDefinition) -> tuple[list[FrozenTrial], int]:
    """Return the finished runs that a definition asks to learn from, as trials, and how many did not fit.

    The newest `limit` of those whose params are a configuration of the space, and which have every objective's
    metric, are taken; runs that are a part of another one are not.

    Raises:
        FilterError: The filter cannot be read.
    """
    prior = definition.prior
    if prior is None:
        return [], 0
    found: list[FrozenTrial] = []
    left = 0
    with Store(location) as store:
        pages = store.search_pages(prior.filter or "", experiment=prior.experiment, columns=[], rows=CHUNK)
        for page in pages:
            for run in store.runs(page["run"]):
                if run.status is not RunStatus.FINISHED:
                    continue
                values = [
                    value_of(each, run.metrics[each.metric]) if each.metric in run.metrics else math.nan
                    for each in definition.objectives
                ]
                params = configuration(definition.space, run.flat_params)
                if params is None or not all(map(math.isfinite, values)):
                    left += 1
                    continue
                found.append(
                    linked(definition.space, params, values, run.id, started=run.created, ended=run.ended)
                )
                if len(found) == prior.limit:
                    return found[::-1], left
    return found[::-1], left


def configuration(space: Sequence[ParamSpace], known: Mapping[str, Any]) -> dict[str, Choice] | None:
    """Return the configuration of a space that params are, None where they are none.

    What is not in the space, or not active beside the others, says nothing about it: a script logs its other
    options too. An int stands for a float of the same value.
    """
    found: dict[str, Choice] = {}
    for param in space:
        if not is_active(param, found):
            continue
        if param.name in known:
            value = known[param.name]
            if param.kind is ParamKind.FLOAT and type(value) is int:
                value = float(value)
            found[param.name] = value
        elif param.kind is ParamKind.FIXED:
            found[param.name] = param.value
    return found if accepts(space, found) else None


def linked(
    space: Sequence[ParamSpace],
    params: Mapping[str, Choice],
    values: Sequence[float],
    run: str,
    *,
    started: datetime | None,
    ended: datetime | None,
) -> FrozenTrial:
    """Return a complete trial that has a run's outcome; what is fixed is no param of it."""
    drawn = distributions(space)
    return FrozenTrial(
        number=-1,
        trial_id=-1,
        state=TrialState.COMPLETE,
        value=None,
        values=list(values),
        datetime_start=started,
        datetime_complete=ended,
        params={name: value for name, value in params.items() if name in drawn},
        distributions={name: drawn[name] for name in params if name in drawn},
        user_attrs={RUN: run},
        system_attrs={},
        intermediate_values={},
    )


def compatible_trials(
    engines: Engines,
    earlier: Sequence[SweepStudy],
    definition: SweepDefinition,
    *,
    known: frozenset[str] = frozenset(),
) -> tuple[list[FrozenTrial], int]:
    """Return the complete trials of a sweep's earlier studies that are configurations of a space.

    A param that is new is looked up in what the trial's run logged: the value that the script took by default.

    Args:
        engines: On the store's database.
        earlier: Studies of the sweep, the oldest first.
        definition: Of the present one.
        known: Ids of runs that it has already.

    Returns:
        The trials, each once, and how many do not fit.
    """
    found: list[FrozenTrial] = []
    seen = set(known)
    left = 0
    for study in earlier:
        before = _space_of(study)
        with engines.reading() as connection:
            records = study_queries.trial_records(connection, study.name)
        records = [each for each in records if each.state == "complete" and each.values]
        records = [each for each in records if _run_of(each) not in seen]
        missing = {param.name for param in definition.space} - {param.name for param in before}
        logged = _logged(engines, records) if missing else {}
        for each in records:
            run = _run_of(each)
            if run:
                seen.add(run)
            # What the trial was made with comes before what its script says.
            said = logged.get(run, {})
            whole = {name: said[name] for name in missing & said.keys()} | _with_fixed(before, each.params)
            params = configuration(definition.space, whole)
            removed = whole.keys() - {param.name for param in definition.space}
            if params is None or removed or each.values is None:
                left += 1
                continue
            found.append(
                linked(
                    definition.space,
                    params,
                    each.values,
                    run,
                    started=each.started,
                    ended=each.completed,
                )
            )
    return found, left


def _run_of(trial: TrialRecord) -> str:
    return str(trial.attributes.get(RUN) or trial.run or "")


def _space_of(study: SweepStudy) -> tuple[ParamSpace, ...]:
    try:
        return read_definition(str(study.definition.get("text", ""))).space
    except InvalidDefinition:
        return ()


def _with_fixed(space: Sequence[ParamSpace], params: Mapping[str, Choice]) -> dict[str, Choice]:
    """Return a trial's params with the fixed ones of its space, which a trial does not keep."""
    found: dict[str, Choice] = {}
    for param in space:
        if is_active(param, found):
            if param.name in params:
                found[param.name] = params[param.name]
            elif param.kind is ParamKind.FIXED:
                found[param.name] = param.value
    return {**params, **found}


def _logged(engines: Engines, records: Iterable[TrialRecord]) -> dict[str, Mapping[str, Any]]:
    runs = [each.run for each in records if each.run is not None]
    found: dict[str, Mapping[str, Any]] = {}
    for at in range(0, len(runs), CHUNK):
        with engines.reading() as connection:
            for record in run_queries.run_records(connection, runs[at : at + CHUNK]):
                found[record.id] = record.flat_params
    return found
