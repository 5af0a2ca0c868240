"""Rows that say which runs are of one configuration: equal params, repeats of a trial, sweeps that run one again.

A handful of queries, whatever the size of the experiment: params are compared in the database.
"""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, func, or_, select

from tracking.database.param_values import decode_value
from tracking.database.run_writes import experiments, goals, metric_keys, param_keys, params_table, runs
from tracking.database.search_columns import rows_in
from tracking.database.study_rows import attributes, studies, trials
from tracking.database.tables import MetricSummaryRow
from tracking.records import Goal
from tracking.sweep_records import CONFIRMS, DEFINITION, PREVIOUS, REPEATS_RUN
from tracking.validation import EXACT_INT, storable

summaries = MetricSummaryRow.__table__  # type: ignore[attr-defined]

_MARKS = (CONFIRMS, PREVIOUS, REPEATS_RUN)
_COMPARED = 40
"""So many params are compared in the database; of a run with more, the rest afterwards."""
_RARE = 2_000
"""So many runs with an equal value are looked up by it; of more, the experiment's runs are gone through."""
_PRECEDENCE = {"text": 0, "json": 1, "repr": 2, "bool": 3, "null": 4}
"""Of params that are no numbers: of those an index knows how many there are."""


@dataclass(frozen=True, slots=True)
class GroupRun:
    """A run, by its internal number, as far as its place in a group depends on it; times in microseconds."""

    number: int
    uid: str
    name: str
    experiment: int
    status: str
    parent: str | None
    created: int
    ended: int | None
    deleted: bool


@dataclass(frozen=True, slots=True)
class GroupParam:
    """A leaf of a run's params."""

    key: int
    name: str
    kind: str
    text: str
    number: float | None

    @property
    def value(self) -> Any:
        """As it was logged."""
        return decode_value(self.kind, self.text)

    def equals(self, other: GroupParam) -> bool:
        """Whether both are of equal values: 1 and 1.0 are, "1" and true are others."""
        if self.is_exact and other.is_exact:
            return self.number == other.number
        return (self.kind, self.text) == (other.kind, other.text)

    @property
    def is_exact(self) -> bool:
        """Whether it is a number that its float tells from all others."""
        return self.kind in ("int", "float") and self.number is not None and abs(self.number) < EXACT_INT


@dataclass(frozen=True, slots=True)
class GroupTrial:
    """A trial as a run is one; `owned`: it made the run, and did not take its outcome over."""

    study: int
    number: int
    run: int
    owned: bool
    state: str
    params: Mapping[str, Any]
    attributes: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class GroupStudy:
    """A study with what says whose configurations it runs again.

    Attributes:
        number: Of the study.
        name: Of the study.
        living: Whether it was not deleted.
        marks: Its attributes of the names in `tracking.sweep_records`.
    """

    number: int
    name: str
    living: bool
    marks: Mapping[str, Any] = field(default_factory=dict)


def group_runs(
    connection: Connection, *, uids: Collection[str] = (), numbers: Collection[int] = ()
) -> list[GroupRun]:
    """Return runs by their ids or numbers, in order of creation; unknown ones are left out."""
    found = [
        row
        for column, wanted in ((runs.c.uid, [storable(uid) for uid in uids]), (runs.c.id, numbers))
        for row in rows_in(connection, _RUNS, column, wanted)
    ]
    return _in_order(found)


def children(connection: Connection, uids: Collection[str]) -> list[GroupRun]:
    """Return the runs that name one of these as their parent, in order of creation; also those in the trash."""
    return _in_order(rows_in(connection, _RUNS, runs.c.parent, uids))


def run_params(
    connection: Connection, numbers: Collection[int], keys: Collection[int] | None = None
) -> dict[int, list[GroupParam]]:
    """Return the params of runs by their numbers; `keys`: of these names alone."""
    found: dict[int, list[GroupParam]] = defaultdict(list)
    columns = params_table.c
    query = select(
        columns.run_id, columns.key_id, param_keys.c.name, columns.kind, columns.text, columns.number
    ).join(param_keys, param_keys.c.id == columns.key_id)
    if keys is not None:
        query = query.where(columns.key_id.in_(keys))
    for run, *param in rows_in(connection, query, columns.run_id, numbers):
        found[run].append(GroupParam(*param))
    return found


