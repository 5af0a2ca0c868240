"""A store in one file: a zip without compression, which any tool can look into.

    podium-backup.json   {"format": 1, "created": …, "files": {name: [size, sha256]}, "damaged": {…}}: the last entry
    tracking.db          the database at one moment
    objects/ab/cdef…     the stored bytes, under their sha256
    logs/…               what sessions left there

Objects that were damaged in the store already are listed as "damaged", with the size and sha256 that they had, or
null when they could not be opened: whoever needs what is left of them finds it in the zip, but no store gets it back.

Nothing in it is believed when it is brought back: names are of these forms only, nothing is compressed
(so that nothing can grow), every byte is hashed, and the store appears whole or not at all.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
import tempfile
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, BinaryIO

from tracking.artifacts.copying import CHUNK
from tracking.artifacts.objects import Objects
from tracking.artifacts.verification import verify_objects
from tracking.config import StoreLocation
from tracking.database import trash
from tracking.database.engine import Engines
from tracking.database.opening import open_database
from tracking.database.schema import check_copy, copy_database
from tracking.errors import ArtifactDamaged, InvalidValue, NotFound, StoreDamaged, StoreError
from tracking.records import DamagedFile
from tracking.spool.lock import wait_lock

FORMAT = 1
LIST = "podium-backup.json"
LIST_LIMIT = 1 << 30
DATABASE = "tracking.db"
_COPY = ".backup-"
_OLD_SECONDS = 24 * 3600.0
_NAMES = re.compile(
    r"tracking\.db|objects/[0-9a-f]{2}/[0-9a-f]{62}|logs/[0-9a-z][0-9a-z_-]{0,63}\.[0-9a-f]{12}\.[a-z0-9_-]"
    r"[a-z0-9_.-]{0,40}"
)
_LIVE = "The run was live when the backup was made; what it said later is not in this store."
_Entry = tuple[int, str]
"""Size and sha256 of an entry's bytes."""


@dataclass(slots=True)
class _Listed:
    """What the list of a backup names.

    Attributes:
        files: What is whole, by name.
        damaged: Objects that were not what they are called when the backup was made; None: could not be opened.
    """

    files: dict[str, _Entry] = field(default_factory=dict)
    damaged: dict[str, _Entry | None] = field(default_factory=dict)


class _ReadObjects(Objects):
    """Objects of which each was hashed a moment ago: to find out who needs the others, none is hashed again."""

    def __init__(self, location: StoreLocation, listed: _Listed) -> None:
        super().__init__(location)
        self._whole = {_digest(name) for name in listed.files if name.startswith("objects/")}
        self.damaged = {_digest(name) for name in listed.damaged}

    def open(self, digest: str) -> BinaryIO:
        self.path(digest)  # refuses what is no digest
        if digest in self._whole:
            return self._opened(digest)
        if digest in self.damaged:
            raise ArtifactDamaged(f"The object {digest} is damaged.")
        # Also when it came meanwhile: it is not in the backup.
        raise NotFound(f"The object {digest} is missing.")


