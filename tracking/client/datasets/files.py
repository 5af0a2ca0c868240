"""Datasets in files and folders."""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from tracking.client.datasets.facts import Facts
from tracking.config import StoreLocation
from tracking.errors import InvalidValue
from tracking.validation import storable

if TYPE_CHECKING:
    from tracking.artifacts.copying import Watcher

MOST_FILES = 1_000_000
_CHUNK = 1 << 20
_Identity = tuple[str, int, int, int]
_known: dict[_Identity, Facts] = {}
_MOST_KNOWN = 10_000
"""Files are read once in a process as long as path, size, time of change and inode are the same."""


def facts_of_path(
    path: str | os.PathLike[str],
    location: StoreLocation,
    *,
    watcher: Watcher | None = None,
    tell: Callable[[int, int], None] | None = None,
) -> Facts:
    """Return what is told of a file or a folder.

    The digest of a file is the sha256 of its bytes, but of a `.parquet` file that of its content, which a data
    frame of the same values has too (where pyarrow is installed). That of a folder counts the paths of its regular
    files and their bytes; links, empty folders and what belongs to a store do not count.

    Args:
        path: Of the file or folder.
        location: The store.
        watcher: Told how far the reading of a folder is.
        tell: Called with the files and bytes of a folder before they are read.

    Raises:
        InvalidValue: There is no such file, it is no file or folder, belongs to a store, or has more than
            a million files, which is known before the first one is read.
    """
    from tracking.artifacts.own_files import OwnFiles, is_database_of_a_store

    shown = f"{os.fspath(path)!r:.250}"
    try:
        found = os.stat(path)
    except (OSError, ValueError) as error:
        raise InvalidValue(f"{shown} cannot be read: {getattr(error, 'strerror', None) or error}.") from None
    own = OwnFiles(location)
    if own.hold(found) or own.hold_path(path) or is_database_of_a_store(path):
        raise InvalidValue(f"{shown} belongs to a store, which is no dataset.")
    if stat.S_ISDIR(found.st_mode):
        return _facts_of_folder(Path(path), own, watcher, tell)
    if not stat.S_ISREG(found.st_mode):
        raise InvalidValue(f"{shown} is neither a file nor a folder.")
    return _facts_of_file(Path(path))


def _facts_of_file(path: Path) -> Facts:
    try:
        # NONBLOCK: what was a file a moment ago may be a FIFO by now.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise InvalidValue(f"{str(path)!r:.250} cannot be read: {error.strerror}.") from None
    with os.fdopen(descriptor, "rb") as file:
        before = os.fstat(file.fileno())
        if not stat.S_ISREG(before.st_mode):
            raise InvalidValue(f"{str(path)!r:.250} is no regular file.")
        identity = (os.path.realpath(path), before.st_size, before.st_mtime_ns, before.st_ino)
        if identity in _known:
            return _known[identity]
        facts = _read(file, path, before.st_size)
        after = os.fstat(file.fileno())
    if (after.st_size, after.st_mtime_ns) == (before.st_size, before.st_mtime_ns):
        if len(_known) >= _MOST_KNOWN:
            _known.clear()
        _known[identity] = facts
    return facts


def _read(file: BinaryIO, path: Path, size: int) -> Facts:
    if path.suffix.lower() == ".parquet":
        from tracking.client.datasets.parquet import facts_of_parquet

        facts = facts_of_parquet(file, size)
        if facts is not None:
            return facts
        file.seek(0)
    digest = hashlib.sha256()
    while chunk := file.read(_CHUNK):
        digest.update(chunk)
    return Facts(digest.hexdigest(), "file", size=size, schema={"extension": path.suffix[:20]})


def _facts_of_folder(
    root: Path, own: Any, watcher: Watcher | None, tell: Callable[[int, int], None] | None
) -> Facts:
    places = _places_in(root, own)
    whole = sum(size for _, size in places)
    if tell is not None:
        tell(len(places), whole)
    files: list[tuple[str, int, str]] = []
    done = 0
    for place, size in places:
        files.append((storable(place.relative_to(root).as_posix()), size, _bytes_digest(place)))
        done += size
        if watcher is not None:
            watcher.files(len(files), done, whole)
    files.sort()
    told = json.dumps(["podium-dataset-1", "folder", [[path, digest] for path, _, digest in files]])
    sizes: dict[str, int] = {}
    for path, _, _ in files:
        suffix = Path(path).suffix.lower()[:20]
        sizes[suffix] = sizes.get(suffix, 0) + 1
    common = sorted(sizes.items(), key=lambda item: (-item[1], item[0]))[:20]
    return Facts(
        digest=hashlib.sha256(told.encode()).hexdigest(),
        kind="folder",
        size=sum(size for _, size, _ in files),
        schema={"files": len(files), "extensions": dict(common)},
    )


def _places_in(root: Path, own: Any) -> list[tuple[Path, int]]:
    """Return the regular files of a folder with their sizes, those of stores left out."""
    from tracking.artifacts.own_files import is_store

    places: list[tuple[Path, int]] = []
    for folder, folders, names in os.walk(root):
        if is_store({*folders, *names}):
            folders.clear()
            continue
        folders[:] = [name for name in folders if not own.hold(os.lstat(os.path.join(folder, name)))]
        for name in names:
            place = Path(folder, name)
            try:
                found = os.lstat(place)
            except OSError:
                continue
            if not stat.S_ISREG(found.st_mode) or own.hold(found):
                continue
            if len(places) >= MOST_FILES:
                raise InvalidValue(f"{str(root)!r:.250} has more than {MOST_FILES:,} files.")
            places.append((place, found.st_size))
    return places


def _bytes_digest(path: Path) -> str:
    """Return the sha256 of a file of a folder, Parquet or not: there its bytes count."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOFOLLOW)
    except OSError as error:
        raise InvalidValue(f"{str(path)!r:.250} cannot be read: {error.strerror}.") from None
    with os.fdopen(descriptor, "rb") as file:
        found = os.fstat(descriptor)
        identity = (f"bytes {path}", found.st_size, found.st_mtime_ns, found.st_ino)
        if identity not in _known:
            digest = hashlib.sha256()
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
            if len(_known) >= _MOST_KNOWN:
                _known.clear()
            _known[identity] = Facts(digest.hexdigest(), "file")
        return _known[identity].digest
