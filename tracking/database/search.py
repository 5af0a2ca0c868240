"""Search: the runs that a filter fits, in an order, a page at a time.

One query finds and sorts the runs of the page, a few more fetch the metrics and params
of these runs alone. What is returned is plain data; `to_frame` makes a data frame of it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, func, select

from tracking.database.filter_language import parse_filter, parse_order
from tracking.database.filter_sql import TOP_LEVEL, Condition, check_goals, condition, experiments, runs
from tracking.database.filter_tree import Field, Order, fields
from tracking.database.ordering import RUNS, ordering_of
from tracking.database.search_columns import FIRST_COLUMNS, fetch_columns, requested_columns
from tracking.errors import InvalidValue, MissingDependency
from tracking.validation import INT64_MAX, storable

if TYPE_CHECKING:
    import pandas as pd

NEWEST_FIRST = Order(Field("created"), descending=True)
_TEXT_COLUMNS = ("run", "name", "experiment", "status", "group", "notes")


@dataclass(frozen=True, slots=True)
class SearchResult:
    """A page of runs, by column.

    Attributes:
        columns: The values of each column by its name, in order, one value per run:
            `run`, `name`, `experiment`, `status` (texts), `created` (microseconds since
            1970-01-01 UTC), `duration` (seconds), then `metrics.<key>` (floats) and
            `params.<key>` (as logged), None where the run has none.
    """

    columns: Mapping[str, Sequence[Any]]

    def __len__(self) -> int:
        return len(self.columns["run"])


def search(
    connection: Connection,
    where: str = "",
    *,
    experiment: str | None = None,
    order_by: str | None = None,
    limit: int | None = 100,
    after: str | None = None,
    columns: Sequence[str] | None = None,
    children: bool = False,
) -> SearchResult:
    """Return the runs that the filter fits, without those in the trash.

    Args:
        connection: To the store's database.
        where: A filter (see `tracking.database.filter_language`); blank for every run.
        experiment: Only runs of this experiment.
        order_by: Such as `metrics.accuracy desc`; the newest runs first when None.
        limit: The largest number of runs; None for all.
        after: Id of the last run of the page before.
        columns: Which columns follow the first six: `metrics.<key>`, `params.<key>`,
            `max(metrics.<key>)` and the like, `group`, `notes`, `tags`; None for every
            metric and param that one of the runs has.
        children: Whether runs whose parent is in the store are found too.

    Raises:
        FilterError: The filter or the order cannot be read.
        InvalidValue: `limit`, `columns` or `experiment` makes no sense.
        NotFound: There is no run `after`.
    """
    limit = _checked_limit(limit)
    wanted = None if columns is None else requested_columns(columns)
    conditions = _conditions(connection, where, experiment, children)
    order = NEWEST_FIRST if order_by is None else parse_order(order_by)
    check_goals(connection, [order.field], order_by or "")
    ordering = ordering_of(order)
    if after is not None:
        conditions.append(ordering.after(connection, storable(after)))
    first = (runs.c.uid, runs.c.name, experiments.c.name, runs.c.status, runs.c.created, runs.c.seconds)
    statement = select(runs.c.id, *first).select_from(ordering.source).where(*conditions)
    rows = connection.execute(statement.order_by(*ordering.clauses).limit(limit)).all()
    ids, *values = zip(*rows, strict=True) if rows else [()] * (1 + len(first))
    found: dict[str, Sequence[Any]] = dict(zip(FIRST_COLUMNS, values, strict=True))
    return SearchResult(found | fetch_columns(connection, ids, wanted))


def count(
    connection: Connection, where: str = "", *, experiment: str | None = None, children: bool = False
) -> int:
    """Return how many runs `search` finds without a limit.

    Raises:
        FilterError: The filter cannot be read.
        InvalidValue: `experiment` is no text.
    """
    statement = select(func.count()).select_from(RUNS)
    conditions = _conditions(connection, where, experiment, children)
    return connection.execute(statement.where(*conditions)).scalar_one()


def to_frame(result: SearchResult) -> pd.DataFrame:
    """Return the runs as rows of a data frame.

    `created` is datetime64[us, UTC]; `duration` (seconds) and metrics are float64, NaN where
    there is no value. A column of params is int64 or Int64, bool or boolean, float64 or text
    when all its values are alike, and otherwise holds the values as they were logged.

    Raises:
        MissingDependency: pandas is not installed.
    """
    try:
        import pandas as pd
    except ImportError as error:
        raise MissingDependency(
            "A search answers with a pandas data frame, and pandas is not installed: pip install pandas"
        ) from error

    columns: dict[str, Any] = {}
    for name, values in result.columns.items():
        if name == "created":
            moments = pd.Series(values, dtype="int64").astype("datetime64[us]")
            columns[name] = moments.dt.tz_localize("UTC")
        elif name in _TEXT_COLUMNS:
            columns[name] = pd.Series(values, dtype="str")
        elif name.startswith("params.") or name == "tags":
            columns[name] = pd.Series(values, dtype=_param_dtype(values))
        else:
            columns[name] = pd.Series(values, dtype="float64")
    return pd.DataFrame(columns)


def _conditions(
    connection: Connection, where: str, experiment: str | None, children: bool
) -> list[Condition]:
    conditions: list[Condition] = [runs.c.deleted.is_(None)]
    if not children:
        conditions.append(TOP_LEVEL)
    if experiment is not None:
        if not isinstance(experiment, str):
            raise InvalidValue(f"experiment={experiment!r} must be the name of an experiment.")
        named = experiments.alias()
        name = unicodedata.normalize("NFC", storable(experiment))
        # By the id alone, which the indexes of `runs` start with.
        conditions.append(
            runs.c.experiment_id == select(named.c.id).where(named.c.name == name).scalar_subquery()
        )
    expression = parse_filter(where)
    if expression is not None:
        check_goals(connection, fields(expression), where)
        conditions.append(condition(expression))
    return conditions


def _checked_limit(limit: int | None) -> int | None:
    if limit is None:
        return None
    if isinstance(limit, bool) or not isinstance(limit, int) or limit < 1:
        raise InvalidValue(f"limit={limit!r} must be a positive whole number, or None for every run.")
    return min(limit, INT64_MAX)


def _param_dtype(values: Sequence[Any]) -> str:
    kinds = {type(value) for value in values if value is not None}
    missing = any(value is None for value in values)
    if kinds == {bool}:
        return "boolean" if missing else "bool"
    if kinds == {int} and all(value is None or -(1 << 63) <= value < 1 << 63 for value in values):
        return "Int64" if missing else "int64"
    if kinds == {float} or (kinds == {int, float} and _exact_as_floats(values)):
        return "float64"
    return "str" if kinds == {str} else "object"


def _exact_as_floats(values: Sequence[Any]) -> bool:
    return all(abs(value) <= 1 << 53 for value in values if isinstance(value, int))
