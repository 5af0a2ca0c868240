"""What a terminal showed, as plain text: escape sequences away, progress bars in their last state. Pure."""

from __future__ import annotations

import re
from typing import Final

# CSI; OSC, DCS and their kin up to their end or the end of the line; two-character sequences; one-byte CSI.
_SEQUENCE: Final = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|[\]PX^_][^\x07\x1b\n]*(?:\x07|\x1b\\)?|[ -/]*[0-~])?|\x9b[0-?]*[ -/]*[@-~]"
)
# Control characters but tab and line feed, and those that turn the direction of what follows.
_CONTROL: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
_REWRITTEN: Final = re.compile(r"[^\n]*\r[^\n]*")
_ERASED: Final = re.compile(r"[^\n]*\x08[^\n]*")
_LAST: Final = 100_000
"""Of a line that rewrites itself for longer only the end is looked at."""


def plain(text: str) -> str:
    """Return the text without what only a terminal understands.

    Colours and other escape sequences go. Of a line that was written over with
    carriage returns, as progress bars do, the last state stays; backspaces take
    back what stands before them.
    """
    if "\x1b" in text or "\x9b" in text:
        text = _SEQUENCE.sub("", text)
    if "\r" in text:
        text = _REWRITTEN.sub(_last_state, re.sub(r"\r+\n", "\n", text))
    if "\x08" in text:
        text = _ERASED.sub(_taken_back, text)
    return _CONTROL.sub("", text)


def _last_state(line: re.Match[str]) -> str:
    states = line[0][-_LAST:].split("\r")
    return next((state for state in reversed(states) if state.strip()), "")


def _taken_back(line: re.Match[str]) -> str:
    written: list[str] = []
    at = 0
    for char in line[0][-_LAST:]:
        if char == "\x08":
            at = max(0, at - 1)
        else:
            written[at : at + 1] = [char]
            at += 1
    return "".join(written)
