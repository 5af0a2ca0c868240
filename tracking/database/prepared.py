"""Statements that are run thousands of times a second: compiled once, handed to the driver as they are."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, CursorResult
from sqlalchemy.sql.base import Executable
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import ClauseElement


class Prepared:
    """A Core statement with `bindparam`s of which only texts, numbers, bytes and None are given or read.

    SQLAlchemy's own cache of compiled statements costs more to ask than SQLite takes to answer. Values are
    not converted, so that a column of booleans takes 0 and 1.
    """

    def __init__(self, statement: Executable) -> None:
        self._statement = statement
        self._compiled: dict[str, tuple[str, list[str] | None, dict[str, Any]]] = {}

    def __call__(self, connection: Connection, **values: Any) -> CursorResult[Any]:
        """Run it with the values of its `bindparam`s."""
        dialect = connection.dialect
        known = self._compiled.get(dialect.name)
        if known is None:
            assert isinstance(self._statement, ClauseElement)
            compiled = self._statement.compile(dialect=dialect)
            assert isinstance(compiled, SQLCompiler)
            order = list(compiled.positiontup or ()) if compiled.positional else None
            known = self._compiled[dialect.name] = (str(compiled), order, dict(compiled.params))
        text, order, constants = known
        if order is None:
            return connection.exec_driver_sql(text, {**constants, **values})
        given = tuple([values[name] if name in values else constants[name] for name in order])
        return connection.exec_driver_sql(text, given)
