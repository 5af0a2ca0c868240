"""The ways a script can go: hooks that end its runs and change nothing else.

Whatever was there before still happens: a user's signal handler is called, an
exception is printed, the exit code is the one it would have been.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import signal
import sys
import threading
import time
from types import FrameType, TracebackType
from typing import Any

from tracking.client import active
from tracking.client.ending import INTERRUPTING, Ending, ending_of
from tracking.client.run import FINISH_SECONDS, crash_ending
from tracking.records import RunStatus

SIGNAL_SECONDS = 5.0
"""How long a terminated script may stay to bring its runs home; schedulers kill after about 30 s."""

_installed = False
_replaced: dict[int, Any] = {}


def watch() -> None:
    """Install the hooks: those of the process once, those for signals whenever they are not ours."""
    global _installed
    if not _installed:
        _installed = True
        atexit.register(_at_exit)
        _chain_excepthook()
    if threading.current_thread() is threading.main_thread():
        for number in INTERRUPTING:
            _take_signal(number)


def _take_signal(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    # None: installed by foreign code that we could not call. SIG_IGN: the user wants it ignored.
    if before in (None, signal.SIG_IGN) or before is _on_signal:
        return
    if number == signal.SIGINT and before is signal.SIG_DFL:
        return
    _replaced[number] = before
    signal.signal(number, _on_signal)


def _on_signal(number: int, frame: FrameType | None) -> None:
    for run in active.open_runs():
        run._session.signalled = signal.Signals(number)
    before = _replaced.get(number)
    if callable(before):
        # The user's handler, or Python's own for Ctrl-C: it decides what happens to the script.
        before(number, frame)
        return
    deadline = time.monotonic() + SIGNAL_SECONDS
    for run in active.handles():
        run._end(ending_of(None, signal.Signals(number)), _until(deadline))
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)


def _chain_excepthook() -> None:
    before = sys.excepthook

    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        for run in active.open_runs():
            run.crash = crash_ending(error)
        before(kind, error, trace)

    sys.excepthook = hook


def _at_exit() -> None:
    interrupted = False
    deadline = time.monotonic() + FINISH_SECONDS
    for run in active.handles():
        if run.crash is not None:
            interrupted = interrupted or run.crash.status is RunStatus.INTERRUPTED
            run._end(run.crash, _until(deadline))
        elif run._session.signalled is not None:
            run._end(ending_of(None, run._session.signalled), _until(deadline))
        else:
            run._end(Ending(RunStatus.FINISHED), _until(deadline))
    if interrupted:
        _exit_as_interrupted()


def _until(deadline: float) -> float:
    # All open runs share the time; the last word of each is in its spool whatever is left of it.
    return max(0.05, deadline - time.monotonic())


def _exit_as_interrupted() -> None:
    """Let the interpreter die of SIGINT, as it would have without us.

    It remembers an uncaught KeyboardInterrupt in a flag that every later `exec` of a text
    clears, and importing a module with dataclasses is full of those. This sets it again.
    """
    with contextlib.suppress(KeyboardInterrupt):
        exec("raise KeyboardInterrupt")
