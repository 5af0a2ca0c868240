"""Trying failed trials of a sweep again."""

from __future__ import annotations

from collections.abc import Sequence

from optuna.study import StudyDirection

from tracking.config import StoreLocation
from tracking.database import study_queries
from tracking.errors import InvalidValue, NotFound
from tracking.study_records import CAUSE, RETRY_OF, RUN, TrialRecord
from tracking.sweep_records import (
    OUTCOME,
    STOPPED,
    SweepState,
)
from tracking.tuning.definition import ParamKind
from tracking.tuning.space import fits
from tracking.tuning.study_draft import StudyDraft
from tracking.tuning.sweep_changes import checked
from tracking.tuning.sweep_control import check_time, is_on_its_way, start_processes
from tracking.tuning.sweep_edits import Edited, limits_changed
from tracking.tuning.sweep_state import (
    append,
    definition_attribute,
    editing,
    wanted,
)


def retry(
    location: StoreLocation,
    name: str,
    trials: Sequence[int] | None = None,
    *,
    seconds: float | None = None,
    memory: int | None = None,
) -> Edited:
    """Try failed trials again, with the same params, and let the sweep go on for them.

    Args:
        location: Of the store.
        name: Of the sweep.
        trials: Numbers in its present study; None for all that failed and were not tried again yet.
        seconds: A larger limit of time for all trials from now on.
        memory: A larger limit of memory, in bytes.

    Raises:
        NotFound: There is no such sweep, or no such trial.
        InvalidValue: One of the trials did not fail, or none is left to try.
        RunStateError: Its time is used: nothing would run.
    """
    with editing(location, name) as sweep:
        check_time(sweep, sweep.record())
        with sweep.engines.reading() as connection:
            records = study_queries.trial_records(connection, sweep.present.name)
        again = {each.attributes.get(RETRY_OF) for each in records}
        chosen = _failed(records, trials, again)
        bounds = {param.name: param for param in sweep.definition.space}
        out = [
            each.number
            for each in chosen
            if any(name not in bounds or not fits(bounds[name], value) for name, value in each.params.items())
            and bounds
        ]
        chosen = [each for each in chosen if each.number not in out]
        beyond = f" Outside of the space by now, and left: {_numbers(out)}." if out else ""
        if not chosen:
            raise InvalidValue(f"No failed trial of {sweep.name!r} is left to try again.{beyond}")
        draft = StudyDraft([StudyDirection(number) for number in sweep.present.directions])
        fixed = {param.name for param in sweep.definition.space if param.kind is ParamKind.FIXED}
        for each in chosen:
            params = {name: value for name, value in each.params.items() if name not in fixed}
            draft.enqueue(params, {RETRY_OF: each.number})
        edition, definition = sweep.edition, sweep.definition
        sentence = f"Tried again: {_numbers([each.number for each in chosen])}.{beyond}"
        if seconds is not None or memory is not None:
            edition += 1
            definition, limits = limits_changed(seconds, memory)(definition)
            checked(definition)
            sentence += f" {limits}"
        append(sweep.engines, sweep.present.number, draft.trial_ops)
        sweep.set_attributes(
            {
                # As for resuming: for a supervisor that is leaving.
                **(wanted("run") if sweep.wanted == "run" and sweep.outcome is None else {}),
                **(definition_attribute(definition, edition) if edition != sweep.edition else {}),
                **sweep.edit_attributes("retry", sentence, edition),
            }
        )
        record = sweep.record()
        if record.state in (SweepState.PAUSED, SweepState.STOPPING):
            return Edited(record, f"{sentence} It is {record.state}: resume lets it go on.")
        if is_on_its_way(sweep):
            return Edited(record, sentence)
        sweep.set_attributes({**wanted("run"), OUTCOME: None})
        start_processes(sweep)
        return Edited(sweep.record(), f"{sentence} The sweep goes on.")


def _failed(
    records: Sequence[TrialRecord], wanted_numbers: Sequence[int] | None, again: set[object]
) -> list[TrialRecord]:
    by_number = {each.number: each for each in records}
    if wanted_numbers is None:
        return [
            each
            for each in records
            if each.state == "fail"
            and each.number not in again
            and RUN not in each.attributes
            and each.attributes.get(CAUSE) != STOPPED
        ]
    chosen = []
    for number in dict.fromkeys(wanted_numbers):
        found = by_number.get(number)
        if found is None:
            raise NotFound(f"There is no trial {number}. There are 0 to {len(records) - 1}.")
        if found.state != "fail":
            raise InvalidValue(f"Trial {number} is {found.state}: only failed ones are tried again.")
        if number in again:
            raise InvalidValue(f"Trial {number} was tried again already.")
        chosen.append(found)
    return chosen


def _numbers(numbers: Sequence[int]) -> str:
    shown = ", ".join(map(str, numbers[:20])) + (", …" if len(numbers) > 20 else "")
    return f"{'trial' if len(numbers) == 1 else f'{len(numbers)} trials,'} {shown}"
