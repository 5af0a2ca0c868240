"""The trash: runs marked as deleted, put back, or removed for good.

A run goes with all that are parts of it, and comes back with those that went at the same moment.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, func, select, update

from tracking.database import run_writes
from tracking.database.carried_rows import artifacts, captures, dataset_uses, datasets
from tracking.database.moments import moment
from tracking.database.registry_needs import refuse_needed, versions_of
from tracking.database.run_writes import experiments, goals, params_table, runs, sessions, tags_table, trials
from tracking.database.search_columns import chunks
from tracking.database.tables import MetricBlockRow, MetricSeriesRow, MetricSummaryRow
from tracking.errors import NotFound, RunStateError
from tracking.records import RunStatus, TrashedRun
from tracking.validation import storable

series = MetricSeriesRow.__table__  # type: ignore[attr-defined]
blocks = MetricBlockRow.__table__  # type: ignore[attr-defined]
summaries = MetricSummaryRow.__table__  # type: ignore[attr-defined]

_COLUMNS = (
    runs.c.id,
    runs.c.uid,
    runs.c.name,
    runs.c.parent,
    runs.c.status,
    runs.c.deleted,
    runs.c.experiment_id,
    experiments.c.name.label("experiment"),
)


@dataclass(frozen=True, slots=True)
class Family:
    """A run in the trash with all that are parts of it.

    Attributes:
        members: Rows with `id`, `uid`, `name`, `experiment`; the run first.
        spools: Names of their sessions.
        kept: Why it must stay for now, or None.
    """

    members: tuple[Any, ...]
    spools: tuple[str, ...]
    kept: str | None


def delete_run(connection: Connection, uid: str, now: int) -> list[str]:
    """Move a run with its parts to the trash; returns their ids.

    Raises:
        NotFound: There is no such run.
        RunStateError: One of them is live.
        StillNeeded: A version of a model was made from one of them, or from a run that it is a part of.
    """
    row = _row(connection, uid)
    return _delete(connection, _family(connection, [row]), now, f"Run {row.uid} ({row.name})")


def delete_experiment(connection: Connection, name: str, now: int) -> list[str]:
    """Move all runs of an experiment to the trash; one without any run goes at once.

    Raises:
        NotFound: There is no such experiment.
        RunStateError: A run is live; none was deleted.
        StillNeeded: A version of a model was made from one of them; none was deleted.
    """
    number = _experiment(connection, name)
    if number is None:
        raise NotFound(f"There is no experiment {name!r}.")
    rows = _select(connection, runs.c.experiment_id == number)
    if not rows:
        _remove_experiment(connection, number)
        return []
    return _delete(connection, _family(connection, rows), now, f"The experiment {name!r}")


def restore(connection: Connection, given: str) -> list[str]:
    """Take a run, or the runs of an experiment, out of the trash; returns their ids.

    Raises:
        NotFound: Neither is in the trash.
        RunStateError: The run is a part of one in the trash.
    """
    found = _select(connection, runs.c.uid == storable(given))
    if found:
        (row,) = found
        if row.deleted is None:
            return []
        above = _select(connection, runs.c.uid == row.parent) if row.parent else []
        if above and above[0].deleted is not None:
            raise RunStateError(
                f"Run {given} is a part of run {above[0].uid}, which is in the trash. Restore that one."
            )
        back = [one for one in _family(connection, [row]) if one.deleted == row.deleted]
    else:
        number = _experiment(connection, given)
        back = _select(connection, runs.c.experiment_id == number, runs.c.deleted.is_not(None))
        if number is None or not back:
            raise NotFound(f"There is no run {given!r} and no experiment of that name in the trash.")
        moments = {one.deleted for one in back}
        back = [one for one in _family(connection, back) if one.deleted in moments]
    _mark(connection, back, None)
    return [row.uid for row in back]


def trashed(connection: Connection) -> list[TrashedRun]:
    """Return what is in the trash, deleted last first."""
    rows = _select(connection, runs.c.deleted.is_not(None))
    rows.sort(key=lambda row: (-row.deleted, row.uid))
    sizes: dict[int, int] = {}
    carried = (
        select(artifacts.c.run_id, func.sum(artifacts.c.size)).group_by(artifacts.c.run_id),
        select(sessions.c.run_id, func.sum(captures.c.size))
        .join_from(captures, sessions)
        .group_by(sessions.c.run_id),
    )
    for statement in carried:
        for number, size in connection.execute(statement):
            sizes[number] = sizes.get(number, 0) + int(size or 0)
    return [
        TrashedRun(
            id=row.uid,
            experiment=row.experiment,
            name=row.name,
            parent=row.parent,
            deleted=moment(row.deleted),
            bytes=sizes.get(row.id, 0),
        )
        for row in rows
    ]


def families(
    connection: Connection, before: int | None, spooled: Collection[str], only: str | None = None
) -> list[Family]:
    """Return what the trash holds, by the run that the others are parts of.

    Args:
        connection: To read with, or to purge with.
        before: Spare what was deleted later than this.
        spooled: Ids of runs of which a spool is left over or somebody goes on with.
        only: Just the family of this run.
    """
    rows = _select(connection, runs.c.deleted.is_not(None))
    trash = {row.uid for row in rows}
    tops = [row for row in rows if row.parent not in trash and only in (None, row.uid)]
    found = []
    for top in tops:
        members = tuple(_family(connection, [top]))
        found.append(
            Family(
                members, tuple(_spools(connection, members)), _why_kept(connection, members, before, spooled)
            )
        )
    return found


def purge(connection: Connection, members: Sequence[Any]) -> None:
    """Remove the rows of runs for good, with datasets and experiments that nothing else uses."""
    numbers = [row.id for row in members]
    for part in chunks(numbers):
        of_runs = select(sessions.c.id).where(sessions.c.run_id.in_(part))
        of_series = select(series.c.id).where(series.c.run_id.in_(part))
        used = select(dataset_uses.c.dataset_id).where(dataset_uses.c.run_id.in_(part)).distinct()
        known = list(connection.execute(used).scalars())
        connection.execute(delete(captures).where(captures.c.session_id.in_(of_runs)))
        connection.execute(delete(blocks).where(blocks.c.series_id.in_(of_series)))
        # The trial stays in its study, without a run.
        gone = trials.c.run_id.in_(part)
        connection.execute(update(trials).where(gone).values(run_id=None, session_id=None))
        for table in (
            artifacts,
            dataset_uses,
            summaries,
            series,
            params_table,
            tags_table,
            sessions,
        ):
            connection.execute(delete(table).where(table.c.run_id.in_(part)))
        connection.execute(delete(runs).where(runs.c.id.in_(part)))
        for some in chunks(known):
            still = select(dataset_uses.c.dataset_id).where(dataset_uses.c.dataset_id == datasets.c.id)
            connection.execute(delete(datasets).where(datasets.c.id.in_(some), ~still.exists()))
    for number in {row.experiment_id for row in members}:
        left = connection.execute(select(runs.c.id).where(runs.c.experiment_id == number).limit(1)).first()
        if left is None:
            _remove_experiment(connection, number)
        else:
            run_writes.bump_experiment(connection, number, structure=True)


def is_there(connection: Connection, uid: str) -> bool:
    """Whether there is such a run, in the trash or not."""
    return bool(_select(connection, runs.c.uid == uid))


def session_offsets(connection: Connection) -> dict[str, int]:
    """Return up to which offset each known spool is in the database."""
    rows = connection.execute(select(sessions.c.spool, sessions.c.ingested))
    return {row.spool: row.ingested for row in rows}


def end_live_runs(connection: Connection, why: str, now: int) -> int:
    """Mark every live run as lost, as in a store that was brought back; returns how many."""
    live = runs.c.status.in_([status.value for status in RunStatus if not status.is_final])
    values = {"status": RunStatus.LOST.value, "ended": now, "error": why, "revision": runs.c.revision + 1}
    return connection.execute(update(runs).where(live).values(**values)).rowcount


def _row(connection: Connection, uid: str) -> Any:
    if not isinstance(uid, str) or not (found := _select(connection, runs.c.uid == storable(uid))):
        raise NotFound(f"There is no run {uid!r} in this store. store.search() lists the runs.")
    return found[0]


def _select(connection: Connection, *conditions: Any) -> list[Any]:
    statement = select(*_COLUMNS).join_from(runs, experiments).where(*conditions).order_by(runs.c.id)
    return list(connection.execute(statement))


def _family(connection: Connection, rows: Sequence[Any]) -> list[Any]:
    """Return runs with all that are parts of them, and of those, each once."""
    found = {row.id: row for row in rows}
    newest = list(found.values())
    while newest:
        children = [
            child
            for part in chunks([row.uid for row in newest])
            for child in _select(connection, runs.c.parent.in_(part))
        ]
        newest = [child for child in children if child.id not in found]
        found.update((child.id, child) for child in newest)
    return list(found.values())


def _delete(connection: Connection, rows: Sequence[Any], now: int, what: str) -> list[str]:
    fresh = [row for row in rows if row.deleted is None]
    refuse_needed(connection, [row.id for row in fresh], what)
    live = [row for row in fresh if not RunStatus(row.status).is_final]
    if live:
        raise RunStateError(
            f"Run {live[0].uid} ({live[0].name}) is {live[0].status}"
            + (f", and {len(live) - 1} more are live" if len(live) > 1 else "")
            + ". End what is live first; nothing was deleted."
        )
    _mark(connection, fresh, now)
    return [row.uid for row in fresh]


def _mark(connection: Connection, rows: Sequence[Any], deleted: int | None) -> None:
    for row in rows:
        connection.execute(update(runs).where(runs.c.id == row.id).values(deleted=deleted))
        run_writes.bump(connection, row.experiment_id, row.id, structure=True)


def _why_kept(
    connection: Connection, members: Sequence[Any], before: int | None, spooled: Collection[str]
) -> str | None:
    for row in members:
        if row.deleted is None:
            return f"its part {row.uid} is not in the trash"
        if not RunStatus(row.status).is_final:
            return f"run {row.uid} is {row.status}"
        if row.uid in spooled:
            return f"what run {row.uid} said is not wholly in the database yet"
        if before is not None and row.deleted > before:
            return "it has not been in the trash for long enough"
    for name, uid, _ in versions_of(connection, [row.id for row in members]):
        return f"the version {name} of a model was made from run {uid}"
    return None


def _spools(connection: Connection, members: Sequence[Any]) -> list[str]:
    return [
        spool
        for part in chunks([row.id for row in members])
        for spool in connection.execute(select(sessions.c.spool).where(sessions.c.run_id.in_(part))).scalars()
    ]


def _experiment(connection: Connection, name: str) -> int | None:
    found = connection.execute(select(experiments.c.id).where(experiments.c.name == storable(name))).scalar()
    return None if found is None else int(found)


def _remove_experiment(connection: Connection, number: int) -> None:
    connection.execute(delete(goals).where(goals.c.experiment_id == number))
    connection.execute(delete(experiments).where(experiments.c.id == number))
