"""`Store.merge`: another store comes home."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tracking.artifacts.merging import ObjectsCopy
from tracking.artifacts.names import checked_artifact_name
from tracking.config import StoreLocation, locate_store
from tracking.database.merge_copy import copy_source
from tracking.database.merging import Merging
from tracking.errors import InvalidValue, StoreBusy, StoreError
from tracking.spool.files import SpoolFiles
from tracking.spool.lock import try_lock
from tracking.store_handle import StoreHandle

PRIVATE = ".merge-"
LOCK = "merge.lock"


@dataclass(frozen=True, slots=True)
class MergeReport:
    """What a merge did.

    Attributes:
        added: Ids of runs that were not here.
        updated: Ids of runs that had gone on in the other store.
        unchanged: How many runs were here as they are there.
        objects: How many objects came, of `size` bytes.
        size: Bytes of objects that came.
        refused: What was left out for what it holds, a sentence each.
        missing: What was taken over without its bytes, a sentence each; merging again tries again.
        models: How many models are registered over there. They stay there: a registry tells of one store.
    """

    added: tuple[str, ...]
    updated: tuple[str, ...]
    unchanged: int
    objects: int
    size: int
    refused: tuple[str, ...]
    missing: tuple[str, ...]
    models: int = 0


class StoreMerge(StoreHandle):
    """Taking over what another store has; a part of `Store`."""

    def merge(
        self, other: str | os.PathLike[str], *, progress: Callable[[int, int], None] | None = None
    ) -> MergeReport:
        """Take over the runs of another store, with all they carry; doing it again changes nothing.

        The other store is only read: its database and spools are copied first. A run that has gone on
        over there since the last merge is brought up to date. A run that is here already keeps the
        name, tags and notes that it has here, and stays in the trash when it lies there; what is in the other store's
        trash stays out. Params, metrics, artifacts and the status are those of the store in which the run
        went on last. Goals and repeats of an experiment that were given here stay. A run that had not
        ended when it was merged is shown as lost until it is merged again. Both registries of models stay as they are.

        A run with the id of another one (its id was given by hand), and whatever breaks the rules for
        names and values, is left out and listed in the report; the rest is merged.

        Args:
            other: Folder of the other store.
            progress: Told how many runs are done and how many there are.

        Raises:
            NotFound: There is no store.
            InvalidValue: It is this store itself.
            StoreTooNew: A newer Podium wrote it.
            StoreDamaged: It is damaged, half copied, or holds what no store of Podium has.
            StoreBusy: Another process merges into this store.
            StoreError: It cannot be read, or this store cannot be written. Nothing is half done
                for good: merge again.
        """
        source = locate_store(os.fspath(other))
        if source.root == self.location.root or _same(source.root, self.location.root):
            raise InvalidValue(f"{source.root} is this store itself: name another one.")
        try:
            with self._private() as private:
                return self._merge(source, private, progress or (lambda done, total: None))
        except OSError as error:
            raise StoreError(f"The merge could not go on ({error}). Make room, then merge again.") from error

    def _merge(
        self, source: StoreLocation, private: StoreLocation, progress: Callable[[int, int], None]
    ) -> MergeReport:
        copy = copy_source(source, private)
        try:
            objects = ObjectsCopy(source, self.location)
            merging = Merging(
                self._engines,
                copy,
                is_here=lambda spool: SpoolFiles(self.location.spool, spool).records.exists(),
                check_name=checked_artifact_name,
            )
            refused: list[str] = []
            done: dict[str, list[str]] = {"added": [], "updated": [], "unchanged": []}
            numbers = merging.run_numbers()
            for at, (number, uid) in enumerate(numbers):
                try:
                    run = merging.read(number)
                    # Bytes before rows: a reference never comes before what it refers to.
                    objects.bring(run)
                    done[merging.write(run)].append(run.uid)
                    objects.bring_console(session["spool"] for session in run.sessions)
                    refused += [f"run {run.uid}: {why}" for why in run.refused]
                except InvalidValue as error:
                    refused.append(f"run {uid!r:.80}: {error}")
                progress(at + 1, len(numbers))
            refused += merging.merge_definitions()
            models = merging.count_models()
        finally:
            copy.engines.dispose()
        return MergeReport(
            added=tuple(done["added"]),
            updated=tuple(done["updated"]),
            unchanged=len(done["unchanged"]),
            objects=objects.copied,
            size=objects.size,
            refused=tuple(refused),
            missing=tuple(objects.missing),
            models=models,
        )

    @contextmanager
    def _private(self) -> Iterator[StoreLocation]:
        """Give a folder for the copy, inside this store; what dead merges left there goes."""
        lock = try_lock(self.location.root / LOCK)
        if lock is None:
            raise StoreBusy("Another process merges into this store. Wait for it, then merge again.")
        try:
            for left in self.location.root.glob(f"{PRIVATE}*"):
                shutil.rmtree(left, ignore_errors=True)
            folder = Path(tempfile.mkdtemp(prefix=PRIVATE, dir=self.location.root))
            try:
                yield StoreLocation(folder, named=True)
            finally:
                shutil.rmtree(folder, ignore_errors=True)
        finally:
            lock.release()


def _same(one: Path, other: Path) -> bool:
    try:
        return os.path.samefile(one, other)
    except OSError:
        return False
