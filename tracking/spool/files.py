"""Names and places of the spool's files."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tracking.config import StoreLocation

# Crockford's base 32 in lower case: no i, l, o, u, so an id survives being read aloud.
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_RUN_ID = re.compile(r"[0-9a-z][0-9a-z_-]{0,63}")
_SPOOL_ID = re.compile(r"[0-9a-z][0-9a-z_-]{0,63}\.[0-9a-f]{12}")

RESERVE_BYTES = 4096


def new_run_id(now_us: int) -> str:
    """Return a fresh run id: 20 characters, in order of time to the millisecond, 50 random bits."""
    number = ((now_us // 1000) & ((1 << 50) - 1)) << 50 | int.from_bytes(os.urandom(7), "big") >> 6
    return "".join(_ALPHABET[(number >> shift) & 31] for shift in range(95, -5, -5))


def id_of_digest(digest: bytes) -> str:
    """Return a run id of 20 characters made of a hash, for processes that must agree on one."""
    number = int.from_bytes(digest[:13], "big")
    return "".join(_ALPHABET[(number >> shift) & 31] for shift in range(95, -5, -5))


def is_run_id(text: str) -> bool:
    """Whether `text` has the form of a run id (nothing a file name could be abused with)."""
    return _RUN_ID.fullmatch(text) is not None


def is_spool_id(text: str) -> bool:
    """Whether `text` has the form of a session's name; see `is_run_id`."""
    return _SPOOL_ID.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class SpoolFiles:
    """The files of one session."""

    folder: Path
    spool_id: str

    @classmethod
    def new(cls, folder: Path, run_id: str) -> SpoolFiles:
        return cls(folder, f"{run_id}.{os.urandom(6).hex()}")

    @property
    def records(self) -> Path:
        return self.folder / f"{self.spool_id}.spool"

    @property
    def unfinished(self) -> Path:
        """The records while their first ones are being written."""
        return self.folder / f"{self.spool_id}.new"

    @property
    def lock(self) -> Path:
        return self.folder / f"{self.spool_id}.lock"

    @property
    def last(self) -> Path:
        return self.folder / f"{self.spool_id}.last"

    def remove_records(self) -> None:
        """Remove all but the lock, which goes last, by its holder."""
        for path in (self.records, self.last, self.unfinished):
            path.unlink(missing_ok=True)


def owner_lock(folder: Path, run_id: str) -> Path:
    """Return the lock that a process holds while it goes on with a run, so that only one does."""
    return folder / f"{run_id}.owner"


def leftover_spools(folder: Path) -> Iterator[SpoolFiles]:
    """Yield every session that has files in `folder`, oldest run first."""
    try:
        names = sorted(os.listdir(folder))
    except FileNotFoundError:
        return
    seen: set[str] = set()
    for name in names:
        spool_id, _, suffix = name.rpartition(".")
        if (
            suffix in ("spool", "lock", "last", "new")
            and spool_id not in seen
            and _SPOOL_ID.fullmatch(spool_id)
        ):
            seen.add(spool_id)
            yield SpoolFiles(folder, spool_id)


def spools_of(folder: Path, run_id: str) -> Iterator[SpoolFiles]:
    """Yield the sessions of a run that have files in `folder`."""
    return (files for files in leftover_spools(folder) if files.spool_id.startswith(f"{run_id}."))


def make_folders(location: StoreLocation) -> None:
    """Make the store's folder, private to the user and ignored by git."""
    if location.spool.is_dir():
        return
    location.root.mkdir(mode=0o700, parents=True, exist_ok=True)
    location.spool.mkdir(mode=0o700, exist_ok=True)
    ignore = location.root / ".gitignore"
    with contextlib.suppress(FileExistsError):
        descriptor = os.open(ignore, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write("*\n")
