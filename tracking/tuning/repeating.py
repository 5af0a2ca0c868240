"""Repeating a run: fresh runs of the same configuration as a small sweep, to see how much of its result was luck.

A trial of a sweep is repeated by a confirmation of that one trial (`tracking.tuning.confirmation`). Any other run is
started again by the command that was captured with it (`tracking.tuning.repeated_command`): its script and arguments as
they were, with values of its seed that this configuration has not had yet.
"""

from __future__ import annotations

import math
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tracking.config import StoreLocation
from tracking.database import study_queries, sweep_queries
from tracking.errors import FilterError, InvalidValue, NotFound
from tracking.records import SYSTEM_METRICS, ExperimentRecord, Goal, RunRecord
from tracking.store import Store
from tracking.study_records import RUN
from tracking.sweep_records import CONFIRMS, REPEATS_RUN, SweepRecord
from tracking.tuning.confirmation import MOST_REPEATS, SEED_LIKE, confirm, fresh_seeds
from tracking.tuning.definition import (
    Budget,
    Choice,
    Limits,
    Named,
    Objective,
    Repeats,
    ScriptTarget,
    SweepDefinition,
)
from tracking.tuning.definition_options import LISTED
from tracking.tuning.repeated_command import Command, captured_command
from tracking.tuning.sweep_start import start
from tracking.tuning.sweep_state import find, opened
from tracking.tuning.targets.logged import goal_of, likely_metric
from tracking.validation import NAME_LIMIT

RUNS = 5
"""How many fresh runs, unless somebody says otherwise: fewer say little of the noise."""

_TERMS = 20
"""Params by which runs of the same configuration are looked for."""


def repeat(
    location: StoreLocation,
    run_id: str,
    *,
    runs: int = RUNS,
    values: Sequence[Choice] | None = None,
    metric: str | None = None,
    goal: Goal | None = None,
    project: Path | None = None,
    key: str | None = None,
) -> SweepRecord:
    """Run the configuration of a run again, as a small sweep.

    A trial of a sweep, a repeat of one and a fresh run of its confirmation stand for the trial.

    Args:
        location: Of the store.
        run_id: Of the run.
        runs: How many fresh runs, from 2 to 100.
        values: Of the param that tells them apart, in place of fresh seeds; `runs` says nothing then.
        metric: That counts as a run's result; None for the first one of the experiment that has a goal, else for
            the one whose name says most. A trial has its sweep's.
        goal: Which direction of it is better; None for what the experiment or the metric's name says.
        project: The folder that the script must be in; None for the store's.
        key: Names this start: given again, what it started is returned and nothing else is.

    Returns:
        The sweep that repeats the run, which is stopped, resumed and looked at like any other one.

    Raises:
        NotFound: There is no such run.
        InvalidValue: It cannot be started again; the message says why and what to do.
        InvalidDefinition: The script has changed, and lacks what the command asks of it.
        StoreError: The store cannot be written, or the supervisor not be started.
    """
    _check(runs, values)
    folder = Path(project or location.project).resolve()
    with Store(location) as store:
        run = store.run(run_id)
        trial = _trial_of(store, run)
        if trial is None:
            run = _origin(store, run)
            command = captured_command(store, run, _experiment(store, run), folder)
            definition = _definition(store, run, command, runs, values, _objective(store, run, metric, goal))
    if trial is not None:
        sweep, number = trial
        return confirm(
            location, sweep, repeats=RUNS if values else runs, trials=[number], values=values, key=key
        )
    assert definition.repeats is not None
    said = {"run": run.id, "vary": command.vary, "values": list(definition.repeats.values)}
    return start(location, definition, project=folder, key=key, attributes={REPEATS_RUN: said})


def _check(runs: int, values: Sequence[Choice] | None) -> None:
    if values is not None:
        if not 2 <= len(values) <= MOST_REPEATS:
            raise InvalidValue(f"There are {len(values)} values: give from 2 to {MOST_REPEATS}.")
    elif isinstance(runs, bool) or not isinstance(runs, int) or not 2 <= runs <= MOST_REPEATS:
        raise InvalidValue(f"runs={runs!r}: it is from 2 to {MOST_REPEATS}.")


def _trial_of(store: Store, run: RunRecord) -> tuple[str, int] | None:
    """Return the sweep and the number of the trial in its present study that a run stands for; None for none."""
    found = store.trial_of_run(run.id) or (run.parent and store.trial_of_run(run.parent))
    if not found:
        return None
    study, number = found
    with opened(store.location) as engines:
        try:
            sweep = find(engines, store.location, study)
        except NotFound:
            raise InvalidValue(
                f"Run {run.name!r} is a trial of the study {study!r}, which a program of yours runs and not a sweep: "
                "it cannot be started from here. Run its params again there, with other seeds."
            ) from None
        about = sweep.chain[0].attributes
        if REPEATS_RUN in about:
            return None
        trial_run = run.parent if store.trial_of_run(run.id) is None else run.id
        if CONFIRMS in about:
            confirmed = str(about[CONFIRMS].get("sweep"))
            trial_run = _confirmed_run(store, confirmed, sweep.name, number)
            sweep = find(engines, store.location, confirmed)
        with engines.reading() as connection:
            for record in study_queries.trial_records(connection, sweep.present.name):
                if trial_run in (record.run, record.attributes.get(RUN)):
                    return sweep.name, record.number
    raise InvalidValue(
        f"The trial of run {run.name!r} is not in what the sweep {sweep.name!r} does now: its space was changed since. "
        f"Confirm what is there: tracking sweep confirm {shlex.quote(sweep.name)}"
    )


