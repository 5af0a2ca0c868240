"""Following a sweep on a terminal, or line by line where there is none."""

from __future__ import annotations

import shlex
import time
from typing import TYPE_CHECKING, TextIO

from tracking.cli.sweep_text import line, record_json, status_lines
from tracking.cli.terminal import in_colour, say
from tracking.exports.cells import json_text
from tracking.sweep_records import SweepState

if TYPE_CHECKING:
    from tracking.store import Store
    from tracking.sweep_records import SweepRecord

STEP = 1.0
QUIET = 10.0
"""Elsewhere than on a terminal a line is printed at most so often, in seconds, unless the state changes."""


def follow(store: Store, name: str, out: TextIO, *, json: bool = False) -> SweepState:
    """Show a sweep until it has ended; returns how.

    Ctrl-C ends the showing, never the sweep.
    """
    redrawn = in_colour(out) and not json  # who wants no control sequences gets lines
    drawn = 0
    shown: SweepRecord | None = None
    printed = 0.0
    try:
        while True:
            record = store.sweep(name)
            now = time.monotonic()
            over = not record.state.is_live and record.state is not SweepState.PAUSED
            if redrawn:
                lines = status_lines(record, out, redrawn=True)
                # Up to where the last picture began, and clear from there.
                out.write((f"\x1b[{drawn}F\x1b[J" if drawn else "") + "\n".join(lines) + "\n")
                drawn = len(lines)
            elif shown is None or _news(shown, record, quiet=now - printed < QUIET and not over):
                out.write((json_text(record_json(record)) if json else line(record)) + "\n")
                shown, printed = record, now
            out.flush()
            if over:
                return record.state
            time.sleep(STEP)
    except KeyboardInterrupt:
        quoted = shlex.quote(name)
        say(
            f"It goes on. To watch it: tracking sweep status {quoted} -f; to end it: tracking sweep stop {quoted}"
        )
        return SweepState.RUNNING


def _news(before: SweepRecord, now: SweepRecord, *, quiet: bool) -> bool:
    if before.state is not now.state:
        return True
    return not quiet and (before.done, before.trials, before.best) != (now.done, now.trials, now.best)
