"""A run that is begun for code which may want to begin it itself: a function that a sweep calls.

A script joins its trial's run with its first `start_run`. Where the run stands before the user's code does anything,
so that `tracking.log` works without a word, that first `start_run` gets a further handle on it instead: what it says
lands on the run, and its end ends nothing but the handle.
"""

from __future__ import annotations

from tracking.client import active
from tracking.client.ending import Ending
from tracking.client.run import FINISH_SECONDS, Run
from tracking.config import StoreLocation

_host: Run | None = None


def open_to_a_guest(run: Run) -> None:
    """Let the next `start_run` of this process that names neither parent nor another store join a run."""
    global _host
    _host = run


def take_host(location: StoreLocation) -> Run | None:
    """Return the run to join, once; None where there is none."""
    global _host
    if _host is None or _host._ended is not None or _host._description.location.root != location.root:
        return None
    found, _host = _host, None
    return found


def end_guests() -> None:
    """End the handles that were left open."""
    for run in active.open_runs():
        if isinstance(run, Guest):
            run.finish()


class Guest(Run):
    """A further handle on a run that this process has begun; steps count on from handle to handle.

    Args:
        host: The run.
        strict: As in `start_run`, as long as this handle is open.
    """

    def __init__(self, host: Run, *, strict: bool = False) -> None:
        super().__init__(host._description, host._session, strict=strict)
        self._host, self._params = host, host._params
        self._packer = host._packer
        self._log = host._packer.log
        self._packer._strict = strict

    def _end(self, ending: Ending, seconds: float = FINISH_SECONDS) -> None:
        with self._end_mutex:
            if self._ended is None:
                self._ended = ending.status
                self._packer._strict = self._host._strict
                active.remove(self)
