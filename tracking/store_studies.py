"""What `Store` knows of studies and their trials."""

from __future__ import annotations

from tracking.database import study_queries, study_rebuild
from tracking.store_handle import StoreHandle
from tracking.study_records import StudyRecord, TrialRecord


class StoreStudies(StoreHandle):
    """Studies as records; a part of `Store`. `tracking.create_study` gives them as Optuna has them."""

    def studies(self) -> list[StudyRecord]:
        """Return every study, the newest first."""
        with self._reading(drain=False) as connection:
            return study_queries.study_records(connection)

    def trials(self, study: str, *, first: int = 0, limit: int | None = None) -> list[TrialRecord]:
        """Return the trials of a study in order of number, from rows: nothing is replayed.

        Args:
            study: Its name.
            first: Number of the first trial wanted.
            limit: At most so many, None for all.

        Raises:
            NotFound: There is no such study.
            InvalidValue: `limit` is no positive number.
        """
        with self._reading(drain=False) as connection:
            return study_queries.trial_records(connection, study, first=first, limit=limit)

    def study_revision(self, study: str) -> int:
        """Return a number that grows with every operation on the study or a trial of it; raises NotFound."""
        with self._reading(drain=False) as connection:
            return study_queries.study_revision(connection, study)

    def trial_of_run(self, run_id: str) -> tuple[str, int] | None:
        """Return the study's name and the number of the trial that a run is, None when it is none."""
        with self._reading(drain=False) as connection:
            return study_queries.trial_of_run(connection, run_id)

    def rebuild_study(self, study: str) -> None:
        """Make the runs of a study's trials again from its journal, where something has changed their rows.

        Names, notes, tags, what scripts logged and what is in the trash stay. Workers may go on meanwhile.

        Raises:
            NotFound: There is no such study.
            StoreError: The database refuses.
        """
        with self._reading(drain=False) as connection:
            number = study_queries.study_number(connection, study)
        study_rebuild.rebuild(self._engines, number)
