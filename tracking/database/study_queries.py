"""Studies and trials as frozen records, read from rows: nothing is replayed."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, func, select

from tracking.database import run_writes
from tracking.database.moments import moment
from tracking.database.prepared import Prepared
from tracking.database.run_writes import runs
from tracking.database.study_fold import METRIC_NAMES, value_keys
from tracking.database.study_ops import FINISHED, GOALS, STATES, load
from tracking.database.study_rows import SESSION_MARK, attributes, constraints_in, studies, trials
from tracking.errors import InvalidValue, NotFound
from tracking.study_records import CONSTRAINTS, StudyRecord, TrialRecord
from tracking.validation import INT64_MAX

_LIVING = Prepared(
    select(studies.c.name).where(studies.c.id == bindparam("study"), studies.c.deleted.is_(None))
)

_TRIALS = Prepared(
    select(
        trials.c.number,
        runs.c.uid,
        trials.c.state,
        trials.c.started,
        trials.c.completed,
        trials.c.objectives,
        trials.c.params,
        trials.c.attributes,
    )
    .select_from(trials.outerjoin(runs, runs.c.id == trials.c.run_id))
    .where(trials.c.study_id == bindparam("study"), trials.c.number >= bindparam("first"))
    .order_by(trials.c.number)
    .limit(bindparam("most"))
)

_WITH_RUNS = Prepared(
    select(func.count(trials.c.run_id)).where(
        trials.c.study_id == bindparam("study"), trials.c.number < bindparam("end")
    )
)


def study_records(connection: Connection) -> list[StudyRecord]:
    """Return the studies, the newest first."""
    counts: dict[int, dict[str, int]] = defaultdict(lambda: dict.fromkeys(STATES, 0))
    grouped = select(trials.c.study_id, trials.c.state, func.count()).group_by(
        trials.c.study_id, trials.c.state
    )
    for study, state, count in connection.execute(grouped):
        counts[study][state] = count
    query = select(studies, attributes.c.value.label("names")).outerjoin(
        attributes,
        (attributes.c.study_id == studies.c.id)
        & (attributes.c.kind == "system")
        & (attributes.c.key == json.dumps(METRIC_NAMES)),
    )
    found = []
    for row in connection.execute(query.where(studies.c.deleted.is_(None)).order_by(studies.c.id.desc())):
        directions = json.loads(row.directions)
        found.append(
            StudyRecord(
                name=row.name,
                experiment=row.experiment,
                directions=tuple(GOALS.get(direction) for direction in directions),
                metrics=tuple(value_keys(row.names, len(directions))),
                created=moment(row.created),
                trials=counts[row.id],
                revision=row.ops,
            )
        )
    return found


def trial_records(
    connection: Connection, name: str, *, first: int = 0, limit: int | None = None
) -> list[TrialRecord]:
    """Return trials of a study in order of number, also those whose run is in the trash.

    Args:
        connection: To the store's database.
        name: Of the study.
        first: Number of the first one.
        limit: At most so many, None for all.

    Raises:
        NotFound: There is no such study.
        InvalidValue: `limit` is no positive number.
    """
    if limit is not None and (isinstance(limit, bool) or not isinstance(limit, int) or limit < 1):
        raise InvalidValue(f"limit={limit!r} must be a positive whole number, or None for every trial.")
    study = study_number(connection, name)
    return _records(
        _TRIALS.rows(connection, study=study, first=first, most=INT64_MAX if limit is None else limit)
    )


def trial_records_since(connection: Connection, name: str, known: Sequence[TrialRecord]) -> list[TrialRecord]:
    """Return all trials of a study, where only those are read that may be others than before.

    Nothing changes a trial that has finished, but that its run is removed for good; then all are read.

    Args:
        connection: To the store's database.
        name: Of the study.
        known: What an earlier call returned, of this study or of one that had its name.

    Raises:
        NotFound: There is no such study.
    """
    study = study_number(connection, name)
    settled = next((place for place, each in enumerate(known) if each.state not in FINISHED), len(known))
    if settled:
        again = _records(_TRIALS.rows(connection, study=study, first=settled - 1, most=INT64_MAX))
        with_runs = sum(each.run is not None for each in known[:settled])
        left = int(_WITH_RUNS.value(connection, study=study, end=settled))
        if again[:1] == list(known[settled - 1 : settled]) and left == with_runs:
            return [*known[:settled], *again[1:]]
    return _records(_TRIALS.rows(connection, study=study, first=0, most=INT64_MAX))


def _records(rows: Sequence[tuple[Any, ...]]) -> list[TrialRecord]:
    if not rows:
        return []
    numbers, uids, states, started, completed, objectives, params, attached = zip(*rows, strict=True)
    # One call for all rows: most of them are short.
    values = load("null" if text is None else text for text in objectives)
    return [
        TrialRecord(
            number,
            uid,
            state,
            None if begin is None else moment(begin),
            None if end is None else moment(end),
            None if value is None else tuple(value),
            drawn,
            {key: each for key, each in said.items() if key != CONSTRAINTS} if constraints_in(said) else said,
            constraints_in(said),
        )
        for number, uid, state, begin, end, value, drawn, said in zip(
            numbers, uids, states, started, completed, values, load(params), load(attached), strict=True
        )
    ]


def complete_runs(connection: Connection, name: str) -> list[tuple[int, str]]:
    """Return the number and the id of the run of each complete trial that has one, in order; raises NotFound."""
    query = (
        select(trials.c.number, runs.c.uid)
        .join_from(trials, runs, runs.c.id == trials.c.run_id)
        .where(trials.c.study_id == study_number(connection, name), trials.c.state == "complete")
        .order_by(trials.c.number)
    )
    return [(number, uid) for number, uid in connection.execute(query)]


def study_number(connection: Connection, name: str) -> int:
    """Return the number of a study by its name.

    Raises:
        NotFound: There is none.
    """
    found = connection.execute(
        select(studies.c.id).where(studies.c.name == name, studies.c.deleted.is_(None))
    ).scalar()
    if found is None:
        raise NotFound(f"There is no study {name!r} in this store. store.studies() lists them.")
    return int(found)


def study_revision(connection: Connection, name: str) -> int:
    """Return how many operations there were on a study or its trials; raises NotFound."""
    number = study_number(connection, name)
    return int(connection.execute(select(studies.c.ops).where(studies.c.id == number)).scalar_one())


def study_name(connection: Connection, number: int) -> str | None:
    """Return the name of a study, None when there is none or it was deleted."""
    name: str | None = _LIVING.value(connection, study=number)
    return name


def study_rows(connection: Connection) -> list[tuple[int, str, list[int]]]:
    """Return (number, name, Optuna's directions) of each study, in order of number."""
    query = select(studies.c.id, studies.c.name, studies.c.directions).where(studies.c.deleted.is_(None))
    return [
        (number, name, json.loads(directions))
        for number, name, directions in connection.execute(query.order_by(studies.c.id))
    ]


def study_attributes(connection: Connection) -> Mapping[int, Mapping[str, Mapping[str, Any]]]:
    """Return the attributes of every study: by number, by kind (user, system), by key."""
    found: dict[int, dict[str, dict[str, Any]]] = defaultdict(lambda: {"user": {}, "system": {}})
    for row in connection.execute(select(attributes).order_by(attributes.c.position, attributes.c.key)):
        found[row.study_id][row.kind][json.loads(row.key)] = json.loads(row.value)
    return found


def trial_of_run(connection: Connection, uid: str) -> tuple[str, int] | None:
    """Return the study's name and the number of the trial that a run is, None for another run.

    That is the trial which made the run, not those that took its outcome over.
    """
    query = (
        select(studies.c.name, trials.c.number)
        .join_from(trials, studies)
        .join(runs, runs.c.id == trials.c.run_id)
        .where(runs.c.uid == uid, trials.c.session_id.is_not(None))
    )
    row = connection.execute(query).first()
    return None if row is None else (row.name, row.number)


def has_sessions(connection: Connection, uid: str) -> bool:
    """Whether a process has begun a session of a run; that of the study whose trial it is does not count."""
    sessions = run_writes.sessions
    query = select(sessions.c.id).join(runs).where(runs.c.uid == uid, sessions.c.spool != uid + SESSION_MARK)
    return connection.execute(query.limit(1)).first() is not None


def child_runs(connection: Connection, uid: str) -> list[str]:
    """Return the ids of the runs that name a run as their parent, in the order in which they came."""
    query = select(runs.c.uid).where(runs.c.parent == uid).order_by(runs.c.id)
    return list(connection.execute(query).scalars())
