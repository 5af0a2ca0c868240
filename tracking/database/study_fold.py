"""Studies folded into runs: each operation of a journal, in order, becomes rows of trials, runs and metrics.

A trial is a run of the study's experiment. Its params are those of the trial, flat under the names that the
objective used. What the objective reports is the metric `intermediate_value` (step by step), the values that
it ends with are metrics at step 0: by the study's metric names where `study.set_metric_names` said some, else
`value`, or `values.0`, `values.1`, … of several objectives. They belong to a session of the run that the study
owns, so that a script which logs to the run attaches beside it and never sets its status. A trial that takes over the
outcome of a run that was there before (the attribute `podium:run`) makes none; that run stays as it is.

What is written follows from the operations alone, moments included, so that a study can be folded again
(`tracking.database.study_rebuild`). Edits of the run (name, notes, tags, trash) are not touched.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, bindparam, select, update
from sqlalchemy.dialects.sqlite import insert

from tracking.database import run_writes
from tracking.database.prepared import Prepared
from tracking.database.registry_queries import versions
from tracking.database.run_writes import goals, metric_keys, runs
from tracking.database.study_ops import (
    FINISHED,
    GOALS,
    RUNNING,
    STATES,
    Op,
    OpCode,
    compatible,
    constraints,
    dump,
    load,
    microseconds,
    param_value,
    whole_trial,
)
from tracking.database.study_points import add_points, close_series
from tracking.database.study_rows import (
    Study,
    Trial,
    add_trial,
    attributes,
    constraints_in,
    journal,
    link_trial,
    load_trial,
    snapshots,
    store_params,
    store_trial,
    study_params,
    trials,
    write_params,
    write_reason,
    write_run,
)
from tracking.records import RunStatus
from tracking.study_records import CONSTRAINTS, REASON, RUN
from tracking.validation import KEY_LIMIT, normalized

INTERMEDIATE_KEY = "intermediate_value"
"""The metric that holds what an objective reports."""
METRIC_NAMES = "study:metric_names"
"""The system attribute in which Optuna keeps the names of a study's objectives."""
STUDY_DELETED = "The study was deleted while this trial was under way."

_FIRST_DISTRIBUTION = Prepared(
    select(study_params.c.distribution).where(
        study_params.c.study_id == bindparam("study"), study_params.c.name == bindparam("param")
    )
)
_ADD_DISTRIBUTION = Prepared(
    insert(study_params)
    .values(study_id=bindparam("study"), name=bindparam("param"), distribution=bindparam("given"))
    .on_conflict_do_nothing()
)
# Not in order: asked for an order, SQLite would scan the whole study for it.
_TRIAL_OPS = Prepared(
    select(journal.c.position, journal.c.op).where(
        journal.c.study_id == bindparam("study"), journal.c.trial == bindparam("number")
    )
)
_ADD_SNAPSHOT = Prepared(
    insert(snapshots)
    .values(
        study_id=bindparam("study"),
        number=bindparam("number"),
        position=bindparam("position"),
        op=bindparam("op"),
    )
    .on_conflict_do_nothing()
)
_METRIC_NAMES = Prepared(
    select(attributes.c.value).where(
        attributes.c.study_id == bindparam("study"),
        attributes.c.kind == "system",
        attributes.c.key == json.dumps(METRIC_NAMES),
    )
)
_ATTRIBUTE = insert(attributes).values(
    study_id=bindparam("study"),
    kind=bindparam("kind"),
    key=bindparam("key"),
    position=bindparam("position"),
    value=bindparam("value"),
)
_SET_ATTRIBUTE = Prepared(
    _ATTRIBUTE.on_conflict_do_update(
        index_elements=["study_id", "kind", "key"], set_={"value": _ATTRIBUTE.excluded.value}
    )
)


def fold(connection: Connection, study: Study, position: int, number: int | None, op: Op) -> None:
    """Write the rows that one operation makes.

    Args:
        connection: In the write transaction that moves the study's `folded`.
        study: Whose journal it is from.
        position: Its place there; all before it are folded.
        number: The trial it is about, None for one about the study.
        op: As the journal has it.
    """
    code = op["op_code"]
    if code == OpCode.CREATE_STUDY:
        number_ = run_writes.experiment_number(connection, study.experiment, op["at"])
        _set_goals(connection, study, number_)
    elif code == OpCode.DELETE_STUDY:
        _delete(connection, study, op["at"])
    elif code in (OpCode.SET_STUDY_USER_ATTR, OpCode.SET_STUDY_SYSTEM_ATTR):
        _set_attribute(connection, study, position, op)
    elif number is None:
        return  # of a trial that never came to be
    elif code == OpCode.CREATE_TRIAL:
        _create(connection, study, position, number, op)
    else:
        _change(connection, study, position, number, op)


