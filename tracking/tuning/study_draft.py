"""A study that is made up in memory, by Optuna's own means, and then written to a store in one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import BaseJournalBackend
from optuna.study import StudyDirection

from tracking.database.engine import Engines
from tracking.database.study_journal import create_study
from tracking.database.study_ops import Op, OpCode
from tracking.tuning.definition import Choice
from tracking.tuning.storage import ONLY


class _Memory(BaseJournalBackend):
    """Operations in a list."""

    def __init__(self) -> None:
        self.ops: list[dict[str, Any]] = []

    def read_logs(self, log_number_from: int) -> Iterable[dict[str, Any]]:
        return self.ops[log_number_from:]

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        self.ops += logs


class StudyDraft:
    """Collects what a study begins with.

    Args:
        directions: One per objective.
    """

    def __init__(self, directions: Sequence[StudyDirection]) -> None:
        self._memory = _Memory()
        self._directions = list(directions)
        # Said here: by the storage's own call Optuna would log that a study of this name was made.
        numbers = [direction.value for direction in self._directions]
        header = {"op_code": OpCode.CREATE_STUDY.value, "study_name": "draft", "directions": numbers}
        self._memory.ops.append({"worker_id": "", **header})
        self._storage = JournalStorage(self._memory)

    def set_attributes(self, values: Mapping[str, Any]) -> None:
        """Set attributes that the sweep keeps with the study."""
        for key, value in values.items():
            self._storage.set_study_system_attr(ONLY, key, value)

    def enqueue(self, params: Mapping[str, Choice], attributes: Mapping[str, Any] | None = None) -> None:
        """Add a trial that waits, with params that are not drawn."""
        self.add(
            optuna.trial.create_trial(
                state=optuna.trial.TrialState.WAITING,
                system_attrs={"fixed_params": dict(params)},
                user_attrs=dict(attributes or {}),
            )
        )

    def add(self, trial: optuna.trial.FrozenTrial) -> None:
        """Add a trial as it is."""
        self._storage.create_new_trial(ONLY, trial)

    @property
    def trial_ops(self) -> list[Op]:
        """The operations that make the trials, for the journal of a study that is there."""
        return [op for op in self._memory.ops if op["op_code"] == OpCode.CREATE_TRIAL]

    def write(self, engines: Engines, name: str, experiment: str) -> int | None:
        """Make the study with everything in it; returns its number, None when the name is taken."""
        header, *further = self._memory.ops
        return create_study(
            engines,
            name,
            [direction.value for direction in self._directions],
            experiment,
            {**header, "study_name": name, "worker_id": ""},
            [{**op, "worker_id": ""} for op in further],
        )
