"""Edits of a sweep in flight: each one is a new edition of its definition and an entry in its history."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from tracking.config import StoreLocation
from tracking.errors import InvalidDefinition, InvalidValue, RunStateError
from tracking.sweep_records import OUTCOME, SweepRecord
from tracking.tuning import sweep_changes
from tracking.tuning.definition import Budget, Choice, ParamSpace, SweepDefinition
from tracking.tuning.definition_file import read_definition
from tracking.tuning.next_study import open_next
from tracking.tuning.spawning import SUPERVISOR, spawn
from tracking.tuning.sweep_changes import Change, checked, refused, why_next
from tracking.tuning.sweep_state import Sweep, definition_attribute, editing, wanted
from tracking.tuning.target_checks import check_target


@dataclass(frozen=True, slots=True)
class Edited:
    """What came of an edit.

    Attributes:
        sweep: As it is now.
        sentence: What was changed, and what followed from it.
    """

    sweep: SweepRecord
    sentence: str


def apply(
    location: StoreLocation, name: str, what: str, change: Change, *, edition: int | None = None
) -> Edited:
    """Change a sweep's definition.

    Args:
        location: Of the store.
        name: Of the sweep.
        what: The kind of the edit, for the history.
        change: What to do with the definition as it is then.
        edition: The one that the caller saw; None where the change holds for any.

    Raises:
        NotFound: There is no such sweep, or no such param.
        InvalidValue: The change makes no sense.
        InvalidDefinition: The changed definition has problems.
        RunStateError: It was edited since that edition, or a sweep cannot become that.
    """
    with editing(location, name, edition) as sweep:
        new, sentence = change(sweep.definition)
        return commit(sweep, what, new, sentence)


def commit(sweep: Sweep, what: str, new: SweepDefinition, sentence: str, text: str | None = None) -> Edited:
    """Write a changed definition; whoever calls holds the sweep's edit lock.

    Where Optuna needs another study for it, the sweep's next study is opened. A finished sweep whose budget grew
    goes on.
    """
    old = sweep.definition
    why = refused(old, new)
    if why is not None:
        raise RunStateError(why)
    checked(new)
    if old.space != new.space:
        problems = check_target(new, sweep.project)
        if problems:
            raise InvalidDefinition(problems)
    needs = why_next(old, new)
    if needs is not None:
        opened = open_next(sweep, new, what, sentence, needs)
        return Edited(opened.sweep.record(), opened.sentence)
    edition = sweep.edition + 1
    if old.space != new.space and (beyond := _outside(sweep, new)):
        is_one = beyond == 1
        sentence += (
            f" {beyond} trial{' lies' if is_one else 's lie'} outside now and stay{'s' * is_one} as history."
        )
    ended = sweep.outcome is not None and sweep.outcome.get("state") == "finished"
    more = ended and _is_more(old.budget, new.budget)
    if more:
        sentence += " The sweep goes on."
    sweep.set_attributes(
        {
            **definition_attribute(new, edition, text),
            **sweep.edit_attributes(what, sentence, edition),
            **({OUTCOME: None, **wanted("run")} if more else {}),
        }
    )
    if more:
        spawn(sweep.location, sweep.present.number, sweep.present.name, new, SUPERVISOR)
    return Edited(sweep.record(), sentence)


def _outside(sweep: Sweep, new: SweepDefinition) -> int:
    from tracking.database import study_queries

    with sweep.engines.reading() as connection:
        records = study_queries.trial_records(connection, sweep.present.name)
    return sweep_changes.outside([record.params for record in records], new.space)


def _is_more(old: Budget, new: Budget) -> bool:
    def grew(before: float | None, after: float | None) -> bool:
        return before is not None and (after is None or after > before)

    return grew(old.trials, new.trials) or grew(old.seconds, new.seconds)


def add_budget(
    location: StoreLocation,
    name: str,
    *,
    trials: int | None = None,
    seconds: float | None = None,
    edition: int | None = None,
) -> Edited:
    """Let a sweep do more: `trials` and `seconds` are added to its budget. A finished one goes on.

    Raises:
        NotFound: There is no such sweep.
        InvalidValue: Nothing is added, or to a bound that it does not have.
    """
    for what, value in (("trials", trials), ("seconds", seconds)):
        if value is not None and (isinstance(value, bool) or not value > 0):
            raise InvalidValue(f"{what}={value!r}: only more than 0 can be added.")
    if trials is None and seconds is None:
        raise InvalidValue("Say what to add: trials, time or both.")

    def change(definition: SweepDefinition) -> tuple[SweepDefinition, str]:
        budget = definition.budget
        if (trials is not None and budget.trials is None) or (seconds is not None and budget.seconds is None):
            word = "trials" if trials is not None and budget.trials is None else "time"
            raise InvalidValue(f"The sweep has no bound of {word} that could be raised.")
        said = []
        if trials is not None and budget.trials is not None:
            said.append(f"{budget.trials + trials:,} trials in place of {budget.trials:,}")
        if seconds is not None and budget.seconds is not None:
            said.append(f"{budget.seconds + seconds:g} s in place of {budget.seconds:g} s")
        new = Budget(
            None if budget.trials is None else budget.trials + (trials or 0),
            None if budget.seconds is None else budget.seconds + (seconds or 0),
        )
        return replace(definition, budget=new), f"The budget is {' and '.join(said)}."

    return apply(location, name, "budget", change, edition=edition)


def set_workers(
    location: StoreLocation,
    name: str,
    workers: int | None = None,
    *,
    by: int | None = None,
    edition: int | None = None,
) -> Edited:
    """Set how many trials run at once, or change it `by` some; who is too many leaves after its trial.

    Raises:
        NotFound: There is no such sweep.
        InvalidValue: It would be none.
    """

    def change(definition: SweepDefinition) -> tuple[SweepDefinition, str]:
        count = workers if workers is not None else definition.workers + (by or 0)
        if count < 1:
            raise InvalidValue("A sweep has at least one worker. To let none work: pause.")
        if count == definition.workers:
            raise InvalidValue(f"It has {count} worker{'s' * (count != 1)} already.")
        return replace(definition, workers=count), f"Workers: {count} in place of {definition.workers}."

    return apply(location, name, "workers", change, edition=edition)


def limits_changed(
    seconds: float | None = None,
    memory: int | None = None,
    failures: int | None = None,
    retries: int | None = None,
) -> Change:
    """Return the change of what one trial may take; what is None stays."""
    given = {"seconds": seconds, "memory": memory, "failures": failures, "retries": retries}
    given = {key: value for key, value in given.items() if value is not None}

    def change(definition: SweepDefinition) -> tuple[SweepDefinition, str]:
        limits = replace(definition.limits, **given)  # type: ignore[arg-type]
        said = ", ".join(f"{key} {value:g}" for key, value in given.items() if value is not None)
        return replace(definition, limits=limits), f"Limits of a trial: {said}."

    return change


def set_limits(
    location: StoreLocation,
    name: str,
    *,
    seconds: float | None = None,
    memory: int | None = None,
    failures: int | None = None,
    retries: int | None = None,
    edition: int | None = None,
) -> Edited:
    """Change what one trial may take, for those that begin from now on; raises NotFound, InvalidValue."""
    change = limits_changed(seconds, memory, failures, retries)
    return apply(location, name, "limits", change, edition=edition)


def change_param(
    location: StoreLocation,
    name: str,
    param: str,
    *,
    low: float | int | None = None,
    high: float | int | None = None,
    step: float | int | None = None,
    log: bool | None = None,
    choices: Sequence[Choice] | None = None,
    value: Choice = None,
    edition: int | None = None,
) -> Edited:
    """Change what a param may be; see `apply` for what is raised.

    Other bounds stay in the study where the sampler draws every param by itself (random, and TPE without
    conditions): trials outside of them stay as history. Anything else opens the sweep's next study.
    """
    change = sweep_changes.changed_param(
        param, low=low, high=high, step=step, log=log, choices=choices, value=value
    )
    return apply(location, name, "space", change, edition=edition)


def widen(
    location: StoreLocation,
    name: str,
    param: str,
    *,
    low: float | int | None = None,
    high: float | int | None = None,
    edition: int | None = None,
) -> Edited:
    """Move bounds of a param outward; see `change_param`."""
    return apply(location, name, "space", sweep_changes.widened(param, low, high), edition=edition)


def narrow(
    location: StoreLocation,
    name: str,
    param: str,
    *,
    low: float | int | None = None,
    high: float | int | None = None,
    edition: int | None = None,
) -> Edited:
    """Move bounds of a param inward; see `change_param`."""
    return apply(location, name, "space", sweep_changes.narrowed(param, low, high), edition=edition)


def add_choice(
    location: StoreLocation, name: str, param: str, choice: Choice, *, edition: int | None = None
) -> Edited:
    """Let a categorical param have another choice; opens the sweep's next study, see `apply`."""
    return apply(location, name, "space", sweep_changes.with_choice(param, choice), edition=edition)


def add_param(location: StoreLocation, name: str, param: ParamSpace, *, edition: int | None = None) -> Edited:
    """Add a param to the space; opens the sweep's next study, see `apply`.

    Trials of before are taken over where their script logged the param: with the value that it has by default.
    """
    return apply(location, name, "space", sweep_changes.with_param(param), edition=edition)


def rewrite(location: StoreLocation, name: str, text: str, *, edition: int | None = None) -> Edited:
    """Replace a sweep's definition file; see `apply` for what is raised.

    Name, target, objectives, repeats and experiment stay: a sweep with others is another sweep.
    """
    new = read_definition(text)
    with editing(location, name, edition) as sweep:
        if new == sweep.definition:
            raise InvalidValue("The definition says what it said before.")
        return commit(sweep, "definition", new, "The definition file was rewritten.", text)
