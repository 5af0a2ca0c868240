"""The content-addressed store: bytes under the name of their sha256, written once, read-only.

    objects/ab/cdef…    an object; whole from the moment it has this name
    objects/.new-…      one that is being written; see `drafts`
    objects/.lock       shared by who places objects, taken alone by who removes some
    objects/.gate       passed on the way to it
    objects/.aside-…    one that a clean-up is about to remove

Bytes are copied, never moved or linked, so that nothing a user does to a file later
reaches the store.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import stat
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from tracking.artifacts.copying import CHUNK, Progress, copy_hashed, hash_of, settle, stamp, sync_paths
from tracking.artifacts.drafts import DRAFT, sweep_drafts, write_together
from tracking.artifacts.drafts import Draft as Draft
from tracking.config import StoreLocation
from tracking.errors import ArtifactDamaged, InvalidValue, NotFound, StoreBusy
from tracking.spool.files import make_folders
from tracking.spool.lock import WAIT_STEP, FileLock, try_lock, wait_lock

_DIGEST = re.compile(r"[0-9a-f]{64}")
_COMPARED = 8 << 20
"""Objects up to this size are read again before the same bytes count as stored."""


class Objects:
    """The objects of one store. Any number of threads and processes may use it at once."""

    def __init__(self, location: StoreLocation) -> None:
        self._location = location
        self.root = location.objects

    # Writing

    def draft_bytes(self, data: bytes) -> Draft:
        """Write bytes beside the objects; `keep` gives them their place.

        Raises:
            OSError: The disk refuses.
        """
        draft = Draft(hashlib.sha256(data).hexdigest(), len(data))
        if self._holds(draft.digest, data):
            draft._data = data
        else:
            self._write(draft, data)
        return draft

    def draft_in_memory(self, data: bytes) -> Draft:
        """Draft bytes of which many are to get their place at once: they are written together then."""
        draft = Draft(hashlib.sha256(data).hexdigest(), len(data))
        draft._data = data
        return draft

    def draft_file(self, path: str | os.PathLike[str], *, progress: Progress | None = None) -> Draft:
        """Copy a file beside the objects; see `draft_descriptor`.

        Raises:
            OSError: The file cannot be read, or the disk refuses.
            InvalidValue: It is no regular file.
        """
        # NONBLOCK: opening a FIFO would otherwise wait for its other end for ever.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            return self.draft_descriptor(descriptor, os.fspath(path), progress=progress)
        finally:
            os.close(descriptor)

    def draft_descriptor(self, descriptor: int, name: str, *, progress: Progress | None = None) -> Draft:
        """Copy an open regular file beside the objects in constant memory, hashing on the way.

        A file that changes meanwhile is copied again once; then what was read is kept, and said to be changed.

        Args:
            descriptor: To read from its beginning.
            name: For messages.
            progress: Told of every megabyte.

        Raises:
            OSError: The file cannot be read, or the disk refuses.
            InvalidValue: It is no regular file.
        """
        path, lock = self._new_draft()
        draft = Draft("", 0, False, path, _lock=lock)
        try:
            for _ in range(2):
                before = os.fstat(descriptor)
                if not stat.S_ISREG(before.st_mode):
                    raise InvalidValue(f"{name} is no regular file.")
                self._check_room(before)
                with open(path, "wb") as file:
                    draft.digest, draft.size = copy_hashed(descriptor, file, before.st_size, progress)
                    settle(file)
                after = os.fstat(descriptor)
                draft.changed = draft.size != before.st_size or stamp(before) != stamp(after)
                if not draft.changed:
                    break
        except BaseException:
            draft.discard()
            raise
        return draft

    def keep(self, drafts: Sequence[Draft], then: Callable[[], None]) -> None:
        """Give drafts their place among the objects and call `then`, which says who refers to them.

        No clean-up runs in between, so that a reference never comes too late.

        Raises:
            OSError: The disk refuses; nothing was said then.
        """
        with self._written(drafts), self._among_writers(drafts):
            folders = self._place_all(drafts)
            self.sync(folders)
            then()

    def place(self, drafts: Sequence[Draft]) -> set[Path]:
        """Give drafts their place before anything refers to them; returns the folders to `sync` before it does.

        A clean-up spares what is so young.

        Raises:
            OSError: The disk refuses.
        """
        with self._written(drafts), self._among_writers(drafts):
            return self._place_all(drafts)

    def sync(self, folders: Iterable[Path]) -> None:
        """Make sure that the names of placed objects survive a loss of power."""
        sync_paths(folders)

    @property
    def gate_path(self) -> Path:
        """Passed on the way to the lock."""
        return self.root / ".gate"

    @contextlib.contextmanager
    def alone(self, seconds: float) -> Iterator[None]:
        """Keep everybody from placing objects for as long as the block takes.

        Raises:
            StoreBusy: Somebody was placing objects for `seconds`.
        """
        self._make_root()
        give_up = time.monotonic() + seconds
        with contextlib.ExitStack() as held:
            # The gate is open again from here on: writers wait behind it, and go before the next clean-up.
            with _taken(self.gate_path, give_up):
                held.enter_context(_taken(self.lock_path, give_up))
            yield

    def room(self) -> int:
        """Return how many bytes the disk of the store still takes."""
        make_folders(self._location)
        free = os.statvfs(self._location.root)
        return free.f_bavail * free.f_frsize

    @property
    def lock_path(self) -> Path:
        """The lock between those who place objects and those who remove some."""
        return self.root / ".lock"

    # Reading

    def path(self, digest: str) -> Path:
        """Return the place of an object, there or not.

        Raises:
            InvalidValue: `digest` is no sha256 in hexadecimal; a store from elsewhere may hold anything.
        """
        if not is_digest(digest):
            raise InvalidValue(f"{digest!r:.80} is no sha256 of an object.")
        return self.root / digest[:2] / digest[2:]

    def size(self, digest: str) -> int | None:
        """Return the bytes of an object on disk, None when it is not there; nothing is read."""
        try:
            return self.path(digest).stat().st_size
        except OSError:
            return None

    def open(self, digest: str) -> BinaryIO:
        """Open an object to read, verified: its bytes were hashed once more before this returns.

        Raises:
            NotFound: There is no such object.
            ArtifactDamaged: Its bytes are not those that were stored.
        """
        file = self._opened(digest)
        try:
            if hash_of(file) != digest:
                raise _damaged(digest)
            file.seek(0)
        except BaseException:
            file.close()
            raise
        return file

    def copy_to(self, digest: str, target: BinaryIO) -> None:
        """Copy an object in constant memory, verified: raises after the last byte when one of them was wrong.

        Raises:
            NotFound: There is no such object.
            ArtifactDamaged: Its bytes are not those that were stored.
            OSError: The target refuses.
        """
        found = hashlib.sha256()
        with self._opened(digest) as file:
            while chunk := file.read(CHUNK):
                found.update(chunk)
                target.write(chunk)
        if found.hexdigest() != digest:
            raise _damaged(digest)

    def digests(self) -> Iterator[str]:
        """Yield the digest of every object there is."""
        for folder in _listed(self.root):
            if re.fullmatch(r"[0-9a-f]{2}", folder):
                for name in _listed(self.root / folder):
                    if _DIGEST.fullmatch(folder + name):
                        yield folder + name

    # Care

    def sweep_drafts(self) -> int:
        """Remove what dead writers left half written; returns how many files."""
        return sweep_drafts(self.root)

    def _opened(self, digest: str) -> BinaryIO:
        path = self.path(digest)
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
        except FileNotFoundError:
            raise NotFound(f"The object {digest} is missing from {self.root}.") from None
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise _damaged(digest)
        return os.fdopen(descriptor, "rb")

    def _new_draft(self) -> tuple[Path, FileLock]:
        self._make_root()
        while True:
            path = self.root / f"{DRAFT}{os.urandom(8).hex()}"
            lock = try_lock(path)
            if lock is not None:  # else who sweeps had it in hand between its making and its locking
                return path, lock

    def _make_root(self) -> None:
        make_folders(self._location)
        self.root.mkdir(mode=0o700, exist_ok=True)

    def _write(self, draft: Draft, data: bytes) -> None:
        draft._path, draft._lock = self._new_draft()
        try:
            with open(draft._path, "wb") as file:
                file.write(data)
                settle(file)
        except BaseException:
            draft.discard()
            raise

    @contextlib.contextmanager
    def _written(self, drafts: Sequence[Draft]) -> Iterator[None]:
        """Write what is in memory and not among the objects, under one lock; its files are gone after the block."""
        new: dict[str, Draft] = {}
        for draft in drafts:
            if draft._path is None and draft._data is not None and not self._holds(draft.digest, draft._data):
                new.setdefault(draft.digest, draft)
        if not new:
            yield
            return
        path, lock = self._new_draft()
        try:
            write_together(new.values(), path)
            yield
        finally:
            for draft in drafts:
                draft.discard()
            path.unlink(missing_ok=True)
            lock.close()

    @contextlib.contextmanager
    def _among_writers(self, drafts: Sequence[Draft]) -> Iterator[None]:
        try:
            # Who removes objects closes the gate, and need not wait for a moment without any writer.
            gate = wait_lock(self.gate_path, shared=True)
            try:
                lock = wait_lock(self.lock_path, shared=True)
            finally:
                gate.close()
            try:
                yield
            finally:
                lock.close()
        finally:
            for draft in drafts:
                draft.discard()

    def _place_all(self, drafts: Sequence[Draft]) -> set[Path]:
        folders: set[Path] = set()
        for draft in drafts:
            self._place(draft, folders)
        return folders

    def _place(self, draft: Draft, folders: set[Path]) -> None:
        target = self.path(draft.digest)
        if draft._path is None:
            # It was there when it was drafted. Its age counts from its last use.
            with contextlib.suppress(FileNotFoundError):
                os.utime(target)
                return
            if draft._data is None:
                raise OSError(errno.ENOENT, "The object was removed meanwhile; log it again", str(target))
            self._write(draft, draft._data)
            assert draft._path is not None
        os.chmod(draft._path, 0o444)
        # Also over an object that is there: should its bytes be damaged, they are whole again now.
        try:
            os.replace(draft._path, target)
        except FileNotFoundError:
            target.parent.mkdir(mode=0o700, exist_ok=True)
            os.replace(draft._path, target)
        draft._path = None
        folders.add(target.parent)

    def _holds(self, digest: str, data: bytes) -> bool:
        """Whether the object is there, compared byte by byte where that is cheap, and touched."""
        path = self.path(digest)
        try:
            os.utime(path)
            if len(data) > _COMPARED:
                return False
            return path.read_bytes() == data
        except OSError:
            return False

    def _check_room(self, wanted: os.stat_result) -> None:
        if wanted.st_size > self.room():
            raise OSError(errno.ENOSPC, f"{wanted.st_size:,} bytes do not fit on the disk of the store")


@contextlib.contextmanager
def _taken(path: Path, give_up: float) -> Iterator[None]:
    while (lock := try_lock(path)) is None:
        if time.monotonic() >= give_up:
            raise StoreBusy("Artifacts are being stored without a pause. Try again when fewer runs log.")
        time.sleep(WAIT_STEP)
    try:
        yield
    finally:
        lock.close()


def is_digest(text: object) -> bool:
    """Whether `text` is a sha256 in hexadecimal, as an object is named."""
    return isinstance(text, str) and _DIGEST.fullmatch(text) is not None


def _damaged(digest: str) -> ArtifactDamaged:
    return ArtifactDamaged(f"The object {digest} is damaged: its bytes are not those that were stored.")


def _listed(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return []