def _create(connection: Connection, study: Study, position: int, number: int, op: Op) -> None:
    known = load_trial(connection, study, number)
    trial = Trial(
        number,
        STATES[op.get("state", STATES.index(RUNNING))],
        started=microseconds(op["datetime_start"]),
        completed=microseconds(op.get("datetime_complete")),
        objectives=op.get("values") if op.get("value") is None else [op["value"]],
        attributes=json.dumps(op.get("user_attrs", {}) | _constraints("{}", op.get("system_attrs", {}))),
        created=op["at"],
    )
    distributions = op.get("distributions", {})
    for name, distribution in distributions.items():
        trial.params[name] = param_value(distribution, op["params"][name])
        _ADD_DISTRIBUTION.run(connection, study=study.id, param=json.dumps(name), given=distribution)
    linked = op.get("user_attrs", {}).get(RUN)
    if known is None and isinstance(linked, str):
        link_trial(connection, study, trial, linked)
    elif known is None:
        add_trial(connection, study, trial, op["run"])
    else:  # folded again; of a run that was removed for good nothing comes back
        trial.run, trial.session, trial.experiment = known.run, known.session, known.experiment
        store_trial(connection, study, trial)
    reported = {int(step): value for step, value in op.get("intermediate_values", {}).items()}
    if trial.run is not None and trial.session is not None:
        write_params(connection, trial.run, trial.params)
        add_points(connection, trial.run, trial.session, INTERMEDIATE_KEY, reported, op["at"])
    if trial.state in FINISHED:
        _finish(connection, study, trial, op["at"])
    state = known is not None or trial.state in FINISHED
    write_run(connection, trial, position, op["at"], state=state, structure=True)


def _change(connection: Connection, study: Study, position: int, number: int, op: Op) -> None:
    trial = load_trial(connection, study, number)
    if trial is None or trial.state in FINISHED:
        return
    code = op["op_code"]
    reported = code == OpCode.SET_TRIAL_INTERMEDIATE_VALUE
    if code == OpCode.SET_TRIAL_PARAM:
        name, distribution = op["param_name"], op["distribution"]
        first = _FIRST_DISTRIBUTION.value(connection, study=study.id, param=json.dumps(name))
        if first is None:
            _ADD_DISTRIBUTION.run(connection, study=study.id, param=json.dumps(name), given=distribution)
        elif not compatible(first, distribution):
            return
        trial.params[name] = param_value(distribution, op["param_value_internal"])
        if trial.run is not None and trial.owns_run:
            write_params(connection, trial.run, {name: trial.params[name]})
    elif code == OpCode.SET_TRIAL_STATE_VALUES:
        if op["state"] == STATES.index(RUNNING) and trial.state == RUNNING:
            return
        trial.state = STATES[op["state"]]
        trial.objectives = trial.objectives if op["values"] is None else op["values"]
        if trial.state == RUNNING:
            trial.started = microseconds(op["datetime_start"])
        elif trial.state in FINISHED:
            trial.completed = microseconds(op["datetime_complete"])
            _finish(connection, study, trial, op["at"])
            _snapshot(connection, study, number)
    elif reported:
        if trial.run is not None and trial.session is not None:
            points = {op["step"]: op["intermediate_value"]}
            add_points(connection, trial.run, trial.session, INTERMEDIATE_KEY, points, op["at"])
    elif code == OpCode.SET_TRIAL_USER_ATTR:
        trial.attributes = json.dumps(json.loads(trial.attributes) | op["user_attr"])
        if REASON in op["user_attr"]:
            write_reason(connection, trial, str(op["user_attr"][REASON]))
    elif code == OpCode.SET_TRIAL_SYSTEM_ATTR and (
        found := _constraints(trial.attributes, op["system_attr"])
    ):
        trial.attributes = json.dumps(json.loads(trial.attributes) | found)
    else:
        return  # what only samplers and pruners read
    if code == OpCode.SET_TRIAL_PARAM:
        store_params(connection, study, trial)
    elif not reported:
        store_trial(connection, study, trial)
    state = code == OpCode.SET_TRIAL_STATE_VALUES
    place = position if state or reported else None
    write_run(connection, trial, place, op["at"], state=state, structure=not reported)