def repeat_names(connection: Connection, experiment: int) -> tuple[str | None, str | None]:
    """Return the JSON lists of an experiment's `vary` and `ignore`, None where nobody has said any."""
    row = connection.execute(
        select(experiments.c.vary, experiments.c.ignore).where(experiments.c.id == experiment)
    ).one()
    return row.vary, row.ignore


def keys_ending(connection: Connection, names: Collection[str]) -> dict[int, str]:
    """Return the params in use, by number, that have one of these names or end in a dot and one."""
    if not names:
        return {}
    likely = or_(
        param_keys.c.name.in_(names),
        *(param_keys.c.name.endswith(f".{name}", autoescape=True) for name in names),
    )
    # LIKE takes upper and lower case for the same.
    return {
        number: name
        for number, name in connection.execute(select(param_keys.c.id, param_keys.c.name).where(likely))
        if name in names or any(name.endswith(f".{each}") for each in names)
    }


def same_params(
    connection: Connection, experiment: int, wanted: Sequence[GroupParam], without: Collection[int]
) -> list[GroupRun]:
    """Return the runs of an experiment with exactly these params, in order of creation; also those in the trash.

    Args:
        connection: For reading.
        experiment: Its number.
        wanted: The params.
        without: Numbers of the names that do not count, on either side.
    """
    # What tells most first: a run is left at its first param that differs.
    told, count = _rarest_first(connection, wanted)
    columns = params_table.c
    query = _RUNS.where(runs.c.experiment_id == experiment)
    if count <= _RARE:
        few = select(columns.run_id).where(columns.key_id == told[0].key, _equal(told[0]))
        query = query.where(runs.c.id.in_(few))
    for each in told[:_COMPARED]:
        there = select(columns.key_id).where(
            columns.run_id == runs.c.id, columns.key_id == each.key, _equal(each)
        )
        query = query.where(there.correlate(runs).exists())
    others = select(func.count()).where(columns.run_id == runs.c.id, columns.key_id.not_in(without))
    query = query.where(others.correlate(runs).scalar_subquery() == len(wanted))
    found = _in_order(connection.execute(query))
    rest = {each.key: each for each in told[_COMPARED:]}
    if not rest:
        return found
    params = run_params(connection, [run.number for run in found])
    return [
        run
        for run in found
        if sum(each.key in rest and rest[each.key].equals(each) for each in params[run.number]) == len(rest)
    ]


def trials_of(
    connection: Connection, *, numbers: Collection[int] = (), study_numbers: Collection[int] = ()
) -> list[GroupTrial]:
    """Return the trials that runs are, or those of studies, in order."""
    columns = (trials.c.run_id, trials.c.study_id)
    found = [
        row
        for column, wanted in zip(columns, (numbers, study_numbers), strict=True)
        for row in rows_in(connection, _TRIALS.where(trials.c.run_id.is_not(None)), column, wanted)
    ]
    return [
        GroupTrial(
            row.study_id,
            row.number,
            row.run_id,
            row.session_id is not None,
            row.state,
            json.loads(row.params),
            json.loads(row.attributes),
        )
        for row in sorted(found, key=lambda row: (row.study_id, row.number))
    ]


def competing(connection: Connection, study_numbers: Collection[int]) -> int:
    """Return how many trials of studies ended with a result or were pruned; those that were taken over do not count."""
    # What took a run over has that run and no session; a run that was removed for good leaves neither.
    own = or_(trials.c.session_id.is_not(None), trials.c.run_id.is_(None))
    query = select(func.count()).where(
        trials.c.study_id.in_(study_numbers), trials.c.state.in_(("complete", "pruned")), own
    )
    return int(connection.execute(query).scalar_one())


def group_studies(connection: Connection) -> list[GroupStudy]:
    """Return every study, in order of number."""
    marks: dict[int, dict[str, Any]] = defaultdict(dict)
    query = select(attributes.c.study_id, attributes.c.key, attributes.c.value).where(
        attributes.c.kind == "system", attributes.c.key.in_([json.dumps(mark) for mark in _MARKS])
    )
    for study, key, value in connection.execute(query):
        marks[study][json.loads(key)] = json.loads(value)
    query = select(studies.c.id, studies.c.name, studies.c.deleted).order_by(studies.c.id)
    return [
        GroupStudy(number, name, deleted is None, marks[number])
        for number, name, deleted in connection.execute(query)
    ]


