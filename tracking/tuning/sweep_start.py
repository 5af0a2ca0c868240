"""Starting a sweep, from a definition or from another sweep's."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from optuna.study import StudyDirection

from tracking.config import StoreLocation, trial_niceness
from tracking.database import edits, study_queries, sweep_queries
from tracking.errors import InvalidDefinition, InvalidValue, Problem
from tracking.records import Goal
from tracking.store import Store
from tracking.sweep_records import (
    PROJECT,
    START_KEY,
    SweepRecord,
)
from tracking.tuning.definition import Prior, SweepDefinition
from tracking.tuning.definition_fields import closest
from tracking.tuning.definition_file import located, read_definition
from tracking.tuning.definition_text import definition_text
from tracking.tuning.spawning import SUPERVISOR, spawn
from tracking.tuning.storage import checked_study_name
from tracking.tuning.study_draft import StudyDraft
from tracking.tuning.sweep_changes import checked
from tracking.tuning.sweep_state import (
    definition_attribute,
    find,
    opened,
    start_lock,
    wanted,
)
from tracking.tuning.taken import prior_trials
from tracking.tuning.target_checks import check_target
from tracking.validation import checked_text, normalized

_DIRECTIONS = {Goal.MINIMIZE: StudyDirection.MINIMIZE, Goal.MAXIMIZE: StudyDirection.MAXIMIZE}


def start(
    location: StoreLocation,
    definition: SweepDefinition,
    *,
    project: Path,
    text: str | None = None,
    key: str | None = None,
    attributes: Mapping[str, Any] | None = None,
) -> SweepRecord:
    """Start a sweep: make its study, take prior runs in, start its supervisor.

    Args:
        location: Of the store.
        definition: What to do.
        project: The folder that its paths start from.
        text: The file as its user wrote it, comments and all; made from the definition when None.
        key: Names this start: given again, the sweep that it started is returned and no other one is made.
        attributes: What else its study keeps from its first moment on.

    Raises:
        InvalidDefinition: The definition has problems, or its target lacks what it asks for.
        InvalidValue: The name is taken, the project is no folder, or TRACKING_NICE says no niceness.
        FilterError: The filter of the prior runs cannot be read.
        StoreError: The store cannot be written, or the supervisor not be started.
    """
    checked(definition)
    trial_niceness()
    name = checked_text(checked_study_name(definition.name), "a sweep's name")
    project = Path(project).resolve()
    if not project.is_dir():
        raise InvalidValue(f"There is no folder {project}: a sweep's paths start from the project's folder.")
    problems = check_target(definition, project, location=location)
    problems += prior_problems(location, definition)
    if text is None or read_definition(text) != definition:
        text = definition_text(definition)
    else:
        problems = located(problems, text)
    if problems:
        raise InvalidDefinition(problems)
    with opened(location) as engines:
        lock = start_lock(location.sweeps / "start.lock")
        try:
            with engines.reading() as connection:
                chains = sweep_queries.chains(connection)
                for chain in chains:
                    if key is not None and chain[0].attributes.get(START_KEY) == key:
                        return sweep_queries.sweep_record(connection, location, chain)
                taken = {found for _, found, _ in study_queries.study_rows(connection)}
            if name in taken:
                raise InvalidValue(_taken(name, taken, any(chain[0].name == name for chain in chains)))
            draft = StudyDraft([_DIRECTIONS[each.goal] for each in definition.objectives])
            draft.set_attributes(
                {
                    **definition_attribute(definition, 1, text),
                    PROJECT: str(project),
                    **wanted("run"),
                    **({START_KEY: key} if key is not None else {}),
                    **(attributes or {}),
                }
            )
            for trial in prior_trials(location, definition)[0]:
                draft.add(trial)
            experiment = definition.experiment or name
            number = draft.write(engines, name, experiment)
            if number is None:
                raise InvalidValue(_taken(name, {name}, False))
            aims = {normalized(each.metric): each.goal.value for each in definition.objectives}
            engines.write(lambda connection: edits.offer_goals(connection, experiment, aims))
        finally:
            lock.close()
        spawn(location, number, name, definition, SUPERVISOR)
        with engines.reading() as connection:
            chain = sweep_queries.chain_of(connection, name)
            return sweep_queries.sweep_record(connection, location, chain)


def prior_problems(location: StoreLocation, definition: SweepDefinition) -> list[Problem]:
    """Return a problem where the experiment whose runs are to be learned from does not exist."""
    if definition.prior is None:
        return []
    names: list[str] = []
    if location.database.exists():
        with Store(location) as store:
            names = [each.name for each in store.experiments()]
    wanted_name = definition.prior.experiment
    if wanted_name in names:
        return []
    hint = closest(wanted_name, names[:20])
    return [
        Problem(
            None, "prior.experiment", f"is {wanted_name!r:.80}, and the store has no such experiment. {hint}"
        )
    ]


def _taken(name: str, names: set[str], is_sweep: bool) -> str:
    stem, number = re.sub(r"-\d{1,6}$", "", name), 2
    while f"{stem}-{number}" in names:
        number += 1
    go_on = f", or go on with that one: tracking sweep resume {shlex.quote(name)}" if is_sweep else ""
    return (
        f"There is a study {name!r} in this store already. "
        f"Take another name, such as {f'{stem}-{number}'!r}{go_on}."
    )


def duplicate(
    location: StoreLocation,
    name: str,
    new_name: str,
    *,
    change: Callable[[SweepDefinition], SweepDefinition] | None = None,
    learn: bool = False,
    key: str | None = None,
) -> SweepRecord:
    """Start another sweep with the definition of one.

    Args:
        location: Of the store.
        name: Of the sweep.
        new_name: Of the other one; its runs go to an experiment of that name unless the definition names one.
        change: What else is different in it.
        learn: Whether it begins with what the first one found, as prior runs.
        key: See `start`.

    Raises:
        NotFound: There is no such sweep.
        InvalidDefinition: The changed definition has problems.
        InvalidValue: The new name is taken.
    """
    with opened(location) as engines:
        sweep = find(engines, location, name)
    definition = replace(sweep.definition, name=new_name)
    if learn:
        definition = replace(definition, prior=Prior(sweep.present.experiment))
    if change is not None:
        definition = change(definition)
    return start(location, definition, project=sweep.project, key=key)
