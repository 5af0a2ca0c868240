"""Params, artifacts, datasets and captured sections of a merged run, in its last transaction."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, delete, select
from sqlalchemy.dialects.sqlite import insert

from tracking.database import run_writes
from tracking.database.carried_rows import add_dataset, artifacts, captures
from tracking.database.merge_rows import SourceRun
from tracking.database.run_writes import param_keys, params_table, sessions


def write(connection: Connection, run: SourceRun, number: int, taken: set[str], *, ahead: bool) -> None:
    """Write what a run carries.

    Args:
        connection: The transaction.
        run: As it is in the other store.
        number: Its internal number here.
        taken: Spools of the sessions whose state is taken from there.
        ahead: Whether the state there is the later one: then its params are the ones that count.
    """
    leaves = run.params
    if not ahead:
        known = select(param_keys.c.name).join_from(params_table, param_keys)
        here = set(connection.execute(known.where(params_table.c.run_id == number)).scalars())
        leaves = [leaf for leaf in leaves if leaf[0] not in here]
    run_writes.set_params(connection, number, leaves)
    query = select(sessions.c.spool, sessions.c.id).where(sessions.c.run_id == number)
    places = {row.spool: row.id for row in connection.execute(query)}
    _write_artifacts(connection, run, number, taken, places)
    for dataset in run.datasets:
        add_dataset(connection, number, dataset)
    for spool in taken:
        connection.execute(delete(captures).where(captures.c.session_id == places[spool]))
    rows = [_placed(each, places) for each in run.captures if each["spool"] in taken]
    if rows:
        connection.execute(insert(captures), rows)


def _write_artifacts(
    connection: Connection, run: SourceRun, number: int, taken: set[str], places: dict[str, int]
) -> None:
    fresh = [_placed(each, places) | {"run_id": number} for each in run.artifacts if each["spool"] in taken]
    ours = {places[spool] for spool in taken}
    query = select(artifacts).where(artifacts.c.run_id == number).order_by(artifacts.c.id)
    stored = [dict(row) for row in connection.execute(query).mappings()]
    kept = [
        {key: value for key, value in row.items() if key != "id"}
        for row in stored
        if row["session_id"] not in ours
    ]
    if not fresh and len(kept) == len(stored):
        return
    connection.execute(delete(artifacts).where(artifacts.c.run_id == number))
    # The one logged last shows, which is the one with the largest number.
    rows = sorted([*kept, *fresh], key=lambda row: row["created"]) if kept else fresh
    if rows:
        connection.execute(insert(artifacts), rows)


def _placed(row: dict[str, Any], places: dict[str, int]) -> dict[str, Any]:
    values = {key: value for key, value in row.items() if key != "spool"}
    return values | {"session_id": places[row["spool"]]}
