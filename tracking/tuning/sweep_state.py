"""A sweep as the service reads and writes it: rows for reading, attributes of its study for writing."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tracking.config import StoreLocation
from tracking.database import study_queries, sweep_queries
from tracking.database.engine import Engines
from tracking.database.opening import open_database
from tracking.database.study_journal import Journals
from tracking.database.study_ops import Op, OpCode
from tracking.database.sweep_queries import SweepStudy
from tracking.errors import RunStateError, StoreBusy
from tracking.spool.lock import FileLock, try_lock
from tracking.sweep_records import DEFINITION, EDIT, OUTCOME, PROJECT, WANTED, SweepRecord
from tracking.tuning.definition import (
    FunctionTarget,
    ScriptTarget,
    SweepDefinition,
    Target,
)
from tracking.tuning.definition_checks import ENUMERATION_LIMIT
from tracking.tuning.definition_file import read_definition
from tracking.tuning.definition_text import definition_text
from tracking.tuning.enumeration import count_configurations
from tracking.tuning.storage import ONLY

EDIT_PATIENCE = 60.0
"""Seconds to wait for somebody else's edit."""


@dataclass(frozen=True, slots=True)
class Sweep:
    """One sweep at one moment, with what is needed to change it.

    Attributes:
        location: Of the store.
        engines: On its database.
        chain: Its studies, the present one last.
        definition: What its file says.
    """

    location: StoreLocation
    engines: Engines
    chain: tuple[SweepStudy, ...]
    definition: SweepDefinition

    @property
    def name(self) -> str:
        return self.chain[0].name

    @property
    def present(self) -> SweepStudy:
        return self.chain[-1]

    @property
    def edition(self) -> int:
        return int(self.present.definition.get("edition", 1))

    @property
    def project(self) -> Path:
        """The folder that the definition's paths start from."""
        return Path(str(self.present.attributes.get(PROJECT, ".")))

    @property
    def wanted(self) -> str:
        """What was asked of it last: run, pause, drain or stop."""
        said = self.present.attributes.get(WANTED)
        return str(said.get("state", "run")) if isinstance(said, dict) else "run"

    @property
    def outcome(self) -> Mapping[str, Any] | None:
        """How it ended, None while it goes on."""
        said = self.present.attributes.get(OUTCOME)
        return said if isinstance(said, dict) else None

    def record(self) -> SweepRecord:
        """Return the sweep as it is by now."""
        with self.engines.reading() as connection:
            chain = sweep_queries.chain_of(connection, self.present.name)
            return sweep_queries.sweep_record(connection, self.location, chain)

    def set_attributes(self, values: Mapping[str, Any], *, study: SweepStudy | None = None) -> None:
        """Set attributes of a study of it, the present one when none is named, in one transaction."""
        append(self.engines, (study or self.present).number, [attribute_op(*each) for each in values.items()])

    def edit_attributes(self, what: str, sentence: str, edition: int) -> dict[str, Any]:
        """Return the attribute that keeps an edit in the history of the present study."""
        taken = [
            int(key.removeprefix(EDIT))
            for key in self.present.attributes
            if key.startswith(EDIT) and key.removeprefix(EDIT).isdecimal()
        ]
        with self.engines.reading() as connection:
            (trial,) = [
                sum(record.trials.values())
                for record in study_queries.study_records(connection)
                if record.name == self.present.name
            ]
        entry = {"at": now(), "what": what, "sentence": sentence, "trial": trial, "edition": edition}
        return {f"{EDIT}{max(taken, default=0) + 1}": entry}


def now() -> str:
    """Return the moment as attributes keep it."""
    return datetime.now(UTC).isoformat(timespec="microseconds")


def wanted(state: str) -> dict[str, Any]:
    """Return the attribute that asks a sweep to run, pause, drain or stop."""
    return {WANTED: {"state": state, "at": now()}}


