"""The order of a table of runs, and how a page of it starts after a given run.

What is missing or not finite comes last in both directions, so that a diverged run never
leads; runs that are equal in what they are sorted by follow their time of creation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, FromClause, and_, case, false, or_, select

from tracking.database.filter_sql import (
    TEXT_KINDS,
    Condition,
    column_of,
    experiments,
    is_finite,
    key_id,
    param_number,
    params,
    runs,
    summaries,
    summary_value,
)
from tracking.database.filter_tree import Field, Order
from tracking.errors import NotFound

RUNS: FromClause = runs.join(experiments, runs.c.experiment_id == experiments.c.id)
"""What every search reads from; an ordering may join more."""


@dataclass(frozen=True, slots=True)
class SortKey:
    """One of the expressions to sort by. NULLs only ever meet NULLs: an earlier key parts them off."""

    value: ColumnElement[Any]
    descending: bool = False

    @property
    def clause(self) -> ColumnElement[Any]:
        return self.value.desc() if self.descending else self.value.asc()

    def is_at(self, value: Any) -> Condition:
        return self.value.is_(None) if value is None else self.value == value

    def is_beyond(self, value: Any) -> Condition:
        if value is None:
            return false()
        beyond: Condition = self.value < value if self.descending else self.value > value
        return beyond


@dataclass(frozen=True, slots=True)
class Ordering:
    """Where the sort keys can be read, and the keys; the last one is unique."""

    source: FromClause
    keys: tuple[SortKey, ...]

    @property
    def clauses(self) -> list[ColumnElement[Any]]:
        return [key.clause for key in self.keys]

    def after(self, connection: Connection, uid: str) -> Condition:
        """Return the condition of the runs that follow the run in this order.

        Raises:
            NotFound: There is no run of that id.
        """
        statement = select(*(key.value for key in self.keys)).select_from(self.source)
        place = connection.execute(statement.where(runs.c.uid == uid)).first()
        if place is None:
            raise NotFound(f"after={uid!r}: there is no run of that id, so no page follows it.")
        following = [
            and_(*(key.is_at(value) for key, value in zip(self.keys[:n], place[:n], strict=True)), beyond)
            for n, beyond in enumerate(
                key.is_beyond(value) for key, value in zip(self.keys, place, strict=True)
            )
        ]
        first, value = self.keys[0], place[0]
        # Says nothing new, but lets the database start inside an index on the first key.
        return and_(or_(first.is_at(value), first.is_beyond(value)), or_(*following))


def ordering_of(order: Order) -> Ordering:
    """Return how to sort runs by the order's field."""
    field, descending = order.field, order.descending
    newest = SortKey(runs.c.id, descending)
    if field.kind == "metrics":
        source = _joined(summaries, field)
        value = summary_value(field)
        finite = is_finite(value)
        keys = (SortKey(case((finite, 0), else_=1)), SortKey(case((finite, value)), descending))
        return Ordering(source, (*keys, newest))
    if field.kind == "params":
        number, is_text = param_number(), params.c.kind.in_(TEXT_KINDS)
        finite = is_finite(number)
        return Ordering(
            _joined(params, field),
            (
                SortKey(case((finite, 0), (is_text, 1), else_=2)),
                SortKey(case((finite, number)), descending),
                SortKey(case((is_text, params.c.text)), descending),
                newest,
            ),
        )
    column = column_of(field)
    if field.kind == "group":
        missing = SortKey(case((column.is_(None), 1), else_=0))
        return Ordering(RUNS, (missing, SortKey(column, descending), newest))
    return Ordering(RUNS, (SortKey(column, descending), newest))


def _joined(table: FromClause, field: Field) -> FromClause:
    row = and_(table.c.run_id == runs.c.id, table.c.key_id == key_id(field))
    return RUNS.outerjoin(table, row)
