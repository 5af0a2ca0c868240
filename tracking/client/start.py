"""`start_run`: check what the user says, describe the run, open its spool."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from tracking.client import active
from tracking.client.departure import watch
from tracking.client.description import RunDescription, now_us
from tracking.client.ending import Ending
from tracking.client.ingester import drain_store
from tracking.client.names import make_up_name
from tracking.client.notices import tell
from tracking.client.run import Run
from tracking.client.session import Session
from tracking.config import StoreLocation, locate_store, tracking_is_off
from tracking.errors import InvalidValue
from tracking.records import RunStatus
from tracking.spool.files import is_run_id, new_run_id
from tracking.spool.format import Event
from tracking.validation import checked_notes, checked_step, checked_tags, checked_text, flatten_params

if TYPE_CHECKING:
    from tracking.records import RunRecord

_pending: list[Event] = []
"""Definitions made before any run: said by the next one."""


def start_run(
    experiment: str = "default",
    *,
    name: str | None = None,
    params: Mapping[str, Any] | None = None,
    tags: Iterable[str] = (),
    notes: str = "",
    group: str | None = None,
    parent: str | Run | None = None,
    total_steps: int | None = None,
    resume: str | None = None,
    store: str | os.PathLike[str] | None = None,
    capture: bool | Iterable[str] = True,
    strict: bool = False,
) -> Run:
    """Start a run, or go on with one; use it as a context manager.

    Returns at once: the run is in a spool on disk, and a thread brings it into the database.

    Args:
        experiment: What the run belongs to; made when new.
        name: For people; made up when left out.
        params: Configuration, nested as it is.
        tags: Short labels.
        notes: Free text.
        group: Ties runs together.
        parent: The run (or its id) that this one is a part of.
        total_steps: How many steps there will be, for progress.
        resume: Id of a run to go on with; its process must be gone. Steps count on from its last one;
            experiment, name, group, parent and total_steps stay what they are.
        store: The store's folder; left out, `TRACKING_STORE`, the nearest `.tracking/`, or a new one here.
        capture: What to record of code and environment besides; taken note of when that is available.
        strict: `log()` raises for a value that cannot be kept instead of warning once.

    Raises:
        InvalidValue: An argument cannot be kept; the message names it.
        NotFound: `resume` names no run of the store.
        RunStateError: `resume` names a run whose process is alive.
        StoreError: The store cannot be used: on a network file system, or not readable for `resume`.
    """
    location = locate_store(store)
    first = _first_events(params, tags, notes)
    if resume is not None and not tracking_is_off():
        return _resume(location, resume, first, strict)
    created = now_us()
    description = RunDescription(
        location=location,
        run_id=new_run_id(created),
        experiment=checked_text(experiment, "experiment"),
        name=make_up_name() if name is None else checked_text(name, "name"),
        created=created,
        group=None if group is None else checked_text(group, "group"),
        parent=_parent_id(parent),
        total_steps=None if total_steps is None else checked_step(total_steps),
    )
    if parent is None:
        _end_former_of_notebook()
    if tracking_is_off():
        run = Run(description, Session.silent(description), strict=strict)
    else:
        first += _pending
        _pending.clear()
        run = Run(description, Session.owning(description, first), strict=strict)
    run._remember_params(first)
    active.push(run)
    watch()
    return run


def define_later(event: Event) -> None:
    """Keep a definition for the next run of this process."""
    _pending.append(event)


def _first_events(params: Mapping[str, Any] | None, tags: Iterable[str], notes: str) -> list[Event]:
    events: list[Event] = []
    if params is not None:
        leaves = flatten_params(params)
        if leaves:
            events.append({"t": "params", "leaves": leaves})
    checked = checked_tags(tags)
    if checked:
        events.append({"t": "tags", "tags": checked})
    if checked_notes(notes):
        events.append({"t": "notes", "notes": checked_notes(notes)})
    return events


def _parent_id(parent: str | Run | None) -> str | None:
    if parent is None:
        return None
    given = parent.id if isinstance(parent, Run) else parent
    if not isinstance(given, str) or not is_run_id(given):
        raise InvalidValue(f"parent={parent!r} is no run and no run's id. Give the run, or its .id.")
    return given


def _resume(location: StoreLocation, run_id: str, first: list[Event], strict: bool) -> Run:
    if not isinstance(run_id, str):
        raise InvalidValue(f"resume={run_id!r} is no run's id. Give the run's .id, a string.")
    # The database layer, which a fresh run does not need at its start.
    from tracking.database.resuming import resumable_run

    for open_run in active.open_runs():
        if open_run.id == run_id and not open_run._in_block:
            open_run._end(Ending(RunStatus.FINISHED))  # a notebook's cell that goes on with a run, run again
    drain_store(location)
    record, ownership = resumable_run(location, run_id)
    description = RunDescription(
        location=location,
        run_id=record.id,
        experiment=record.experiment,
        name=record.name,
        created=int(record.created.timestamp() * 1e6),
        group=record.group,
        parent=record.parent,
        total_steps=record.total_steps,
    )
    first += _pending
    _pending.clear()
    run = Run(description, Session.owning(description, first, ownership=ownership), strict=strict)
    run._remember_params(first)
    run._packer.begin_at(_next_step(record))
    active.push(run)
    watch()
    return run


def _next_step(record: RunRecord) -> int:
    return max((summary.last_step for summary in record.metrics.values()), default=-1) + 1


def _end_former_of_notebook() -> None:
    """In a notebook a cell that starts a run is run again and again: end the one it left open."""
    ipython = sys.modules.get("IPython")
    if ipython is None or getattr(ipython, "get_ipython", lambda: None)() is None:
        return
    former = active.current()
    if former is not None and not former._in_block:
        tell(f"run {former.name} ({former.id}) was still open and is finished now, since a new one starts.")
        former._end(Ending(RunStatus.FINISHED))
