"""A unified diff, file by file. Pure; what it holds is only ever shown."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_FILE: Final = re.compile(r"^diff --git ", re.MULTILINE)
_NAMES: Final = (
    re.compile(r"^\+\+\+ (?!/dev/null)\"?(?:b/)?(.*?)\"?\t?$", re.MULTILINE),
    re.compile(r"^--- (?!/dev/null)\"?(?:a/)?(.*?)\"?\t?$", re.MULTILINE),
    re.compile(r"^diff --git .*? \"?b/(.*?)\"?$", re.MULTILINE),
)


@dataclass(frozen=True, slots=True)
class FileDiff:
    """What changed in one file.

    Attributes:
        path: Of the file, the later one when it was renamed.
        text: The part of the diff.
        added: Lines that came.
        removed: Lines that went.
    """

    path: str
    text: str
    added: int
    removed: int


def by_file(diff: str) -> list[FileDiff]:
    """Return the parts of a diff in its order; one that does not look like git's is one part."""
    starts = [found.start() for found in _FILE.finditer(diff)]
    if not starts:
        return [_part(diff)] if diff.strip() else []
    ends = [*starts[1:], len(diff)]
    preface = diff[: starts[0]].strip()
    parts = [_part(diff[start:end]) for start, end in zip(starts, ends, strict=True)]
    return [_part(preface), *parts] if preface else parts


def _part(text: str) -> FileDiff:
    head, hunk, body = text.partition("\n@@")
    path = next((found[1] for pattern in _NAMES if (found := pattern.search(head))), "")
    lines = (hunk + body).split("\n")
    return FileDiff(
        path or "changes",
        text.rstrip("\n"),
        sum(line.startswith("+") for line in lines),
        sum(line.startswith("-") for line in lines),
    )
