"""What happens to a run: the rows behind each event of a spool, and edits from pages.

Every function works in the caller's write transaction and takes internal run numbers.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Table, case, column, delete, func, or_, select, table, update
from sqlalchemy.dialects.sqlite import insert

from tracking.database.tables import (
    ExperimentRow,
    MetricGoalRow,
    MetricKeyRow,
    ParamKeyRow,
    ParamRow,
    RunRow,
    SessionRow,
    TagRow,
)
from tracking.records import RunStatus
from tracking.validation import Leaf

experiments = ExperimentRow.__table__  # type: ignore[attr-defined]
runs = RunRow.__table__  # type: ignore[attr-defined]
sessions = SessionRow.__table__  # type: ignore[attr-defined]
tags_table = TagRow.__table__  # type: ignore[attr-defined]
params_table = ParamRow.__table__  # type: ignore[attr-defined]
param_keys = ParamKeyRow.__table__  # type: ignore[attr-defined]
metric_keys = MetricKeyRow.__table__  # type: ignore[attr-defined]
goals = MetricGoalRow.__table__  # type: ignore[attr-defined]
# Its own declaration is in `study_tables`, which a script that logs runs does not load.
trials: Any = table("study_trials", column("run_id"), column("session_id"))

Event = dict[str, Any]


def experiment_number(connection: Connection, name: str, created: int) -> int:
    """Return the number of an experiment, made when absent."""
    found = connection.execute(select(experiments.c.id).where(experiments.c.name == name)).scalar()
    if found is None:
        statement = insert(experiments).values(name=name, created=created, structure=0, activity=0)
        connection.execute(statement.on_conflict_do_nothing())
        found = connection.execute(select(experiments.c.id).where(experiments.c.name == name)).scalar_one()
    return int(found)


def key_numbers(connection: Connection, table: Table, names: Sequence[str]) -> dict[str, int]:
    """Return the numbers of interned names, new ones added."""
    known: dict[str, int] = {}
    for at in range(0, len(names), 500):
        chunk = names[at : at + 500]
        query = select(table.c.name, table.c.id).where(table.c.name.in_(chunk))
        known.update((name, number) for name, number in connection.execute(query))
        absent = [name for name in chunk if name not in known]
        if absent:
            connection.execute(insert(table).on_conflict_do_nothing(), [{"name": name} for name in absent])
            query = select(table.c.name, table.c.id).where(table.c.name.in_(absent))
            known.update((name, number) for name, number in connection.execute(query))
    return known


def open_session(connection: Connection, begin: Event) -> tuple[int, int, int]:
    """Make the rows of a session's first event; returns session, run and experiment numbers.

    The event describes the run whole, so that sessions may arrive in any order.
    """
    row = connection.execute(
        select(runs.c.id, runs.c.experiment_id, runs.c.status).where(runs.c.uid == begin["run"])
    ).first()
    if row is None:
        experiment = experiment_number(connection, begin["experiment"], begin["created"])
        statement = insert(runs).values(
            uid=begin["run"],
            experiment_id=experiment,
            name=begin["name"],
            status=RunStatus.RUNNING.value,
            created=begin["created"],
            last_seen=begin["created"],
            seconds=0.0,
            group_name=begin.get("group"),
            parent=begin.get("parent"),
            total_steps=begin.get("total_steps"),
            notes="",
            dropped_points=0,
            revision=0,
            activity=0,
        )
        number = int(connection.execute(statement).inserted_primary_key[0])  # type: ignore[index]
    else:
        number, experiment, status = row
        if is_trial(connection, number):
            # Its study owns it: the trial's state is the status, whatever becomes of scripts.
            begin = {**begin, "owner": False}
        if begin["owner"]:
            _describe_by_owner(connection, number, begin)
        if begin["owner"] and RunStatus(status).is_final:
            connection.execute(
                update(runs)
                .where(runs.c.id == number)
                .values(status=RunStatus.RUNNING.value, ended=None, error=None)
            )
    ordinal = connection.execute(
        select(func.coalesce(func.max(sessions.c.ordinal) + 1, 0)).where(sessions.c.run_id == number)
    ).scalar_one()
    statement = insert(sessions).values(
        spool=begin["spool"],
        run_id=number,
        ordinal=ordinal,
        owner=begin["owner"],
        started=begin["started"],
        host=begin.get("host", ""),
        process=begin.get("pid", 0),
        rank=begin.get("rank"),
        ingested=0,
        sealed=False,
        dropped_points=0,
    )
    session = int(connection.execute(statement).inserted_primary_key[0])  # type: ignore[index]
    return session, number, int(experiment)


def is_trial(connection: Connection, run: int) -> bool:
    """Whether a run is a trial of a study in this store."""
    mine = select(trials.c.run_id).where(trials.c.run_id == run, trials.c.session_id.is_not(None))
    return connection.execute(mine).first() is not None


def _describe_by_owner(connection: Connection, run: int, begin: Event) -> None:
    """Let the first session that owns a run describe it, when one that does not own it came before."""
    owned = select(sessions.c.id).where(sessions.c.run_id == run, sessions.c.owner)
    if connection.execute(owned.limit(1)).first() is None:
        described = {
            "name": begin["name"],
            "created": begin["created"],
            "group_name": begin.get("group"),
            "parent": begin.get("parent"),
            "total_steps": begin.get("total_steps"),
        }
        connection.execute(update(runs).where(runs.c.id == run).values(**described))


def _replacing() -> Any:
    statement = insert(params_table)
    replaced = {column: statement.excluded[column] for column in ("kind", "text", "number", "path")}
    return statement.on_conflict_do_update(index_elements=["run_id", "key_id"], set_=replaced)


SET_PARAM = _replacing()
"""Writes a param, over the one that is there."""


def set_params(connection: Connection, run: int, leaves: Sequence[Leaf]) -> None:
    """Write param leaves; a name that is there gets the new value."""
    if not leaves:
        return
    numbers = key_numbers(connection, param_keys, list(dict.fromkeys(leaf[0] for leaf in leaves)))
    connection.execute(
        SET_PARAM,
        [
            {
                "run_id": run,
                "key_id": numbers[name],
                "kind": kind,
                "text": text,
                "number": number,
                "path": path,
            }
            for name, kind, text, number, path in leaves
        ],
    )


def set_tags(connection: Connection, run: int, tags: Sequence[str]) -> None:
    """Replace the tags of a run."""
    connection.execute(delete(tags_table).where(tags_table.c.run_id == run))
    if tags:
        rows = [{"run_id": run, "tag": tag, "position": at} for at, tag in enumerate(tags)]
        connection.execute(insert(tags_table), rows)


def set_goal(connection: Connection, experiment: int, key: str, goal: str) -> None:
    """Say which direction of a metric is better in an experiment."""
    number = key_numbers(connection, metric_keys, [key])[key]
    statement = insert(goals).values(experiment_id=experiment, key_id=number, goal=goal)
    connection.execute(
        statement.on_conflict_do_update(index_elements=["experiment_id", "key_id"], set_={"goal": goal})
    )


def set_repeat(connection: Connection, experiment: int, vary: Sequence[str], ignore: Sequence[str]) -> None:
    """Say what makes runs of an experiment repeats of one configuration."""
    values = {"vary": json.dumps(list(vary)), "ignore": json.dumps(list(ignore))}
    connection.execute(update(experiments).where(experiments.c.id == experiment).values(**values))


def finish_run(
    connection: Connection,
    run: int,
    session: int,
    status: RunStatus,
    ended: int,
    seconds: float | None,
    error: str | None,
) -> bool:
    """Set the final status; only the run's newest owner session may. Returns whether it did."""
    # By ordinal, not by number: a session that was merged in is numbered after those that came later.
    newest = connection.execute(
        select(sessions.c.id)
        .where(sessions.c.run_id == run, sessions.c.owner)
        .order_by(sessions.c.ordinal.desc(), sessions.c.id.desc())
        .limit(1)
    ).scalar()
    if newest != session:
        return False
    values: dict[str, Any] = {"status": status.value, "ended": ended, "error": error}
    if seconds is not None:
        values["seconds"] = seconds
    connection.execute(update(runs).where(runs.c.id == run).values(**values))
    return True


