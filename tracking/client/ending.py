"""How a run came to its end."""

from __future__ import annotations

import signal
import traceback
from dataclasses import dataclass

from tracking.records import RunStatus
from tracking.validation import storable

INTERRUPTING = (signal.SIGINT, signal.SIGTERM)


@dataclass(frozen=True, slots=True)
class Ending:
    """A final status and, for what went wrong, why."""

    status: RunStatus
    error: str | None = None


def ending_of(error: BaseException | None, signalled: signal.Signals | None) -> Ending:
    """Return the ending of a block that was left with `error`.

    Args:
        error: What left the block, None when it ran to its end.
        signalled: SIGINT or SIGTERM if one arrived while the run was active.
    """
    if signalled is not None:
        return Ending(RunStatus.INTERRUPTED, f"{signalled.name} arrived.")
    if error is None:
        return Ending(RunStatus.FINISHED)
    if isinstance(error, KeyboardInterrupt):
        return Ending(RunStatus.INTERRUPTED, "KeyboardInterrupt")
    if isinstance(error, (SystemExit, GeneratorExit)):
        sent = _raised_by_handler(error)
        if sent is not None:
            return Ending(RunStatus.INTERRUPTED, f"{sent.name} arrived.")
        code = error.code if isinstance(error, SystemExit) else None
        if code in (None, 0):
            return Ending(RunStatus.FINISHED)
        return Ending(RunStatus.FAILED, f"The script left with exit code {code}.")
    return Ending(RunStatus.FAILED, storable("".join(traceback.format_exception(error))))


def _raised_by_handler(error: BaseException) -> signal.Signals | None:
    """Return the signal whose handler (the user's own, set after ours) raised `error`."""
    handlers = {}
    for number in INTERRUPTING:
        code = getattr(signal.getsignal(number), "__code__", None)
        if code is not None:
            handlers[code] = number
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code in handlers:
            return handlers[trace.tb_frame.f_code]
        trace = trace.tb_next
    return None
