"""The supervisor of a sweep: has as many workers as are wanted, and says when it is enough.

    python -P -m tracking.tuning.execution.supervisor <store> <study>

There is one for each sweep, which a lock says. It is nobody's child: the dashboard and the shell may go. At SIGTERM
or SIGINT it ends the trials under way and leaves the sweep so that another supervisor can go on with it; at a second
one it leaves at once.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

import optuna
from optuna.trial import FrozenTrial, TrialState

from tracking.config import StoreLocation
from tracking.database.engine import Engines
from tracking.database.opening import open_database
from tracking.database.recovery import recover
from tracking.database.study_queries import study_revision
from tracking.database.study_reaping import reap
from tracking.errors import InvalidDefinition, NotFound, TrackingError
from tracking.spool.lock import FileLock, try_lock
from tracking.study_records import RUN
from tracking.sweep_records import OUTCOME
from tracking.tuning.definition import TableTarget
from tracking.tuning.execution.claims import seconds_spent
from tracking.tuning.execution.crew import Crew
from tracking.tuning.execution.models import keep_best_model
from tracking.tuning.execution.orders import DRAIN, PAUSE, RUNS, STOP, Orders, Verdict, judge, read_orders
from tracking.tuning.execution.patience import patiently
from tracking.tuning.execution.places import SweepPlaces, is_alive, workers, write_json
from tracking.tuning.execution.processes import adopt_orphans, kill_orphans
from tracking.tuning.execution.queueing import Queue
from tracking.tuning.execution.watching import GRACE_SECONDS
from tracking.tuning.samplers import is_enumerated
from tracking.tuning.storage import StudyStorage
from tracking.tuning.sweep_state import edit_lock_path, find

__all__ = ["Supervisor", "is_alive", "main", "workers"]

TICK_SECONDS = 0.2
REAP_SECONDS = 2.0
RECOVER_SECONDS = 10.0
LOCK_SECONDS = 3.0
"""How long to try for the lock: who only asks whether somebody holds it, holds it for a moment."""
STARTS = 5
"""So many workers in a row that end right after their start end the sweep."""

_LOG = logging.getLogger(__name__)


class Supervisor:
    """Runs one sweep, with its lock held.

    Args:
        location: Of the store.
        study: Name of the sweep's study.
        grace: Seconds between SIGTERM and SIGKILL for evaluations.

    Raises:
        NotFound: There is no such study.
    """

    def __init__(self, location: StoreLocation, study: str, *, grace: float = GRACE_SECONDS) -> None:
        self.location, self._name = location, study
        self._storage = patiently(lambda: StudyStorage(location))
        self._engines: Engines = open_database(location)
        self._study = patiently(lambda: self._storage.get_study_id_from_name(study))
        self.places = SweepPlaces(location, self._study)
        self.places.make()
        self._crew = Crew(location, study, self.places, grace)
        self._queue = Queue(self._storage, self._study, self.places)
        self._signals = 0
        self._told: datetime | None = None  # when the first signal came
        self._has_begun = self._is_adopting = False
        self._reap_at = self._recover_at = 0.0
        self._spent, self._clock = seconds_spent(self.places), time.monotonic()
        self._judged = -1, Verdict(False)  # by the revision of the study
        self._grace = grace

    def lock(self) -> FileLock | None:
        """Return the sweep's lock, None while another supervisor lives."""
        give_up = time.monotonic() + LOCK_SECONDS
        while True:
            lock = try_lock(self.places.supervisor_lock)
            if lock is not None or time.monotonic() > give_up:
                return lock
            time.sleep(TICK_SECONDS / 4)

    def run(self) -> None:
        """Run the sweep to its end, or until a signal ends the supervisor."""
        self._is_adopting = adopt_orphans()
        write_json(self.places.supervisor_record, {"pid": os.getpid(), "began": time.time()})
        self._clock = time.monotonic()
        _LOG.info("The supervisor of %r begins.", self._name)
        while not self._signals:
            if patiently(self._tick):
                break
            # In short pieces: a signal handler does not end a sleep.
            time.sleep(TICK_SECONDS)
        if self._signals:
            self._shut_down()
            return  # the record stays: nobody works on the sweep any more, and nothing has ended it
        with contextlib.suppress(OSError):
            self.places.supervisor_record.unlink(missing_ok=True)

    def be_told(self, number: int, frame: FrameType | None) -> None:
        """Handle a signal."""
        self._signals += 1
        self._told = self._told or datetime.now(UTC)

    def may_leave(self) -> bool:
        """Whether nothing was asked of the sweep while this supervisor ended; call it without the lock."""
        try:
            orders = patiently(self._orders)
        except (NotFound, InvalidDefinition):
            return True
        if orders.outcome is not None or orders.wanted != RUNS:
            return True
        resumed = self._told is None or (orders.since is not None and orders.since > self._told)
        if self._signals and not resumed:
            return True
        self._signals, self._told = 0, None
        return False

    def _orders(self) -> Orders:
        return read_orders(self._storage.get_study_system_attrs(self._study))

    def _tick(self) -> bool:
        """Do what is to be done now; returns whether the sweep is over."""
        try:
            orders = self._orders()
        except InvalidDefinition as error:
            self._end("failed", f"Its definition cannot be read: {error}")
            return True
        except NotFound as error:  # somebody has deleted the study
            _LOG.warning("%s", error)
            self._signals += 1
            return True
        if orders.outcome is not None:
            return True  # it stands until somebody asks for more, who takes it away
        self._count_time(orders)
        departed = self._crew.look()
        for worker in departed:
            level = logging.WARNING if worker.code else logging.INFO
            _LOG.log(level, "Worker %s left with exit code %d. %s", worker.token, worker.code, worker.said)
        self._clean_up(at_once=any(worker.code for worker in departed))
        if self._crew.died_at_once >= STARTS:
            said = next((worker.said for worker in reversed(departed) if worker.said), "they say nothing")
            self._end("failed", f"{STARTS} workers in a row ended right after their start: {said}")
            return True
        verdict = self._go_on(orders) if orders.wanted == RUNS else Verdict(False)
        self._crew.note_leaving(orders.leaving)
        self._crew.fill(orders.definition.workers if verdict.goes_on else 0)
        return self._is_over(orders, verdict)

    def _go_on(self, orders: Orders) -> Verdict:
        """Put in the queue what belongs there; returns whether further trials may start."""
        with self._engines.reading() as connection:
            revision = study_revision(connection, self._name)
        if revision == self._judged[0] and orders.definition.budget.seconds is None:
            return self._judged[1]  # nothing has happened: thousands of trials are not looked at for that
        if not self._has_begun:
            self._queue.begin(orders)
            self._has_begun = True
        trials = self._trials()
        again = self._queue.retry(orders, trials)
        if again:
            _LOG.info("Their worker died, so they are tried again: trials %s.", ", ".join(map(str, again)))
            trials = self._trials()
        verdict = judge(orders, trials, self._spent)
        if verdict.goes_on and is_enumerated(orders.definition):
            self._queue.feed(orders, trials)
            left = any(trial.state is TrialState.WAITING for trial in self._trials())
            if self._queue.is_exhausted and not left:
                verdict = Verdict(False, "finished", "Every configuration was tried.", verdict.used)
        # Of before what was done here: that is looked at the next time.
        self._judged = revision, verdict
        return verdict

    def _trials(self) -> list[FrozenTrial]:
        return self._storage.get_all_trials(self._study, deepcopy=False)

    def _is_over(self, orders: Orders, verdict: Verdict) -> bool:
        if verdict.goes_on or orders.wanted == PAUSE or self._crew.hired:
            return False
        if workers(self.location, self._study):
            return False  # of an earlier supervisor: they bring their trials to the end
        trials = self._trials()
        if any(trial.state is TrialState.RUNNING and RUN not in trial.user_attrs for trial in trials):
            return False  # its worker died just now
        if orders.wanted in (DRAIN, STOP):
            # How many trials there are, and of which states, the record says: one count, not two.
            how = "Stopped" if orders.wanted == STOP else "Stopped after the trials under way"
            return self._end_unless_changed(orders, trials, "stopped", f"{how}, as asked for.")
        if orders.wanted != RUNS:
            return False
        latest = judge(orders, trials, self._spent)
        if latest.goes_on and not (is_enumerated(orders.definition) and self._queue.is_exhausted):
            return False  # a trial was stopped or is tried again: there is room for another one
        if self._queue.retry(orders, trials):
            return False
        reason = verdict.reason
        if verdict.state == "finished" and isinstance(orders.definition.target, TableTarget):
            problem = keep_best_model(
                self.location,
                self._engines,
                self._storage,
                self._study,
                self.places,
                orders,
                grace=self._grace,
            )
            if problem:
                reason = f"{reason} The model of the best trial could not be kept: {problem}"
        return self._end_unless_changed(orders, trials, verdict.state, reason)

    def _end_unless_changed(
        self, orders: Orders, trials: Sequence[FrozenTrial], state: str, reason: str
    ) -> bool:
        """End the sweep if these are its orders and its trials still; returns whether it did.

        Nobody edits it meanwhile: what was asked of it, or added to it, a moment ago is not lost in its end.
        """
        lock = try_lock(edit_lock_path(find(self._engines, self.location, self._name)))
        if lock is None:
            return False
        try:
            if self._orders() != orders or len(self._trials()) != len(trials):
                return False
            self._end(state, reason)
        finally:
            lock.close()
        return True

    def _end(self, state: str, reason: str) -> None:
        for token in list(self._crew.hired):
            self._crew.let_go(token)
        now = datetime.now(UTC).isoformat(timespec="microseconds")
        self._storage.set_study_system_attr(
            self._study, OUTCOME, {"state": state, "reason": reason, "at": now}
        )
        _LOG.info("The sweep is over (%s). %s", state, reason)

    def _count_time(self, orders: Orders) -> None:
        now = time.monotonic()
        if orders.wanted == RUNS:
            self._spent += now - self._clock
            with contextlib.suppress(OSError):
                write_json(self.places.clock, {"seconds": round(self._spent, 3)})
        self._clock = now

    def _clean_up(self, *, at_once: bool) -> None:
        """End the trials of dead workers, and what they left running."""
        now = time.monotonic()
        if not at_once and now < self._reap_at:
            return
        self._reap_at = now + REAP_SECONDS
        for reaped in reap(self.location, self._engines, study=self._study, spare=self._crew.hired):
            _LOG.warning("Trial %d has lost its worker %s.", reaped.trial, reaped.worker)
        if self._is_adopting and (killed := kill_orphans(self._crew.pids())):
            _LOG.warning("Killed %d processes that a dead worker had left.", killed)
        if at_once or now >= self._recover_at:
            self._recover_at = now + RECOVER_SECONDS
            recover(self.location, self._engines, patience=1.0)

    def _shut_down(self) -> None:
        """End the trials under way and the workers."""
        _LOG.info("A signal ends the supervisor; another one can go on with the sweep.")
        for token in list(self._crew.hired):
            self._crew.let_go(token, at_once=True)
        while self._crew.hired and self._signals < 2:
            self._crew.look()
            time.sleep(TICK_SECONDS / 4)
        if self._crew.hired:
            self._crew.kill()
            self._crew.look()
        with contextlib.suppress(TrackingError):
            self._clean_up(at_once=True)


def main() -> None:
    """Supervise the sweep that the arguments name."""
    root, study = sys.argv[1:3]
    grace = float(sys.argv[3]) if len(sys.argv) > 3 else GRACE_SECONDS
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    location = StoreLocation(Path(root), named=True)
    supervisor = Supervisor(location, study, grace=grace)
    log = os.open(
        supervisor.places.supervisor_log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600
    )
    stream = os.fdopen(log, "a", encoding="utf-8")
    logging.basicConfig(
        stream=stream, level=logging.INFO, format="%(asctime)s supervisor %(process)d: %(message)s"
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, supervisor.be_told)
    while True:
        lock = supervisor.lock()
        if lock is None:
            sys.exit(f"A supervisor of {study!r} lives already.")
        try:
            supervisor.run()
        except BaseException:
            _LOG.exception("The supervisor ends.")
            raise
        finally:
            lock.release()
        # Who asked for more while it still held the lock has started no other one.
        if supervisor.may_leave():
            return


if __name__ == "__main__":
    main()
