"""Numbers, times and statuses as text. Pure; the same everywhere a value is shown."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo
from typing import Any

from tracking.analysis.differences import MISSING
from tracking.records import Goal, RunStatus

ABSENT = "–"
"""What stands where a run has no such param or metric; NaN and None say so themselves."""

_TURNING = re.compile("[\u202a-\u202e\u2066-\u2069]")
EXTRA_DECIMALS = 3
"""More than a column's usual decimals, where only they tell its values apart."""

_STATUS_MARKS = {
    RunStatus.WAITING: "○",
    RunStatus.RUNNING: "●",
    RunStatus.FINISHED: "✓",
    RunStatus.FAILED: "✕",
    RunStatus.INTERRUPTED: "■",
    RunStatus.LOST: "?",
    RunStatus.PRUNED: "⊘",
}
_STATUS_MEANINGS = {
    RunStatus.WAITING: "not started yet",
    RunStatus.RUNNING: "its process is alive",
    RunStatus.FINISHED: "ended as planned",
    RunStatus.FAILED: "an exception ended it",
    RunStatus.INTERRUPTED: "stopped by Ctrl+C or a signal",
    RunStatus.LOST: "its process died without a word",
    RunStatus.PRUNED: "stopped early by the study",
}


def status(value: str) -> str:
    """Return a status as mark and word, so that it never depends on colour."""
    return f"{_STATUS_MARKS[RunStatus(value)]} {value}"


def status_meaning(value: str) -> str:
    """Return what a status says of the run, in a few words."""
    return _STATUS_MEANINGS[RunStatus(value)]


def goal_mark(goal: Goal | None) -> str:
    """Return an arrow in the better direction, with a space before it; nothing without a goal."""
    return "" if goal is None else " ↑" if goal is Goal.MAXIMIZE else " ↓"


def count(value: int) -> str:
    """Return a whole number with separators: `10,432`."""
    return f"{value:,}"


def plural(value: int, noun: str) -> str:
    """Return the number with its noun: `1 run`, `1,200 runs`."""
    return f"{value:,} {noun}" if value == 1 else f"{value:,} {noun}s"


def number(value: float | None, digits: int = 5) -> str:
    """Return a metric's value with `digits` significant digits; NaN and infinities by name."""
    if value is None:
        return ABSENT
    if not math.isfinite(value):
        return _non_finite(value)
    magnitude = abs(value)
    if magnitude >= 10.0**9 or 0.0 < magnitude < 1e-4:
        return f"{value:.{digits}g}"
    if float(value).is_integer():
        return f"{int(value):,}"
    if magnitude < 1.0:
        text = f"{value:.{digits}g}"
        while abs(float(text)) == 1.0:  # an accuracy just below 1 is not 1
            digits += 1
            text = f"{value:.{digits}g}"
        return text
    return f"{value:,.{max(0, digits - _digits_before_point(magnitude))}f}"


def number_column(values: Sequence[float | None]) -> list[str]:
    """Return one text per value with the same decimals throughout, so that points line up.

    Values too far apart for that are written each on its own. None is an absent value.
    """
    finite = [abs(value) for value in values if value is not None and math.isfinite(value) and value != 0.0]
    if not finite or all(value.is_integer() and value < 1e15 for value in map(float, finite)):
        return [number(value) for value in values]
    largest, smallest = max(finite), min(finite)
    # Four significant digits of the largest, three of the smallest, unless that makes a ribbon of digits.
    wanted = max(4 - _digits_before_point(largest), 3 - _digits_before_point(smallest), 0)
    if wanted > 6 or largest >= 10.0**9:
        return [number(value) for value in values]
    wanted = max(
        range(wanted, wanted + EXTRA_DECIMALS + 1),
        key=lambda decimals: (_told_apart(values, decimals), -decimals),
    )
    return [_fixed(value, wanted) for value in values]


def _fixed(value: float | None, decimals: int) -> str:
    if value is None:
        return ABSENT
    return f"{value:,.{decimals}f}" if math.isfinite(value) else _non_finite(value)


def _told_apart(values: Sequence[float | None], decimals: int) -> int:
    """Return how many different texts the values have, one more if none just below 1 reads as 1."""
    one = _fixed(1.0, decimals)
    rounded_up = any(
        value is not None and value != 1.0 and _fixed(value, decimals) == one for value in values
    )
    return len({_fixed(value, decimals) for value in values}) + (not rounded_up)


def duration(seconds: float | None) -> str:
    """Return a length of time in at most two units: `84 ms`, `1.2 s`, `43 s`, `2 min 05 s`, `3 h 12 min`."""
    if seconds is None or not math.isfinite(seconds):
        return ABSENT
    if seconds < 0.9995:
        return f"{max(0.0, seconds) * 1000:.0f} ms" if not 0 < seconds < 0.0005 else "< 1 ms"
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes:02d} min"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours:02d} h"


def moment(when: datetime, zone: tzinfo = UTC) -> str:
    """Return a point in time in the reader's zone, to the minute."""
    return when.astimezone(zone).strftime("%Y-%m-%d %H:%M")


def ago(when: datetime, now: datetime) -> str:
    """Return how long ago something was, in one unit: `just now`, `3 min ago`, `2 d ago`."""
    seconds = (now - when).total_seconds()
    if seconds < 10:
        return "just now"
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{int(seconds // size)} {unit} ago"
    return f"{int(seconds)} s ago"


def param(value: Any) -> str:
    """Return a param's value as it was logged: text as it is, the rest as in Python or JSON."""
    if value is MISSING:
        return ABSENT
    if isinstance(value, str):
        return value
    if isinstance(value, float):
        return repr(value) if math.isfinite(value) else _non_finite(value)
    if value is None or isinstance(value, bool | int):
        return str(value)
    return json.dumps(value, ensure_ascii=False, default=repr)


def readable(text: str) -> str:
    """Return the text with a sign for each control that would turn the letters around it."""
    return _TURNING.sub("\N{REPLACEMENT CHARACTER}", text)


def shorten(text: str, limit: int = 120) -> str:
    """Return one line of at most `limit` characters, an ellipsis where it was cut."""
    line = " ".join(readable(text[: limit * 4]).split())
    return line if len(line) <= limit and len(text) <= limit * 4 else line[: limit - 1].rstrip() + "…"


def shorten_middle(text: str, limit: int, end: int = 14) -> str:
    """Return one line of at most `limit` characters with the last `end` of them, where names tend to differ."""
    line = " ".join(readable(text).split())
    return line if len(line) <= limit else f"{line[: limit - 1 - end].rstrip()}…{line[-end:].lstrip()}"


def shorten_key(key: str, limit: int) -> str:
    """Return a dotted key of at most `limit` characters with its end whole where that fits: `a…y.z`."""
    key = readable(key)
    line = " ".join(key[: limit * 4].split()) if len(key) <= limit * 4 else key
    if len(line) <= limit:
        return line
    first, *parts = key.split(".")
    kept = ""
    for part in reversed(parts):
        longer = f"{part}.{kept}" if kept else part
        if len(first) + 1 + len(longer) > limit:
            break
        kept = longer
    # A last part too long for that: its own end tells more than its beginning.
    return " ".join((f"{first}…{kept}" if kept else "…" + key[1 - limit :]).split())


def _digits_before_point(value: float) -> int:
    return math.floor(math.log10(value)) + 1


def _non_finite(value: float) -> str:
    return "NaN" if math.isnan(value) else "inf" if value > 0 else "-inf"