def _constraints(attributes: str, said: Mapping[str, Any]) -> dict[str, Any]:
    """Return the attribute of a trial's row that holds its constraints, with those that are said; else nothing."""
    found = constraints(said)
    return {CONSTRAINTS: constraints_in(json.loads(attributes)) | found} if found else {}


def _finish(connection: Connection, study: Study, trial: Trial, at: int) -> None:
    if trial.run is None or trial.session is None:
        return
    close_series(connection, trial.run, trial.session, INTERMEDIATE_KEY)
    if trial.objectives is not None:
        for key, value in zip(_value_keys(connection, study), trial.objectives, strict=False):
            ended = at if trial.completed is None else trial.completed
            add_points(connection, trial.run, trial.session, key, {0: value}, ended)


def _snapshot(connection: Connection, study: Study, number: int) -> None:
    """Write the finished trial as one operation."""
    rows = sorted(_TRIAL_OPS.rows(connection, study=study.id, number=number))
    whole = whole_trial(load(op for _, op in rows), lambda name: _first_distribution(connection, study, name))
    _ADD_SNAPSHOT.run(connection, study=study.id, number=number, position=rows[0][0], op=dump(whole))


def _first_distribution(connection: Connection, study: Study, name: str) -> str:
    return str(_FIRST_DISTRIBUTION.value(connection, study=study.id, param=json.dumps(name)))


def value_keys(said: str | None, count: int) -> list[str]:
    """Return the metrics that a study's objectives are.

    Args:
        said: The names that `study.set_metric_names` said, as a JSON list.
        count: How many objectives there are.
    """
    names = None if said is None else json.loads(said)
    if isinstance(names, list) and all(isinstance(name, str) for name in names):
        keys = [normalized(name) for name in names]
        fit = all(key.strip() and len(key) <= KEY_LIMIT and key != INTERMEDIATE_KEY for key in keys)
        if fit and len(set(keys)) == len(keys) == count:
            return keys
    return ["value"] if count == 1 else [f"values.{index}" for index in range(count)]


def _value_keys(connection: Connection, study: Study) -> list[str]:
    return value_keys(_METRIC_NAMES.value(connection, study=study.id), len(study.directions))


def _set_goals(connection: Connection, study: Study, experiment: int) -> None:
    """Say which direction of the study's metrics is better, where nobody has yet."""
    known = (
        select(metric_keys.c.name).join_from(goals, metric_keys).where(goals.c.experiment_id == experiment)
    )
    said = set(connection.execute(known).scalars())
    aims = list(zip(_value_keys(connection, study), study.directions, strict=True))
    if len(aims) == 1:
        aims.append((INTERMEDIATE_KEY, study.directions[0]))
    for key, direction in aims:
        if key not in said and direction in GOALS:
            run_writes.set_goal(connection, experiment, key, GOALS[direction].value)
    run_writes.bump_experiment(connection, experiment, structure=True)


def _set_attribute(connection: Connection, study: Study, position: int, op: Op) -> None:
    user = op["op_code"] == OpCode.SET_STUDY_USER_ATTR
    kind, said = ("user", op["user_attr"]) if user else ("system", op["system_attr"])
    for key, value in said.items():
        _SET_ATTRIBUTE.run(
            connection,
            study=study.id,
            kind=kind,
            key=json.dumps(key),
            position=position,
            value=json.dumps(value),
        )
    if not user and METRIC_NAMES in said:
        _set_goals(connection, study, run_writes.experiment_number(connection, study.experiment, op["at"]))


def _delete(connection: Connection, study: Study, at: int) -> None:
    """Move the runs of a deleted study to the trash; those under way can never end by themselves."""
    mine = select(trials.c.run_id).where(trials.c.study_id == study.id, trials.c.session_id.is_not(None))
    live = [status.value for status in RunStatus if not status.is_final]
    connection.execute(
        update(runs)
        .where(runs.c.id.in_(mine), runs.c.status.in_(live))
        .values(status=RunStatus.INTERRUPTED.value, ended=at, error=STUDY_DELETED)
    )
    of_runs = select(runs.c.experiment_id).where(runs.c.id.in_(mine)).distinct()
    for number in list(connection.execute(of_runs).scalars()):
        activity = run_writes.bump_experiment(connection, number, structure=True)
        connection.execute(
            update(runs)
            .where(runs.c.id.in_(mine), runs.c.experiment_id == number, runs.c.deleted.is_(None))
            # One may have become a version of a model since: this is folded late, or once more.
            .where(runs.c.id.not_in(select(versions.c.run_id)))
            .values(deleted=at, revision=runs.c.revision + 1, activity=activity)
        )