def _confirmed_run(store: Store, sweep: str, confirmation: str, number: int) -> str | None:
    for record in store.confirmations(sweep):
        if record.own.name == confirmation:
            return next((trial.run for trial in record.trials if trial.number == number), None)
    return None


def _origin(store: Store, run: RunRecord) -> RunRecord:
    """Return the run that is repeated: itself, or the one whose repeat it is."""
    found = store.trial_of_run(run.id) or (run.parent and store.trial_of_run(run.parent))
    if found:
        origin = store.sweep(found[0]).repeats_run
        try:
            return store.run(str(origin))
        except NotFound:
            raise InvalidValue(
                f"Run {run.name!r} repeats run {origin}, which is not in the store any more: how that was started went "
                "with it. Start the script by hand with other seeds."
            ) from None
    if run.parent is not None:
        raise InvalidValue(f"Run {run.name!r} is a part of run {run.parent}. Repeat that one.")
    return run


def _experiment(store: Store, run: RunRecord) -> ExperimentRecord:
    return next(each for each in store.experiments() if each.name == run.experiment)


def _objective(store: Store, run: RunRecord, metric: str | None, goal: Goal | None) -> Objective:
    goals = _experiment(store, run).goals
    own = tuple(key for key in run.metrics if not key.startswith(SYSTEM_METRICS))
    if not own:
        raise InvalidValue(f"Run {run.name!r} has no metrics: repeats of it would have nothing to compare.")
    if metric is not None and metric not in own:
        raise InvalidValue(f"Run {run.name!r} has no metric {metric!r:.80}. It has {', '.join(own[:20])}.")
    chosen = metric or next((key for key in goals if key in own), None) or likely_metric(own) or own[0]
    better = goal or goals.get(chosen) or goal_of(chosen)
    if better is None:
        raise InvalidValue(
            f"Whether more or less of {chosen!r} is better is not known. Say it once in the script: "
            f'tracking.define_metric({chosen!r}, goal="minimize"), or with the goal "maximize".'
        )
    return Objective(chosen, better)


def _definition(
    store: Store,
    run: RunRecord,
    command: Command,
    runs: int,
    values: Sequence[Choice] | None,
    objective: Objective,
) -> SweepDefinition:
    fresh = tuple(values) if values is not None else _fresh(store, run, command, runs)
    with opened(store.location) as engines, engines.reading() as connection:
        taken = {name for _, name, _ in study_queries.study_rows(connection)}
    shown = ", ".join(str(value) for value in fresh[:10]) + ", …" * (len(fresh) > 10)
    return SweepDefinition(
        name=_free(run.name, taken),
        target=ScriptTarget(command.path, command.arguments),
        space=(),
        objectives=(objective,),
        sampler=Named(LISTED),
        budget=Budget(trials=1),
        repeats=Repeats(command.vary, fresh),
        limits=Limits(failures=None),
        start_with=({},),
        experiment=run.experiment,
        notes=f"Runs {run.name} again {len(fresh)} times: {command.text}, with {command.vary} {shown}.",
    )


def _fresh(store: Store, run: RunRecord, command: Command, runs: int) -> tuple[Choice, ...]:
    if not SEED_LIKE.search(command.vary):
        raise InvalidValue(
            f"Repeats of {run.name!r} are told apart by {command.vary!r}, and which other values that may have is not "
            "known. Give them: --values 5,6,7, say."
        )
    fresh = fresh_seeds(runs, _used(store, run, command), command.option)
    if len(fresh) < runs:
        raise InvalidValue(
            f"{command.path} takes only {len(fresh)} values of {command.vary} that were not used yet, not {runs}."
        )
    return tuple(fresh)


def _used(store: Store, run: RunRecord, command: Command) -> list[Any]:
    """Return the values that the configuration has had; seeds of others may come again, to be paired with them."""
    experiment, column = _experiment(store, run), f"params.{command.param}"
    others = {command.param, *experiment.vary, *experiment.ignore}
    same = [
        f'params["{name}"] == {value!r}'
        for name, value in run.flat_params.items()
        if name not in others and not any(mark in name for mark in '"\\\n') and _comparable(value)
    ]
    try:
        found = store.search(
            " and ".join(same[:_TERMS]),
            experiment=run.experiment,
            limit=None,
            columns=[column],
            children=True,
        )
    except FilterError:
        found = store.search("", experiment=run.experiment, limit=None, columns=[column], children=True)
    used = [*found[column].tolist(), *command.given]
    if not command.given and command.param not in run.flat_params:
        used.append(command.option.default)
    with opened(store.location) as engines, engines.reading() as connection:
        for chain in sweep_queries.chains(connection):
            about = chain[0].attributes.get(REPEATS_RUN)
            if isinstance(about, dict) and about.get("run") == run.id:
                used += about.get("values") or ()  # also those that have not begun
    return used


def _comparable(value: Any) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, bool | int) or (isinstance(value, str) and len(value) <= 200)


def _free(run: str, taken: set[str]) -> str:
    for number in range(1, len(taken) + 2):
        end = " repeated" if number == 1 else f" repeated-{number}"
        if (name := run[: NAME_LIMIT - len(end)] + end) not in taken:
            return name
    raise AssertionError("There is always a number that is free.")
