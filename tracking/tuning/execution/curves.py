"""What the complete trials of a sweep logged, for comparing a trial with them while it runs."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tracking.database.engine import Engines
from tracking.database.history import read_series
from tracking.database.study_queries import complete_runs
from tracking.errors import NotFound
from tracking.tuning.definition import Objective
from tracking.tuning.execution.domination import Curve, Values

MOST_TRIALS = 1000
"""So many of the latest complete trials are compared with."""
REFRESH_SECONDS = 1.0
CHUNK = 50


class Peers:
    """The curves of a study's complete trials, thinned; read once each and kept.

    A worker has one for all of its trials: `of` empties it when it is for another study or other objectives.
    """

    def __init__(self) -> None:
        self._engines: Engines | None = None
        self._study = ""
        self.objectives: tuple[Objective, ...] = ()
        self._curves: dict[int, Curve] = {}
        self._nothing: set[int] = set()
        self._again = 0.0

    def of(self, engines: Engines, study: str, objectives: Sequence[Objective]) -> Peers:
        """Return it for a study, given by its name, and its objectives."""
        if (study, tuple(objectives)) != (self._study, self.objectives):
            self._curves, self._nothing = {}, set()
            self._study, self.objectives = study, tuple(objectives)
        self._engines, self._again = engines, 0.0
        return self

    def refresh(self) -> None:
        """Read what trials logged that are complete since the last time, if that was a while ago.

        Raises:
            StoreError: The database cannot be read now.
        """
        if self._engines is None or time.monotonic() < self._again:
            return
        keys = list(dict.fromkeys(each.metric for each in self.objectives))
        with self._engines.reading() as connection:
            complete = dict(complete_runs(connection, self._study)[-MOST_TRIALS:])
            new = [each for each in complete if each not in self._curves and each not in self._nothing]
            for at in range(0, len(new), CHUNK):
                runs = {number: complete[number] for number in new[at : at + CHUNK]}
                try:
                    found = read_series(connection, list(runs.values()), keys)
                except NotFound:
                    break  # a run was removed just now: the next time it is not among them
                for number, run in runs.items():
                    series = [found.get((run, each.metric)) for each in self.objectives]
                    if any(each is None for each in series):
                        self._nothing.add(number)
                        continue
                    points = [(each.steps, each.values) for each in series if each is not None]
                    self._curves[number] = Curve(self.objectives, points)
        for number in self._curves.keys() - complete.keys():
            del self._curves[number]
        self._again = time.monotonic() + REFRESH_SECONDS

    def last_steps(self) -> list[int]:
        """Return the last step of each trial."""
        return [each.last_step for each in self._curves.values()]

    def at(self, place: int) -> tuple[list[int], Values]:
        """Return the trials that came as far as a thinned step, and their values there.

        Returns:
            Their numbers, and an array of shape `(trials, objectives)`.
        """
        found = {number: each.at(place) for number, each in self._curves.items()}
        there: dict[int, NDArray[np.float64]] = {
            number: values for number, values in found.items() if values is not None
        }
        return list(there), np.array(list(there.values())).reshape(len(there), len(self.objectives))
