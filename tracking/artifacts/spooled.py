"""What spools say of objects that the database does not know yet."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tracking.spool.format import EVENT, MAGIC, frames
from tracking.spool.lock import try_lock

_CHUNK = 8 << 20
_DIGEST = re.compile(rb"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")
_LONGEST = 66


@dataclass(frozen=True, slots=True)
class Spooled:
    """What left over and live spools refer to.

    Attributes:
        digests: Everything that may be an object's name, also in a spool that is damaged.
        folders: Those of folders' lists of files.
    """

    digests: frozenset[str]
    folders: frozenset[str]


def spooled_references(folder: Path, offsets: Mapping[str, int]) -> Spooled:
    """Read what the spools in a folder refer to.

    Args:
        folder: The spool folder.
        offsets: Up to where each is in the database, read before this and not after it.

    Raises:
        OSError: A spool cannot be read.
    """
    digests: set[str] = set()
    folders: set[str] = set()
    for name in sorted(_names(folder)):
        spool, _, suffix = name.rpartition(".")
        begin = offsets.get(spool, 0) if suffix == "spool" else 0
        try:
            found, may_hold_folders = _digests_in(folder / name, begin)
            digests |= found
            if may_hold_folders:
                folders |= _folders_in(folder / name, begin)
        except FileNotFoundError:
            continue  # wholly in the database since, which is read after this
    return Spooled(frozenset(digests), frozenset(folders))


def spooled_runs(folder: Path) -> set[str]:
    """Return the ids of runs that somebody may still say something of."""
    runs: set[str] = set()
    for name in _names(folder):
        run, _, rest = name.partition(".")
        # Kept aside for a person to look at: what could be read of it is in the database.
        if rest.endswith("damaged"):
            continue
        if rest == "owner" and _is_free(folder / name):
            continue
        runs.add(run)
    return runs


def _is_free(path: Path) -> bool:
    lock = try_lock(path, create=False)
    if lock is None:
        return not path.exists()
    lock.close()
    return True


def _digests_in(path: Path, begin: int) -> tuple[set[str], bool]:
    found: set[str] = set()
    folders, rest = False, b""
    with open(path, "rb") as file:
        file.seek(begin)
        while chunk := file.read(_CHUNK):
            data = rest + chunk
            found.update(match.group().decode() for match in _DIGEST.finditer(data))
            folders = folders or b'"folder"' in data
            rest = data[-_LONGEST:]
    return found, folders


def _folders_in(path: Path, begin: int) -> set[str]:
    data = path.read_bytes()[begin:]
    found: set[str] = set()
    for at, length in frames(data, 0 if begin else len(MAGIC)):
        payload = data[at : at + length]
        if payload[0] == EVENT and b'"folder"' in payload:
            event = json.loads(payload[1:])
            if event.get("kind") == "folder" and event.get("t") == "artifact":
                found.add(str(event.get("digest")))
    return found


def _names(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)
    except FileNotFoundError:
        return []