def definition(connection: Connection, study: int) -> Mapping[str, Any]:
    """Return what a study keeps of its sweep's definition, empty where it is no sweep's."""
    found = connection.execute(
        select(attributes.c.value).where(
            attributes.c.study_id == study,
            attributes.c.kind == "system",
            attributes.c.key == json.dumps(DEFINITION),
        )
    ).scalar()
    said = None if found is None else json.loads(found)
    return said if isinstance(said, dict) else {}


def metric_rows(connection: Connection, metric: str, numbers: Collection[int]) -> dict[int, Row[Any]]:
    """Return the summary of a metric of each run that logged it, by the run's number."""
    query = select(summaries).join(metric_keys, metric_keys.c.id == summaries.c.key_id)
    query = query.where(metric_keys.c.name == storable(metric))
    return {row.run_id: row for row in rows_in(connection, query, summaries.c.run_id, numbers)}


def experiment_goals(connection: Connection, experiment: int) -> dict[str, Goal]:
    """Return which direction is better, for each metric of an experiment of which that was said."""
    query = select(metric_keys.c.name, goals.c.goal).join_from(goals, metric_keys)
    return {
        name: Goal(goal)
        for name, goal in connection.execute(query.where(goals.c.experiment_id == experiment))
    }


def experiment_names(connection: Connection, numbers: Collection[int]) -> dict[int, str]:
    """Return the names of experiments by their numbers."""
    query = select(experiments.c.id, experiments.c.name)
    return dict(rows_in(connection, query, experiments.c.id, numbers))


def metric_names(connection: Connection, numbers: Collection[int]) -> list[str]:
    """Return the metrics that any of these runs logged, by name."""
    query = select(metric_keys.c.name).join(summaries, summaries.c.key_id == metric_keys.c.id).distinct()
    return sorted({name for (name,) in rows_in(connection, query, summaries.c.run_id, numbers)})


def _rarest_first(connection: Connection, params: Sequence[GroupParam]) -> tuple[list[GroupParam], float]:
    """Return the params, those first of which an index knows fewest of an equal value, and how many that are."""
    columns = params_table.c
    exact = [each for each in params if each.is_exact][:_COMPARED]
    numbers = [
        select(func.count())
        .where(columns.key_id == each.key, columns.number == each.number)
        .scalar_subquery()
        .label(f"count_{place}")
        for place, each in enumerate(exact)
    ]
    counts = connection.execute(select(*numbers)).one() if numbers else ()
    known = {each.key: float(count) for each, count in zip(exact, counts, strict=True)}
    told = sorted(
        params,
        key=lambda each: (known.get(each.key, math.inf), _PRECEDENCE.get(each.kind, 9), each.name),
    )
    return told, min(known.values(), default=math.inf)


def _equal(param: GroupParam) -> ColumnElement[bool]:
    """Return the condition that a row of params has an equal value; see `GroupParam.equals`."""
    columns = params_table.c
    if param.is_exact:
        return and_(columns.kind.in_(("int", "float")), columns.number == param.number)
    return and_(columns.kind == param.kind, columns.text == param.text)


_RUNS = select(
    runs.c.id,
    runs.c.uid,
    runs.c.name,
    runs.c.experiment_id,
    runs.c.status,
    runs.c.parent,
    runs.c.created,
    runs.c.ended,
    runs.c.deleted,
)
_TRIALS = select(
    trials.c.study_id,
    trials.c.number,
    trials.c.run_id,
    trials.c.session_id,
    trials.c.state,
    trials.c.params,
    trials.c.attributes,
)


def _in_order(rows: Iterable[Any]) -> list[GroupRun]:
    found = [
        GroupRun(
            row.id,
            row.uid,
            row.name,
            row.experiment_id,
            row.status,
            row.parent,
            row.created,
            row.ended,
            row.deleted is not None,
        )
        for row in rows
    ]
    return sorted(found, key=lambda run: (run.created, run.number))
