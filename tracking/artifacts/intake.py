"""From what a user names, a file or a folder, to drafts of objects.

Nothing is opened that is not a regular file and none of the store's own; what a folder holds besides is
recorded with the reason. A folder is walked by descriptors, so that a link put in the way meanwhile leads nowhere.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tracking.artifacts import manifests
from tracking.artifacts.copying import Watcher
from tracking.artifacts.folder_walk import FolderWalk
from tracking.artifacts.media import HEAD, classify
from tracking.artifacts.objects import Draft, Objects
from tracking.artifacts.own_files import OwnFiles, is_database_of_a_store
from tracking.config import StoreLocation
from tracking.errors import InvalidValue
from tracking.records import ArtifactKind

KINDS = {
    stat.S_IFIFO: "a FIFO",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFLNK: "a link that leads nowhere",
}


@dataclass(frozen=True, slots=True)
class Taken:
    """What was read, and what its event says of it.

    Attributes:
        drafts: To be kept with the event; those of a folder's files have their place already.
        digest: Of the file, or of the folder's manifest.
        size: Bytes in all.
        files: How many.
        skipped: Path and why, of what was left out of a folder.
        changed: Paths of files that changed while they were read.
    """

    kind: ArtifactKind
    media: str
    digest: str
    size: int
    files: int
    drafts: list[Draft]
    details: dict[str, Any] = field(default_factory=dict)
    skipped: tuple[tuple[str, str], ...] = ()
    changed: tuple[str, ...] = ()


def take(
    location: StoreLocation,
    path: str | os.PathLike[str],
    *,
    watcher: Watcher | None = None,
) -> Taken:
    """Read a file or a folder into drafts; the caller keeps or discards them.

    Args:
        location: The store.
        path: To a regular file or a folder; a link is followed.
        watcher: Told how far it is.

    Raises:
        InvalidValue: It is neither, belongs to a store, or may not be read.
        OSError: The disk of the store refuses.
    """
    given = os.fspath(path)
    if not isinstance(given, str):
        raise InvalidValue(f"{path!r:.120} is no path as text: give a str or a Path.")
    try:
        found = os.stat(given)
    except (OSError, ValueError) as error:
        raise InvalidValue(f"{given!r:.250} cannot be logged: {_reason(error)}.") from None
    own = OwnFiles(location)
    if own.hold(found) or own.hold_path(given) or is_database_of_a_store(given):
        raise InvalidValue(f"{given!r:.250} belongs to a store: it is never logged into one.")
    objects = Objects(location)
    if stat.S_ISDIR(found.st_mode):
        return _take_folder(objects, own, given, watcher)
    if not stat.S_ISREG(found.st_mode):
        what = KINDS.get(stat.S_IFMT(found.st_mode), "no file")
        raise InvalidValue(f"{given!r:.250} is {what}: only files and folders are logged.")
    return _take_file(objects, given, watcher)


def _take_file(objects: Objects, path: str, watcher: Watcher | None) -> Taken:
    name = os.path.basename(path)
    try:
        # NONBLOCK: what was a file a moment ago may be a FIFO by now.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise InvalidValue(f"{path!r:.250} cannot be read: {_reason(error)}.") from None
    try:
        kind, media = classify(name, os.pread(descriptor, HEAD, 0))
        draft = objects.draft_descriptor(descriptor, name, progress=watcher.of(name) if watcher else None)
    finally:
        os.close(descriptor)
    details = {"changed": True} if draft.changed else {}
    changed = (name,) if draft.changed else ()
    return Taken(kind, media, draft.digest, draft.size, 1, [draft], details, changed=changed)


def _take_folder(objects: Objects, own: OwnFiles, path: str, watcher: Watcher | None) -> Taken:
    walk = FolderWalk(objects, own, Path(os.path.realpath(path)), watcher)
    try:
        manifest = walk.take()
        data = manifests.to_bytes(manifest)
        draft = objects.draft_bytes(data)
    except BaseException:
        for waiting in walk.drafts:
            waiting.discard()
        raise
    details: dict[str, Any] = {}
    if walk.changed:
        details["changed"] = True
    if manifest.skipped:
        details["skipped"] = len(manifest.skipped)
    clashes = _case_clashes([*(file.path for file in manifest.files), *manifest.folders])
    if clashes:
        details["case_clashes"] = clashes
    return Taken(
        kind=ArtifactKind.FOLDER,
        media=manifests.MEDIA,
        digest=draft.digest,
        size=manifest.size,
        files=len(manifest.files),
        drafts=[*walk.drafts, draft],
        details=details,
        skipped=manifest.skipped,
        changed=tuple(walk.changed),
    )


def _case_clashes(paths: list[str]) -> int:
    """Return how many paths a file system that is blind to case would take for another one."""
    return len(paths) - len({path.casefold() for path in paths})


def _reason(error: OSError | ValueError) -> str:
    text = getattr(error, "strerror", None) or str(error)
    return text[:1].lower() + text[1:]
