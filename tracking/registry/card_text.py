"""Markdown of stored text: shown as it is, never read as markup."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

# Every character that starts something in CommonMark, its tables, mathematics, emoji, mentions and HTML; and what does
# so at the beginning of a line alone: lists, rules, headings by underlining.
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#!|$:~&@^])")
_FIRST = re.compile(r"^(\d*)([-+=.)])")
_ADDRESS = re.compile(
    r"(?<=http:)(?=//)|(?<=https:)(?=//)|(?<=www)(?=\.)|(?<=[-.+\w]@)(?=[-\w]+\.)", re.IGNORECASE
)
_JOINER = "\u2060"
_BACKTICKS = re.compile(r"`+")
LONGEST = 500


def escape(text: object, *, limit: int = LONGEST) -> str:
    """Return text so that Markdown shows exactly it, on one line; addresses in it do not become links."""
    line = _line(text, limit)
    return _FIRST.sub(r"\1\\\2", _SPECIAL.sub(r"\\\1", _ADDRESS.sub(_JOINER, line)))


def code(text: object, *, limit: int = LONGEST) -> str:
    """Return text as a code span, on one line; in a table's cell a bar would end it."""
    line = _line(text, limit)
    fence = "`" * (1 + max((len(found) for found in _BACKTICKS.findall(line)), default=0))
    pad = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{fence}{pad}{line}{pad}{fence}" if line and "|" not in line else escape(text, limit=limit)


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Return the lines of a table; cells are Markdown already."""
    listed = [list(row) for row in rows]
    return [f"| {' | '.join(row)} |" for row in (list(heads), ["---"] * len(heads), *listed)]


def _line(text: object, limit: int) -> str:
    line = " ".join(str(text).split())
    printable = "".join(each for each in line if each.isprintable())
    return printable if len(printable) <= limit else f"{printable[: limit - 1]}…"