def definition_attribute(
    definition: SweepDefinition, edition: int, text: str | None = None
) -> dict[str, Any]:
    """Return the attribute that keeps a definition, with what lists show of it.

    Args:
        definition: What to keep.
        edition: From 1.
        text: The file as its user wrote it; made when None.
    """
    budget = definition.budget
    short = {
        "target": target_text(definition.target),
        "objectives": [
            {"metric": each.metric, "goal": each.goal.value, "at": each.at.value}
            for each in definition.objectives
        ],
        "sampler": definition.sampler.name,
        "pruner": definition.pruner.name,
        "notes": definition.notes,
        "workers": definition.workers,
        "budget": {"trials": budget.trials, "seconds": budget.seconds},
        "size": count_configurations(definition, ENUMERATION_LIMIT),
    }
    text = definition_text(definition) if text is None else text
    return {DEFINITION: {"text": text, "edition": edition, "short": short}}


def target_text(target: Target) -> str:
    """Return what is tuned, in short."""
    if isinstance(target, ScriptTarget):
        return target.path
    if isinstance(target, FunctionTarget):
        return f"{target.path}:{target.name}"
    return f"{target.dataset or target.file or target.artifact}: {target.column}"


def attribute_op(key: str, value: Any) -> Op:
    """Return the operation that sets an attribute of a study."""
    return {
        "op_code": OpCode.SET_STUDY_SYSTEM_ATTR.value,
        "worker_id": "",
        "study_id": ONLY,
        "system_attr": {key: value},
    }


def append(engines: Engines, study: int, ops: list[Op]) -> None:
    """Append operations to a study's journal in one transaction, without replaying it."""
    if not ops:
        return
    journals = Journals(engines)
    try:
        journals.append(study, ops)
    finally:
        journals.close()


@contextmanager
def opened(location: StoreLocation) -> Iterator[Engines]:
    """Open a store's database for one piece of work."""
    engines = open_database(location)
    try:
        yield engines
    finally:
        engines.dispose()


def find(engines: Engines, location: StoreLocation, name: str) -> Sweep:
    """Return a sweep by its name or that of one of its studies.

    Raises:
        NotFound: There is none; the message has names that are close.
        InvalidDefinition: Its definition was written by another Podium, and cannot be read.
    """
    with engines.reading() as connection:
        chain = sweep_queries.chain_of(connection, name)
    definition = read_definition(str(chain[-1].definition.get("text", "")))
    return Sweep(location, engines, tuple(chain), definition)


@contextmanager
def editing(location: StoreLocation, name: str, edition: int | None = None) -> Iterator[Sweep]:
    """Give a sweep that nobody else edits meanwhile.

    Args:
        location: Of the store.
        name: Of the sweep.
        edition: The one that the caller has seen; None where the edit holds for any.

    Raises:
        NotFound: There is no such sweep.
        RunStateError: It was edited since that edition.
        StoreBusy: Somebody else's edit took a minute.
    """
    with opened(location) as engines:
        sweep = find(engines, location, name)
        lock = _wait(edit_lock_path(sweep))
        try:
            sweep = find(engines, location, name)  # as the last editor left it
            if edition is not None and edition != sweep.edition:
                raise RunStateError(
                    f"The sweep {sweep.name!r} was edited meanwhile: it is at edition {sweep.edition}, and you "
                    f"saw {edition}. Look at it again, then repeat what you meant to change."
                )
            yield sweep
        finally:
            lock.close()


def edit_lock_path(sweep: Sweep) -> Path:
    """Return the path of the lock that whoever changes a sweep holds: one for all its studies. Makes its folder."""
    folder = sweep.location.sweeps / str(sweep.chain[0].number)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder / "edit.lock"


def _wait(path: Path) -> FileLock:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    until = time.monotonic() + EDIT_PATIENCE
    while (lock := try_lock(path)) is None:
        if time.monotonic() > until:
            raise StoreBusy("Another process has been editing this sweep for a minute. Try again later.")
        time.sleep(0.02)
    return lock


start_lock = _wait
"""Takes the lock at a path, waiting for it."""


def stopped(reason: str = "It was asked to stop.") -> dict[str, Any]:
    """Return the attribute that says a sweep was stopped."""
    return {OUTCOME: {"state": "stopped", "reason": reason, "at": now()}}
