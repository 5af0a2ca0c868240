"""Walks a folder and reads its files into drafts, a few at a time."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path, PurePosixPath

from tracking.artifacts.copying import Watcher
from tracking.artifacts.manifests import FILES_LIMIT, Manifest
from tracking.artifacts.names import checked_artifact_name
from tracking.artifacts.objects import Draft, Objects
from tracking.artifacts.own_files import OwnFiles, is_store
from tracking.errors import InvalidValue
from tracking.records import ArtifactFile
from tracking.validation import storable

DEPTH_LIMIT = 100
"""Each level holds a descriptor."""
IN_MEMORY = 1 << 20
"""Files up to this size are read whole, and written only when their bytes are new."""
BATCH = 256
"""So many small files wait to be written together,"""
BATCH_BYTES = 16 << 20
"""or so much of them,"""
BATCH_LARGE = 32
"""or so many large files, which hold a descriptor each."""

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EMFILE, errno.ENFILE}
_SORTS = {
    stat.S_IFIFO: "a FIFO",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


class FolderWalk:
    """One walk through one folder.

    Files get their place among the objects as the walk goes on, before anything refers to them: a clean-up
    spares what is that young.

    Attributes:
        drafts: Those that have no place yet.
        changed: Paths of files that changed while they were read.
    """

    def __init__(self, objects: Objects, own: OwnFiles, root: Path, watcher: Watcher | None) -> None:
        self.drafts: list[Draft] = []
        self.changed: list[str] = []
        self._objects = objects
        self._own = own
        self._root = root
        self._watcher = watcher
        self._size = 0
        self._waiting_bytes = 0
        self._waiting_large = 0
        self._files: list[ArtifactFile] = []
        self._folders: list[str] = []
        self._skipped: list[tuple[str, str]] = []
        self._placed: set[Path] = set()
        self._top = -1

    def take(self) -> Manifest:
        """Read everything; returns what there was.

        Raises:
            InvalidValue: The folder cannot be opened, or has more than a million files.
            OSError: The disk of the store refuses.
        """
        try:
            self._top = os.open(self._root, _FOLDER)
        except OSError as error:
            raise InvalidValue(f"{str(self._root)!r:.250} cannot be read: {error.strerror}.") from None
        try:
            self._walk(self._top, "", 0)
            self._place()
            self._objects.sync(self._placed)
        finally:
            os.close(self._top)
        return Manifest(tuple(self._files), tuple(self._folders), tuple(self._skipped))

    def _walk(self, folder: int, prefix: str, depth: int) -> None:
        try:
            with os.scandir(folder) as entries:
                names = sorted(entry.name for entry in entries)
        except OSError as error:
            self._skip(prefix.rstrip("/") or ".", f"cannot be listed: {error.strerror}")
            return
        if is_store(set(names)):
            self._skip(prefix.rstrip("/") or ".", "a store")
            return
        if not names and prefix:
            self._folders.append(prefix.rstrip("/"))
        for name in names:
            path = prefix + name
            try:
                checked_artifact_name(path, inside=True)
                found = os.stat(name, dir_fd=folder, follow_symlinks=False)
                self._take_entry(folder, name, path, found, depth)
            except InvalidValue as error:
                self._skip(path, str(error))
            except OSError as error:
                if error.errno in _NO_ROOM:
                    raise
                self._skip(path, "vanished" if error.errno == errno.ENOENT else f"{error.strerror}")

    def _take_entry(self, folder: int, name: str, path: str, found: os.stat_result, depth: int) -> None:
        if self._own.hold(found):
            self._skip(path, "the store's own")
        elif stat.S_ISDIR(found.st_mode):
            if depth >= DEPTH_LIMIT:
                self._skip(path, f"more than {DEPTH_LIMIT} folders deep")
                return
            inner = os.open(name, _FOLDER, dir_fd=folder)
            try:
                self._walk(inner, path + "/", depth + 1)
            finally:
                os.close(inner)
        elif stat.S_ISLNK(found.st_mode):
            self._take_link(path)
        elif stat.S_ISREG(found.st_mode):
            self._take_file(folder, name, path)
        else:
            self._skip(path, _SORTS.get(stat.S_IFMT(found.st_mode), "no file"))

    def _take_link(self, path: str) -> None:
        """Follow a link to a regular file inside the folder, by its real place and without further links."""
        try:
            target = Path(os.path.realpath(self._root / path, strict=True))
        except OSError:
            self._skip(path, "a link that leads nowhere")
            return
        if not target.is_relative_to(self._root):
            self._skip(path, "a link that leads out of the folder")
            return
        parts = PurePosixPath(target.relative_to(self._root)).parts
        opened: list[int] = []
        try:
            folder = self._top
            for part in parts[:-1]:
                folder = os.open(part, _FOLDER, dir_fd=folder)
                opened.append(folder)
                if self._own.hold(os.fstat(folder)):
                    self._skip(path, "a link to the store's own")
                    return
            found = os.stat(parts[-1], dir_fd=folder, follow_symlinks=False) if parts else os.fstat(folder)
            if not stat.S_ISREG(found.st_mode):
                self._skip(path, "a link to no regular file")
            elif self._own.hold(found):
                self._skip(path, "a link to the store's own")
            else:
                self._take_file(folder, parts[-1], path)
        finally:
            for descriptor in opened:
                os.close(descriptor)

    def _take_file(self, folder: int, name: str, path: str) -> None:
        if len(self._files) >= FILES_LIMIT:
            raise OSError(errno.EFBIG, f"the folder has more than {FILES_LIMIT:,} files")
        descriptor = os.open(name, _FILE, dir_fd=folder)
        try:
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode) or self._own.hold(found):
                self._skip(path, "no longer the file it was")
                return
            if found.st_size > self._objects.room():
                self._skip(path, f"its {found.st_size:,} bytes do not fit on the disk of the store")
                return
            draft = self._draft(descriptor, path, found)
        finally:
            os.close(descriptor)
        self.drafts.append(draft)
        self._files.append(ArtifactFile(path, draft.digest, draft.size, stat.S_IMODE(found.st_mode) & 0o777))
        if draft.changed:
            self.changed.append(path)
        self._size += draft.size
        large = draft.size > IN_MEMORY
        self._waiting_bytes += 0 if large else draft.size
        self._waiting_large += large
        if (
            len(self.drafts) >= BATCH
            or self._waiting_bytes >= BATCH_BYTES
            or self._waiting_large >= BATCH_LARGE
        ):
            self._place()
        if self._watcher is not None:
            self._watcher.files(len(self._files), self._size)

    def _place(self) -> None:
        batch, self.drafts = self.drafts, []
        self._waiting_bytes = self._waiting_large = 0
        if batch:
            self._placed |= self._objects.place(batch)

    def _draft(self, descriptor: int, path: str, found: os.stat_result) -> Draft:
        if found.st_size <= IN_MEMORY:
            data = os.pread(descriptor, IN_MEMORY + 1, 0)
            after = os.fstat(descriptor)
            if len(data) == found.st_size == after.st_size and found.st_mtime_ns == after.st_mtime_ns:
                return self._objects.draft_in_memory(data)
        return self._objects.draft_descriptor(
            descriptor, path, progress=self._watcher.of(path) if self._watcher else None
        )

    def _skip(self, path: str, why: str) -> None:
        self._skipped.append((storable(path), why))
