"""Which run an integration logs to, and in which process."""

from __future__ import annotations

import sys
import warnings
from typing import Any, Self

import tracking

_told: set[str] = set()


def run_at_hand(run: tracking.Run | None, who: str) -> tracking.Run | None:
    """Return the run given, or the active one; where there is neither, warn once: training goes on without."""
    found = run if run is not None else tracking.active_run()
    if found is None and who not in _told:
        _told.add(who)
        message = (
            f"Podium: {who} logs nothing, since it has no run: use it inside `with tracking.start_run(…):`, or give "
            "it one as run=."
        )
        try:
            warnings.warn(message, tracking.TrackingWarning, stacklevel=3)
        except tracking.TrackingWarning:  # where warnings are errors
            print(message, file=sys.stderr)
    return found


class IterationLog:
    """The part that callbacks of boosters have in common: their run, which stays where it is.

    An estimator is copied and pickled with its callbacks. A copy within the process logs to the same
    run; one that went through a pickle (a worker of a search, a model loaded later) logs to the active
    run of its process, and to none when there is none.
    """

    def __init__(self, run: tracking.Run | None = None, *, prefix: str = "") -> None:
        super().__init__()
        self._given = run
        self._prefix = prefix
        self._run: tracking.Run | None = None
        self._known: set[str] = set()
        self._pickled = False

    def _begin_log(self) -> tracking.Run | None:
        """Find the run as training begins; None in processes that do not log, and where there is no run."""
        self._run = None
        if process_rank() == 0 and not (self._pickled and tracking.active_run() is None):
            self._run = run_at_hand(self._given, type(self).__name__)
        return self._run

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return type(self)(self._given, prefix=self._prefix)

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_given": None, "_run": None, "_known": set(), "_pickled": True}


class HeldRun:
    """The run of an integration that may have to start one of its own.

    Args:
        run: The run to log to; else the active one; else one is started and ended here.
        experiment: Of a run that is started here.
        settings: More for `tracking.start_run`, such as name, tags or resume.
    """

    def __init__(self, run: tracking.Run | None, experiment: str, settings: dict[str, Any]) -> None:
        self._given = run
        self._experiment = experiment
        self._settings = settings
        self._own: tracking.Run | None = None
        self.run: tracking.Run | None = None

    def begin(self) -> tracking.Run:
        """Return the run, started now where there is none."""
        if self.run is None or self.run.status != tracking.RunStatus.RUNNING:
            self.run = self._given or tracking.active_run()
            if self.run is None:
                settings = dict(self._settings)
                if self._own is not None:
                    # Training goes on after an end: fit, then test.
                    settings = {"resume": self._own.id, "store": settings.get("store")}
                self.run = self._own = tracking.start_run(self._experiment, **settings)
        return self.run

    def end(self, status: str = "finished") -> None:
        """End the run if it was started here."""
        if self.run is not None and self.run is self._own:
            self.run.finish(status)


def process_rank() -> int:
    """Return the rank of this process by the libraries that are loaded, 0 where there is but one."""
    torch = sys.modules.get("torch")
    distributed = getattr(torch, "distributed", None)
    if distributed is not None and distributed.is_available() and distributed.is_initialized():
        return int(distributed.get_rank())
    collective = getattr(sys.modules.get("xgboost"), "collective", None)
    if collective is not None and collective.is_distributed():
        return int(collective.get_rank())
    return 0


def numbers(values: Any, prefix: str = "") -> dict[str, float]:
    """Return what is a number in a mapping of logs; 0-d tensors and arrays are."""
    found: dict[str, float] = {}
    for key, value in dict(values or {}).items():
        try:
            if value is not None and not isinstance(value, str | bytes):
                found[f"{prefix}{key}"] = float(value)
        except (TypeError, ValueError, RuntimeError):
            continue  # a picture, a histogram: no metric
    return found