def write_backup(location: StoreLocation, objects: Objects, target: Path) -> tuple[Path, list[DamagedFile]]:
    """Write a store into one file; see `Store.backup`.

    Returns:
        The file's path, and what is not whole in it since it was not whole in the store.

    Raises:
        InvalidValue: Something is there already, or the file would lie in the store.
        StoreError: The disk refuses, or the database is damaged.
    """
    target = Path(os.path.abspath(target))
    if os.path.lexists(target):
        raise InvalidValue(f"{target} is there already. Give the backup a name of its own.")
    if target.parent.resolve().is_relative_to(location.root):
        raise InvalidValue(f"{target} lies in the store itself. Put the backup somewhere else.")
    unfinished = target.with_name(f".{target.name}.{os.urandom(4).hex()}.part")
    _sweep(location.root)
    try:
        with tempfile.TemporaryDirectory(prefix=_COPY, dir=location.root) as folder:
            copy = Path(folder, DATABASE)
            # No clean-up in between: whatever the copied database refers to is there when it is read.
            objects.root.mkdir(mode=0o700, exist_ok=True)
            lock = wait_lock(objects.lock_path, shared=True)
            try:
                copy_database(location, copy)
                with open(os.open(unfinished, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "w+b") as file:
                    listed = _write(file, copy, location, objects)
                    file.flush()
                    os.fsync(file.fileno())
                # From the copied database: what runs log meanwhile is not in the backup and not missing from it.
                engines = Engines.of(copy)
                try:
                    damaged = _not_whole(engines, location, listed)
                finally:
                    engines.dispose()
            finally:
                lock.close()
        _name(unfinished, target)
    except FileExistsError:
        raise InvalidValue(f"{target} is there already. Give the backup a name of its own.") from None
    except OSError as error:
        raise StoreError(f"The backup could not be written to {target} ({error}).") from error
    finally:
        unfinished.unlink(missing_ok=True)
    return target, damaged


def _digest(name: str) -> str:
    return name.removeprefix("objects/").replace("/", "")


def _not_whole(engines: Engines, location: StoreLocation, listed: _Listed) -> list[DamagedFile]:
    """Return what the rows refer to and no object holds, as `Store.verify` does, and what else is damaged."""
    objects = _ReadObjects(location, listed)
    found: list[DamagedFile] = []
    # Rows that cannot be read tell of no objects, but are no reason to be without a backup.
    with contextlib.suppress(StoreError):
        found = verify_objects(engines, objects)
    unnamed = objects.damaged - {one.digest for one in found}
    return found + [DamagedFile("", "object", "", "", digest, False) for digest in sorted(unnamed)]


def _sweep(root: Path) -> None:
    """Remove the copies of backups that were killed a day ago or earlier."""
    for folder in root.glob(f"{_COPY}*"):
        if time.time() - folder.stat().st_mtime > _OLD_SECONDS:
            shutil.rmtree(folder, ignore_errors=True)


def _name(unfinished: Path, target: Path) -> None:
    """Give the file its name, never over anything that came meanwhile; a memory stick knows no links."""
    try:
        os.link(unfinished, target)
    except FileExistsError:
        raise
    except OSError:
        if os.path.lexists(target):
            raise FileExistsError(str(target)) from None
        os.rename(unfinished, target)


def _write(file: IO[bytes], copy: Path, location: StoreLocation, objects: Objects) -> _Listed:
    listed = _Listed()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
        with open(copy, "rb") as source:
            listed.files[DATABASE] = _add(archive, DATABASE, source)
        for digest in sorted(objects.digests()):
            _add_object(archive, objects.path(digest), digest, listed)
        for name in sorted(os.listdir(location.logs)) if location.logs.is_dir() else ():
            if _NAMES.fullmatch(f"logs/{name}"):
                with contextlib.suppress(FileNotFoundError), open(location.logs / name, "rb") as source:
                    listed.files[f"logs/{name}"] = _add(archive, f"logs/{name}", source)
        content = {
            "format": FORMAT,
            "created": datetime.now(UTC).isoformat(),
            "files": listed.files,
            "damaged": listed.damaged,
        }
        archive.writestr(LIST, json.dumps(content))
    return listed


def _add_object(archive: zipfile.ZipFile, path: Path, digest: str, listed: _Listed) -> None:
    """Add an object as it is; one that is damaged must neither end the backup nor pass for whole in it."""
    name = f"objects/{digest[:2]}/{digest[2:]}"
    try:
        source = open(
            path, "rb", opener=lambda path, flags: os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK)
        )
    except FileNotFoundError:
        return
    except OSError:
        listed.damaged[name] = None
        return
    with source:
        entry = _add(archive, name, source, fails=True)
    if entry[1] == digest:
        listed.files[name] = entry
    else:
        listed.damaged[name] = entry


def _add(archive: zipfile.ZipFile, name: str, source: IO[bytes], *, fails: bool = False) -> _Entry:
    """Add a file up to the size it has now: a live run goes on writing its console."""
    digest, size = hashlib.sha256(), os.fstat(source.fileno()).st_size
    info = zipfile.ZipInfo(name)
    info.file_size = size
    info.external_attr = 0o600 << 16
    added = 0
    with archive.open(info, "w", force_zip64=size >= 1 << 31) as entry:
        for chunk in _chunks(source, size, fails=fails):
            digest.update(chunk)
            entry.write(chunk)
            added += len(chunk)
    return added, digest.hexdigest()


def _chunks(source: IO[bytes], left: int, *, fails: bool) -> Iterator[bytes]:
    """Yield the first `left` bytes; where it may fail, only those before a bad sector, and the digest tells."""
    while left:
        try:
            chunk = source.read(min(CHUNK, left))
        except OSError:
            if not fails:
                raise
            return
        if not chunk:
            return
        left -= len(chunk)
        yield chunk


def restore_backup(file: Path, location: StoreLocation) -> list[DamagedFile]:
    """Make a store of a backup, in a folder that is empty or absent; runs that were live are lost.

    Returns:
        What is not in the new store, since it was damaged or missing when the backup was made.

    Raises:
        InvalidValue: The folder holds something, or there is no such file.
        StoreDamaged: The file is no backup, or not as it was written. Nothing was made.
        StoreTooNew: A newer Podium wrote it.
        StoreError: The disk refuses.
    """
    root = location.root
    if root.exists() and (not root.is_dir() or any(root.iterdir())):
        raise InvalidValue(f"{root} is not empty. A backup is brought back into a new folder: name one.")
    unfinished = root.with_name(f".{root.name}.{os.urandom(4).hex()}.restoring")
    try:
        root.parent.mkdir(parents=True, exist_ok=True)
        unfinished.mkdir(mode=0o700)
        (unfinished / "objects").mkdir(mode=0o700)
        with open(file, "rb") as source, zipfile.ZipFile(source) as archive:
            listed = _bring_back(archive, os.fstat(source.fileno()).st_size, unfinished)
        check_copy(unfinished / DATABASE)
        damaged = _settle(replace(location, root=unfinished), listed)
        os.rename(unfinished, root)
    except (zipfile.BadZipFile, NotImplementedError, EOFError) as error:
        raise StoreDamaged(f"{file} is damaged or no backup ({error}). Nothing was made.") from error
    except StoreDamaged as error:
        raise StoreDamaged(f"{file} is damaged or no backup. {error} Nothing was made.") from error
    except FileNotFoundError as error:
        raise InvalidValue(f"There is no file {error.filename}.") from None
    except OSError as error:
        raise StoreError(f"The store could not be brought back to {root} ({error}).") from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return damaged


