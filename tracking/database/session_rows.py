"""The rows behind what one session says, written in its ingest's transaction."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, insert, select

from tracking.database import carried_rows, run_writes
from tracking.database.engine import Engines, write
from tracking.database.history import read_visible
from tracking.database.run_writes import sessions
from tracking.database.stretch import Stretch
from tracking.database.summaries import add_summaries, replace_summary, summarize
from tracking.database.tables import MetricBlockRow, MetricSeriesRow
from tracking.records import RunStatus
from tracking.spool.format import Event

series_table = MetricSeriesRow.__table__  # type: ignore[attr-defined]
blocks = MetricBlockRow.__table__  # type: ignore[attr-defined]

NEVER_OWNED = "The process that owns this run (rank 0 of its launch) never wrote to this store."
GONE = "The process ended without a word (killed, out of memory, or the machine went down)."


@dataclass(frozen=True, slots=True)
class Place:
    """Where a session belongs, by internal numbers."""

    session: int
    run: int
    experiment: int


def apply_events(connection: Connection, place: Place, events: Iterable[Event]) -> bool:
    """Write the rows of events; returns whether they change the experiment's structure."""
    changed = False
    for event in events:
        changed = True
        kind = event["t"]
        if kind == "params":
            run_writes.set_params(connection, place.run, event["leaves"])
        elif kind == "tags":
            run_writes.set_tags(connection, place.run, event["tags"])
        elif kind == "notes":
            run_writes.set_column(connection, place.run, "notes", event["notes"])
        elif kind == "goal":
            run_writes.set_goal(connection, place.experiment, event["key"], event["goal"])
        elif kind == "repeat":
            run_writes.set_repeat(connection, place.experiment, event["vary"], event["ignore"])
        elif kind == "artifact":
            carried_rows.add_artifact(connection, place.run, place.session, event)
        elif kind == "dataset":
            carried_rows.add_dataset(connection, place.run, event)
        elif kind == "capture":
            carried_rows.set_capture(connection, place.session, event)
        elif kind == "dropped":
            run_writes.set_dropped(connection, place.run, place.session, event["points"])
        elif kind == "final":
            status, error = RunStatus(event["status"]), event.get("error")
            run_writes.finish_run(
                connection, place.run, place.session, status, event["time"], event["seconds"], error
            )
    return changed


def mark_gone(connection: Connection, place: Place, status: RunStatus, *, alone: bool = False) -> bool:
    """Set `status` on the run of a dead session that owned it and left none; returns whether it did.

    Args:
        connection: To write with.
        place: Of the session.
        status: To be set.
        alone: No other session of the run is in the spool: then a run that nobody ever owned is gone too.
    """
    runs = run_writes.runs
    stands, last_seen = connection.execute(
        select(runs.c.status, runs.c.last_seen).where(runs.c.id == place.run)
    ).one()
    if RunStatus(stands).is_final:
        return False
    if alone and run_writes.is_forsaken(connection, place.run, place.session):
        run_writes.set_status(connection, place.run, status, last_seen, NEVER_OWNED)
        return True
    return run_writes.finish_run(connection, place.run, place.session, status, last_seen, None, GONE)


def new_series(connection: Connection, place: Place, keys: Iterable[str]) -> dict[str, tuple[int, int]]:
    """Make the series of keys that the session had not logged before; returns (key, series) numbers."""
    wanted = list(keys)
    if not wanted:
        return {}
    numbers = run_writes.key_numbers(connection, run_writes.metric_keys, wanted)
    rows = [{"run_id": place.run, "key_id": numbers[key], "session_id": place.session} for key in wanted]
    connection.execute(insert(series_table), rows)
    query = select(series_table.c.key_id, series_table.c.id).where(
        series_table.c.run_id == place.run, series_table.c.session_id == place.session
    )
    made = {row.key_id: row.id for row in connection.execute(query)}
    return {key: (numbers[key], made[numbers[key]]) for key in wanted}


def add_to_summaries(
    connection: Connection, place: Place, stretch: Stretch, numbers: dict[str, int]
) -> set[int]:
    """Add the stretch to the run's summaries.

    Returns:
        The numbers of the keys of which another session had logged the same steps. Theirs cannot be
        added up: they are to be computed anew with `rebuild_summaries`.
    """
    again = _logged_again(connection, place, stretch, numbers)
    added: list[dict[str, Any]] = [
        {"run_id": place.run, "key_id": numbers[key], **row}
        for key, row in stretch.summaries.items()
        if numbers[key] not in again
    ]
    if added:
        add_summaries(connection, added)
    return again


def rebuild_summaries(engines: Engines, place: Place, keys: Iterable[int], *, patience: float) -> None:
    """Compute summaries from all visible points and write them; the reading needs no lock."""
    with engines.readers.connect() as connection:
        rows = []
        for number in keys:
            steps, values, _ = read_visible(connection, place.run, number)
            rows.append({"run_id": place.run, "key_id": number, **summarize(steps, values)})

    def work(connection: Connection) -> None:
        for row in rows:
            replace_summary(connection, row)
        run_writes.bump(connection, place.experiment, place.run, structure=False)

    write(engines.writers, work, patience=patience)


def is_resumed(connection: Connection, run: int) -> bool:
    """Whether a later session than the first owned the run."""
    later = select(sessions.c.id).where(sessions.c.run_id == run, sessions.c.owner, sessions.c.ordinal > 0)
    return connection.execute(later.limit(1)).first() is not None


def _logged_again(
    connection: Connection, place: Place, stretch: Stretch, numbers: dict[str, int]
) -> set[int]:
    """Return the keys of which the stretch and another session of a resumed run have steps in common."""
    if not stretch.points:
        return set()
    if not is_resumed(connection, place.run):
        return set()
    again: set[int] = set()
    for key, (steps, _, _) in stretch.points.items():
        overlap = connection.execute(
            select(blocks.c.id)
            .join(series_table, series_table.c.id == blocks.c.series_id)
            .where(
                series_table.c.run_id == place.run,
                series_table.c.key_id == numbers[key],
                series_table.c.session_id != place.session,
                blocks.c.min_step <= int(steps.max()),
                blocks.c.max_step >= int(steps.min()),
            )
            .limit(1)
        ).first()
        if overlap is not None:
            again.add(numbers[key])
    return again
