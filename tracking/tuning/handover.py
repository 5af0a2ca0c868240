"""Waits until the trials of a sweep's earlier studies have ended, then starts the supervisor of the next one.

    python -m tracking.tuning.handover <folder of the store> <name of the study>

A process of its own, so that no more trials run at once than the sweep has workers, and nobody has to wait for it.
While it lives it holds `handover.lock` in the study's folder; when it is killed, `resume` does the rest.
"""

from __future__ import annotations

import contextlib
import sys
import time
from pathlib import Path

from tracking.config import StoreLocation
from tracking.database.study_reaping import reap
from tracking.errors import NotFound, StoreError
from tracking.spool.lock import try_lock
from tracking.tuning.next_study import earlier_alive, take_over_rest
from tracking.tuning.spawning import SUPERVISOR, spawn
from tracking.tuning.sweep_state import editing, find, opened, stopped

STEP = 0.5


def main() -> None:
    """Run the program."""
    root, name = sys.argv[1:]
    hand_over(StoreLocation(Path(root), named=True), name)


def hand_over(location: StoreLocation, name: str) -> None:
    """Wait, take over, start the supervisor; nothing while another process does so already."""
    with opened(location) as engines:
        number = find(engines, location, name).present.number
        lock = try_lock(location.sweeps / str(number) / "handover.lock")
        if lock is None:
            return
        try:
            while True:
                # A store that is busy now will not always be.
                with contextlib.suppress(StoreError):
                    sweep = find(engines, location, name)
                    if sweep.present.number != number:
                        return  # edited again: another one waits for the same trials
                    if not earlier_alive(sweep):
                        break
                time.sleep(STEP)
            for study in sweep.chain[:-1]:
                reap(location, engines, study=study.number)
        finally:
            lock.close()
        with editing(location, name) as sweep:
            if sweep.present.number != number or sweep.outcome is not None:
                return
            take_over_rest(sweep)
            if sweep.wanted in ("drain", "stop"):
                sweep.set_attributes(stopped())
            else:
                spawn(location, number, sweep.present.name, sweep.definition, SUPERVISOR)


if __name__ == "__main__":
    with contextlib.suppress(NotFound, KeyboardInterrupt):
        main()