def _bring_back(archive: zipfile.ZipFile, size: int, root: Path) -> _Listed:
    listed = _list_of(archive, size)
    free = shutil.disk_usage(root).free
    if sum(one[0] for one in listed.files.values()) > free:
        raise OSError(28, f"{size:,} bytes do not fit on the disk, which has {free:,} left")
    left = {**listed.files, **{name: entry for name, entry in listed.damaged.items() if entry is not None}}
    for info in _entries(archive, size):
        if info.filename == LIST:
            continue
        name = info.filename
        expected = left.pop(name, None)
        if expected is None:
            raise StoreDamaged(f"{name} is not in its list.")
        if name in listed.damaged:
            # It stays in the zip, but it must be what was damaged then: whole bytes were never listed so.
            with archive.open(info) as entry, open(os.devnull, "wb") as nowhere:
                found = _copy(entry, nowhere, expected[0])
            if found != expected or found[1] == _digest(name):
                raise StoreDamaged(f"{name} is not as it was written.")
            continue
        path = root / name
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        is_object = name.startswith("objects/")
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
        with (
            archive.open(info) as entry,
            open(os.open(path, flags, 0o444 if is_object else 0o600), "wb") as file,
        ):
            found = _copy(entry, file, expected[0])
            file.flush()
            os.fsync(file.fileno())
        own = _digest(name) if is_object else expected[1]
        if found != expected or found[1] != own:
            raise StoreDamaged(f"{name} is not as it was written.")
    if left:
        raise StoreDamaged(f"{next(iter(left))} is missing.")
    return listed


def _entries(archive: zipfile.ZipFile, size: int) -> Iterator[zipfile.ZipInfo]:
    """Yield the entries, or refuse them all: each name once, of a known form, and nothing that grows."""
    seen: set[str] = set()
    whole = 0
    for info in archive.infolist():
        if info.filename in seen or not (info.filename == LIST or _NAMES.fullmatch(info.filename)):
            raise StoreDamaged(f"It holds {info.filename!r:.120}, which no backup does, or holds it twice.")
        seen.add(info.filename)
        whole += info.file_size
        if info.compress_type != zipfile.ZIP_STORED or info.file_size != info.compress_size or whole > size:
            raise StoreDamaged(f"{info.filename} would be larger than it is stored.")
    yield from archive.infolist()


def _list_of(archive: zipfile.ZipFile, size: int) -> _Listed:
    try:
        info = archive.getinfo(LIST)
    except KeyError:
        raise StoreDamaged(f"It has no {LIST}.") from None
    if info.compress_type != zipfile.ZIP_STORED or info.file_size > min(size, LIST_LIMIT):
        raise StoreDamaged(f"Its {LIST} is too large.")
    try:
        content: Any = json.loads(archive.read(info))
        if content["format"] != FORMAT:
            raise StoreDamaged(f"It has format {content['format']!r:.20}; this Podium reads {FORMAT}.")
        listed = _Listed(
            {name: _entry(one) for name, one in content["files"].items()},
            # A backup from before this was looked for has none.
            {name: None if one is None else _entry(one) for name, one in content.get("damaged", {}).items()},
        )
    except (ValueError, TypeError, KeyError, AttributeError, IndexError, RecursionError) as error:
        raise StoreDamaged(f"Its {LIST} cannot be read ({type(error).__name__}).") from None
    if DATABASE not in listed.files:
        raise StoreDamaged(f"It has no {DATABASE}.")
    for name in listed.damaged:
        if name in listed.files or not (name.startswith("objects/") and _NAMES.fullmatch(name)):
            raise StoreDamaged(f"Its {LIST} gives {name!r:.120} as damaged, which no backup does.")
    return listed


def _entry(given: Any) -> _Entry:
    return int(given[0]), str(given[1])


def _copy(source: IO[bytes], target: IO[bytes], limit: int) -> _Entry:
    digest, size = hashlib.sha256(), 0
    while chunk := source.read(CHUNK):
        size += len(chunk)
        if size > limit:
            raise StoreDamaged("An entry is longer than its list says.")
        digest.update(chunk)
        target.write(chunk)
    return size, digest.hexdigest()


def _settle(location: StoreLocation, listed: _Listed) -> list[DamagedFile]:
    """Open the database once, which also brings an older one up to date, and end the runs that were live.

    Returns:
        What the rows refer to and did not come back.
    """
    engines = open_database(location)
    try:
        now = int(datetime.now(UTC).timestamp() * 1e6)
        engines.write(lambda connection: trash.end_live_runs(connection, _LIVE, now))
        return _not_whole(engines, location, listed)
    finally:
        engines.dispose()
