"""A worker of a sweep: claims a trial, runs it, tells the study, and again.

    python -P -m tracking.tuning.execution.worker <store> <study> <token>

Its stdin is a pipe from the supervisor. At its end the worker brings the trial under way to its end and leaves; at
the line `stop` it ends that trial at once. It does the same at SIGTERM and SIGINT. A worker outlives its supervisor
by one trial at most.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import sys
import threading
import time
from pathlib import Path
from types import FrameType
from typing import Any

import optuna
import psutil

from tracking.config import StoreLocation
from tracking.database.opening import open_database
from tracking.errors import TrackingError
from tracking.spool.lock import FileLock, try_lock, wait_lock
from tracking.tuning.definition import SweepDefinition
from tracking.tuning.execution.claims import Claim, claim
from tracking.tuning.execution.orders import STOP, Orders, read_orders
from tracking.tuning.execution.outcomes import Cause, failed
from tracking.tuning.execution.patience import patiently
from tracking.tuning.execution.places import SweepPlaces, slot_of, write_json
from tracking.tuning.execution.processes import adopt_orphans
from tracking.tuning.execution.trials import Workplace, run_trial, tell
from tracking.tuning.execution.watching import GRACE_SECONDS
from tracking.tuning.pruners import make_pruner
from tracking.tuning.samplers import make_sampler
from tracking.tuning.storage import StudyStorage

IDLE_SECONDS = 0.2
"""Between two looks for a trial when there is none."""

_LOG = logging.getLogger(__name__)


class Worker:
    """One worker process.

    Args:
        location: Of the store.
        study: Name of the sweep's study.
        token: The worker's.
        grace: Seconds between SIGTERM and SIGKILL for evaluations.
    """

    def __init__(
        self, location: StoreLocation, study: str, token: str, *, grace: float = GRACE_SECONDS
    ) -> None:
        self._location, self._name, self._token = location, study, token
        self._slot = slot_of(token)
        self._storage = patiently(lambda: StudyStorage(location))
        self._engines = open_database(location)
        self._study = patiently(lambda: self._storage.get_study_id_from_name(study))
        self._places = SweepPlaces(location, self._study)
        self._lock: FileLock
        self._leaving, self._stop = threading.Event(), threading.Event()
        self._samplers: tuple[str, optuna.Study] | None = None
        self._record: dict[str, Any] = {
            "slot": self._slot,
            "pid": os.getpid(),
            "started": psutil.Process().create_time(),
            "trial": None,
            "told": 0,
        }
        self._workplace = Workplace(
            self._location,
            self._engines,
            self._places,
            self._slot,
            self._stop,
            self._is_wanted,
            self._began,
            orphans=adopt_orphans(),
            grace=grace,
        )

    def work(self) -> None:
        """Run trials until there is a reason to leave."""
        self._places.make()
        self._lock = wait_lock(self._places.worker_lock(self._token))
        record = self._places.worker_record(self._token)
        try:
            self._say()
            while not self._leaving.is_set() and self._token not in self._orders().leaving:
                self._keep_lock()
                claimed = patiently(lambda: claim(self._storage, self._study, self._places, self._token))
                if claimed is None:
                    self._leaving.wait(IDLE_SECONDS)
                    continue
                self._run(claimed)
                if not self._leaving.is_set():
                    self._stop.clear()  # it was for that trial
        finally:
            record.unlink(missing_ok=True)
            self._lock.release()

    def listen(self) -> None:
        """Hear the supervisor in a thread; its end of the pipe closes when it dies, too."""

        def hear() -> None:
            with contextlib.suppress(OSError, ValueError):
                for line in sys.stdin:
                    if line.strip() == "stop":
                        self._leaving.set()
                        self._stop.set()
                        break
            self._leaving.set()

        threading.Thread(target=hear, name="podium-orders", daemon=True).start()

    def be_told(self, number: int, frame: FrameType | None) -> None:
        """Handle a signal: end the trial under way and leave."""
        self._leaving.set()
        self._stop.set()

    def _run(self, claimed: Claim) -> None:
        begun = time.monotonic()
        self._say(trial=claimed.number)
        try:
            if not self._stop.is_set():
                study = self._study_for(claimed.orders)
                outcome = run_trial(self._workplace, study, claimed)
            else:
                study = optuna.Study(self._name, self._storage, sampler=optuna.samplers.RandomSampler())
                outcome = failed(Cause.STOPPED, "It was stopped before it began.")
        except Exception as error:
            # Of ours, or of a sampler or pruner that cannot be made: the trial must not be left running.
            _LOG.exception("Trial %d could not be run.", claimed.number)
            study = optuna.Study(self._name, self._storage, sampler=optuna.samplers.RandomSampler())
            said = str(error) if isinstance(error, TrackingError) else f"{type(error).__name__}: {error}"
            outcome = failed(Cause.START_FAILED, f"It could not be run: {said}")
        patiently(lambda: tell(study, claimed, outcome))
        self._record["told"] = int(self._record["told"] or 0) + 1
        self._say()
        _LOG.info(
            "Trial %d: %s after %.1f s. %s",
            claimed.number,
            outcome.state,
            time.monotonic() - begun,
            outcome.reason or "",
        )

    def _study_for(self, orders: Orders) -> optuna.Study:
        """Return the study with the sampler and pruner of a definition; the same ones as long as it stays."""
        if self._samplers is None or self._samplers[0] != orders.text:
            study = self._new_study(orders.definition)
            self._samplers = (orders.text, study)
        return self._samplers[1]

    def _new_study(self, definition: SweepDefinition) -> optuna.Study:
        finished = sum(
            trial.state.is_finished() for trial in self._storage.get_all_trials(self._study, deepcopy=False)
        )
        sampler = make_sampler(definition, worker=self._slot, trials=finished)
        return optuna.Study(self._name, self._storage, sampler=sampler, pruner=make_pruner(definition))

    def _keep_lock(self) -> None:
        """Make the lock again where somebody has removed its file: without it the worker would pass for dead."""
        path = self._places.worker_lock(self._token)
        if path.exists():
            return
        with contextlib.suppress(OSError):
            self._places.make()
            fresh = try_lock(path)
            if fresh is not None:
                self._lock.close()
                self._lock = fresh
                write_json(self._places.worker_record(self._token), dict(self._record))
                _LOG.warning("The lock of worker %s was gone; it is there again.", self._token)

    def _is_wanted(self) -> bool:
        self._keep_lock()
        orders = self._orders()
        return orders.wanted != STOP and self._token not in orders.leaving

    def _orders(self) -> Orders:
        return patiently(lambda: read_orders(self._storage.get_study_system_attrs(self._study)))

    def _began(self, group: int, when: float) -> None:
        self._say(trial=self._record["trial"], group=group, began=when)

    def _say(self, **now: object) -> None:
        for name in ("trial", "group", "began"):
            self._record.pop(name, None)
        self._record.update({"trial": None, **now})
        with contextlib.suppress(OSError):  # a full disk: only who looks for leftovers misses it
            write_json(self._places.worker_record(self._token), self._record)


def main() -> None:
    """Work as the arguments say."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s worker %(process)d: %(message)s")
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    root, study, token = sys.argv[1:4]
    grace = float(sys.argv[4]) if len(sys.argv) > 4 else GRACE_SECONDS
    worker = Worker(StoreLocation(Path(root), named=True), study, token, grace=grace)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, worker.be_told)
    worker.listen()
    worker.work()


if __name__ == "__main__":
    main()
