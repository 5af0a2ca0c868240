"""Confirming the winners of a sweep: its best configurations run again, on repeats that had no part in the choice.

The best of many noisy scores is best partly by luck. A confirmation is a small sweep of its own that lists the best
configurations and runs each several times: with values of the seed that no trial has used where the target takes a
seed, else by the same command again. Ranking on those runs alone is `tracking.analysis.confirmation`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from tracking.analysis.ranking import top_configurations
from tracking.analysis.trials import feasible, trial_frame, value_columns
from tracking.config import StoreLocation
from tracking.database import study_queries, sweep_confirmations, sweep_queries
from tracking.errors import InvalidValue, NotFound
from tracking.study_records import RUN, TrialRecord
from tracking.sweep_records import CONFIRMS, START_KEY, ConfirmationRecord, SweepObjective, SweepRecord
from tracking.tuning.definition import (
    Budget,
    Choice,
    FunctionTarget,
    Named,
    ParamKind,
    ParamSpace,
    Repeats,
    ScriptTarget,
    SweepDefinition,
    TableTarget,
)
from tracking.tuning.definition_options import LISTED
from tracking.tuning.space import fits, same_choice
from tracking.tuning.sweep_start import start
from tracking.tuning.sweep_state import Sweep, find, opened
from tracking.tuning.targets.checks import value_problem
from tracking.tuning.targets.describe import describe_function, describe_script
from tracking.tuning.targets.options import FoundTarget, Option
from tracking.validation import NAME_LIMIT

TOP, REPEATS = 3, 5
"""How many configurations, and how many fresh runs of each, unless somebody says otherwise."""
MOST_TOP, MOST_REPEATS = 50, 100

SEEDS = ("seed", "random_state", "random_seed")
"""Options that are a seed, in the order they are looked for."""
SEED_LIKE = re.compile(r"(^|[._-])(seed|random_state|rng)s?($|[._-]|\d)", re.IGNORECASE)
"""Finds the names of params whose values can be made up."""
_LOOKED_AT = 100_000


def confirm(
    location: StoreLocation,
    name: str,
    *,
    top: int = TOP,
    repeats: int = REPEATS,
    trials: Sequence[int] | None = None,
    values: Sequence[Choice] | None = None,
    key: str | None = None,
) -> SweepRecord:
    """Run the best configurations of a sweep again, on fresh repeats.

    Args:
        location: Of the store.
        name: Of the sweep.
        top: How many configurations, from the best one on; of several objectives front by front.
        repeats: How often each is run, at least twice.
        trials: Numbers of the trials to run again in place of the best ones; `top` says nothing then.
        values: Of the param that tells repeats apart, in place of fresh seeds; `repeats` says nothing then.
        key: Names this start: given again, what it started is returned and nothing else is.

    Returns:
        The sweep that confirms, which is stopped, resumed and looked at like any other one.

    Raises:
        NotFound: There is no such sweep or trial.
        InvalidValue: No trial is complete, one that was chosen is not, or there are no fresh values.
        InvalidDefinition: The target has changed, and lacks what the sweep asks of it.
        StoreError: The store cannot be written, or the supervisor not be started.
    """
    _check(top, repeats, values)
    with opened(location) as engines:
        with engines.reading() as connection:
            for chain in sweep_queries.chains(connection):
                if key is not None and chain[0].attributes.get(START_KEY) == key:
                    return sweep_queries.sweep_record(connection, location, chain)
        sweep = find(engines, location, name)
        if CONFIRMS in sweep.chain[0].attributes:
            raise InvalidValue(
                f"{sweep.name!r} confirms {sweep.record().confirms!r} itself. Confirm that one again."
            )
        with engines.reading() as connection:
            before = sweep_confirmations.confirmations(connection, location, name)
            taken = {found for _, found, _ in study_queries.study_rows(connection)}
        vary, fresh = _varied(sweep, before, repeats, values)
        chosen = _chosen(sweep, top, trials, vary)
        definition = _definition(sweep.definition, chosen, Repeats(vary, fresh), _free(sweep.name, taken))
    said = {
        "sweep": sweep.name,
        "trials": [
            {"trial": each.number, "run": each.run, "values": each.values, "params": each.params}
            for each in chosen
        ],
        "vary": vary,
        "values": list(fresh),
    }
    return start(location, definition, project=sweep.project, key=key, attributes={CONFIRMS: said})


def _check(top: int, repeats: int, values: Sequence[Choice] | None) -> None:
    for what, number, least, most in (("top", top, 1, MOST_TOP), ("repeats", repeats, 2, MOST_REPEATS)):
        if isinstance(number, bool) or not isinstance(number, int) or not least <= number <= most:
            why = " One run says nothing of the noise." if (what, number) == ("repeats", 1) else ""
            raise InvalidValue(f"{what}={number!r}: it is from {least} to {most}.{why}")
    if values is not None and not 2 <= len(values) <= MOST_REPEATS:
        raise InvalidValue(f"There are {len(values)} values: give from 2 to {MOST_REPEATS}.")


def _chosen(sweep: Sweep, top: int, numbers: Sequence[int] | None, vary: str | None) -> list[TrialRecord]:
    """Return the trials to confirm, the best first, each configuration once; their params are without `vary`."""
    with sweep.engines.reading() as connection:
        records = study_queries.trial_records(connection, sweep.present.name)
        names = {study.name for study in sweep.chain}
        foreign = {
            each.number
            for each in records
            if RUN in each.attributes and not _is_of(connection, str(each.attributes[RUN]), names)
        }
    if numbers is not None:
        records = [_complete(records, number, foreign) for number in dict.fromkeys(numbers)]
        top = max(1, len(records))
    own = [
        replace(each, params={name: value for name, value in each.params.items() if name != vary})
        for each in records
        if each.state == "complete" and each.number not in foreign
    ]
    objectives = [SweepObjective(each.metric, each.goal, each.at) for each in sweep.definition.objectives]
    frame = trial_frame(own, objectives)
    goals = [each.goal for each in objectives]
    if not own:
        raise InvalidValue(f"No trial of {sweep.name!r} is complete yet: there is nothing to confirm.")
    held = feasible(frame)
    if not held.any():
        raise InvalidValue(
            f"Every trial of {sweep.name!r} breaks a constraint: there is no winner to confirm."
        )
    best = top_configurations(frame, value_columns(objectives), goals, top, feasible=held)
    chosen = [own[int(place)] for place in best]
    if not any(each.params for each in chosen):
        raise InvalidValue(
            f"{vary} is all that {sweep.name!r} tunes: without it there is nothing to compare."
        )
    return chosen


def _is_of(connection: Any, run: str, studies: set[str]) -> bool:
    found = study_queries.trial_of_run(connection, run)
    return found is not None and found[0] in studies


def _complete(records: Sequence[TrialRecord], number: int, foreign: set[int]) -> TrialRecord:
    found = next((each for each in records if each.number == number), None)
    if found is None:
        raise NotFound(f"There is no trial {number}. There are 0 to {len(records) - 1}.")
    if found.state != "complete":
        state = {"fail": "failed", "pruned": "was pruned"}.get(found.state, f"is {found.state}")
        raise InvalidValue(f"Trial {number} {state}: only complete ones can be confirmed.")
    if number in foreign:
        raise InvalidValue(
            f"Trial {number} is an earlier run that the sweep learned from, and none of its own."
        )
    return found


def _varied(
    sweep: Sweep, before: Sequence[ConfirmationRecord], repeats: int, values: Sequence[Choice] | None
) -> tuple[str | None, tuple[Choice, ...]]:
    """Return the param that tells the fresh runs apart, None where nothing does, and its values."""
    definition = sweep.definition
    target = _target(sweep)
    options = {option.name: option for option in target.options} if target is not None else {}
    own = definition.repeats.vary if definition.repeats is not None else None
    vary = _seed(definition, options)
    if values is not None:
        vary = own if vary is None or (own is not None and not SEED_LIKE.search(own)) else vary
        if vary is None:
            raise InvalidValue("The target takes no seed that values could be of. Leave them out.")
        return vary, tuple(values)
    if vary is None and own is not None:
        raise InvalidValue(
            f"The repeats of {sweep.name!r} are of {own!r}, and which other values that may have is not known. "
            "Give them: --values 5,6,7, say."
        )
    if vary is None:
        return None, tuple(range(repeats))
    used = _used(sweep, before, vary, options.get(vary))
    fresh = fresh_seeds(repeats, used, options.get(vary))
    if len(fresh) < repeats:
        if own == vary:
            raise InvalidValue(
                f"{vary} takes only {len(fresh)} values that no trial has used, not {repeats}."
            )
        return None, tuple(range(repeats))
    return vary, tuple(fresh)


def _target(sweep: Sweep) -> FoundTarget | None:
    target = sweep.definition.target
    if isinstance(target, ScriptTarget):
        return describe_script(sweep.project, target.path)
    if isinstance(target, FunctionTarget):
        return describe_function(sweep.project, target.path, target.name)
    return None


def _seed(definition: SweepDefinition, options: Mapping[str, Option]) -> str | None:
    target = definition.target
    if isinstance(target, TableTarget):
        return "seed"  # of folds and estimators; repeats by fold are means over the folds, as one seed is
    if isinstance(target, FunctionTarget) and target.objective:
        return None  # it draws its params itself
    if definition.repeats is not None and definition.repeats.vary is not None:
        return definition.repeats.vary if SEED_LIKE.search(definition.repeats.vary) else None
    tuned = {param.name for param in definition.space}
    return next((name for name in SEEDS if name in options or name in tuned), None)


def _used(sweep: Sweep, before: Sequence[ConfirmationRecord], vary: str, option: Option | None) -> list[Any]:
    """Return the values of the seed that trials have used, as far as anybody has said so."""
    definition = sweep.definition
    used: list[Any] = [option.default] if option is not None else []
    if definition.repeats is not None and definition.repeats.vary == vary:
        used += definition.repeats.values
    for param in definition.space:
        if param.name == vary:
            used += [param.value, *param.choices]
    if isinstance(definition.target, TableTarget):
        used.append(definition.target.seed)
    if isinstance(definition.target, ScriptTarget):
        # Which argument is the seed, only the script's parser tells.
        used += re.findall(r"\d+", " ".join(definition.target.arguments))
    for each in before:
        used += each.values
    with sweep.engines.reading() as connection:
        numbers = [study.number for study in sweep.chain]
        used += sweep_confirmations.used_values(connection, numbers, vary)
    return used


def fresh_seeds(count: int, used: Iterable[Any], option: Option | None) -> list[int]:
    """Return seeds that were not used and that an option takes, fewer where it takes no more."""
    taken = {_whole(each) for each in used}
    can: Callable[[int], bool] = (
        (lambda seed: value_problem(option, seed) is None) if option is not None else (lambda seed: True)
    )
    found: list[int] = []
    # Small ones, which every generator takes; those that an option refuses are few, or it takes no numbers at all.
    for seed in range(_LOOKED_AT):
        if len(found) == count:
            break
        if seed not in taken and can(seed):
            found.append(seed)
        elif not found and seed > 1000 + len(taken):
            break
    return found


def _whole(value: Any) -> int | None:
    try:
        return int(value)
    except (TypeError, ValueError, OverflowError):
        return None


def _definition(
    definition: SweepDefinition, chosen: Sequence[TrialRecord], repeats: Repeats, name: str
) -> SweepDefinition:
    listed = [each.params for each in chosen]
    count = len(listed)
    best = "best trial" if count == 1 else f"{count} best configurations"
    how = "" if repeats.vary is None else f", with values of {repeats.vary} that it has not used"
    return replace(
        definition,
        name=name,
        experiment=name,
        notes=f"Runs the {best} of {definition.name} again, {len(repeats.values)} times each{how}.",
        space=tuple(_holding(param, listed) for param in definition.space if param.name != repeats.vary),
        sampler=Named(LISTED),
        pruner=Named("none"),
        budget=Budget(trials=count),
        workers=min(definition.workers, count),
        repeats=repeats,
        limits=replace(definition.limits, failures=None),
        seed=None,
        prior=None,
        start_with=tuple(listed),
    )


def _holding(param: ParamSpace, configurations: Sequence[Mapping[str, Choice]]) -> ParamSpace:
    """Return a param with bounds that hold what is run: trials of before an edit may lie outside."""
    outside = [each[param.name] for each in configurations if param.name in each]
    outside = [each for each in outside if not fits(param, each)]
    if not outside or param.kind is ParamKind.FIXED:
        return param
    if param.kind is ParamKind.CATEGORICAL:
        new = [each for each in outside if not any(same_choice(each, one) for one in param.choices)]
        return replace(param, choices=(*param.choices, *{json.dumps(each): each for each in new}.values()))
    numbers = [each for each in (param.low, param.high, *outside) if isinstance(each, int | float)]
    return replace(param, low=min(numbers), high=max(numbers), step=None)


def _free(sweep: str, taken: set[str]) -> str:
    for number in range(1, len(taken) + 2):
        end = " confirmed" if number == 1 else f" confirmed-{number}"
        if (name := sweep[: NAME_LIMIT - len(end)] + end) not in taken:
            return name
    raise AssertionError("There is always a number that is free.")
