"""The rows of a study's trials and of their runs, as the fold of its journal reads and writes them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, bindparam, func, insert, select, update

from tracking.database import run_writes
from tracking.database.prepared import Prepared
from tracking.database.run_writes import experiments, runs, sessions
from tracking.database.study_ops import FINISHED, STATUS
from tracking.database.study_tables import StudyRow
from tracking.errors import InvalidValue
from tracking.study_records import CONSTRAINTS
from tracking.validation import flatten_params, normalized, storable

_tables = StudyRow.metadata.tables
studies = _tables["studies"]
journal = _tables["study_journal"]
trials = _tables["study_trials"]
snapshots = _tables["study_snapshots"]
study_params = _tables["study_params"]
attributes = _tables["study_attributes"]

SESSION_MARK = "." + "0" * 12
"""Ends the name of the session of a trial's run that its study owns; it has no spool."""
GONE = "The process that ran this trial is gone and has not told the study how it ended."
"""The error of a lost run; it is gone too when another process tells how the trial ended."""


@dataclass(frozen=True, slots=True)
class Study:
    """What the fold needs to know of a study; `directions` are Optuna's numbers."""

    id: int
    experiment: str
    directions: tuple[int, ...]


def constraints_in(attributes: Mapping[str, Any]) -> dict[str, float]:
    """Return the constraints among the attributes of a trial's row."""
    found = attributes.get(CONSTRAINTS)
    return found if isinstance(found, dict) else {}


@dataclass(slots=True)
class Trial:
    """A trial's row while an operation changes it, with its run's experiment; `attributes` stay JSON."""

    number: int
    state: str
    started: int | None = None
    completed: int | None = None
    objectives: list[Any] | None = None
    params: dict[str, Any] = field(default_factory=dict)
    attributes: str = "{}"
    run: int | None = None
    session: int | None = None
    experiment: int | None = None
    created: int = 0

    @property
    def owns_run(self) -> bool:
        """Whether its run follows from it; else that was removed for good, or was there before the trial."""
        return self.run is not None and self.session is not None


_KEYS: dict[str, Any] = {"study_id": bindparam("study"), "number": bindparam("number")}
_ROW: dict[str, Any] = {
    name: bindparam(name) for name in ("state", "started", "completed", "objectives", "params", "attributes")
}
_IS_TRIAL = (trials.c.study_id == bindparam("study"), trials.c.number == bindparam("trial"))
_LOAD = Prepared(
    select(
        *(trials.c[name] for name in (*_ROW, "run_id", "session_id")), runs.c.experiment_id, runs.c.created
    )
    .select_from(trials.outerjoin(runs, runs.c.id == trials.c.run_id))
    .where(*_IS_TRIAL)
)
_MAKE = Prepared(
    insert(trials).values(
        **_KEYS, **_ROW, run_id=bindparam("run", required=False), session_id=bindparam("session")
    )
)
_STORE = Prepared(update(trials).where(*_IS_TRIAL).values(**_ROW))
_STORE_PARAMS = Prepared(update(trials).where(*_IS_TRIAL).values(params=bindparam("params")))
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
        | {
            "last_seen": func.max(runs.c.last_seen, bindparam("seen")),
            "revision": runs.c.revision + 1,
            "error": func.nullif(runs.c.error, GONE),
        }
    )
)
# SQLite writes every index anew whose columns are named, changed or not: these are named when they change.
_TOUCH_RUN = Prepared(
    update(runs)
    .where(runs.c.id == bindparam("run"))
    .values(
        seconds=bindparam("seconds"),
        activity=bindparam("activity"),
        last_seen=func.max(runs.c.last_seen, bindparam("seen")),
        revision=runs.c.revision + 1,
    )
)
_SET_SESSION = Prepared(
    update(sessions)
    .where(sessions.c.id == bindparam("session"))
    # While a study is folded again the session stays as new as it was: it never goes back.
    .values(ingested=func.max(sessions.c.ingested, bindparam("position")), sealed=bindparam("seal"))
)
_FIND_RUN = Prepared(select(runs.c.id).where(runs.c.uid == bindparam("uid")))
_SET_ERROR = Prepared(update(runs).where(runs.c.id == bindparam("run")).values(error=bindparam("error")))
_FIND_EXPERIMENT = Prepared(select(experiments.c.id).where(experiments.c.name == bindparam("name")))
_FIND_KEY = Prepared(
    select(run_writes.param_keys.c.id).where(run_writes.param_keys.c.name == bindparam("name"))
)
_SET_PARAM = Prepared(
    run_writes.SET_PARAM.values(
        {name: bindparam(name) for name in ("run_id", "key_id", "kind", "text", "number", "path")}
    )
)
_BUMP_EXPERIMENT = Prepared(
    update(experiments)
    .where(experiments.c.id == bindparam("experiment"))
    .values(activity=experiments.c.activity + 1, structure=experiments.c.structure + bindparam("moved"))
    .returning(experiments.c.activity)
)


