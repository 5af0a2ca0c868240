"""Filters as SQL conditions with bound values.

A condition is SQL's true, false or NULL, and NULL stands for unknown: a run lacks the
metric or param, or it is NaN. SQL's own three-valued `and`, `or` and `not` then do
what the language promises, and `WHERE` keeps only what is true.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from operator import eq, ge, gt, le, lt
from typing import Any, TypeAlias

from sqlalchemy import (
    ColumnElement,
    Connection,
    Float,
    FromClause,
    and_,
    case,
    exists,
    false,
    func,
    literal,
    not_,
    null,
    or_,
    select,
)

from tracking.database.filter_tree import (
    And,
    Compare,
    Contains,
    Expression,
    Field,
    In,
    Matches,
    Not,
    Operator,
    Or,
    Value,
    format_field,
    quote,
)
from tracking.database.tables import Table
from tracking.errors import FilterError
from tracking.records import Goal

Condition: TypeAlias = ColumnElement[bool]

_tables = Table.metadata.tables
runs = _tables["runs"]
experiments = _tables["experiments"]
tags = _tables["tags"]
params = _tables["params"]
param_keys = _tables["param_keys"]
summaries = _tables["metric_summaries"]
metric_keys = _tables["metric_keys"]
goals = _tables["metric_goals"]

_parents = runs.alias("parents")
TOP_LEVEL: Condition = or_(
    runs.c.parent.is_(None), not_(exists().where(_parents.c.uid == runs.c.parent).correlate(runs))
)
"""No child of a run of this store. One whose parent is nowhere (not brought in yet, a slip in its id, left behind in
another store) would else be found by nobody."""

# Params whose `text` is the text itself; every other kind keeps JSON there.
TEXT_KINDS = ("text", "repr")
_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
_COMPARE: dict[Operator, Callable[[Any, Any], Any]] = {"==": eq, "<": lt, "<=": le, ">": gt, ">=": ge}


def condition(expression: Expression) -> Condition:
    """Return the condition that rows of `runs` joined with `experiments` fulfil.

    Metrics, params and tags are looked up per run by primary key.
    """
    match expression:
        case And(terms):
            return and_(*(condition(term) for term in terms))
        case Or(terms):
            return or_(*(condition(term) for term in terms))
        case Not(term):
            return not_(condition(term))
        case Compare(field, operator, None):
            return _absent(field) if operator == "==" else not_(_absent(field))
        case Compare(field, "!=", value):
            return not_(_equals(field, (value,)))
        case Compare(field, "==", value):
            return _equals(field, (value,))
        case Compare(field, operator, value):
            return _ordered(field, operator, value)
        case In(field, values):
            return _equals(field, values)
        case Contains(field, text):
            if field.kind == "tags":
                return exists().where(tags.c.run_id == runs.c.id, tags.c.tag == text)
            return _like(field, f"*{_literal_glob(text)}*")
        case Matches(field, pattern):
            return _like(field, pattern.replace("[", "[[]"))


def check_goals(connection: Connection, fields: Iterable[Field], source: str) -> None:
    """Raise `FilterError` for a `best(...)` of a metric that has no goal in any experiment."""
    for field in fields:
        if field.aggregate != "best":
            continue
        statement = select(goals.c.goal).join(metric_keys).where(metric_keys.c.name == field.key).limit(1)
        if connection.execute(statement).first() is None:
            call = f'tracking.define_metric({quote(field.key)}, goal="maximize")'
            raise FilterError(
                f"{format_field(field)} (at character {field.position + 1}): nobody has said whether more "
                f"or less is better. Call {call} (or minimize) in the training script, "
                "or ask for max(...) or min(...).",
                source=source,
                position=field.position,
                expected="max(...), min(...), or a metric with a goal",
            )


def microseconds(moment: datetime) -> int:
    """Return the aware time as the tables keep it."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def metric_value(field: Field) -> ColumnElement[float]:
    """Return the metric's value per run: NULL when there is none (no best of a diverged run), or when it is NaN."""
    return _per_run(summaries, field, summary_value(field))


def summary_value(field: Field) -> ColumnElement[float]:
    """Return the same as a column of `metric_summaries`, for where that is joined with `runs`.

    A run whose last value is NaN or infinite has diverged: it has no best value, while its
    min, max and mean stay those of its finite values.
    """
    if field.aggregate != "best":
        return summaries.c[field.aggregate]
    goal = (
        select(goals.c.goal)
        .where(goals.c.experiment_id == runs.c.experiment_id, goals.c.key_id == summaries.c.key_id)
        .correlate(runs, summaries)
        .scalar_subquery()
    )
    by_goal = case(
        (goal == Goal.MAXIMIZE.value, summaries.c.max), (goal == Goal.MINIMIZE.value, summaries.c.min)
    )
    return case((is_finite(summaries.c.last), by_goal))


