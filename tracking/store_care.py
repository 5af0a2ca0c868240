"""`Store`'s care for itself: recovery, trash, clean-up, verification, backup."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

from tracking.client.ingester import drain_store
from tracking.client.notices import tell
from tracking.config import locate_store
from tracking.database import trash
from tracking.database.recovery import recover
from tracking.errors import InvalidValue
from tracking.records import DamagedFile, GcReport, TrashedRun
from tracking.store_handle import StoreHandle

Result = TypeVar("Result")
NAMED = 20
"""So many damaged files a warning names."""


class StoreCare(StoreHandle):
    """What keeps a store small and whole."""

    def recover(self) -> list[str]:
        """Take in what dead processes left behind; returns the ids of runs that were marked lost.

        An open store does this by itself every two seconds; a call is for those who cannot wait.
        """
        return recover(self.location, self._engines)

    def delete_run(self, run_id: str) -> list[str]:
        """Move a run, with all that are parts of it, to the trash, from where `restore` brings it back.

        Returns:
            The ids of the runs that were moved; none when the run was there already.

        Raises:
            NotFound: There is no such run.
            RunStateError: One of them is live; nothing was moved.
            StillNeeded: A version of a model was made from one of them, or from a run that it is a part of.
        """
        return self._care(lambda connection: trash.delete_run(connection, run_id, _now()))

    def delete_experiment(self, name: str) -> list[str]:
        """Move all runs of an experiment to the trash; returns their ids.

        Raises:
            NotFound: There is no such experiment.
            RunStateError: One of its runs is live; nothing was moved.
            StillNeeded: A version of a model was made from one of them; nothing was moved.
        """
        return self._care(lambda connection: trash.delete_experiment(connection, _text(name), _now()))

    def restore(self, run_id: str) -> list[str]:
        """Take a run out of the trash, with its parts that went at the same moment; or an experiment's runs.

        Args:
            run_id: The run, or the name of an experiment.

        Returns:
            The ids of the runs that are back.

        Raises:
            NotFound: There is no such run, or it was removed for good.
            RunStateError: The run is a part of another one that is in the trash.
        """
        return self._care(lambda connection: trash.restore(connection, _text(run_id)))

    def trash(self) -> list[TrashedRun]:
        """Return what is in the trash, deleted last first."""
        drain_store(self.location)
        with self._engines.reading() as connection:
            return trash.trashed(connection)

    def gc(self, dry_run: bool = False, older_than: timedelta | None = None) -> GcReport:
        """Empty the trash for good, and remove the bytes that nothing refers to any more.

        Safe while runs log. Objects that were stored or used within 24 hours stay, and so does everything that
        a run outside of the trash, a version of a model, or a spool that is not in the database yet, refers to.

        Args:
            dry_run: Only find out what would go.
            older_than: Leave in the trash what was deleted later than that long ago.

        Raises:
            ArtifactDamaged: A folder's list of files cannot be read, so that nobody knows what to spare;
                nothing was removed. The message names it.
            StoreBusy: The store was busy for too long; what was removed by then is gone, the rest stays.
        """
        from tracking.artifacts.cleaning import Cleaning

        if older_than is not None and not isinstance(older_than, timedelta):
            raise InvalidValue("older_than takes a datetime.timedelta, for example timedelta(days=7).")
        drain_store(self.location)
        self.recover()
        return Cleaning(self.location, self._engines, self._objects).collect(
            dry_run=bool(dry_run), older_than=older_than
        )

    def verify(self, progress: Callable[[int], None] | None = None) -> list[DamagedFile]:
        """Read all stored bytes once more; returns what is missing or damaged, by run and file.

        Args:
            progress: Called with how many objects were read so far.

        Raises:
            StoreDamaged: The database itself is damaged.
        """
        from tracking.artifacts.verification import verify_objects

        drain_store(self.location)
        self.recover()
        self._engines.check()
        return verify_objects(self._engines, self._objects, progress)

    def backup(
        self, file: str | os.PathLike[str], damaged: Callable[[DamagedFile], None] | None = None
    ) -> Path:
        """Write the store into one file: the database at one moment, all stored bytes, the logs.

        Runs may log meanwhile; what they say after the beginning is not in it. The file appears whole or not at all.
        `tracking.restore_backup`, or `python -m tracking backup --restore`, makes a store of it again.

        Stored bytes that are damaged or missing by now are no reason to be without the rest: the file is written,
        and they are named.

        Args:
            file: Where to write it; nothing may be there.
            damaged: Called, when the file is written, with each file whose bytes are damaged or missing; with an
                empty `run` for damaged bytes that nothing refers to. Left out, a warning names them.

        Returns:
            The file's path.

        Raises:
            InvalidValue: Something is there already.
            StoreError: The disk refuses.

        Warns:
            TrackingWarning: Stored bytes are damaged or missing, and nobody is called with them.
        """
        from tracking.artifacts.backup import write_backup

        drain_store(self.location)
        self.recover()
        target, found = write_backup(self.location, self._objects, Path(file))
        _name_damaged(found, damaged, f"The backup {target} is written, with everything else in it")
        return target

    def _care(self, work: Callable[[Any], Result]) -> Result:
        drain_store(self.location)
        self.recover()
        return self._engines.write(work)


def restore_backup(
    file: str | os.PathLike[str],
    store: str | os.PathLike[str] | None = None,
    damaged: Callable[[DamagedFile], None] | None = None,
) -> Path:
    """Make a store of a file that `Store.backup` wrote; runs that were live then are lost.

    Bytes that were damaged or missing when the backup was made do not come back; they are named, and missing for
    `Store.verify`.

    Args:
        file: The backup.
        store: The folder, empty or absent; left out, the one that `open_store` would take.
        damaged: Called, when the store is there, with each file whose bytes did not come back; with an empty `run`
            for damaged bytes that nothing refers to. Left out, a warning names them.

    Returns:
        The store's folder.

    Raises:
        InvalidValue: The folder is not empty, or there is no such file.
        StoreDamaged: The file is no backup, or not as it was written; nothing was made.
        StoreTooNew: A newer Podium wrote it.
        StoreError: The disk refuses.

    Warns:
        TrackingWarning: Some bytes did not come back, and nobody is called with them.
    """
    from tracking.artifacts import backup

    location = locate_store(store)
    found = backup.restore_backup(Path(file), location)
    _name_damaged(found, damaged, f"The store {location.root} is back, with everything else that was in it")
    return location.root


def _name_damaged(found: list[DamagedFile], damaged: Callable[[DamagedFile], None] | None, done: str) -> None:
    if damaged is not None:
        for one in found:
            damaged(one)
    elif found:
        lines = [f"\n  {_told(one)}" for one in found[:NAMED]]
        if len(found) > NAMED:
            lines.append(f"\n  … and {len(found) - NAMED:,} more; `verify` lists them all")
        # Never an error, whatever the filters: what was asked for is done.
        tell(f"{done}. Stored bytes were damaged or missing when the backup was made:{''.join(lines)}")


def _told(one: DamagedFile) -> str:
    # A store may come from anybody: its names are shown, never obeyed.
    state = "missing" if one.missing else "damaged"
    name = f"{one.name}/{one.path}" if one.path else one.name
    whose = f"the {one.what} {name!r:.200} of run {one.run!r:.80}" if one.run else "nothing refers to it"
    return f"{state}: object {one.digest!r:.80}, {whose}"


def _now() -> int:
    return time.time_ns() // 1000


def _text(given: object) -> str:
    if not isinstance(given, str):
        raise InvalidValue(f"{given!r:.80} is no id and no name: give a string.")
    return given
