"""A store in one file: a zip without compression, which any tool can look into.

    podium-backup.json   {"format": 1, "created": …, "files": {name: [size, sha256]}}: the last entry
    tracking.db          the database at one moment
    objects/ab/cdef…     the stored bytes, under their sha256
    logs/…               what sessions left there

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
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from tracking.artifacts.copying import CHUNK
from tracking.artifacts.objects import Objects
from tracking.config import StoreLocation
from tracking.database import trash
from tracking.database.opening import open_database
from tracking.database.schema import check_copy, copy_database
from tracking.errors import InvalidValue, StoreDamaged, StoreError
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


def write_backup(location: StoreLocation, objects: Objects, target: Path) -> Path:
    """Write a store into one file; see `Store.backup`.

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
                    _write(file, copy, location, objects)
                    file.flush()
                    os.fsync(file.fileno())
            finally:
                lock.close()
        _name(unfinished, target)
    except FileExistsError:
        raise InvalidValue(f"{target} is there already. Give the backup a name of its own.") from None
    except OSError as error:
        raise StoreError(f"The backup could not be written to {target} ({error}).") from error
    finally:
        unfinished.unlink(missing_ok=True)
    return target


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


def _write(file: IO[bytes], copy: Path, location: StoreLocation, objects: Objects) -> None:
    listed: dict[str, tuple[int, str]] = {}
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
        listed[DATABASE] = _add(archive, DATABASE, copy)
        for digest in sorted(objects.digests()):
            name = f"objects/{digest[:2]}/{digest[2:]}"
            listed[name] = _add(archive, name, objects.path(digest))
        for name in sorted(os.listdir(location.logs)) if location.logs.is_dir() else ():
            if _NAMES.fullmatch(f"logs/{name}"):
                with contextlib.suppress(FileNotFoundError):
                    listed[f"logs/{name}"] = _add(archive, f"logs/{name}", location.logs / name)
        content = {"format": FORMAT, "created": datetime.now(UTC).isoformat(), "files": listed}
        archive.writestr(LIST, json.dumps(content))


def _add(archive: zipfile.ZipFile, name: str, path: Path) -> tuple[int, str]:
    digest = hashlib.sha256()
    # Up to the size it has now: a live run goes on writing its console.
    with open(path, "rb") as source:
        size = left = os.fstat(source.fileno()).st_size
        info = zipfile.ZipInfo(name)
        info.file_size = size
        info.external_attr = 0o600 << 16
        with archive.open(info, "w", force_zip64=size >= 1 << 31) as entry:
            while left and (chunk := source.read(min(CHUNK, left))):
                digest.update(chunk)
                entry.write(chunk)
                left -= len(chunk)
    return size - left, digest.hexdigest()


def restore_backup(file: Path, location: StoreLocation) -> None:
    """Make a store of a backup, in a folder that is empty or absent; runs that were live are lost.

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
            _bring_back(archive, os.fstat(source.fileno()).st_size, unfinished)
        check_copy(unfinished / DATABASE)
        _settle(replace(location, root=unfinished))
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


def _bring_back(archive: zipfile.ZipFile, size: int, root: Path) -> None:
    listed = _list_of(archive, size)
    free = shutil.disk_usage(root).free
    if sum(one[0] for one in listed.values()) > free:
        raise OSError(28, f"{size:,} bytes do not fit on the disk, which has {free:,} left")
    for info in _entries(archive, size):
        if info.filename == LIST:
            continue
        name = info.filename
        expected = listed.pop(name, None)
        if expected is None:
            raise StoreDamaged(f"{name} is not in its list.")
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
        own = name.removeprefix("objects/").replace("/", "") if is_object else expected[1]
        if found != (expected[0], expected[1]) or found[1] != own:
            raise StoreDamaged(f"{name} is not as it was written.")
    if listed:
        raise StoreDamaged(f"{next(iter(listed))} is missing.")


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


def _list_of(archive: zipfile.ZipFile, size: int) -> dict[str, tuple[int, str]]:
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
        listed = {str(name): (int(one[0]), str(one[1])) for name, one in content["files"].items()}
    except (ValueError, TypeError, KeyError, AttributeError, IndexError, RecursionError) as error:
        raise StoreDamaged(f"Its {LIST} cannot be read ({type(error).__name__}).") from None
    if DATABASE not in listed:
        raise StoreDamaged(f"It has no {DATABASE}.")
    return listed


def _copy(source: IO[bytes], target: IO[bytes], limit: int) -> tuple[int, str]:
    digest, size = hashlib.sha256(), 0
    while chunk := source.read(CHUNK):
        size += len(chunk)
        if size > limit:
            raise StoreDamaged("An entry is longer than its list says.")
        digest.update(chunk)
        target.write(chunk)
    return size, digest.hexdigest()


def _settle(location: StoreLocation) -> None:
    """Open the database once, which also brings an older one up to date, and end the runs that were live."""
    engines = open_database(location)
    try:
        now = int(datetime.now(UTC).timestamp() * 1e6)
        engines.write(lambda connection: trash.end_live_runs(connection, _LIVE, now))
    finally:
        engines.dispose()
