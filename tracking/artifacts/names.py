"""What an artifact may be called: one rule for writing and for reading.

A store may come from somebody else, so a name that was stored is no safer than one that is given.
"""

from __future__ import annotations

import re
from urllib.parse import unquote

from tracking.errors import InvalidValue
from tracking.validation import checked_text

NAME_LIMIT = 250
PART_BYTES = 240
"""Of one part of a name: file systems take 255, and a download may add an extension."""
INSIDE_LIMIT = 4096
INSIDE_PART_BYTES = 255

_RESERVED = {"con", "prn", "aux", "nul", "conin$", "conout$"}
_RESERVED |= {f"{port}{number}" for port in ("com", "lpt") for number in "123456789¹²³"}
_DRIVE = re.compile(r"[A-Za-z]:")


def checked_artifact_name(name: object, *, inside: bool = False) -> str:
    """Return an artifact's name, or raise when a download under it could land in a wrong place.

    A name is parts separated by `/`, in NFC. Refused are empty parts (so absolute names and URLs),
    `.` and `..`, backslashes, drive letters, control characters, the same in percent encoding, parts that
    begin with a space or end with a space or a dot, the words that Windows reserves, and more than 250 characters.
    Podium runs on Linux and macOS: `?*|<>":`, which their file systems take and Windows does not, are no reason.

    Args:
        name: As given or as stored.
        inside: It is the path of a file inside a folder, which has the name that the file system gave it:
            not normalized, longer, and free to begin or end with spaces and dots and to be a reserved word.

    Raises:
        InvalidValue: The name is refused; the message says why.
    """
    what = "the path of a file in a folder" if inside else "an artifact's name"
    text = checked_text(name, what, limit=INSIDE_LIMIT if inside else NAME_LIMIT)
    if inside:
        assert isinstance(name, str)
        text = name
    if text.startswith("/"):
        raise InvalidValue(
            f"{text!r:.120} cannot be {what}: it begins with '/'; give a relative name such as 'reports/roc.png'."
        )
    for part in text.split("/"):
        why = _why_not(part, INSIDE_PART_BYTES if inside else PART_BYTES) or (
            None if inside else _why_awkward(part)
        )
        if why is not None:
            raise InvalidValue(f"{text!r:.120} cannot be {what}: {why}.")
    return text


def _why_not(part: str, limit: int) -> str | None:
    if not part:
        return "a part of it is empty; give a relative name such as 'reports/roc.png'"
    if part in (".", ".."):
        return "'.' and '..' are no names"
    if "\\" in part:
        return "it has a backslash; separate parts with '/'"
    if _DRIVE.match(part):
        return "it begins like a drive"
    if len(part.encode("utf-8", "surrogatepass")) > limit:
        return f"a part of it is longer than {limit} bytes"
    if "%" in part:
        return _why_encoded(part)
    return None


def _why_encoded(part: str) -> str | None:
    for _ in range(5):
        plain = unquote(part, errors="replace")
        if plain == part:
            return None
        part = plain
        if part in (".", "..") or any(mark in part for mark in "/\\\0"):
            return "it hides '.', '..', a separator or NUL in percent encoding"
    return "it is percent-encoded many times over"


def _why_awkward(part: str) -> str | None:
    if part != part.strip() or part.endswith("."):
        return "a part of it begins with a space, or ends with a space or a dot"
    if part.split(".")[0].rstrip().casefold() in _RESERVED:
        return f"Windows reserves {part.split('.')[0]!r}"
    return None
