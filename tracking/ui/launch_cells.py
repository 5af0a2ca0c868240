"""Values of params as text in the cells of the launch form, and back. Pure."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tracking.tuning.definition import Choice, OnlyIf

_WORDS: dict[str, Choice] = {"true": True, "false": False, "none": None}
_INT = re.compile(r"[+-]?\d{1,40}")
_FLOAT = re.compile(r"[+-]?(\d{1,40}\.?\d{0,40}|\.\d{1,40})(e[+-]?\d{1,4})?", re.IGNORECASE)
_SIGNS = re.compile(r'[,;="]')


class CellError(ValueError):
    """A cell that cannot be read; the message is a sentence without its subject."""


def value_text(value: Choice) -> str:
    """Return a value as a cell shows it; text that would read as something else stands in quotes."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return number_text(value) if not value.is_integer() else repr(value)
    plain = value and value == value.strip() and value.isprintable() and not _SIGNS.search(value)
    if plain and _bare(value) == value:
        return value
    return json.dumps(value, ensure_ascii=False)


def number_text(value: float | None) -> str:
    """Return a bound as a cell shows it: the shortest text of the same number, blank for None."""
    if value is None:
        return ""
    short = f"{value:g}"
    return short if float(short) == value and not isinstance(value, int) else str(value)


def values_text(values: Sequence[Choice]) -> str:
    """Return several values with commas."""
    return ", ".join(map(value_text, values))


def only_if_text(conditions: Sequence[OnlyIf]) -> str:
    """Return conditions as `optimizer = sgd, adam; nesterov = true`."""
    return "; ".join(f"{_name_text(each.param)} = {values_text(each.values)}" for each in conditions)


def read_value(text: str) -> Choice:
    """Return the value that one cell says; raises `CellError`."""
    text = text.strip()
    if not text:
        raise CellError('is blank. Write a value; an empty text is "".')
    if text.startswith('"'):
        return _quoted(text)
    return _bare(text)


def read_values(text: str) -> tuple[Choice, ...]:
    """Return the values that a cell lists with commas; raises `CellError`."""
    if not text.strip():
        return ()
    return tuple(read_value(part) for part in _split(text.strip().removesuffix(","), ","))


def read_number(text: str, *, whole: bool) -> float | int | None:
    """Return the number of a cell, None for a blank one; raises `CellError`."""
    text = text.strip().replace("_", "")
    if not text:
        return None
    if _INT.fullmatch(text):
        return int(text) if whole else float(text)
    if _FLOAT.fullmatch(text) and math.isfinite(number := float(text)):
        if not whole:
            return number
        if number.is_integer():  # 1e3
            return int(number)
        raise CellError(f"must be a whole number, not {text[:40]}.")
    raise CellError(f"must be a number, not {text[:40]!r}.")


def read_only_if(text: str) -> tuple[OnlyIf, ...]:
    """Return the conditions of a cell; raises `CellError`."""
    from tracking.tuning.definition import OnlyIf

    found = []
    for part in _split(text.strip().removesuffix(";"), ";") if text.strip() else ():
        name, *values = _split(part, "=")
        if len(values) != 1 or not name.strip():
            raise CellError('must read like "optimizer = sgd, adam", several with ; between them.')
        kept = name.strip()
        read = _quoted(kept) if kept.startswith('"') else kept
        found.append(OnlyIf(read, read_values(values[0])))
    return tuple(found)


def _name_text(name: str) -> str:
    plain = name == name.strip() and name.isprintable() and not _SIGNS.search(name)
    return name if plain and name else json.dumps(name, ensure_ascii=False)


def _bare(text: str) -> Choice:
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    if _INT.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text) and math.isfinite(float(text)):
        return float(text)
    return text


def _quoted(text: str) -> str:
    try:
        read = json.loads(text)
    except ValueError:
        raise CellError(f'has a quote too much or too few: {text[:40]}. Write "a, b" for one text.') from None
    if not isinstance(read, str):
        raise CellError(f"cannot be read: {text[:40]}.")
    return read


def _split(text: str, separator: str) -> Iterator[str]:
    """Yield the parts between separators that stand outside of quotes."""
    part, quoted, escaped = "", False, False
    for sign in text:
        if sign == separator and not quoted:
            yield part
            part = ""
            continue
        part += sign
        if escaped:
            escaped = False
        elif quoted and sign == "\\":
            escaped = True
        elif sign == '"':
            quoted = not quoted
    yield part
