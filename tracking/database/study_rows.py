"""The rows of a study's trials and of their runs, as the fold of its journal reads and writes them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, bindparam, func, insert, select, update

from tracking.database import run_writes
from tracking.database.prepared import Prepared
from tracking.database.run_writes import experiments, runs, sessions
from tracking.database.study_ops import FINISHED, STATUS
from tracking.database.tables import Table

studies = Table.metadata.tables["studies"]
journal = Table.metadata.tables["study_journal"]
trials = Table.metadata.tables["study_trials"]
snapshots = Table.metadata.tables["study_snapshots"]
study_params = Table.metadata.tables["study_params"]
attributes = Table.metadata.tables["study_attributes"]

SESSION_MARK = "." + "0" * 12
"""Ends the name of the session of a trial's run that its study owns; it has no spool."""


@dataclass(frozen=True, slots=True)
class Study:
    """What the fold needs to know of a study; `directions` are Optuna's numbers."""

    id: int
    experiment: str
    directions: tuple[int, ...]


@dataclass(slots=True)
class Trial:
    """A trial's row while an operation changes it, with its run's experiment."""

    number: int
    state: str
    started: int | None = None
    completed: int | None = None
    objectives: list[Any] | None = None
    params: dict[str, Any] = field(default_factory=dict)
    attributes: dict[str, Any] = field(default_factory=dict)
    run: int | None = None
    session: int | None = None
    experiment: int | None = None
    created: int = 0


_KEYS: dict[str, Any] = {"study_id": bindparam("study"), "number": bindparam("number")}
_ROW: dict[str, Any] = {
    name: bindparam(name) for name in ("state", "started", "completed", "objectives", "params", "attributes")
}
_IS_TRIAL = (trials.c.study_id == bindparam("study"), trials.c.number == bindparam("trial"))
_LOAD = Prepared(
    select(trials, runs.c.experiment_id, runs.c.created)
    .select_from(trials.outerjoin(runs, runs.c.id == trials.c.run_id))
    .where(*_IS_TRIAL)
)
_MAKE = Prepared(
    insert(trials).values(
        **_KEYS, **_ROW, run_id=bindparam("run", required=False), session_id=bindparam("session")
    )
)
_STORE = Prepared(update(trials).where(*_IS_TRIAL).values(**_ROW))
_NEW_RUN = Prepared(
    insert(runs).values(
        {name: bindparam(name) for name in ("uid", "experiment_id", "name", "status", "created", "last_seen")}
        | {"seconds": 0.0, "notes": "", "dropped_points": 0, "revision": 0, "activity": 0}
    )
)
_NEW_SESSION = Prepared(
    insert(sessions).values(
        {name: bindparam(name) for name in ("spool", "run_id", "started")}
        | {
            "ordinal": 0,
            "owner": 1,
            "host": "",
            "process": 0,
            "ingested": 0,
            "sealed": 0,
            "dropped_points": 0,
        }
    )
)
_SET_RUN = Prepared(
    update(runs)
    .where(runs.c.id == bindparam("run"))
    .values(
        {name: bindparam(name) for name in ("status", "created", "ended", "seconds", "activity")}
        | {"last_seen": func.max(runs.c.last_seen, bindparam("seen")), "revision": runs.c.revision + 1}
    )
)
_SET_SESSION = Prepared(
    update(sessions)
    .where(sessions.c.id == bindparam("session"))
    # While a study is folded again the session stays as new as it was: it never goes back.
    .values(ingested=func.max(sessions.c.ingested, bindparam("position")), sealed=bindparam("seal"))
)
_BUMP_EXPERIMENT = Prepared(
    update(experiments)
    .where(experiments.c.id == bindparam("experiment"))
    .values(activity=experiments.c.activity + 1, structure=experiments.c.structure + bindparam("moved"))
    .returning(experiments.c.activity)
)


def load_trial(connection: Connection, study: Study, number: int) -> Trial | None:
    row = _LOAD(connection, study=study.id, trial=number).first()
    if row is None:
        return None
    return Trial(
        number,
        row.state,
        started=row.started,
        completed=row.completed,
        objectives=None if row.objectives is None else json.loads(row.objectives),
        params=json.loads(row.params),
        attributes=json.loads(row.attributes),
        run=row.run_id,
        session=row.session_id,
        experiment=row.experiment_id,
        created=row.created or 0,
    )


def add_trial(connection: Connection, study: Study, trial: Trial, uid: str) -> None:
    """Make a trial's row and its run with the session that the study owns; sets their numbers."""
    trial.experiment = run_writes.experiment_number(connection, study.experiment, trial.created)
    began = trial.created if trial.started is None else trial.started
    trial.run = _NEW_RUN(
        connection,
        uid=uid,
        experiment_id=trial.experiment,
        name=f"trial {trial.number}",
        status=STATUS[trial.state].value,
        created=began,
        last_seen=began,
    ).lastrowid
    trial.session = _NEW_SESSION(
        connection, spool=uid + SESSION_MARK, run_id=trial.run, started=trial.created
    ).lastrowid
    _MAKE(
        connection, study=study.id, number=trial.number, run=trial.run, session=trial.session, **_row(trial)
    )


def store_trial(connection: Connection, study: Study, trial: Trial) -> None:
    """Write a trial's row as it is by now."""
    _STORE(connection, study=study.id, trial=trial.number, **_row(trial))


def write_run(connection: Connection, trial: Trial, position: int, at: int, *, structure: bool) -> None:
    """Bring the run's row and the counters up to date; a live run lasts until its last sign of life."""
    if trial.run is None or trial.experiment is None:
        return
    activity = _BUMP_EXPERIMENT(connection, experiment=trial.experiment, moved=int(structure)).scalar_one()
    created = trial.created if trial.started is None else trial.started
    finished = trial.state in FINISHED
    ended = (trial.completed if trial.completed is not None else at) if finished else None
    until = at if ended is None else ended
    lasted = 0.0 if trial.started is None else max(0.0, (until - trial.started) / 1e6)
    _SET_RUN(
        connection,
        run=trial.run,
        status=STATUS[trial.state].value,
        created=created,
        ended=ended,
        seconds=lasted,
        seen=until,
        activity=activity,
    )
    _SET_SESSION(connection, session=trial.session, position=position + 1, seal=int(finished))


def _row(trial: Trial) -> dict[str, Any]:
    return {
        "state": trial.state,
        "started": trial.started,
        "completed": trial.completed,
        "objectives": None if trial.objectives is None else json.dumps(trial.objectives),
        "params": json.dumps(trial.params),
        "attributes": json.dumps(trial.attributes),
    }
