"""Telling a study what a trial's run logs while it runs, and hearing from the pruner."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from typing import Protocol

import optuna

from tracking.errors import TrackingError
from tracking.tuning.execution.folds import FoldMeans
from tracking.tuning.execution.readings import MetricReader
from tracking.tuning.execution.thinning import Thinning, report_step

LOOK_SECONDS = 0.25
"""Between two looks at what was logged."""
ORDER_SECONDS = 1.0
"""Between two looks at what is wanted of the sweep."""
TROUBLE_SECONDS = 2.0

_LOG = logging.getLogger(__name__)


class Reporting(Protocol):
    """Looks at what a trial's run logs while it runs.

    Attributes:
        reason: Why the trial was not worth going on, empty where nobody says it.
    """

    reason: str

    def look(self) -> bool:
        """Look at what is new; returns whether the trial is not worth going on."""

    def look_at_all(self, *, last: bool = False) -> None:
        """Look at the rest, once the run has ended; at its `last` point whether or not others leave such points out."""


class Reporter:
    """Reports the objective's metric of a trial's run to its study.

    Args:
        trial: As Optuna has it.
        reader: Of the metric.
        prunes: Whether the study's pruner is asked.
    """

    def __init__(self, trial: optuna.Trial, reader: MetricReader | FoldMeans, *, prunes: bool) -> None:
        self._trial, self._reader, self._prunes = trial, reader, prunes
        self._thinning = Thinning()
        self._pending: deque[tuple[int, float]] = deque()
        self.reason = ""

    def look(self) -> bool:
        """Report what was logged since the last look; returns whether the trial is not worth going on.

        Raises:
            TrackingError: The database cannot be used now; nothing is lost, call again.
        """
        self._pending += self._thinning(self._reader.poll())
        while self._pending:
            step, value = self._pending[0]
            self._trial.report(value, step)
            self._pending.popleft()
            if self._prunes and self._trial.should_prune():
                return True
        return False

    def look_at_all(self, *, last: bool = False) -> None:
        """Report what is left, once the run has ended; its `last` point whether or not it would be thinned out."""
        points = self._reader.poll() + self._reader.stored()
        self._pending += self._thinning(points)
        if last and points:
            end = max(step for step, _ in points)
            if end >= 0 and end != report_step(end):
                self._pending.append((end, next(value for step, value in reversed(points) if step == end)))
        while self._pending:
            step, value = self._pending[0]
            self._trial.report(value, step)
            self._pending.popleft()


class Overseer:
    """A thread beside an evaluation that reads the database, which may take its time.

    Whoever watches the evaluation waits for nothing but it, so that its limits hold whatever the database does.

    Args:
        is_wanted: Whether the trial is to go on.
        reporter: Of the trial, None where nothing is to be reported.

    Attributes:
        stop: Set when the trial is to be ended; may be set by others too.
        prune: Set when the pruner says so.
    """

    def __init__(
        self, is_wanted: Callable[[], bool], reporter: Reporting | None, stop: threading.Event
    ) -> None:
        self.stop, self.prune = stop, threading.Event()
        self._is_wanted, self._reporter = is_wanted, reporter
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._work, name="podium-overseer", daemon=True)
        self._thread.start()

    def finish(self) -> None:
        """End the thread."""
        self._over.set()
        self._thread.join()

    def _work(self) -> None:
        rest, until_orders = LOOK_SECONDS, ORDER_SECONDS
        while not self._over.wait(rest):
            until_orders -= rest
            rest = LOOK_SECONDS
            try:
                if self._reporter is not None and not self.prune.is_set() and self._reporter.look():
                    self.prune.set()
                if until_orders <= 0:
                    until_orders = ORDER_SECONDS
                    if not self._is_wanted():
                        self.stop.set()
            except TrackingError as error:
                _LOG.info("The trial is not reported for the moment: %s", error)
                rest = TROUBLE_SECONDS
            except Exception:  # of a pruner or a damaged study: the trial itself goes on
                _LOG.exception("The trial is not reported any more.")
                self._reporter = None
