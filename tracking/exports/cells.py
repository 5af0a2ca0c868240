"""One value as text: for a spreadsheet, for JSON, for a terminal."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST = 253_402_214_400_000_000

# What makes a spreadsheet take a cell for a formula, after OWASP's page on CSV injection.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_PLAIN_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?|[-+]?inf")

# CSI, OSC and the other string sequences with what they carry, then any other escape; 7-bit and 8-bit forms.
_ESCAPES = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"
    r"|(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?"
    r"|\x1b[ -/]*[0-~]"
)
# Control characters, line and paragraph separators, and what reverses the direction of text.
_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_UNSAFE_IN_JSON = re.compile(r"[\x7f-\x9f\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def printable(text: str, *, lines: bool = False) -> str:
    """Return text that a terminal shows and never obeys.

    Escape sequences are left out, other control characters are written as `\\x07`.

    Args:
        text: Anything.
        lines: Keep line ends; else they and tabs become spaces.
    """
    if text.isascii() and text.isprintable():
        return text
    text = _ESCAPES.sub("", text).replace("\r\n", "\n").replace("\t", "    " if lines else " ")
    if lines:
        return "\n".join(_UNSAFE.sub(_shown, line) for line in text.split("\n"))
    return _UNSAFE.sub(_shown, text.replace("\n", " "))


def _shown(found: re.Match[str]) -> str:
    number = ord(found.group())
    return f"\\x{number:02x}" if number < 256 else f"\\u{number:04x}"


def time_text(microseconds: int) -> str:
    """Return a stored time as ISO 8601 in UTC."""
    when = _EPOCH + timedelta(microseconds=min(max(int(microseconds), 0), _LAST))
    return when.isoformat(timespec="microseconds")[:-6] + "Z"


def csv_cell(value: Any) -> str | int | float:
    """Return a value as a CSV cell: nothing for None, `NaN`, `inf` and `-inf` by name, JSON for lists.

    Text that a spreadsheet would take for a formula gets an apostrophe in front; text that is a plain
    number, also a negative one, does not.
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        return value if value == value else "NaN"
    text = value if isinstance(value, str) else json_text(value)
    if text.startswith(_FORMULA) and not _PLAIN_NUMBER.fullmatch(text):
        return "'" + text
    return text


def jsonable(value: Any) -> Any:
    """Return a value that JSON can hold: NaN and infinities are the strings "NaN", "Infinity", "-Infinity"."""
    if isinstance(value, float):
        if math.isfinite(value):
            return float(value)
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, str):
        return str(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")[:-6] + "Z"
    if isinstance(value, Mapping):
        return {str(key): jsonable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [jsonable(item) for item in value]
    return str(value)


def json_text(value: Any, *, indent: int | None = None) -> str:
    """Return a value as JSON by the rule of `jsonable`, with nothing in it that a terminal obeys."""
    text = json.dumps(jsonable(value), ensure_ascii=False, allow_nan=False, indent=indent)
    if text.isascii() and "\x7f" not in text:
        return text
    # The same JSON: what is left of unsafe characters stands inside strings.
    return _UNSAFE_IN_JSON.sub(lambda found: f"\\u{ord(found.group()):04x}", text)
