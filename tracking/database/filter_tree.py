"""What a filter or an order says, as frozen values, and how they are written down again.

`tracking.database.filter_language` reads text into these trees,
`tracking.database.filter_sql` turns them into SQL.
"""

from __future__ import annotations

import keyword
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal[
    "metrics", "params", "tags", "status", "name", "experiment", "created", "duration", "group", "notes"
]
Aggregate: TypeAlias = Literal["min", "max", "mean", "first", "last", "best"]
Operator: TypeAlias = Literal["==", "!=", "<", "<=", ">", ">="]
Value: TypeAlias = None | bool | int | float | str | datetime


@dataclass(frozen=True, slots=True)
class Field:
    """A name of the language: `status`, `params.lr`, `min(metrics.loss)`.

    Attributes:
        kind: The name before the dot.
        key: Metric key or dotted param name; empty for every other kind.
        aggregate: Which value of a metric is meant; always "last" for the other kinds.
        position: Where the text said it; two fields are equal wherever they stand.
    """

    kind: Kind
    key: str = ""
    aggregate: Aggregate = "last"
    position: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Compare:
    """`field operator value`. None as the value asks for absence; times are aware datetimes in UTC."""

    field: Field
    operator: Operator
    value: Value


@dataclass(frozen=True, slots=True)
class In:
    """The field equals one of the values."""

    field: Field
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Contains:
    """The text is one of the tags, or a part of a text field."""

    field: Field
    text: str


@dataclass(frozen=True, slots=True)
class Matches:
    """The field (or a tag) fits a pattern in which `*` is any text and `?` any one character."""

    field: Field
    pattern: str


@dataclass(frozen=True, slots=True)
class Not:
    """True where the term is false, and nowhere else: not where it is unknown."""

    term: Expression


@dataclass(frozen=True, slots=True)
class And:
    """All of two or more terms."""

    terms: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """Any of two or more terms."""

    terms: tuple[Expression, ...]


Expression: TypeAlias = Compare | In | Contains | Matches | Not | And | Or


@dataclass(frozen=True, slots=True)
class Order:
    """What a table is sorted by."""

    field: Field
    descending: bool = False


def fields(expression: Expression) -> Iterator[Field]:
    """Yield every field of the expression, in reading order."""
    match expression:
        case And(terms) | Or(terms):
            for term in terms:
                yield from fields(term)
        case Not(term):
            yield from fields(term)
        case _:
            yield expression.field


def is_plain_key(key: str) -> bool:
    """Whether a key can be written after a dot, without brackets and quotes."""
    return all(part.isidentifier() and not keyword.iskeyword(part) for part in key.split("."))


def quote(text: str) -> str:
    """Return the text as the language writes it, in double quotes."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c.isprintable() else _escape(c) for c in escaped) + '"'


def _escape(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def format_field(field: Field) -> str:
    """Return the field as the language writes it: `max(metrics["val/acc"])`."""
    if not field.key:
        return field.kind
    name = f"{field.kind}.{field.key}" if is_plain_key(field.key) else f"{field.kind}[{quote(field.key)}]"
    return name if field.aggregate == "last" else f"{field.aggregate}({name})"


def format_filter(expression: Expression) -> str:
    """Return text that `parse_filter` reads as an equal expression."""
    match expression:
        case Compare(field, operator, value):
            return f"{format_field(field)} {operator} {_format_value(value)}"
        case In(field, values):
            listed = "".join(f"{_format_value(value)}, " for value in values)
            return f"{format_field(field)} in ({listed.rstrip() if len(values) == 1 else listed[:-2]})"
        case Contains(field, text):
            return f"{quote(text)} in {format_field(field)}"
        case Matches(field, pattern):
            return f"matches({format_field(field)}, {quote(pattern)})"
        case Not(term):
            return f"not ({format_filter(term)})"
        case And(terms):
            return " and ".join(_format_term(term) for term in terms)
        case Or(terms):
            return " or ".join(_format_term(term) for term in terms)


def format_order(order: Order) -> str:
    """Return text that `parse_order` reads as an equal order."""
    return f"{format_field(order.field)} {'desc' if order.descending else 'asc'}"


def _format_term(expression: Expression) -> str:
    text = format_filter(expression)
    return f"({text})" if isinstance(expression, And | Or) else text


def _format_value(value: Value) -> str:
    if isinstance(value, str):
        return quote(value)
    if isinstance(value, datetime):
        return quote(value.isoformat())
    if isinstance(value, float) and math.isinf(value):
        return "1e999" if value > 0 else "-1e999"
    return repr(value)
