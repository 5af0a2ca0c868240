"""Which values each field of the filter language can be compared with."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import NoReturn

from tracking.database.filter_tokens import close_name
from tracking.database.filter_tree import Field, Operator, Value, format_field, quote
from tracking.records import RunStatus

Fail = Callable[[str, str], NoReturn]
"""Raises the `FilterError` at the value's place: takes the problem and what was expected."""

# These are stored in NFC; params and notes as they were given.
_NORMALIZED_KINDS = ("name", "experiment", "group", "tags")
_STATUSES = tuple(status.value for status in RunStatus)


def checked_value(value: Value, field: Field, operator: Operator | None, fail: Fail) -> Value:
    """Return the value as the field keeps it, or fail with the values that the field takes.

    Args:
        value: None, bool, int, float or str, as written.
        field: What it is compared with.
        operator: How; None for the values of a list.
        fail: Called with what is wrong.
    """
    name = format_field(field)
    equality = operator in ("==", "!=", None)
    if value is None:
        if operator not in ("==", "!="):
            fail("None can only be compared with == and !=", f"{name} == None")
        return None
    if field.kind == "tags":
        wanted = quote(value) if isinstance(value, str) else '"baseline"'
        fail("tags are asked for one by one", f"{wanted} in tags")
    if isinstance(value, int) and abs(value) >= 1 << 1023:
        fail("This number is too large", "a number below 1e308")
    if field.kind == "params":
        if isinstance(value, bool) and not equality:
            fail(f"{value} is neither less nor greater", f"{name} == {value}")
        return checked_text(value, field, fail) if isinstance(value, str) else value
    if field.kind in ("metrics", "duration"):
        if isinstance(value, bool | str):
            unit = " in seconds" if field.kind == "duration" else ""
            fail(f"{name} is a number{unit}", f"a number, for example {example(field)}")
        return value
    if field.kind == "created":
        return _moment(value, equality, fail)
    if not isinstance(value, str):
        fail(f"{name} is text", f"text in quotes, for example {example(field)}")
    if field.kind == "status":
        _check_status(value, equality, fail)
    return checked_text(value, field, fail)


def checked_text(text: str, field: Field, fail: Fail) -> str:
    """Return the text in the form in which the field's texts are stored."""
    if any("\ud800" <= character <= "\udfff" for character in text):
        fail("This text holds half a surrogate pair", "whole characters")
    return unicodedata.normalize("NFC", text) if field.kind in _NORMALIZED_KINDS else text


def example(field: Field) -> str:
    """Return a comparison that suits the field, for messages."""
    name = format_field(field)
    match field.kind:
        case "metrics":
            return f"{name} > 0.9"
        case "params":
            return f"{name} == True"
        case "status":
            return f'{name} == "running"'
        case "tags":
            return '"baseline" in tags'
        case "created":
            return f'{name} >= "2026-01-31"'
        case "duration":
            return f"{name} > 60"
    return f'{name} == "baseline"'


def _check_status(text: str, equality: bool, fail: Fail) -> None:
    if not equality:
        fail("A status is neither less nor greater", "==, != or in")
    if text not in _STATUSES:
        close = close_name(text, _STATUSES)
        meant = f"; did you mean {quote(close)}?" if close else ""
        fail(f"There is no status {quote(text)}{meant}", "one of " + ", ".join(_STATUSES))


def _moment(value: Value, equality: bool, fail: Fail) -> datetime:
    expected = 'an ISO date, for example created >= "2026-01-31" or "2026-01-31T18:00"'
    if not isinstance(value, str):
        fail("created is a time", expected)
    try:
        moment = datetime.fromisoformat(value)
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        fail(f"{quote(value)} is no time", expected)
    if equality and _is_whole_day(value) and moment.date() < date.max:
        # Times are kept to the microsecond: the equation would hold for no run.
        tomorrow = date.fromordinal(moment.date().toordinal() + 1)
        whole = f'"{moment.date()}" <= created < "{tomorrow}"'
        fail(f"{quote(value)} is a day and created a moment", f"for the whole day {whole}")
    return moment


def _is_whole_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
