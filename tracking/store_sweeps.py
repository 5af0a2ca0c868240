"""What `Store` knows of sweeps; starting and steering them is `tracking.tuning.sweeps`."""

from __future__ import annotations

from tracking.database import study_queries, sweep_queries
from tracking.errors import NotFound
from tracking.store_studies import StoreStudies
from tracking.study_records import TrialRecord
from tracking.sweep_records import SweepRecord


class StoreSweeps(StoreStudies):
    """Sweeps as records, from rows: nothing is replayed; a part of `Store`."""

    def sweeps(self) -> list[SweepRecord]:
        """Return every sweep, the one that was started last first."""
        with self._reading(drain=False) as connection:
            return sweep_queries.sweep_records(connection, self.location)

    def sweep(self, name: str) -> SweepRecord:
        """Return one sweep, by its name or that of one of its studies; raises NotFound."""
        with self._reading(drain=False) as connection:
            chain = sweep_queries.chain_of(connection, name)
            return sweep_queries.sweep_record(connection, self.location, chain)

    def sweep_trials(
        self, name: str, *, study: str | None = None, first: int = 0, limit: int | None = None
    ) -> list[TrialRecord]:
        """Return the trials of a sweep in order of number.

        A sweep has several studies where an edit opened a next one, and numbers begin anew in each. The present
        one has what it took over of the earlier ones as trials, with the runs that they are.

        Args:
            name: Of the sweep.
            study: One of its studies; None for the present one.
            first: Number of the first trial wanted.
            limit: At most so many, None for all.

        Raises:
            NotFound: There is no such sweep, or it has no such study.
            InvalidValue: `limit` is no positive number.
        """
        with self._reading(drain=False) as connection:
            names = [each.name for each in sweep_queries.chain_of(connection, name)]
            if study is not None and study not in names:
                raise NotFound(f"The sweep {name!r} has no study {study!r}. It has: {', '.join(names)}.")
            return study_queries.trial_records(connection, study or names[-1], first=first, limit=limit)
