"""Optuna's storage on a store: a journal storage per study behind one front."""

from __future__ import annotations

import os
import threading
import uuid
import weakref
from collections.abc import Container, Sequence
from pathlib import Path
from typing import Any

from optuna.distributions import BaseDistribution
from optuna.exceptions import DuplicatedStudyError
from optuna.storages import BaseStorage, JournalStorage
from optuna.study import StudyDirection
from optuna.study._frozen import FrozenStudy
from optuna.trial import FrozenTrial, TrialState

from tracking.config import StoreLocation
from tracking.database import study_journal, study_queries
from tracking.database.engine import Engines
from tracking.database.opening import open_database
from tracking.database.study_journal import Journals
from tracking.database.study_ops import OpCode
from tracking.database.study_presence import presence_in
from tracking.errors import InvalidValue, NotFound
from tracking.tuning.journal import TableJournal
from tracking.validation import checked_text, storable

TRIALS = 1 << 32
"""A trial's id is its study's number times this, plus its own number: unique in the store, and never looked up."""
ONLY = 0
"""The id of the one study that a journal holds."""
UNNAMED = "no-name-"
NAME_LIMIT = 512

_storages: weakref.WeakSet[StudyStorage] = weakref.WeakSet()


class StudyStorage(BaseStorage):
    """Keeps any number of studies in a store; every trial is a run there, as it happens.

    Threads and processes may share a study. It can be pickled, and used on both sides of a fork.

    Args:
        location: The store.
    """

    def __init__(self, location: StoreLocation) -> None:
        self.location = location
        self._open()

    def _open(self) -> None:
        self._engines = open_database(self.location)
        self._finalizer = weakref.finalize(self, Engines.dispose, self._engines)
        self._start_anew()
        _storages.add(self)

    def _start_anew(self) -> None:
        self._lock = threading.Lock()
        self._replays: dict[int, JournalStorage] = {}
        self._table = Journals(self._engines)

    def __getstate__(self) -> dict[str, str]:
        return {"root": str(self.location.root)}

    def __setstate__(self, state: dict[str, str]) -> None:
        self.location = StoreLocation(Path(state["root"]))
        self._open()

    def __repr__(self) -> str:
        return f"<StudyStorage {self.location.root}>"

    def remove_session(self) -> None:
        """Close this storage's connections; they are made again when needed."""
        self._table.close()
        self._engines.dispose()

    # Studies

    def create_new_study(
        self,
        directions: Sequence[StudyDirection],
        study_name: str | None = None,
        *,
        experiment: str | None = None,
    ) -> int:
        """Make a study; returns its id.

        Args:
            directions: One per objective.
            study_name: Made up when None.
            experiment: Where the runs of its trials go; named after the study when None.

        Raises:
            DuplicatedStudyError: There is a study of that name.
            InvalidValue: A name cannot be kept.
        """
        name = f"{UNNAMED}{uuid.uuid4()}" if study_name is None else checked_study_name(study_name)
        if experiment is None:
            experiment = _experiment_for(name)
        numbers = [StudyDirection(direction).value for direction in directions]
        header = {
            "op_code": OpCode.CREATE_STUDY.value,
            "worker_id": "",
            "study_name": name,
            "directions": numbers,
        }
        made = study_journal.create_study(
            self._engines,
            name,
            numbers,
            checked_text(experiment, "an experiment's name"),
            header,
        )
        if made is None:
            raise DuplicatedStudyError(
                f"There is a study {name!r} in this store already. Take another name, or go on with that "
                "one: load_if_exists=True."
            )
        return made

    def delete_study(self, study_id: int) -> None:
        """Delete a study: its runs go to the trash, its journal stays; raises KeyError."""
        self._name(study_id)
        self._journal(study_id).delete_study(ONLY)
        with self._lock:
            self._replays.pop(study_id, None)

    def set_study_user_attr(self, study_id: int, key: str, value: Any) -> None:
        """Set a user attribute of a study; raises KeyError."""
        self._journal(study_id).set_study_user_attr(ONLY, key, value)

    def set_study_system_attr(self, study_id: int, key: str, value: Any) -> None:
        """Set an attribute that Optuna keeps with a study; raises KeyError."""
        self._journal(study_id).set_study_system_attr(ONLY, key, value)

    def get_study_id_from_name(self, study_name: str) -> int:
        """Return a study's id; raises KeyError."""
        with self._engines.reading() as connection:
            return study_queries.study_number(connection, study_name)

    def get_study_name_from_id(self, study_id: int) -> str:
        """Return a study's name; raises KeyError."""
        return self._name(study_id)

    def get_study_directions(self, study_id: int) -> list[StudyDirection]:
        """Return a study's directions; raises KeyError."""
        return self._journal(study_id).get_study_directions(ONLY)

    def get_study_user_attrs(self, study_id: int) -> dict[str, Any]:
        """Return a study's user attributes; raises KeyError."""
        return self._journal(study_id).get_study_user_attrs(ONLY)

    def get_study_system_attrs(self, study_id: int) -> dict[str, Any]:
        """Return what Optuna keeps with a study; raises KeyError."""
        return self._journal(study_id).get_study_system_attrs(ONLY)

    def get_all_studies(self) -> list[FrozenStudy]:
        """Return every study, from rows: nothing is replayed."""
        with self._engines.reading() as connection:
            rows = study_queries.study_rows(connection)
            attached = study_queries.study_attributes(connection)
        return [
            FrozenStudy(
                study_name=name,
                direction=None,
                directions=[StudyDirection(direction) for direction in directions],
                user_attrs=dict(attached[number]["user"]) if number in attached else {},
                system_attrs=dict(attached[number]["system"]) if number in attached else {},
                study_id=number,
            )
            for number, name, directions in rows
        ]

    # Trials

    def create_new_trial(self, study_id: int, template_trial: FrozenTrial | None = None) -> int:
        """Make a trial, and the run that it is; returns its id. Raises KeyError."""
        number = self._journal(study_id).create_new_trial(ONLY, template_trial)
        if template_trial is None or template_trial.state == TrialState.RUNNING:
            presence_in(self.location).take(study_id, number)
        return _trial_id(study_id, number)

    def set_trial_param(
        self, trial_id: int, param_name: str, param_value_internal: float, distribution: BaseDistribution
    ) -> None:
        """Set a param of a trial; raises KeyError, UpdateFinishedTrialError, ValueError."""
        journal, number = self._of_trial(trial_id)
        journal.set_trial_param(number, param_name, param_value_internal, distribution)

    def get_trial_id_from_study_id_trial_number(self, study_id: int, trial_number: int) -> int:
        """Return the id of a study's trial; raises KeyError."""
        number = self._journal(study_id).get_trial_id_from_study_id_trial_number(ONLY, trial_number)
        return _trial_id(study_id, number)

    def set_trial_state_values(
        self, trial_id: int, state: TrialState, values: Sequence[float] | None = None
    ) -> bool:
        """Set a trial's state; returns False when another worker made it run first.

        Raises:
            KeyError: There is no such trial.
            UpdateFinishedTrialError: It has ended.
        """
        journal, number = self._of_trial(trial_id)
        if state == TrialState.RUNNING:
            journal.get_trial(number)  # Optuna asserts here instead of raising KeyError
        changed = journal.set_trial_state_values(number, state, values)
        study_id = trial_id // TRIALS
        if state.is_finished():
            presence_in(self.location).end(study_id, number)
        elif changed and state == TrialState.RUNNING:
            presence_in(self.location).take(study_id, number)
        return changed

    def set_trial_intermediate_value(self, trial_id: int, step: int, intermediate_value: float) -> None:
        """Report a value; raises KeyError, UpdateFinishedTrialError."""
        journal, number = self._of_trial(trial_id)
        journal.set_trial_intermediate_value(number, step, intermediate_value)

    def set_trial_user_attr(self, trial_id: int, key: str, value: Any) -> None:
        """Set a user attribute of a trial; raises KeyError, UpdateFinishedTrialError."""
        journal, number = self._of_trial(trial_id)
        journal.set_trial_user_attr(number, key, value)

    def set_trial_system_attr(self, trial_id: int, key: str, value: Any) -> None:
        """Set what Optuna keeps with a trial; raises KeyError, UpdateFinishedTrialError."""
        journal, number = self._of_trial(trial_id)
        journal.set_trial_system_attr(number, key, value)

    def get_trial(self, trial_id: int) -> FrozenTrial:
        """Return a trial; raises KeyError."""
        journal, number = self._of_trial(trial_id)
        return _numbered(journal.get_trial(number), trial_id)

    def get_all_trials(
        self, study_id: int, deepcopy: bool = True, states: Container[TrialState] | None = None
    ) -> list[FrozenTrial]:
        """Return the trials of a study in order of number; raises KeyError."""
        found = self._journal(study_id).get_all_trials(ONLY, deepcopy=deepcopy, states=states)
        for trial in found:
            _numbered(trial, _trial_id(study_id, trial.number))
        return found

    # Routing

    def _name(self, study_id: int) -> str:
        with self._engines.reading() as connection:
            name = study_queries.study_name(connection, study_id)
        if name is None:
            raise study_journal.unknown(study_id)
        return name

    def _journal(self, study_id: int) -> JournalStorage:
        """Return the replay of a study; made on first use, and in a forked child anew."""
        with self._lock:
            journal = self._replays.get(study_id)
            if journal is None:
                self._name(study_id)
                # It reads the whole journal here, before it writes: what it appends is then never a part
                # of the shortened reading.
                journal = self._replays[study_id] = JournalStorage(TableJournal(self._table, study_id))
        return journal

    def _of_trial(self, trial_id: int) -> tuple[JournalStorage, int]:
        study_id, number = divmod(trial_id, TRIALS)
        try:
            return self._journal(study_id), number
        except NotFound:
            raise NotFound(f"There is no trial {trial_id} in this store.") from None