def load_trial(connection: Connection, study: Study, number: int) -> Trial | None:
    row = _LOAD.first(connection, study=study.id, trial=number)
    if row is None:
        return None
    state, started, completed, objectives, params, attributes, run, session, experiment, created = row
    return Trial(
        number,
        state,
        started=started,
        completed=completed,
        objectives=None if objectives is None else json.loads(objectives),
        params=json.loads(params),
        attributes=attributes,
        run=run,
        session=session,
        experiment=experiment,
        created=created or 0,
    )


def add_trial(connection: Connection, study: Study, trial: Trial, uid: str) -> None:
    """Make a trial's row and its run with the session that the study owns; sets their numbers."""
    trial.experiment = _FIND_EXPERIMENT.value(connection, name=study.experiment)
    if trial.experiment is None:
        trial.experiment = run_writes.experiment_number(connection, study.experiment, trial.created)
    began = trial.created if trial.started is None else trial.started
    trial.run = _NEW_RUN.run(
        connection,
        uid=uid,
        experiment_id=trial.experiment,
        name=f"trial {trial.number}",
        status=STATUS[trial.state].value,
        created=began,
        last_seen=began,
    )
    trial.session = _NEW_SESSION.run(
        connection, spool=uid + SESSION_MARK, run_id=trial.run, started=trial.created
    )
    _MAKE.run(
        connection, study=study.id, number=trial.number, run=trial.run, session=trial.session, **_row(trial)
    )


def link_trial(connection: Connection, study: Study, trial: Trial, uid: str) -> None:
    """Make the row of a trial whose run was there before, where it still is; the run stays as it is."""
    trial.run = _FIND_RUN.value(connection, uid=uid)
    _MAKE.run(connection, study=study.id, number=trial.number, run=trial.run, session=None, **_row(trial))


def write_reason(connection: Connection, trial: Trial, sentence: str) -> None:
    """Write why the trial ended as it did to its run."""
    if trial.owns_run:
        _SET_ERROR.run(connection, run=trial.run, error=storable(sentence))


def store_trial(connection: Connection, study: Study, trial: Trial) -> None:
    """Write a trial's row as it is by now."""
    _STORE.run(connection, study=study.id, trial=trial.number, **_row(trial))


def store_params(connection: Connection, study: Study, trial: Trial) -> None:
    """Write the params in a trial's row."""
    _STORE_PARAMS.run(connection, study=study.id, trial=trial.number, params=json.dumps(trial.params))


def write_params(connection: Connection, run: int, params: Mapping[str, Any]) -> None:
    """Write params of a run, flat under the names given; one that is there gets the new value."""
    for name, value in params.items():
        try:
            leaves = flatten_params({name: value})
        except InvalidValue:  # a choice that is nested beyond all reason
            leaves = [(normalized(name), "repr", "a value that is nested too deep", None, None)]
        for key, kind, text, number, path in leaves:
            key_id = _FIND_KEY.value(connection, name=key)
            if key_id is None:
                key_id = run_writes.key_numbers(connection, run_writes.param_keys, [key])[key]
            _SET_PARAM.run(
                connection, run_id=run, key_id=key_id, kind=kind, text=text, number=number, path=path
            )


def write_run(
    connection: Connection, trial: Trial, position: int | None, at: int, *, state: bool, structure: bool
) -> None:
    """Bring the run's row and the counters up to date; a live run lasts until its last sign of life.

    Args:
        connection: In a write transaction.
        trial: As it is by now; one that does not own a run has nothing to write.
        position: Of the operation, where it makes the study's session newer: by points or the end.
        at: When it was appended, in microseconds since 1970-01-01 UTC.
        state: Whether the trial's state or dates may have changed.
        structure: Whether more than points have changed.
    """
    if not trial.owns_run or trial.experiment is None:
        return
    activity = _BUMP_EXPERIMENT.value(connection, experiment=trial.experiment, moved=int(structure))
    created = trial.created if trial.started is None else trial.started
    finished = trial.state in FINISHED
    ended = (trial.completed if trial.completed is not None else at) if finished else None
    until = at if ended is None else ended
    lasted = 0.0 if trial.started is None else max(0.0, (until - trial.started) / 1e6)
    values = {"run": trial.run, "seconds": lasted, "seen": until, "activity": activity}
    if state:
        status = STATUS[trial.state].value
        _SET_RUN.run(connection, status=status, created=created, ended=ended, **values)
    else:
        _TOUCH_RUN.run(connection, **values)
    if position is not None:
        _SET_SESSION.run(connection, session=trial.session, position=position + 1, seal=int(finished))


def _row(trial: Trial) -> dict[str, Any]:
    return {
        "state": trial.state,
        "started": trial.started,
        "completed": trial.completed,
        "objectives": None if trial.objectives is None else json.dumps(trial.objectives),
        "params": json.dumps(trial.params),
        "attributes": trial.attributes,
    }
