"""Which run a process takes part in when the environment says so: distributed ranks, trials, and `TRACKING_RUN_ID`.

The ranks of a launch agree on the id of their run without a word to each other: it is the hash of what the launch
has in common and no other launch has, of the experiment, and of how many runs of the experiment the process has
started before. Rank 0 owns the run; the others write sessions of their own to it.

A run that has ended is never mixed with another one. Where the id that was found belongs to

- a run that finished: the next id is tried, by the same rule in every rank. A process that was there before that
  run ended belongs to it all the same: it is a late rank of the launch, not another launch;
- a run that broke off (lost, failed, interrupted) and a launch that its launcher names (torchrun with an id, SLURM,
  `TRACKING_RUN_ID`): rank 0 goes on with it, as after a restart;
- a run that broke off and a launch known only by its parent process: the next id, since a shell that exports
  RANK and starts two scripts in turn looks the same as a restart.

The trial of a sweep is a run that its study owns. The first run that a process of the trial starts is that one: the
script joins it, says all that it would say of a run of its own, and leaves its status to the study. Where the trial
is repeated, each repeat is a child run of it, which the script owns. What a process starts beside are children too.
"""

from __future__ import annotations

import json
import os
import socket
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum, auto
from hashlib import sha256

from tracking.client.names import name_for
from tracking.client.notices import tell
from tracking.config import (
    Launch,
    StoreLocation,
    TrialPlace,
    distributed_launch,
    locate_store,
    named_run_id,
    trial_place,
)
from tracking.errors import InvalidValue
from tracking.records import RunStatus
from tracking.spool.files import SpoolFiles, id_of_digest, is_run_id, new_run_id, spools_of
from tracking.spool.format import MAGIC, frames
from tracking.spool.lock import try_lock

ELSEWHERE = "its sweep keeps another one: this run is not its trial's."
"""What a script prints whose run is no part of its sweep; the sweep looks for it where a metric is missing."""

_TRIES = 1000
_HEAD = 1 << 16

_started: Counter[str] = Counter()
"""How many runs of each experiment this process has started as a part of its launch."""


_joined: set[str] = set()
"""The trials that this process has begun its part in."""


class Part(Enum):
    """What a process does in the run."""

    OWN = auto()
    RESUME = auto()
    ATTACH = auto()
    JOIN = auto()


@dataclass(frozen=True, slots=True)
class Place:
    """The run that a process takes part in.

    Attributes:
        run_id: Of the run.
        name: For people, the same in every process.
        part: What this process does in it.
        rank: In a distributed run.
        local_rank: Among the processes of this machine, where the launcher says.
        parent: The run that it is a child of.
        experiment: That it belongs to, None for what the script says.
        attended: Whether a worker brings in what this process leaves; see `TrialPlace`.
    """

    run_id: str
    name: str
    part: Part
    rank: int | None = None
    local_rank: int | None = None
    parent: str | None = None
    experiment: str | None = None
    attended: bool = False


def place_in_launch(location: StoreLocation, experiment: str) -> Place | None:
    """Return the run that the environment puts this process into; None for a process by itself.

    Raises:
        InvalidValue: `TRACKING_RUN_ID` or `TRACKING_TRIAL` is no run id.
    """
    launch, named, trial = distributed_launch(), named_run_id(), trial_place()
    if trial is not None:
        return _place_in_trial(location, trial, launch)
    if launch is None and named is None:
        return None
    if named is not None:
        _check_id("TRACKING_RUN_ID", named)
    restarts = named is not None or (launch is not None and bool(launch.marks))
    _started[experiment] += 1
    rank, local_rank = (launch.rank, launch.local_rank) if launch is not None else (None, None)
    for number, run_id in enumerate(_ids(named, launch, experiment, _started[experiment])):
        part = _part_in(location, run_id, rank, restarts=restarts)
        if part is not None:
            if number and named is not None:
                tell(f"run {named} of TRACKING_RUN_ID has finished; this one is {run_id}.")
            return Place(run_id, name_for(run_id), part, rank, local_rank)
    return None


def _check_id(variable: str, run_id: str) -> None:
    if not is_run_id(run_id):
        raise InvalidValue(
            f"{variable}={run_id!r} is no run id: up to 64 of a-z, 0-9, '-' and '_', a letter or digit first."
        )