def checked_study_name(name: object) -> str:
    """Return the name of a study as it is kept: any text that SQLite can hold, up to 512 characters."""
    if not isinstance(name, str):
        raise InvalidValue(f"A study's name must be a string, not {type(name).__name__}.")
    if len(name) > NAME_LIMIT:
        raise InvalidValue(
            f"The study's name has {len(name):,} characters, more than {NAME_LIMIT}: {name[:40]!r}… Shorten it."
        )
    if name != storable(name):
        raise InvalidValue(f"The study's name {name[:80]!r} holds a NUL or half a surrogate pair. Remove it.")
    return name


def _experiment_for(name: str) -> str:
    """Return the name of an experiment for a study; where its name cannot be one, as close as can be."""
    try:
        return checked_text(name, "an experiment's name")
    except InvalidValue:
        return "".join(character for character in name if character.isprintable()).strip() or "study"


def _trial_id(study_id: int, number: int) -> int:
    return study_id * TRIALS + number


def _numbered(trial: FrozenTrial, trial_id: int) -> FrozenTrial:
    # In place: the replay finds its trials by key and never reads the id in them, and copies keep it.
    trial._trial_id = trial_id
    return trial


_inherited: list[object] = []


def _start_anew_in_child() -> None:
    # A replay tells workers apart by thread, and a forked thread has the number of its parent's. What was
    # inherited is kept: to close its connections here would be to close the parent's.
    for storage in list(_storages):
        _inherited.append((storage._replays, storage._table))
        storage._start_anew()


os.register_at_fork(after_in_child=_start_anew_in_child)
