"""Sweeps that run the best trials of another one again, from rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, or_, select

from tracking.config import StoreLocation
from tracking.database.param_values import decode_value
from tracking.database.run_writes import param_keys, params_table, runs
from tracking.database.study_queries import trial_records
from tracking.database.study_rows import trials
from tracking.database.sweep_queries import SweepStudy, chain_of, chains, sweep_record
from tracking.study_records import PLACE, REASON, REPEATS, RETRY_OF, TrialRecord
from tracking.sweep_records import CONFIRMS, ConfirmationRecord, ConfirmedTrial
from tracking.validation import normalized

# Of several trials of one configuration, tried again after its worker died, say: the one that came furthest.
_STATES = ("complete", "running", "waiting", "fail", "pruned")


def confirmations(connection: Connection, location: StoreLocation, name: str) -> list[ConfirmationRecord]:
    """Return what confirms a sweep, the one that was started last first; raises NotFound."""
    sweep = chain_of(connection, name)[0].name
    return [
        _record(connection, location, sweep, chain)
        for chain in chains(connection)
        if _said(chain).get("sweep") == sweep
    ]


def used_values(connection: Connection, studies: Sequence[int], param: str) -> list[Any]:
    """Return the values of a param that trials of studies, and runs below theirs, have logged, each once.

    Args:
        connection: To the store's database.
        studies: Their numbers.
        param: Its dotted name.
    """
    mine = select(trials.c.run_id).where(trials.c.study_id.in_(studies))
    theirs = select(runs.c.uid).where(runs.c.id.in_(mine))
    query = (
        select(params_table.c.kind, params_table.c.text)
        .distinct()
        .join(param_keys, param_keys.c.id == params_table.c.key_id)
        .join(runs, runs.c.id == params_table.c.run_id)
        .where(param_keys.c.name == normalized(param), or_(runs.c.id.in_(mine), runs.c.parent.in_(theirs)))
    )
    return [decode_value(kind, text) for kind, text in connection.execute(query)]


def _said(chain: Sequence[SweepStudy]) -> Mapping[str, Any]:
    found = chain[0].attributes.get(CONFIRMS)
    return found if isinstance(found, dict) else {}


def _record(
    connection: Connection, location: StoreLocation, sweep: str, chain: Sequence[SweepStudy]
) -> ConfirmationRecord:
    said = _said(chain)
    records = trial_records(connection, chain[-1].name)
    by_place = _by_place(records)
    vary = said.get("vary")
    return ConfirmationRecord(
        sweep=sweep,
        own=sweep_record(connection, location, chain),
        vary=vary if isinstance(vary, str) else None,
        values=tuple(said.get("values") or ()),
        trials=tuple(
            _confirmed(about, by_place.get(place)) for place, about in enumerate(said.get("trials") or ())
        ),
    )


def _by_place(records: Sequence[TrialRecord]) -> dict[int, TrialRecord]:
    places: dict[int, int] = {}
    found: dict[int, TrialRecord] = {}
    for record in records:
        place = record.attributes.get(PLACE, places.get(record.attributes.get(RETRY_OF, -1)))
        if place is None:
            continue
        places[record.number] = place
        if place not in found or _STATES.index(record.state) <= _STATES.index(found[place].state):
            found[place] = record
    return found


def _confirmed(about: Mapping[str, Any], record: TrialRecord | None) -> ConfirmedTrial:
    return ConfirmedTrial(
        trial=int(about["trial"]),
        run=about.get("run"),
        scores=tuple(about.get("values") or ()),
        params=about.get("params") or {},
        state="waiting" if record is None else record.state,
        fresh=() if record is None else _fresh(record),
        number=None if record is None else record.number,
        fresh_run=None if record is None else record.run,
        reason="" if record is None else str(record.attributes.get(REASON) or ""),
    )


def _fresh(record: TrialRecord) -> tuple[tuple[float, ...] | None, ...]:
    found = [
        None if each is None else tuple(each) if isinstance(each, list) else (each,)
        for each in record.attributes.get(REPEATS) or ()
    ]
    if record.state == "running":  # those that are None have not ended yet
        found = [each for each in found if each is not None]
    return tuple(found)