def is_finite(value: ColumnElement[float]) -> Condition:
    """Return whether the value is a finite number; NaN is kept as NULL, for which this is NULL."""
    return func.abs(value) <= sys.float_info.max


def param_number() -> ColumnElement[float]:
    """Return the number of a row of `params`: NULL when it is no number, or NaN."""
    infinities = [
        (and_(params.c.kind == "float", params.c.text == text), literal(float(text), Float()))
        for text in ("inf", "-inf")
    ]
    return case((params.c.number.is_not(None), params.c.number), *infinities)


def column_of(field: Field) -> ColumnElement[Any]:
    """Return the column of `runs` or `experiments` that holds the field."""
    columns: dict[str, ColumnElement[Any]] = {
        "status": runs.c.status,
        "name": runs.c.name,
        "experiment": experiments.c.name,
        "created": runs.c.created,
        "duration": runs.c.seconds,
        "group": runs.c.group_name,
        "notes": runs.c.notes,
    }
    return columns[field.kind]


def key_id(field: Field) -> ColumnElement[int]:
    """Return the id of a metric's or param's key; SQLite looks it up once per statement."""
    keys = metric_keys if field.kind == "metrics" else param_keys
    return select(keys.c.id).where(keys.c.name == field.key).scalar_subquery()


def _per_run(table: FromClause, field: Field, value: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return `value` of the run's row for the key in `metric_summaries` or `params`."""
    row = and_(table.c.run_id == runs.c.id, table.c.key_id == key_id(field))
    return select(value).where(row).correlate(runs, experiments).scalar_subquery()


def _absent(field: Field) -> Condition:
    match field.kind:
        case "metrics" if field.aggregate not in ("first", "last"):
            return metric_value(field).is_(None)
        case "metrics":
            # A NaN is there, although its column is NULL.
            return _per_run(summaries, field, summaries.c.count).is_(None)
        case "params":
            return func.coalesce(_per_run(params, field, params.c.kind), "null") == "null"
        case "tags":
            return not_(exists().where(tags.c.run_id == runs.c.id))
        case "notes":
            return runs.c.notes == ""
    return column_of(field).is_(None)


def _equals(field: Field, values: tuple[Value, ...]) -> Condition:
    if field.kind == "metrics":
        return _per_run(summaries, field, _is_any(summary_value(field), _numbers(values)))
    if field.kind != "params":
        return _is_any(column_of(field), [_bound(value) for value in values])
    number = param_number()
    found = case(
        (params.c.kind.in_(TEXT_KINDS), _is_any(params.c.text, [v for v in values if isinstance(v, str)])),
        (params.c.kind == "json", false()),
        # None and NaN have no number: unknown.
        (number.is_not(None), _is_any(number, _numbers(values))),
        else_=null(),
    )
    return _per_run(params, field, found)


def _is_any(column: ColumnElement[Any], values: list[Any]) -> Condition:
    if not values:
        return false()
    return column == values[0] if len(values) == 1 else column.in_(values)


def _ordered(field: Field, operator: Operator, value: Value) -> Condition:
    compare: Callable[[Any, Any], Condition] = _COMPARE[operator]
    match field.kind:
        case "metrics":
            return _per_run(summaries, field, compare(summary_value(field), _bound(value)))
        case "params" if isinstance(value, str):
            text = case((params.c.kind.in_(TEXT_KINDS), params.c.text))
            return _per_run(params, field, compare(text, value))
        case "params":
            return _per_run(params, field, compare(param_number(), _bound(value)))
    return compare(column_of(field), _bound(value))


def _like(field: Field, pattern: str) -> Condition:
    match field.kind:
        case "tags":
            return exists().where(tags.c.run_id == runs.c.id, _glob(tags.c.tag, pattern))
        case "params":
            text = case((params.c.kind.in_(TEXT_KINDS), params.c.text))
            return _per_run(params, field, _glob(text, pattern))
    return _glob(column_of(field), pattern)


def _glob(column: ColumnElement[Any], pattern: str) -> Condition:
    # SQLite's LIKE ignores the case of ASCII letters; GLOB does not. (PostgreSQL: LIKE, with % and _.)
    return column.bool_op("GLOB")(re.sub(r"\*+", "*", pattern))


def _literal_glob(text: str) -> str:
    return re.sub(r"([*?\[])", r"[\1]", text)


def _numbers(values: tuple[Value, ...]) -> list[float]:
    return [float(value) for value in values if isinstance(value, bool | int | float)]


def _bound(value: Value) -> Any:
    """Return the value as the tables keep its like: numbers as floats, times as microseconds."""
    if isinstance(value, datetime):
        return microseconds(value)
    return float(value) if isinstance(value, bool | int | float) else value
