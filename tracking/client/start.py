"""`start_run`: check what the user says, describe the run, open its spool."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from tracking.client import active
from tracking.client.capture.choice import OF_EVERY_RANK, chosen_sections
from tracking.client.capture.collector import Capture
from tracking.client.capture.notebook import shell
from tracking.client.capture.secrets import mask_params
from tracking.client.departure import watch
from tracking.client.description import RunDescription, now_us
from tracking.client.ending import Ending
from tracking.client.hosting import Guest, take_host
from tracking.client.ingester import drain_store
from tracking.client.launch import Part, Place, place_in_launch
from tracking.client.names import make_up_name
from tracking.client.notices import tell
from tracking.client.run import Run
from tracking.client.session import Session
from tracking.config import StoreLocation, locate_store, tracking_is_off, trial_place
from tracking.errors import InvalidValue
from tracking.records import SYSTEM_METRICS, RunStatus
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

    In a distributed launch (torchrun, mpirun, srun) all ranks take part in one run: rank 0 owns it and says its
    params, tags and notes, the others log to it, and their `finish()` ends their part only. `TRACKING_RUN_ID`
    names the run outright. In what a sweep runs, script or function, the first run is its trial's. A run started
    while another is active is a run of its own, which `tracking.log` speaks to until it ends.

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
        store: The store's folder; left out, that of a `parent` given as a run, else `TRACKING_STORE`, the
            nearest `.tracking/`, or a new one here.
        capture: What to record besides: True for everything (or what `TRACKING_CAPTURE` says), False for nothing,
            or a list of "git", "diff", "script", "source", "python", "packages", "host", "notebook", "console",
            "system". It goes on in the background and can neither fail nor delay the run.
        strict: `log()` raises for a value that cannot be kept instead of warning once.

    Raises:
        InvalidValue: An argument cannot be kept; the message names it.
        NotFound: `resume` names no run of the store.
        RunStateError: `resume` names a run whose process is alive, this one included; in a notebook a run that an
            earlier cell left open is finished and gone on with.
        StoreError: The store cannot be used: on a network file system, or not readable for `resume`.
    """
    location = (
        parent._description.location if store is None and isinstance(parent, Run) else locate_store(store)
    )
    sections = chosen_sections(capture)
    first, secret = _first_events(params, tags, notes)
    if resume is not None and not tracking_is_off():
        run = _resume(location, resume, first, strict)
        return _begun(run, first, secret, sections)
    checked_experiment = checked_text(experiment, "experiment")
    alone = tracking_is_off() or (parent is not None and trial_place() is not None)
    host = None if alone else take_host(location)
    place = None if alone or host is not None else place_in_launch(location, checked_experiment)
    if place is not None and place.part is Part.RESUME:
        run = _resume(location, place.run_id, first, strict, rank=place.rank)
        return _begun(run, first, secret, sections, place)
    created = now_us()
    made_up = make_up_name() if place is None else place.name
    description = RunDescription(
        location=location,
        run_id=new_run_id(created) if place is None else place.run_id,
        experiment=checked_experiment if place is None or place.experiment is None else place.experiment,
        name=made_up if name is None else checked_text(name, "name"),
        created=created,
        group=None if group is None else checked_text(group, "group"),
        parent=_parent_id(parent) if place is None or place.parent is None else place.parent,
        total_steps=None if total_steps is None else checked_step(total_steps),
        rank=None if place is None else place.rank,
    )
    if host is not None:
        return _joined(host, first, secret, strict)
    if parent is None:
        _end_former_of_notebook()
    if tracking_is_off():
        run = Run(description, Session.silent(description), strict=strict)
    elif place is not None and place.part is Part.ATTACH:
        # What the run is and its definitions are the owner's to say.
        _pending.clear()
        return _begun(Run(description, Session.attached(description), strict=strict), [], [], sections, place)
    else:
        first += _pending
        _pending.clear()
        joins = place is not None and place.part is Part.JOIN
        attended = place is not None and place.attended
        session = (Session.joining if joins else Session.owning)(description, first, attended=attended)
        run = Run(description, session, strict=strict)
    return _begun(run, first, secret, sections, place)


def _begun(
    run: Run,
    first: list[Event],
    secret: list[str],
    sections: frozenset[str],
    place: Place | None = None,
) -> Run:
    """Make a run whose session stands the active one, and begin what goes on beside it."""
    run._remember_params(first)
    run._tell_of_secrets(secret)
    active.push(run)
    watch()
    rank, local_rank = (None, None) if place is None else (place.rank, place.local_rank)
    if place is not None and place.part is Part.ATTACH:
        sections &= OF_EVERY_RANK
    run._capture = Capture(run._session, sections, rank=rank, local_rank=local_rank)
    run._capture.begin()
    return run


def _joined(host: Run, first: list[Event], secret: list[str], strict: bool) -> Run:
    """Make a further handle on a run that this process has begun the active one."""
    run = Guest(host, strict=strict)
    run._remember_params(first)
    run._tell_of_secrets(secret)
    for event in first:
        run._say(event)
    active.push(run)
    return run


def define_later(event: Event) -> None:
    """Keep a definition for the next run of this process."""
    _pending.append(event)


def _first_events(
    params: Mapping[str, Any] | None, tags: Iterable[str], notes: str
) -> tuple[list[Event], list[str]]:
    """Return the events, and the names of params that were masked."""
    events: list[Event] = []
    secret: list[str] = []
    if params is not None:
        leaves, secret = mask_params(flatten_params(params))
        if leaves:
            events.append({"t": "params", "leaves": leaves})
    checked = checked_tags(tags)
    if checked:
        events.append({"t": "tags", "tags": checked})
    if checked_notes(notes):
        events.append({"t": "notes", "notes": checked_notes(notes)})
    return events, secret


def _parent_id(parent: str | Run | None) -> str | None:
    if parent is None:
        return None
    given = parent.id if isinstance(parent, Run) else parent
    if not isinstance(given, str) or not is_run_id(given):
        raise InvalidValue(f"parent={parent!r} is no run and no run's id. Give the run, or its .id.")
    return given


def _resume(
    location: StoreLocation, run_id: str, first: list[Event], strict: bool, *, rank: int | None = None
) -> Run:
    if not isinstance(run_id, str):
        raise InvalidValue(f"resume={run_id!r} is no run's id. Give the run's .id, a string.")
    # The database layer, which a fresh run does not need at its start.
    from tracking.database.resuming import resumable_run

    for open_run in active.open_runs():
        if open_run.id == run_id and not open_run._in_block and shell() is not None:
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
        rank=rank,
    )
    first += _pending
    _pending.clear()
    run = Run(description, Session.owning(description, first, ownership=ownership), strict=strict)
    run._packer.begin_at(_next_step(record))
    return run


def _next_step(record: RunRecord) -> int:
    steps = [
        summary.last_step for key, summary in record.metrics.items() if not key.startswith(SYSTEM_METRICS)
    ]
    return max(steps, default=-1) + 1


def _end_former_of_notebook() -> None:
    """In a notebook a cell that starts a run is run again and again: end the one it left open."""
    if shell() is None:
        return
    former = active.current()
    if former is not None and not former._in_block:
        tell(f"run {former.name} ({former.id}) was still open and is finished now, since a new one starts.")
        former._end(Ending(RunStatus.FINISHED))
