"""The workers of a sweep as its supervisor has them: started, asked to leave, replaced."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Collection
from dataclasses import dataclass

from tracking.config import StoreLocation
from tracking.tuning.execution.places import SweepPlaces, new_token, read_json, workers

AT_ONCE_SECONDS = 2.0
"""A worker that ends by itself so soon after its start never was of use."""
LAST_BACKOFF = 30.0
_LOG_LINE = re.compile(rb"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d+ ")


@dataclass(slots=True)
class Hired:
    """A worker process of this supervisor.

    Attributes:
        process: The process, its stdin a pipe.
        slot: Its place among the workers.
        started: When, on the monotonic clock.
        log_begin: How long the log was then.
        is_ready: Whether it has said that it works.
        leaves: Whether it was asked to leave.
    """

    process: subprocess.Popen[bytes]
    slot: int
    started: float
    log_begin: int
    is_ready: bool = False
    leaves: bool = False


@dataclass(frozen=True, slots=True)
class Departed:
    """A worker that is gone.

    Attributes:
        token: Its name.
        code: Its exit code.
        at_once: Whether it was of no use at all.
        said: The last line it wrote that is none of the log.
    """

    token: str
    code: int
    at_once: bool
    said: str


class Crew:
    """Starts and minds workers.

    Args:
        location: Of the store.
        study: Name of the sweep's study.
        places: Of the sweep.
        grace: Seconds between SIGTERM and SIGKILL for evaluations.
    """

    def __init__(self, location: StoreLocation, study: str, places: SweepPlaces, grace: float) -> None:
        self._location, self._study, self._places, self._grace = location, study, places, grace
        self.hired: dict[str, Hired] = {}
        self.died_at_once = 0
        """How many in a row were of no use."""
        self._not_before = 0.0

    def note_leaving(self, tokens: Collection[str]) -> None:
        """Note that workers leave, whom somebody has asked to without us."""
        for token in tokens:
            if token in self.hired:
                self.hired[token].leaves = True

    def fill(self, wanted: int) -> None:
        """Start or let go workers until there are as many as wanted; those of an earlier supervisor count."""
        strangers = {
            each.slot for each in workers(self._location, self._places.study) if each.token not in self.hired
        }
        staying = [token for token, hired in self.hired.items() if not hired.leaves]
        surplus = len(staying) + len(strangers) - wanted
        for token in sorted(staying, key=lambda name: -self.hired[name].slot)[: max(0, surplus)]:
            self.let_go(token)
        # One that leaves still runs a trial: its place is free when it is gone.
        taken = strangers | {hired.slot for hired in self.hired.values()}
        for slot in range(wanted):
            if len(self.hired) + len(strangers) >= wanted or time.monotonic() < self._not_before:
                return
            if slot not in taken:
                self._hire(slot)

    def let_go(self, token: str, *, at_once: bool = False) -> None:
        """Ask a worker to leave after its trial, or `at_once`, with the trial ended."""
        hired = self.hired[token]
        stdin = hired.process.stdin
        if stdin is not None and not stdin.closed:
            with contextlib.suppress(OSError):
                if at_once:
                    stdin.write(b"stop\n")
                stdin.close()
        elif at_once:
            hired.process.send_signal(signal.SIGTERM)
        hired.leaves = True

    def kill(self) -> None:
        """Kill every worker of ours."""
        for hired in self.hired.values():
            hired.process.kill()
            hired.process.wait()

    def look(self) -> list[Departed]:
        """Return the workers that are gone since the last look."""
        gone = []
        for token, hired in list(self.hired.items()):
            if not hired.is_ready and read_json(self._places.worker_record(token)) is not None:
                hired.is_ready = True
            code = hired.process.poll()
            if code is None:
                if hired.is_ready and time.monotonic() - hired.started > AT_ONCE_SECONDS:
                    self.died_at_once = 0
                continue
            del self.hired[token]
            lasted = time.monotonic() - hired.started
            at_once = code > 0 and not hired.leaves and (not hired.is_ready or lasted < AT_ONCE_SECONDS)
            if code and not hired.leaves:
                self.died_at_once += at_once
                self._not_before = time.monotonic() + min(LAST_BACKOFF, 0.25 * 2.0**self.died_at_once)
            gone.append(Departed(token, code, at_once, self._said(hired)))
        return gone

    def pids(self) -> Collection[int]:
        """Return the processes of our workers."""
        return [hired.process.pid for hired in self.hired.values()]

    def _hire(self, slot: int) -> None:
        token = new_token(slot)
        module = "tracking.tuning.execution.worker"
        arguments = [str(self._location.root), self._study, token, str(self._grace)]
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
        log = os.open(self._places.supervisor_log, flags, 0o600)
        try:
            process = subprocess.Popen(
                [sys.executable, "-P", "-m", module, *arguments],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
            self.hired[token] = Hired(process, slot, time.monotonic(), os.fstat(log).st_size)
        finally:
            os.close(log)

    def _said(self, hired: Hired) -> str:
        try:
            with open(self._places.supervisor_log, "rb") as file:
                file.seek(hired.log_begin)
                lines = file.read(1 << 20).splitlines()
        except OSError:
            return ""
        plain = [line for line in lines if line.strip() and not _LOG_LINE.match(line)]
        return plain[-1].decode("utf-8", "replace").strip() if plain else ""
