"""Another store's runs become rows here: what is new or has gone on, once, however often it is asked.

A session only ever grows, so that its offset in its spool and whether it is sealed say how new it is;
of each session the newer state is taken whole. What people edit (name, tags, notes, the trash) belongs
to the store where the run is, as soon as it is there. A session whose spool is here is never touched:
its process, or whoever reads the spool in, knows more.

Points are written before the session says that it has them: what is interrupted is done again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from sqlalchemy import Connection, delete, func, select, update
from sqlalchemy.dialects.sqlite import insert

from tracking.database import merge_carried, run_writes
from tracking.database.engine import Engines
from tracking.database.history import read_visible
from tracking.database.merge_copy import SourceCopy
from tracking.database.merge_rows import CheckName, SourceRun, read_blocks, read_run
from tracking.database.registry_stored import model_rows
from tracking.database.run_writes import experiments, goals, metric_keys, runs, sessions, tags_table
from tracking.database.series import blocks, series_table
from tracking.database.summaries import replace_summary, summarize
from tracking.errors import InvalidValue, StoreError
from tracking.records import Goal, RunStatus
from tracking.validation import checked_names, checked_text

BATCH = 256
"""Blocks per transaction, about 8 MB at most."""

NOT_ENDED = "The run had not ended when it was merged. Merge its store again to bring it up to date."
UNDER_WAY = "The run is being merged. If this stays, merge its store again."


@dataclass(frozen=True, slots=True)
class OwnRun:
    """What this store has of a run: its row, and its sessions by spool in order of `ordinal`."""

    row: Any
    sessions: dict[str, Any] = field(default_factory=dict)


class Merging:
    """Takes runs of another store into this one; not for several threads at once.

    Args:
        engines: On this store's database.
        source: The private copy of the other one.
        is_here: Whether a session's spool is in this store.
        check_name: Gives an artifact's name back, or raises InvalidValue.
    """

    def __init__(
        self,
        engines: Engines,
        source: SourceCopy,
        *,
        is_here: Callable[[str], bool],
        check_name: CheckName,
    ) -> None:
        self._engines = engines
        self._source = source
        self._is_here = is_here
        self._check_name = check_name

    def run_numbers(self) -> list[tuple[int, Any]]:
        """Return number and id of each run there that is not in the trash, the oldest first."""
        with self._source.engines.reading() as connection:
            query = select(runs.c.id, runs.c.uid).where(runs.c.deleted.is_(None)).order_by(runs.c.id)
            return [(row.id, row.uid) for row in connection.execute(query)]

    def read(self, number: int) -> SourceRun:
        """Return a run of the other store without its points.

        Raises:
            InvalidValue: It cannot be kept here; the message says why.
        """
        try:
            with self._source.engines.reading() as connection:
                run = read_run(connection, number, self._check_name)
        except StoreError as error:  # text that is no UTF-8, a damaged page
            raise InvalidValue(f"it cannot be read ({error})") from error
        if run.uid in self._source.unended:
            run.row |= {"status": RunStatus.LOST.value, "ended": run.row["last_seen"], "error": NOT_ENDED}
        return run

    def write(self, run: SourceRun) -> str:
        """Take a run over; returns "added", "updated" or "unchanged".

        Raises:
            InvalidValue: A run of the same id that is another one is here, or its points cannot be kept.
            StoreError: The database refuses.
        """
        own = self._own(run.uid)
        if own is not None:
            _check_same(run, own)
            if self._is_trial(own):
                return "unchanged"  # its rows follow from the journal of its study, which is here
        taken = [session for session in run.sessions if self._is_newer(session, own)]
        settled = own is not None and own.row.error in (NOT_ENDED, UNDER_WAY)
        if own is not None and not taken and not (settled and run.row["error"] != own.row.error):
            return "unchanged"
        with self._source.engines.reading() as connection:
            for session in taken:
                for _ in read_blocks(connection, session["id"]):
                    pass  # one that cannot be read refuses the run before anything of it is here
        numbers = self._engines.write(lambda connection: _place(connection, run, taken))
        for session in taken:
            self._write_points(numbers[session["spool"]], session["id"])
        self._finish(run, own, taken)
        return "added" if own is None else "updated"

    def merge_definitions(self) -> list[str]:
        """Take over experiments with goals and repeats; those that were given here stay. Returns what was refused."""
        refused: list[str] = []
        with self._source.engines.reading() as connection:
            homes = connection.execute(select(experiments)).all()
            aims = connection.execute(
                select(goals.c.experiment_id, metric_keys.c.name, goals.c.goal).join_from(goals, metric_keys)
            ).all()
        for home in homes:
            try:
                name = checked_text(home.name, "an experiment's name")
                created = home.created if isinstance(home.created, int) else 0
                vary, ignore = (
                    None if text is None else json.dumps(checked_names(json.loads(text), "vary"))
                    for text in (home.vary, home.ignore)
                )
                wanted = {
                    checked_text(key, "a metric key"): Goal(goal)
                    for number, key, goal in aims
                    if number == home.id
                }
            except (InvalidValue, ValueError, TypeError, RecursionError) as error:
                refused.append(f"experiment {home.name!r:.80}: {error}")
                continue
            self._engines.write(
                partial(_define, name=name, created=created, vary=vary, ignore=ignore, wanted=wanted)
            )
        return refused

    def count_models(self) -> int:
        """Return how many models are registered in the other store; none of them is taken over."""
        with self._source.engines.reading() as connection:
            return len(model_rows(connection))

    def _own(self, uid: str) -> OwnRun | None:
        with self._engines.reading() as connection:
            return _own_run(connection, uid)

    def _is_trial(self, own: OwnRun) -> bool:
        with self._engines.reading() as connection:
            return run_writes.is_trial(connection, own.row.id)

    def _is_newer(self, session: dict[str, Any], own: OwnRun | None) -> bool:
        if self._is_here(session["spool"]):
            return False
        mine = None if own is None else own.sessions.get(session["spool"])
        return mine is None or _version(session) > (mine.ingested, mine.sealed)

    def _write_points(self, number: tuple[int, int], session: int) -> None:
        """Replace a session's points, a batch of blocks a transaction."""
        first = True
        with self._source.engines.reading() as connection:
            for batch in _batches(read_blocks(connection, session)):
                self._engines.write(partial(_add_blocks, number=number, batch=batch, clear=first))
                first = False

    def _finish(self, run: SourceRun, own: OwnRun | None, taken: list[dict[str, Any]]) -> None:
        live = any(self._is_here(spool) for spool in (own.sessions if own else ()))
        summaries: list[dict[str, Any]] | None = None
        if not live:
            with self._engines.reading() as connection:
                summaries = _summaries(connection, run.uid)

        def work(connection: Connection) -> None:
            mine = _own_run(connection, run.uid)
            if mine is None or any(session["spool"] not in mine.sessions for session in taken):
                raise InvalidValue("it was removed here while it was merged. Merge again")
            number = mine.row.id
            ahead = own is None or not own.sessions or _newest(run.sessions) > _newest(_plain(own))
            if run.row["error"] != NOT_ENDED and own is not None and own.row.error in (NOT_ENDED, UNDER_WAY):
                ahead = True
            for session in taken:
                kept = {key: session[key] for key in ("ingested", "sealed", "dropped_points", "rank")}
                connection.execute(
                    update(sessions).where(sessions.c.id == mine.sessions[session["spool"]].id).values(**kept)
                )
            _write_row(connection, run, own, number, ahead=ahead)
            merge_carried.write(connection, run, number, {session["spool"] for session in taken}, ahead=ahead)
            for row in _summaries(connection, run.uid) if summaries is None else summaries:
                replace_summary(connection, row)
            run_writes.bump(connection, mine.row.experiment_id, number, structure=True)

        self._engines.write(work)