def is_forsaken(connection: Connection, run: int, session: int) -> bool:
    """Whether nobody ever owned the run and no session but this one is under way."""
    others = select(sessions.c.id).where(
        sessions.c.run_id == run, sessions.c.id != session, or_(sessions.c.owner, ~sessions.c.sealed)
    )
    mine = select(sessions.c.owner).where(sessions.c.id == session)
    return not connection.execute(mine).scalar() and connection.execute(others.limit(1)).first() is None


def set_status(connection: Connection, run: int, status: RunStatus, ended: int, error: str) -> None:
    """Set a final status that no session said."""
    values = {"status": status.value, "ended": ended, "error": error}
    connection.execute(update(runs).where(runs.c.id == run).values(**values))


def bump_experiment(connection: Connection, experiment: int, *, structure: bool) -> int:
    """Move an experiment's counters; returns its new activity."""
    return int(
        connection.execute(
            update(experiments)
            .where(experiments.c.id == experiment)
            .values(activity=experiments.c.activity + 1, structure=experiments.c.structure + int(structure))
            .returning(experiments.c.activity)
        ).scalar_one()
    )


def bump(
    connection: Connection, experiment: int, run: int, *, structure: bool, seen: int | None = None
) -> None:
    """Move the revision counters of a run and its experiment; `seen` is a new last sign of life."""
    activity = bump_experiment(connection, experiment, structure=structure)
    values: dict[str, Any] = {"revision": runs.c.revision + 1, "activity": activity}
    if seen is not None:
        later = func.max(runs.c.last_seen, seen)
        values["last_seen"] = later
        # An ended run has the duration that its own steady clock measured.
        elapsed = func.max(runs.c.seconds, (later - runs.c.created) / 1e6)
        values["seconds"] = case((runs.c.ended.is_(None), elapsed), else_=runs.c.seconds)
    connection.execute(update(runs).where(runs.c.id == run).values(**values))


def set_column(connection: Connection, run: int, column: str, value: str) -> None:
    """Set a run's name or notes."""
    connection.execute(update(runs).where(runs.c.id == run).values({column: value}))


def set_dropped(connection: Connection, run: int, session: int, points: int) -> None:
    """Set how many points a session could not keep; the run shows the sum over its sessions."""
    connection.execute(update(sessions).where(sessions.c.id == session).values(dropped_points=points))
    total = select(func.coalesce(func.sum(sessions.c.dropped_points), 0)).where(sessions.c.run_id == run)
    connection.execute(update(runs).where(runs.c.id == run).values(dropped_points=total.scalar_subquery()))
