"""Watching one evaluation: its limits, and whether somebody wants it ended."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from tracking.tuning.execution.launching import Launch, Launched, StartFailed
from tracking.tuning.execution.outcomes import Ended, Ending

GRACE_SECONDS = 10.0
"""Between SIGTERM and SIGKILL."""
MEMORY_SECONDS = 0.5
"""Between two looks at the memory; without a limit, between two looks at which processes there are."""
_FIRST_STEP, _LAST_STEP = 0.005, 0.1


@dataclass(frozen=True, slots=True)
class Watch:
    """What an evaluation is held to.

    Attributes:
        seconds: It may last, None for any time.
        memory: Resident bytes that its processes may take together, None for any.
        grace: Seconds between SIGTERM and SIGKILL.
    """

    seconds: float | None = None
    memory: int | None = None
    grace: float = GRACE_SECONDS


def evaluate(
    launch: Launch,
    watch: Watch,
    *,
    stop: threading.Event,
    prune: threading.Event | None = None,
    began: Callable[[int, float], None] = lambda group, when: None,
    orphans: bool = False,
) -> Ended:
    """Run a program to its end, or end it; returns how it ended, with nothing of it left behind.

    Args:
        launch: What to start.
        watch: Its limits.
        stop: Set by whoever wants it stopped.
        prune: Set by whoever knows that it is not worth going on.
        began: Called with the number of the process group and when it was created.
        orphans: See `ProcessTree`.
    """
    start = time.monotonic()
    try:
        launched = Launched(launch, orphans=orphans)
    except StartFailed as error:
        return Ended(Ending.NEVER_BEGAN, problem=str(error))
    ending, peak = Ending.ITSELF, 0
    try:
        began(launched.process.pid, launched.tree.began)
        # psutil reads of every process on the machine who its parent is: not more often than there is a need for.
        rest = MEMORY_SECONDS * (1 if watch.memory is not None else 4)
        step, look_at = _FIRST_STEP, start + rest / 4
        while not launched.is_over():
            now = time.monotonic()
            if stop.is_set():
                ending = Ending.STOP
            elif prune is not None and prune.is_set():
                ending = Ending.PRUNER
            elif watch.seconds is not None and now - start > watch.seconds:
                ending = Ending.TIME
            elif now >= look_at:
                if watch.memory is None:
                    launched.tree.look()
                else:
                    peak = max(peak, taken := launched.tree.memory(watch.memory))
                    if taken > watch.memory:
                        ending = Ending.MEMORY
                look_at = time.monotonic() + rest
            if ending is not Ending.ITSELF:
                break
            time.sleep(step)
            step = min(_LAST_STEP, step * 1.2)
    finally:
        seconds = time.monotonic() - start
        if launched.is_over():
            ending = Ending.ITSELF  # before it heard of it
        code = launched.end(watch.grace)
    return Ended(ending, code, seconds, peak, launched.log.tail())