def _own_run(connection: Connection, uid: str) -> OwnRun | None:
    row = connection.execute(select(runs).where(runs.c.uid == uid)).first()
    if row is None:
        return None
    query = select(sessions).where(sessions.c.run_id == row.id).order_by(sessions.c.ordinal, sessions.c.id)
    return OwnRun(row, {session.spool: session for session in connection.execute(query)})


def _plain(own: OwnRun) -> list[dict[str, Any]]:
    return [dict(session._mapping) for session in own.sessions.values()]


def _version(session: dict[str, Any]) -> tuple[int, bool]:
    return session["ingested"], session["sealed"]


def _newest(found: list[dict[str, Any]]) -> tuple[Any, ...]:
    """Return what tells which of two states of a run is the later one: that of its newest owner."""
    keys = [(s["owner"], s["started"], s["spool"], s["ingested"], s["sealed"]) for s in found]
    return max(keys, default=(False,))


def _check_same(run: SourceRun, own: OwnRun) -> None:
    """Refuse a run that only has the id in common with the one that is here."""
    common = [
        (session, own.sessions[session["spool"]])
        for session in run.sessions
        if session["spool"] in own.sessions
    ]
    other = any(
        session["started"] != mine.started or session["owner"] != bool(mine.owner) for session, mine in common
    )
    both_owned = any(session["owner"] for session in run.sessions) and any(
        session.owner for session in own.sessions.values()
    )
    if other or (both_owned and not common):
        raise InvalidValue(
            f"another run of this id is here already ({own.row.name!r:.80}). Its id was given by hand "
            "or copied; neither was changed"
        )


