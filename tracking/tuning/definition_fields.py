"""Taking typed fields out of a TOML table, noting each problem with its line and going on."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any, TypeVar

from tracking.errors import Problem
from tracking.tuning.definition import Choice
from tracking.tuning.toml_lines import Lines, Path, field_name
from tracking.validation import EXACT_INT

_DURATION = re.compile(r"\s*(\d{1,9}(?:\.\d{1,6})?)\s*(s|m|h|d)\s*")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_SIZE = re.compile(r"\s*(\d{1,15}(?:\.\d{1,6})?)\s*([KMGT]?)(i?)B\s*")
# Problems from which on nobody reads the hints of further ones.
_HINTS = 30
_POWERS = {"": 0, "K": 1, "M": 2, "G": 3, "T": 4}

Word = TypeVar("Word", bound=StrEnum)


class Problems:
    """What was found wrong so far.

    Attributes:
        found: In the order they were found.
    """

    def __init__(self, lines: Lines | None = None) -> None:
        self._lines = lines
        self._paths: set[Path] = set()
        self.found: list[Problem] = []

    def add(self, path: Path, sentence: str) -> None:
        """Note a problem with the thing at a path; an empty one is the whole file."""
        line = self._lines.find(path) if self._lines is not None else None
        self.found.append(Problem(line, field_name(path), sentence))
        self._paths.update(path[:length] for length in range(1, len(path) + 1))

    def touched(self, *path: str | int) -> bool:
        """Return whether something is wrong at or below a path, so that what follows from it need not be said."""
        return path in self._paths

    def closest(self, name: str, known: Iterable[str]) -> str:
        """Return `closest`, or nothing where so much is wrong already that looking would take long."""
        if len(self.found) > _HINTS:
            return ""
        return closest(name, known)

    def in_order(self) -> list[Problem]:
        """Return the problems by line, those without one first."""
        return sorted(self.found, key=lambda problem: problem.line or 0)


def closest(name: str, known: Iterable[str]) -> str:
    """Return the sentence that names the nearest known name, or all of them when none is near."""
    names = [str(each) for each in known]
    near = difflib.get_close_matches(name.lower()[:64], names, n=1, cutoff=0.6)
    if near:
        return f"Did you mean {near[0]!r}?"
    return f"There {'are' if len(names) > 1 else 'is'}: {', '.join(names)}." if names else "There are none."


def shown(value: object) -> str:
    """Return a value as a sentence names it, with its type in TOML's words, cut when it is long."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        try:
            text = str(value)
        except ValueError:  # more digits than Python writes out
            return "a number of thousands of digits"
        return text if len(text) <= 40 else f"a number of {len(text)} characters"
    if isinstance(value, str):
        cut = value if len(value) <= 40 else value[:39] + "…"
        return f"the text {cut!r}"
    if isinstance(value, Mapping):
        return "a table"
    if isinstance(value, (list, tuple)):
        return "a list"
    if value is None:
        return "none"
    return f"a {type(value).__name__}"


