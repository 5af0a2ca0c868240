"""What `Store` knows of sweeps; starting and steering them is `tracking.tuning.sweeps`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tracking.database import study_queries, sweep_confirmations, sweep_queries
from tracking.errors import NotFound
from tracking.store_studies import StoreStudies
from tracking.study_records import TrialRecord
from tracking.sweep_records import ConfirmationRecord, SweepRecord


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
        self,
        name: str,
        *,
        study: str | None = None,
        first: int = 0,
        limit: int | None = None,
        known: Sequence[TrialRecord] = (),
    ) -> list[TrialRecord]:
        """Return the trials of a sweep in order of number.

        A sweep has several studies where an edit opened a next one, and numbers begin anew in each. The present
        one has what it took over of the earlier ones as trials, with the runs that they are.

        Args:
            name: Of the sweep.
            study: One of its studies; None for the present one.
            first: Number of the first trial wanted.
            limit: At most so many, None for all.
            known: All trials as an earlier call returned them, which then reads only those of them that may have
                changed and the later ones; without `first` and `limit`.

        Raises:
            NotFound: There is no such sweep, or it has no such study.
            InvalidValue: `limit` is no positive number.
        """
        with self._reading(drain=False) as connection:
            names = [each.name for each in sweep_queries.chain_of(connection, name)]
            if study is not None and study not in names:
                raise NotFound(f"The sweep {name!r} has no study {study!r}. It has: {', '.join(names)}.")
            if known and not first and limit is None:
                return study_queries.trial_records_since(connection, study or names[-1], known)
            return study_queries.trial_records(connection, study or names[-1], first=first, limit=limit)

    def confirmations(self, name: str) -> list[ConfirmationRecord]:
        """Return the sweeps that run the best trials of one again, the one that was started last first.

        What they come to is `tracking.analysis.confirmation.confirm`; they are started by
        `tracking.tuning.sweeps.confirm`.

        Raises:
            NotFound: There is no such sweep.
        """
        with self._reading(drain=False) as connection:
            return sweep_confirmations.confirmations(connection, self.location, name)

    def trial_log(self, name: str, trial: int, repeat: int | None = None) -> tuple[Path, int]:
        """Return where a trial's output is kept, if it is, and the trial's number in the study that ran it.

        Args:
            name: Of the sweep.
            trial: Number of the trial in its present study; one that was taken over printed in an earlier one.
            repeat: Which repeat, from 0, where a trial is run several times.

        Raises:
            NotFound: There is no such sweep or trial.
        """
        with self._reading(drain=False) as connection:
            chain = sweep_queries.chain_of(connection, name)
            found = study_queries.trial_records(connection, chain[-1].name, first=trial, limit=1)
            if not found or found[0].number != trial:
                raise NotFound(f"There is no trial {trial} in the sweep {name!r}.")
            run = found[0].run
            study, number = (run and study_queries.trial_of_run(connection, run)) or (chain[-1].name, trial)
            place = study_queries.study_number(connection, study)
        file = f"trial-{number}{'' if repeat is None else f'.{repeat}'}.log"
        return self.location.logs / "sweeps" / str(place) / file, number