def _place(connection: Connection, run: SourceRun, taken: list[dict[str, Any]]) -> dict[str, tuple[int, int]]:
    """Make the rows that points refer to; returns (session, run) numbers by spool."""
    own = _own_run(connection, run.uid)
    if own is None:
        home = run_writes.experiment_number(connection, run.experiment, run.began)
        row = run.row | {
            "experiment_id": home,
            "status": RunStatus.LOST.value,
            "ended": run.row["last_seen"],
            "error": UNDER_WAY,
            "dropped_points": 0,
            "revision": 0,
            "activity": 0,
        }
        connection.execute(insert(runs).values(**row))
        own = _own_run(connection, run.uid)
        assert own is not None
        run_writes.set_tags(connection, own.row.id, run.tags)
    number, ordinal = own.row.id, len(own.sessions)
    for session in taken:
        if session["spool"] in own.sessions:
            continue
        ordinal = max(ordinal, *(mine.ordinal + 1 for mine in own.sessions.values()), 0)
        values = {key: session[key] for key in ("spool", "owner", "started", "host", "process", "rank")}
        values |= {"run_id": number, "ordinal": ordinal, "ingested": 0, "sealed": False, "dropped_points": 0}
        connection.execute(insert(sessions).values(**values))
        ordinal += 1
    run_writes.bump(connection, own.row.experiment_id, number, structure=True)
    found = _own_run(connection, run.uid)
    assert found is not None
    _order_sessions(connection, found, run, own.sessions)
    return {spool: (session.id, number) for spool, session in found.sessions.items()}


