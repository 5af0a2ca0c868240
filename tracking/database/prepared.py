"""Statements that are run thousands of times a second: compiled once, handed to the driver as they are."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.base import Executable
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import ClauseElement

Row = tuple[Any, ...]


def driver_execute(connection: Connection, text: str, given: Any = ()) -> Any:
    """Run a statement on the driver's cursor, which is returned; its errors come as SQLAlchemy's."""
    driver = connection.connection.dbapi_connection
    assert driver is not None
    cursor = driver.cursor()
    try:
        cursor.execute(text, given)
    except connection.dialect.loaded_dbapi.Error as error:
        dialect = connection.dialect
        raise DBAPIError.instance(
            text, None, error, dialect.loaded_dbapi.Error, hide_parameters=True, dialect=dialect
        ) from error
    return cursor


class Prepared:
    """A Core statement with `bindparam`s of which only texts, numbers, bytes and None are given or read.

    SQLAlchemy takes several times longer to run such a statement than SQLite takes to answer it. Values are
    not converted, so that a column of booleans takes 0 and 1. No transaction is begun: the caller has, or
    asks a single question. The driver's errors come as SQLAlchemy's.
    """

    def __init__(self, statement: Executable) -> None:
        self._statement = statement
        self._compiled: dict[str, tuple[str, list[str] | None, dict[str, Any]]] = {}

    def rows(self, connection: Connection, **values: Any) -> list[Row]:
        """Run it with the values of its `bindparam`s; returns all rows."""
        found: list[Row] = self._execute(connection, values).fetchall()
        return found

    def first(self, connection: Connection, **values: Any) -> Row | None:
        """Run it; returns the first row, None when there is none."""
        found = self._execute(connection, values).fetchall()
        return found[0] if found else None

    def value(self, connection: Connection, **values: Any) -> Any:
        """Run it; returns the first column of the first row, None when there is none."""
        found = self._execute(connection, values).fetchall()
        return found[0][0] if found else None

    def run(self, connection: Connection, **values: Any) -> int:
        """Run it; returns the number of the row that it inserted, if it did."""
        return int(self._execute(connection, values).lastrowid or 0)

    def _execute(self, connection: Connection, values: dict[str, Any]) -> Any:
        dialect = connection.dialect
        text, order, constants = self._compiled.get(dialect.name) or self._compile(connection)
        given: Any
        if order is None:
            given = {**constants, **values}
        else:
            given = [values[name] if name in values else constants[name] for name in order]
        return driver_execute(connection, text, given)

    def _compile(self, connection: Connection) -> tuple[str, list[str] | None, dict[str, Any]]:
        assert isinstance(self._statement, ClauseElement)
        compiled = self._statement.compile(dialect=connection.dialect)
        assert isinstance(compiled, SQLCompiler)
        order = list(compiled.positiontup or ()) if compiled.positional else None
        known = self._compiled[connection.dialect.name] = (str(compiled), order, dict(compiled.params))
        return known
