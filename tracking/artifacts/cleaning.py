"""Clean-up: the trash for good, and the objects that nothing refers to.

What is alive is read twice: before anything is removed, and once more while nobody can place an object.
Spools are read before the database, because that is the way a reference goes. An object younger
than a day is spared whatever refers to it, since its reference may still be on its way.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any

from tracking.artifacts import manifests
from tracking.artifacts.objects import Objects, is_digest
from tracking.artifacts.session_logs import SessionLogs
from tracking.artifacts.spooled import Spooled, spooled_references, spooled_runs
from tracking.config import StoreLocation
from tracking.database import trash
from tracking.database.engine import Engines
from tracking.database.references import Reference, references
from tracking.errors import ArtifactDamaged, InvalidValue, NotFound
from tracking.records import GcReport, PurgedRun, Spared

FRESH_SECONDS = 24 * 3600.0
LOCK_SECONDS = 30.0
ASIDE = ".aside-"
"""What an object's file is called for a moment before it is removed."""


class Cleaning:
    """One clean-up of one store."""

    def __init__(self, location: StoreLocation, engines: Engines, objects: Objects) -> None:
        self._location = location
        self._engines = engines
        self._objects = objects
        self._logs = SessionLogs(location.logs)
        self._inside: dict[str, tuple[str, ...]] = {}
        self._bytes: dict[str, int] = {}  # by run
        self._spared: list[Spared] = []

    def collect(self, *, dry_run: bool, older_than: timedelta | None) -> GcReport:
        """Do it, or with `dry_run` find out what would be done.

        Raises:
            ArtifactDamaged: A folder that is alive has a list of files that cannot be read, so that nobody knows
                what to spare. Nothing was removed.
            StoreBusy: The database stayed locked, or artifacts were stored without a pause.
        """
        before = None
        if older_than is not None:
            before = time.time_ns() // 1000 - int(older_than.total_seconds() * 1e6)
        spooled = spooled_runs(self._location.spool)
        with self._engines.reading() as connection:
            families = trash.families(connection, before, spooled)
        going = [family for family in families if family.kept is None]
        self._spared = [
            Spared(family.members[0].uid, family.kept) for family in families if family.kept is not None
        ]
        numbers = {row.id for family in going for row in family.members}
        alive, doomed = self._alive(numbers)
        spools = {spool for family in going for spool in family.spools}
        if not dry_run:
            gone = [family for family in going if self._purge(family, before)]
            numbers = {row.id for family in gone for row in family.members}
            spools = {spool for family in gone for spool in family.spools}
            going = gone
        purged = [row for family in going for row in family.members]
        log_bytes = self._remove_logs(spools, dry_run=dry_run)
        if dry_run:
            objects, size = self._sweep(alive, doomed, dry_run=True)
        elif not self._objects.root.is_dir():
            objects, size = 0, 0
        else:
            with self._objects.alone(LOCK_SECONDS):
                self._put_back()
                alive, _ = self._alive(set())
                objects, size = self._sweep(alive, doomed, dry_run=False)
        return GcReport(
            dry_run=dry_run,
            runs=tuple(
                PurgedRun(row.uid, row.experiment, row.name, self._bytes.get(row.uid, 0)) for row in purged
            ),
            objects=objects,
            bytes=size + log_bytes,
            spared=tuple(self._spared),
        )

    def _purge(self, family: trash.Family, before: int | None) -> bool:
        """Remove the rows of a family, unless it was put back or went live since."""
        top = family.members[0].uid

        def work(connection: Any) -> bool:
            spooled = spooled_runs(self._location.spool)
            now = trash.families(connection, before, spooled, only=top)
            if not now or now[0].kept is not None or len(now[0].members) != len(family.members):
                return False
            trash.purge(connection, now[0].members)
            return True

        if self._engines.write(work):
            return True
        self._spared.append(Spared(top, "it changed meanwhile"))
        return False

    # What is alive

    def _alive(self, without: set[int]) -> tuple[set[str], dict[str, str]]:
        """Return the digests that are referred to, and of the others by which of the runs `without` they were."""
        with self._engines.reading() as connection:
            offsets = trash.session_offsets(connection)
        spooled = spooled_references(self._location.spool, offsets)
        alive: set[str] = set()
        doomed: dict[str, str] = {}
        with self._engines.reading() as connection:
            for reference in references(connection):
                if reference.number in without:
                    doomed.setdefault(reference.digest, reference.run)
                    if reference.folder:
                        for digest in self._inside_of(reference, needed=False):
                            doomed.setdefault(digest, reference.run)
                elif reference.digest not in alive or reference.folder:
                    alive.add(reference.digest)
                    if reference.folder:
                        alive.update(self._inside_of(reference, needed=True))
        alive.update(self._inside_spools(spooled))
        return alive, doomed

    def _inside_spools(self, spooled: Spooled) -> Iterable[str]:
        yield from spooled.digests
        for digest in spooled.folders:
            reference = Reference(digest, "in a spool", 0, "artifact", digest[:12], folder=True)
            yield from self._inside_of(reference, needed=True)

    def _inside_of(self, reference: Reference, *, needed: bool) -> tuple[str, ...]:
        """Return what a folder's list of files refers to.

        Raises:
            ArtifactDamaged: It cannot be read, and is needed.
        """
        known = self._inside.get(reference.digest)
        if known is None:
            try:
                known = self._read_list(reference)
            except (InvalidValue, ArtifactDamaged, NotFound, OSError) as error:
                if needed:
                    raise ArtifactDamaged(
                        f"Nothing was removed: the list of files of {reference} cannot be read, so that nobody knows "
                        f"which bytes it needs. {error} Bring the store back from a backup, or delete that run."
                    ) from error
                return ()
            self._inside[reference.digest] = known
        return known

    def _read_list(self, reference: Reference) -> tuple[str, ...]:
        with self._objects.open(reference.digest) as file:
            data = file.read(manifests.BYTES_LIMIT)
        if reference.what == "dataset" and not data.startswith(manifests.BEGINNING):
            return ()  # a dataset that is a folder may be kept in another form, whole in its one object
        return tuple({file.digest for file in manifests.from_bytes(data).files})

    # What goes

    def _sweep(self, alive: set[str], doomed: dict[str, str], *, dry_run: bool) -> tuple[int, int]:
        removed = size = fresh = fresh_bytes = 0
        for digest in self._objects.digests():
            if digest in alive:
                continue
            try:
                found = os.stat(self._objects.path(digest))
            except FileNotFoundError:
                continue
            if time.time() - found.st_mtime < FRESH_SECONDS:
                fresh, fresh_bytes = fresh + 1, fresh_bytes + found.st_size
                continue
            if not dry_run and not self._remove(digest):
                continue
            removed, size = removed + 1, size + found.st_size
            if digest in doomed:
                self._count(doomed[digest], found.st_size)
        if fresh:
            why = "stored or used within the last 24 hours"
            self._spared.append(Spared(f"{fresh:,} object{'s' * (fresh > 1)}", why, fresh_bytes))
        return removed, size

    def _remove(self, digest: str) -> bool:
        """Remove an object, unless somebody has used it since the look at its age; only while alone.

        A use is a touch, by a writer that finds its bytes there and comes for its place later. What is aside cannot
        be touched any more, so that its age is the last word.
        """
        path, aside = self._objects.path(digest), self._objects.root / f"{ASIDE}{digest}"
        try:
            os.rename(path, aside)
        except FileNotFoundError:
            return False
        if time.time() - os.stat(aside).st_mtime < FRESH_SECONDS:
            os.rename(aside, path)
            return False
        aside.unlink()
        return True

    def _put_back(self) -> None:
        """Give back its name to what a killed clean-up had set aside; only while alone."""
        for aside in self._objects.root.glob(f"{ASIDE}*"):
            digest = aside.name.removeprefix(ASIDE)
            if is_digest(digest):
                self._objects.path(digest).parent.mkdir(mode=0o700, exist_ok=True)
                os.rename(aside, self._objects.path(digest))

    def _remove_logs(self, spools: set[str], *, dry_run: bool) -> int:
        with self._engines.reading() as connection:
            known = set(trash.session_offsets(connection))
        sizes = self._logs.remove(
            spools, known - spools, spooled_names(self._location.spool), dry_run=dry_run
        )
        for spool, size in sizes.items():
            self._count(spool.partition(".")[0], size)
        return sum(sizes.values())

    def _count(self, run: str, size: int) -> None:
        self._bytes[run] = self._bytes.get(run, 0) + size


def spooled_names(folder: Path) -> set[str]:
    """Return the names of sessions that have a spool."""
    try:
        return {name.rpartition(".")[0] for name in os.listdir(folder)}
    except FileNotFoundError:
        return set()