def _batches(found: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Yield blocks in lists of bounded length; an empty first list when there are none."""
    batch: list[dict[str, Any]] = []
    any_yet = False
    for block in found:
        batch.append(block)
        if len(batch) == BATCH:
            yield batch
            batch, any_yet = [], True
    if batch or not any_yet:
        yield batch


def _add_blocks(
    connection: Connection, number: tuple[int, int], batch: list[dict[str, Any]], *, clear: bool
) -> None:
    session, run = number
    mine = select(series_table.c.id).where(series_table.c.session_id == session)
    if clear:
        connection.execute(delete(blocks).where(blocks.c.series_id.in_(mine)))
    if not batch:
        return
    names = run_writes.key_numbers(connection, metric_keys, list({block["key"] for block in batch}))
    connection.execute(
        insert(series_table).on_conflict_do_nothing(),
        [{"run_id": run, "key_id": key, "session_id": session} for key in names.values()],
    )
    query = select(series_table.c.key_id, series_table.c.id).where(series_table.c.session_id == session)
    series = {row.key_id: row.id for row in connection.execute(query)}
    rows = [
        {column: value for column, value in block.items() if column != "key"}
        | {"series_id": series[names[block["key"]]]}
        for block in batch
    ]
    connection.execute(insert(blocks), rows)


def _summaries(connection: Connection, uid: str) -> list[dict[str, Any]]:
    """Return the summary rows of a run, computed from its visible points."""
    query = select(series_table.c.run_id, series_table.c.key_id).join(
        runs, runs.c.id == series_table.c.run_id
    )
    having = select(blocks.c.id).where(blocks.c.series_id == series_table.c.id).exists()
    found = []
    for run, key in connection.execute(query.where(runs.c.uid == uid, having).distinct()).all():
        steps, values, _ = read_visible(connection, run, key)
        found.append({"run_id": run, "key_id": key, **summarize(steps, values)})
    return found


def _order_sessions(connection: Connection, mine: OwnRun, run: SourceRun, known: dict[str, Any]) -> None:
    """Number the sessions: as there when it knows them all, as here when that does, else by their start."""
    theirs = [session["spool"] for session in run.sessions]
    if set(mine.sessions) == set(theirs):
        order = theirs if set(known) != set(theirs) else list(mine.sessions)
    elif set(theirs) <= set(known):
        order = list(mine.sessions)
    else:
        order = sorted(mine.sessions, key=lambda spool: (mine.sessions[spool].started, spool))
    for ordinal, spool in enumerate(order):
        if mine.sessions[spool].ordinal != ordinal:
            statement = update(sessions).where(sessions.c.id == mine.sessions[spool].id)
            connection.execute(statement.values(ordinal=ordinal))


def _write_row(
    connection: Connection, run: SourceRun, own: OwnRun | None, number: int, *, ahead: bool
) -> None:
    values: dict[str, Any] = {}
    if ahead:
        names = ("status", "ended", "last_seen", "seconds", "error", "total_steps", "group_name", "parent")
        values = {name: run.row[name] for name in names}
    if own is not None:
        owned_there = any(session["owner"] for session in run.sessions)
        if owned_there and not any(session.owner for session in own.sessions.values()):
            values |= {name: run.row[name] for name in ("name", "created")}
        if own.row.error in (NOT_ENDED, UNDER_WAY):
            # It was not over, so its script may have said these since; what is written here already stays.
            if not own.row.notes:
                values["notes"] = run.row["notes"]
            if not connection.execute(select(tags_table.c.tag).where(tags_table.c.run_id == number)).first():
                run_writes.set_tags(connection, number, run.tags)
    dropped = select(func.coalesce(func.sum(sessions.c.dropped_points), 0)).where(sessions.c.run_id == number)
    values["dropped_points"] = dropped.scalar_subquery()
    connection.execute(update(runs).where(runs.c.id == number).values(**values))


def _define(
    connection: Connection,
    name: str,
    created: int,
    vary: str | None,
    ignore: str | None,
    wanted: dict[str, Goal],
) -> None:
    number = run_writes.experiment_number(connection, name, created)
    own = connection.execute(
        select(experiments.c.vary, experiments.c.ignore).where(experiments.c.id == number)
    ).one()
    known = select(metric_keys.c.name).join_from(goals, metric_keys).where(goals.c.experiment_id == number)
    fresh = wanted.keys() - set(connection.execute(known).scalars())
    for key in sorted(fresh):
        run_writes.set_goal(connection, number, key, wanted[key].value)
    values = {"vary": vary, "ignore": ignore} if own.vary is None and vary is not None else {}
    if values:
        connection.execute(update(experiments).where(experiments.c.id == number).values(**values))
    if fresh or values:
        run_writes.bump_experiment(connection, number, structure=True)
