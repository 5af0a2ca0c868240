"""Going on with a run: what it is, and that its process is gone."""

from __future__ import annotations

from tracking.config import StoreLocation
from tracking.database.opening import open_database
from tracking.database.recovery import recover
from tracking.database.run_queries import owner_spool, run_record
from tracking.errors import NotFound, RunStateError
from tracking.records import RunRecord
from tracking.spool.files import SpoolFiles, is_run_id, owner_lock, spools_of
from tracking.spool.lock import FileLock, try_lock


def resumable_run(location: StoreLocation, run_id: str) -> tuple[RunRecord, FileLock]:
    """Return a run with all it has said, and the lock that makes the caller its owner.

    Raises:
        NotFound: There is no such run.
        RunStateError: A live process owns it, or it is in the trash.
        StoreError: The store cannot be opened.
    """
    if not is_run_id(run_id):
        raise NotFound(f"There is no run {run_id!r}: this is not the form of a run's id.")
    engines = open_database(location)
    try:
        # Two that go on with a run at the same moment: one gets the lock. A run that was never gone on
        # with has nobody at that lock, but its spool's.
        ownership = try_lock(owner_lock(location.spool, run_id))
        if ownership is None:
            raise _owned(run_id)
        try:
            recover(location, engines, run=run_id)
            try:
                with engines.reading() as connection:
                    record = run_record(connection, run_id)
                    spool_id = owner_spool(connection, run_id)
            except NotFound:
                # Begun so lately that nothing of it is in the database yet.
                if any(_is_alive(files) for files in spools_of(location.spool, run_id)):
                    raise _owned(run_id) from None
                raise
            if spool_id is not None and _is_alive(SpoolFiles(location.spool, spool_id)):
                raise _owned(run_id)
            if record.deleted:
                raise RunStateError(
                    f"Run {run_id} is in the trash. Restore it first: store.restore({run_id!r})."
                )
        except BaseException:
            ownership.release()
            raise
    finally:
        engines.dispose()
    return record, ownership


def _owned(run_id: str) -> RunStateError:
    return RunStateError(
        f"Run {run_id} is being logged by a live process. End that one first, or start a new run."
    )


def _is_alive(files: SpoolFiles) -> bool:
    lock = try_lock(files.lock, create=False)
    if lock is None:
        return files.lock.exists()
    lock.close()
    return False