def is_number(value: object) -> bool:
    """Return whether a value is a finite int or float, and no bool."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    # Of a whole number with hundreds of digits math.isfinite says nothing but OverflowError.
    return isinstance(value, int) or math.isfinite(value)


class Fields:
    """One table of the file, taken field by field; `done` tells of the names that nobody asked for."""

    def __init__(self, table: Mapping[str, Any], path: Path, problems: Problems) -> None:
        self.table, self.path, self.problems = table, path, problems
        self._asked: dict[str, None] = {}

    def __contains__(self, name: str) -> bool:
        return name in self.table

    def wrong(self, name: str, sentence: str) -> None:
        """Note a problem with a field."""
        self.problems.add((*self.path, name), sentence)

    def ask(self, name: str) -> Any:
        """Return a field as it is, None when it is missing."""
        self._asked[name] = None
        return self.table.get(name)

    def require(self, name: str, what: str) -> None:
        """Note it when a field is missing; `what` says what belongs there."""
        if self.ask(name) is None:
            self.wrong(name, f"is missing. Give {what}.")

    def text(self, name: str) -> str | None:
        """Return a text."""
        text: str | None = self._typed(name, str, 'text in quotes, as "digits"')
        return text

    def flag(self, name: str) -> bool | None:
        """Return a truth value."""
        flag: bool | None = self._typed(name, bool, "true or false")
        return flag

    def whole(self, name: str) -> int | None:
        """Return a whole number, of which a float holds every digit."""
        value = self.number(name, "a whole number")
        if isinstance(value, float):
            self.wrong(name, f"must be a whole number, not {shown(value)}.")
            return None
        return value

    def number(self, name: str, what: str = "a number") -> int | float | None:
        """Return a finite number."""
        value = self.ask(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            self.wrong(name, f"must be {what}, not {shown(value)}.")
        elif isinstance(value, float) and not math.isfinite(value):
            self.wrong(name, f"must be {what} that is finite, not {shown(value)}.")
        elif isinstance(value, int) and abs(value) > EXACT_INT:
            self.wrong(
                name,
                f"is beyond 2^53 ({EXACT_INT}), above which a float does not hold every whole number: {shown(value)}.",
            )
        else:
            return value
        return None

    def word(self, name: str, words: type[Word]) -> Word | None:
        """Return one of an enum's words."""
        value = self.text(name)
        if value is None:
            return None
        try:
            return words(value)
        except ValueError:
            self.wrong(name, f"cannot be {shown(value)}. {self.problems.closest(value, words)}")
            return None

    def strings(self, name: str) -> tuple[str, ...]:
        """Return a list of texts."""
        values = self._typed(name, list, 'a list of texts, as ["a", "b"]') or []
        for index, value in enumerate(values):
            if not isinstance(value, str):
                self.problems.add((*self.path, name, index), f"must be text in quotes, not {shown(value)}.")
        return tuple(value for value in values if isinstance(value, str))

    def choice(self, name: str) -> Choice:
        """Return a value that a categorical param may have."""
        return self._choice(self.ask(name), (*self.path, name))

    def choices(self, name: str, *, scalar: bool = False) -> tuple[Choice, ...]:
        """Return a list of such values; where `scalar`, one alone stands for a list of it."""
        value = self.ask(name)
        if scalar and value is not None and not isinstance(value, list):
            return (self._choice(value, (*self.path, name)),)
        values = self._typed(name, list, 'a list, as [1, 2] or ["a", "b"]') or []
        return tuple(self._choice(each, (*self.path, name, index)) for index, each in enumerate(values))

    def _choice(self, value: object, path: Path) -> Choice:
        if value == {"none": True}:
            return None
        if value is None or isinstance(value, (str, bool, int, float)):
            return value
        self.problems.add(
            path, f"must be text, a number, true, false or {{ none = true }}, not {shown(value)}."
        )
        return None

    def below(self, name: str) -> Fields | None:
        """Return a table in this one."""
        value = self._typed(name, dict, f"a table: [{field_name((*self.path, name))}]")
        return None if value is None else Fields(value, (*self.path, name), self.problems)

    def several(self, name: str) -> list[Fields]:
        """Return an array of tables."""
        path = (*self.path, name)
        what = f"a list of tables, each begun with [[{field_name(path)}]]"
        values = self._typed(name, list, what) or []
        found = []
        for index, value in enumerate(values):
            if isinstance(value, dict):
                found.append(Fields(value, (*path, index), self.problems))
            else:
                self.problems.add((*path, index), f"must be a table, not {shown(value)}.")
        return found

    def seconds(self, name: str) -> float | None:
        """Return a duration: a number of seconds, or text as "30m"."""
        return self._measure(
            name,
            _DURATION,
            lambda found: _SECONDS[found[2]],
            'a time, as 90 (seconds), "90s", "30m", "2h" or "1d"',
        )

    def bytes(self, name: str) -> int | None:
        """Return a size: a number of bytes, or text as "4GB" (10^9) or "2GiB" (2^30)."""
        what = 'a size, as "512MB", "4GB", "2GiB" or a number of bytes'
        size = self._measure(
            name, _SIZE, lambda found: (1024 if found[3] else 1000) ** _POWERS[found[2]], what
        )
        return None if size is None else int(size)

    def _measure(self, name: str, pattern: re.Pattern[str], unit: Any, what: str) -> float | None:
        value = self.ask(name)
        if not isinstance(value, str):
            return self.number(name, what)
        found = pattern.fullmatch(value)
        if found is None:
            self.wrong(name, f"must be {what}, not {shown(value)}.")
            return None
        amount = float(found[1]) * unit(found)
        return int(amount) if amount.is_integer() else amount

    def _typed(self, name: str, kind: type, what: str) -> Any:
        value = self.ask(name)
        if value is None or isinstance(value, kind):
            return value
        self.wrong(name, f"must be {what}, not {shown(value)}.")
        return None

    def done(self) -> None:
        """Note every field that nobody asked for, with the nearest name that is known."""
        for name in self.table:
            if name not in self._asked:
                self.wrong(name, f"is no field here. {self.problems.closest(name, self._asked)}")
