"""The journal of one study as Optuna's journal storage wants it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from optuna.storages.journal import BaseJournalBackend

from tracking.database.study_journal import Journals


class TableJournal(BaseJournalBackend):
    """Reads and appends operations of one study; what is appended is folded into runs at once.

    It offers no snapshots: Optuna's are pickled, and a replay is fast without them.

    Args:
        journals: Of the store.
        study: Internal number of the study.
    """

    def __init__(self, journals: Journals, study: int) -> None:
        self._journals = journals
        self._study = study
        self._said: tuple[int, list[dict[str, Any]]] | None = None

    def read_logs(self, log_number_from: int) -> Iterable[dict[str, Any]]:
        """Return the operations from a position on; see `BaseJournalBackend`.

        Right after an append, which nobody came between, those that were appended: the storage asks for
        them under the lock that it appended under.
        """
        said, self._said = self._said, None
        if said is not None and said[0] == log_number_from:
            return said[1]
        return self._journals.read(self._study, log_number_from)

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        """Append operations; see `BaseJournalBackend`."""
        self._said = self._journals.append(self._study, logs)
