"""Bytes from another store: objects hashed on the way, consoles as they are."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterable
from pathlib import Path

from tracking.artifacts import manifests
from tracking.artifacts.objects import Draft, Objects
from tracking.config import StoreLocation
from tracking.database.merge_rows import SourceRun
from tracking.errors import InvalidValue, TrackingError
from tracking.records import ArtifactKind

DRAFTS = 32
"""Objects that get their place together; each keeps a descriptor open until then."""
CONSOLE_SUFFIXES = (".console", ".console.1", ".console.2")
CONSOLE_LIMIT = 1 << 24
CHUNK = 1 << 20


class ObjectsCopy:
    """Brings the objects that runs refer to.

    Attributes:
        copied: How many objects came.
        size: Their bytes.
        missing: What did not come, and why; another merge tries again.
    """

    def __init__(self, source: StoreLocation, own: StoreLocation) -> None:
        self._source = Objects(source)
        self._own = Objects(own)
        self._logs = source.logs, own.logs
        self._here: set[str] = set()
        self.copied = 0
        self.size = 0
        self.missing: list[str] = []

    def bring(self, run: SourceRun) -> None:
        """Bring the bytes of everything that a run carries; what is here already is left as it is.

        Raises:
            OSError: Our own disk refuses.
        """
        wanted: dict[str, str] = {}
        folders: dict[str, str] = {}
        for row in run.artifacts:
            what = f"the artifact {row['name']!r:.120} of run {run.uid}"
            wanted.setdefault(row["digest"], what)
            if row["kind"] == ArtifactKind.FOLDER.value:
                folders[row["digest"]] = what
        for row in run.datasets:
            if row["object"] is not None:
                what = f"the dataset {row['name']!r:.80} of run {run.uid}"
                wanted.setdefault(row["object"], what)
                if row["kind"] == "folder":
                    folders[row["object"]] = what
        for row in run.captures:
            if row["digest"] is not None:
                wanted.setdefault(
                    row["digest"], f"what was captured of run {run.uid} ({row['section']!r:.80})"
                )
        self._bring(wanted)
        for digest, what in folders.items():
            self._bring(self._files_of(digest, what))

    def bring_console(self, spools: Iterable[str]) -> None:
        """Bring what sessions printed, where it is not here or has gone on.

        Raises:
            OSError: Our own disk refuses.
        """
        for spool in spools:
            for suffix in CONSOLE_SUFFIXES:
                _copy_newer(self._logs[0] / (spool + suffix), self._logs[1] / (spool + suffix))

    def _bring(self, wanted: dict[str, str]) -> None:
        drafts: list[Draft] = []
        try:
            for digest, what in wanted.items():
                if self._is_here(digest):
                    continue
                draft = self._draft(digest, what)
                if draft is not None:
                    drafts.append(draft)
                if len(drafts) == DRAFTS:
                    self._keep(drafts)
            self._keep(drafts)
        finally:
            for draft in drafts:
                draft.discard()

    def _is_here(self, digest: str) -> bool:
        if digest not in self._here:
            try:
                # Its age counts from its last use: a clean-up spares what is young.
                os.utime(self._own.path(digest))
            except FileNotFoundError:
                return False
            self._here.add(digest)
        return True

    def _draft(self, digest: str, what: str) -> Draft | None:
        try:
            descriptor = os.open(
                self._source.path(digest), os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
            )
        except OSError as error:
            self.missing.append(f"{what}: its bytes are not there ({error.strerror})")
            return None
        try:
            draft = self._own.draft_descriptor(descriptor, what)
        except InvalidValue as error:
            self.missing.append(f"{what}: {error}")
            return None
        finally:
            os.close(descriptor)
        if draft.digest != digest:
            draft.discard()
            self.missing.append(f"{what}: its bytes there are damaged or half copied")
            return None
        return draft

    def _keep(self, drafts: list[Draft]) -> None:
        if not drafts:
            return
        # The rows that refer to them come later; until then a clean-up spares them for being young.
        self._own.keep(drafts, lambda: None)
        self.copied += len(drafts)
        self.size += sum(draft.size for draft in drafts)
        self._here.update(draft.digest for draft in drafts)
        drafts.clear()

    def _files_of(self, digest: str, what: str) -> dict[str, str]:
        if digest not in self._here:
            return {}
        try:
            if os.stat(self._own.path(digest)).st_size > manifests.BYTES_LIMIT:
                raise InvalidValue("its list of files is too long")
            with self._own.open(digest) as file:
                manifest = manifests.from_bytes(file.read())
        except (TrackingError, OSError) as error:
            self.missing.append(f"{what}: {error}")
            return {}
        return {file.digest: f"{file.path!r:.120} in {what}" for file in manifest.files}


def _copy_newer(source: Path, target: Path) -> None:
    try:
        descriptor = os.open(source, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return  # most sessions printed nothing, and few printed more than the head
    with os.fdopen(descriptor, "rb") as file:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode) or found.st_size > CONSOLE_LIMIT:
            return
        with contextlib.suppress(FileNotFoundError):
            if os.stat(target).st_mtime_ns >= found.st_mtime_ns:
                return
        target.parent.mkdir(mode=0o700, exist_ok=True)
        draft = target.with_name(f".{target.name}.{os.urandom(4).hex()}")
        try:
            with open(
                os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb"
            ) as copy:
                left = CONSOLE_LIMIT
                while left > 0 and (chunk := file.read(min(CHUNK, left))):
                    copy.write(chunk)
                    left -= len(chunk)
            os.utime(draft, ns=(found.st_mtime_ns, found.st_mtime_ns))
            os.replace(draft, target)
        finally:
            draft.unlink(missing_ok=True)
