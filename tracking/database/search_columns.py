"""The columns of a table of runs beyond the first ones: metrics, params, and what else was asked for."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Callable, Collection, Iterator, Sequence
from itertools import islice
from typing import Any, TypeVar, cast

from sqlalchemy import ColumnElement, Connection, FromClause, Select, select

from tracking.database.filter_language import parse_field
from tracking.database.filter_sql import (
    check_goals,
    column_of,
    experiments,
    metric_keys,
    metric_value,
    param_keys,
    params,
    runs,
    summaries,
    tags,
)
from tracking.database.filter_tree import Field, Kind, format_field
from tracking.database.param_values import decode_value
from tracking.errors import FilterError, InvalidValue
from tracking.records import SYSTEM_METRICS
from tracking.validation import storable

Item = TypeVar("Item")

FIRST_COLUMNS = ("run", "name", "experiment", "status", "created", "duration")
# SQLite before 3.32 binds 999 values at most.
CHUNK = 500


def chunks(items: Collection[Item], size: int = CHUNK) -> Iterator[list[Item]]:
    """Yield the items in lists of at most `size`, each short enough for one IN."""
    remaining = iter(items)
    while part := list(islice(remaining, size)):
        yield part


def rows_in(
    connection: Connection, query: Select[Any], column: ColumnElement[Any], items: Collection[Any]
) -> Iterator[Any]:
    """Yield the rows of a query whose column has one of these values, however many they are."""
    for part in chunks(items):
        yield from connection.execute(query.where(column.in_(part)))


def requested_columns(columns: Sequence[str]) -> dict[str, Field]:
    """Return by its name what each requested column shows, without the first columns.

    Args:
        columns: `metrics.<key>` and `params.<key>` with the key as it is, or anything
            that the filter language names.

    Raises:
        InvalidValue: One of them names no column.
    """
    if isinstance(columns, str) or not all(isinstance(column, str) for column in columns):
        raise InvalidValue(
            f"columns={columns!r} must be a list of names, such as ['metrics.loss', 'params.lr']."
        )
    wanted: dict[str, Field] = {}
    for column in columns:
        kind, _, key = column.partition(".")
        if column in FIRST_COLUMNS:
            continue
        if key and kind in ("metrics", "params"):
            # As a result names its columns, which needs no brackets.
            field = Field(cast(Kind, kind), unicodedata.normalize("NFC", storable(key)))
        else:
            try:
                field = parse_field(column)
            except FilterError as error:
                raise InvalidValue(f"columns: {column[:100]!r} names no column. {error}") from error
        last = field.kind in ("metrics", "params") and field.aggregate == "last"
        wanted[f"{field.kind}.{field.key}" if last else format_field(field)] = field
    return wanted


def fetch_columns(
    connection: Connection, ids: Sequence[int], wanted: dict[str, Field] | None
) -> dict[str, list[Any]]:
    """Return the columns of the runs with these internal ids, each with one value per run.

    Args:
        connection: To the store's database.
        ids: Internal ids of the runs, in the order of the rows.
        wanted: What to fetch, by name; None for every metric and param that one of the runs has,
            measurements of the machine left out.

    Raises:
        FilterError: `best(...)` is wanted of a metric without a goal.
    """
    rows = _Rows(connection, ids)
    if wanted is None:
        metrics = rows.metrics()
        shown = [name for name in metrics if not name.startswith(f"metrics.{SYSTEM_METRICS}")]
        return {name: metrics[name] for name in shown} | rows.params()
    check_goals(connection, wanted.values(), "")
    last = {name: field for name, field in wanted.items() if name == f"{field.kind}.{field.key}"}
    found = rows.metrics([field.key for field in last.values() if field.kind == "metrics"])
    found |= rows.params([field.key for field in last.values() if field.kind == "params"])
    computed = {
        name: metric_value(field) if field.kind == "metrics" else column_of(field)
        for name, field in wanted.items()
        if name not in last and field.kind != "tags"
    }
    found |= rows.computed(computed)
    if "tags" in wanted:
        found["tags"] = rows.tags()
    return {name: found[name] for name in wanted}


class _Rows:
    """The runs of a table, and queries that fill columns for all of them."""

    def __init__(self, connection: Connection, ids: Sequence[int]) -> None:
        self.connection = connection
        self.ids = ids
        self.places = {run_id: place for place, run_id in enumerate(ids)}

    def metrics(self, keys: Sequence[str] | None = None) -> dict[str, list[Any]]:
        """Return the last values by column name; NaN is a value, None says that there is none."""
        found = self._by_key(summaries, metric_keys, [summaries.c.last], _number, keys)
        return {f"metrics.{key}": column for key, column in found.items()}

    def params(self, keys: Sequence[str] | None = None) -> dict[str, list[Any]]:
        """Return the values as logged by column name."""
        found = self._by_key(params, param_keys, [params.c.kind, params.c.text], decode_value, keys)
        return {f"params.{key}": column for key, column in found.items()}

    def computed(self, columns: dict[str, ColumnElement[Any]]) -> dict[str, list[Any]]:
        """Return columns that are expressions over `runs` and `experiments`."""
        found: dict[str, list[Any]] = {name: [None] * len(self.ids) for name in columns}
        if not columns:
            return found
        statement = select(runs.c.id, *columns.values()).join(experiments)
        for part in chunks(self.ids):
            for run_id, *values in self.connection.execute(statement.where(runs.c.id.in_(part))):
                for column, value in zip(found.values(), values, strict=True):
                    column[self.places[run_id]] = value
        return found

    def tags(self) -> list[tuple[str, ...]]:
        """Return the tags of each run in the order given."""
        found: list[tuple[str, ...]] = [()] * len(self.ids)
        statement = select(tags.c.run_id, tags.c.tag).order_by(tags.c.run_id, tags.c.position)
        for part in chunks(self.ids):
            for run_id, tag in self.connection.execute(statement.where(tags.c.run_id.in_(part))):
                found[self.places[run_id]] += (tag,)
        return found

    def _by_key(
        self,
        table: FromClause,
        names: FromClause,
        values: Sequence[ColumnElement[Any]],
        decode: Callable[..., Any],
        keys: Sequence[str] | None,
    ) -> dict[str, list[Any]]:
        """Return a column per key: every key of the runs, sorted, or just the keys asked for."""
        found: dict[int, list[Any]] = {}
        statement = select(table.c.run_id, table.c.key_id, *values)
        if keys is not None:
            key_ids = {key: key_id for key_id, key in self._keys(names, names.c.name, keys)}
            found = {key_id: [None] * len(self.ids) for key_id in key_ids.values()}
            if len(key_ids) <= CHUNK:
                statement = statement.where(table.c.key_id.in_(key_ids.values()))
        for part in chunks(self.ids):
            for run_id, key_id, *cell in self.connection.execute(
                statement.where(table.c.run_id.in_(part))
            ).all():
                column = found.get(key_id)
                if column is None:
                    if keys is not None:
                        continue
                    column = found[key_id] = [None] * len(self.ids)
                column[self.places[run_id]] = decode(*cell)
        if keys is not None:
            return {key: found[key_ids[key]] if key in key_ids else [None] * len(self.ids) for key in keys}
        named = sorted((key, key_id) for key_id, key in self._keys(names, names.c.id, list(found)))
        return {key: found[key_id] for key, key_id in named}

    def _keys(
        self, names: FromClause, column: ColumnElement[Any], wanted: Sequence[Any]
    ) -> Iterator[tuple[int, str]]:
        statement = select(names.c.id, names.c.name)
        yield from rows_in(self.connection, statement, column, wanted)


def _number(value: float | None) -> float:
    return math.nan if value is None else value