def _place_in_trial(location: StoreLocation, trial: TrialPlace, launch: Launch | None) -> Place | None:
    _check_id("TRACKING_TRIAL", trial.run_id)
    from tracking.database.standing import run_standing

    if locate_store().root != location.root:
        tell(f"the script names the store {location.root}, {ELSEWHERE} Leave store= out.")
        return None
    rank, local_rank = (launch.rank, launch.local_rank) if launch is not None else (None, None)
    taken = trial.run_id in _joined
    # A repeat is its script's own: whether it has finished, the next process of it has to find in the database.
    attended = trial.attended and trial.repeat is None
    ranks = Place(trial.run_id, "", Part.JOIN, rank, local_rank, attended=attended)
    _joined.add(trial.run_id)
    run_id = trial.run_id if trial.repeat is None else repeat_id(trial.run_id, trial.repeat)
    if taken:
        own = new_run_id(time.time_ns() // 1000)
        return replace(ranks, run_id=own, name=name_for(own), part=Part.OWN, parent=run_id, attended=False)
    if trial.repeat is None:
        return replace(ranks, part=Part.ATTACH) if rank else ranks
    part = _part_in(location, run_id, rank, restarts=True)
    if part is None:
        return None
    found = run_standing(location, trial.run_id)
    experiment = None if found is None else found.experiment
    name = f"repeat {trial.repeat}"
    return replace(ranks, run_id=run_id, name=name, part=part, parent=trial.run_id, experiment=experiment)


def repeat_id(trial: str, repeat: int) -> str:
    """Return the id of the run that a repeat is, from 0, of the trial whose run has that id."""
    return f"{trial[:56]}-r{repeat}"


def _ids(named: str | None, launch: Launch | None, experiment: str, ordinal: int) -> Iterator[str]:
    """Yield the ids to try, the same ones in every process of the launch."""
    if named is not None:
        first = ordinal if launch is not None or ordinal > 1 else 1
        yield from (named if n == 1 else f"{named[:56]}-{n}" for n in range(first, first + _TRIES))
        return
    assert launch is not None
    marks = launch.marks or (*_parent_marks(), *launch.common)
    for generation in range(_TRIES):
        parts = (*marks, str(launch.size), experiment, str(ordinal), str(generation))
        yield id_of_digest(sha256("\0".join(parts).encode()).digest())


def _parent_marks() -> tuple[str, ...]:
    """Return what names the process that started this one, and no other process ever."""
    parent = os.getppid()
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            boot = file.read().strip()
        begun = str(_begun(str(parent)))
    except (OSError, ValueError, IndexError):
        import psutil

        boot = f"{socket.gethostname()} {int(psutil.boot_time())}"
        try:
            begun = str(psutil.Process(parent).create_time())
        except psutil.Error:
            begun = ""
    return boot, str(parent), begun


def _part_in(location: StoreLocation, run_id: str, rank: int | None, *, restarts: bool) -> Part | None:
    """Return what this process does in a run of this id; None when the id is another launch's."""
    owners = [alive for owner, alive in _sessions_in_spool(location, run_id) if owner]
    from tracking.database.standing import run_standing

    found = run_standing(location, run_id)
    first = not rank  # rank 0, or a process by itself
    if any(owners):
        # Rank 0 twice at once is two launches; with TRACKING_RUN_ID the user wants both in one run.
        return None if rank == 0 else Part.ATTACH
    if not owners and (found is None or not found.owned):
        return Part.OWN if first else Part.ATTACH
    finished = found is not None and (found.deleted or found.status in (RunStatus.FINISHED, RunStatus.PRUNED))
    if not first and (found is None or _began_before(found.last_seen)):
        return Part.ATTACH  # late, but of this launch
    if finished or not restarts:
        return None
    return Part.RESUME if first else Part.ATTACH


def _began_before(moment: int) -> bool:
    """Whether this process began before a moment, in microseconds since 1970-01-01 UTC."""
    try:
        # psutil knows the boot to the second only; this is right to a hundredth of one.
        age = time.clock_gettime(time.CLOCK_BOOTTIME) - _begun("self") / os.sysconf("SC_CLK_TCK")
    except (AttributeError, OSError, ValueError, IndexError):
        import psutil

        age = time.time() - psutil.Process().create_time()
    return (time.time() - age) * 1e6 < moment


def _begun(process: str) -> int:
    """Return when a process began, in the system's ticks since its boot; Linux only."""
    with open(f"/proc/{process}/stat", "rb") as stat:
        return int(stat.read().rpartition(b")")[2].split()[19])


def _sessions_in_spool(location: StoreLocation, run_id: str) -> Iterator[tuple[bool, bool]]:
    """Yield (whether it owns the run, whether its process lives) of the sessions that are in the spool."""
    for files in spools_of(location.spool, run_id):
        begin = _first_event(files)
        if begin is not None:
            yield bool(begin.get("owner")), _is_alive(files)


def _first_event(files: SpoolFiles) -> dict[str, object] | None:
    try:
        with open(files.records, "rb") as file:
            head = file.read(_HEAD)
    except OSError:
        return None
    for at, length in frames(head, len(MAGIC)):
        event: dict[str, object] = json.loads(head[at + 1 : at + length])
        return event
    return None


def _is_alive(files: SpoolFiles) -> bool:
    lock = try_lock(files.lock, create=False)
    if lock is None:
        return files.lock.exists()
    lock.close()
    return False
