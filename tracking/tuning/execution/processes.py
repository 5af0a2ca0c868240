"""The processes of one evaluation: what they take, and how they are ended, all of them."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from collections.abc import Iterable

import psutil

PR_SET_CHILD_SUBREAPER = 36
KILLED_SECONDS = 10.0
"""How long the system may take to end what got SIGKILL."""
_STEP = 0.02


def adopt_orphans() -> bool:
    """Make this process the parent of descendants whose own parent died, so that none gets out of sight.

    Returns:
        Whether the system offers that (Linux does).
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        import ctypes

        return bool(ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0)
    except (ImportError, OSError, AttributeError):
        return False


class ProcessTree:
    """The process group of an evaluation, and descendants of it that left the group.

    Args:
        pid: Of its first process, which leads the group; a child of this process that nobody has waited for.
        orphans: Whether every child of this process that is younger belongs to it; see `adopt_orphans`.
    """

    def __init__(self, pid: int, *, orphans: bool = False) -> None:
        self.pid = pid
        self._orphans = orphans
        self._seen: dict[tuple[int, float], psutil.Process] = {}
        try:
            self._first: psutil.Process | None = psutil.Process(pid)
            self.began = self._first.create_time()
        except psutil.Error:
            self._first, self.began = None, time.time()

    def look(self) -> list[psutil.Process]:
        """Return the processes that live, and remember them for `kill`."""
        if self._first is None:
            return []
        found = [self._first]
        with contextlib.suppress(psutil.Error):
            found += self._first.children(recursive=True)
        if self._orphans:
            with contextlib.suppress(psutil.Error):
                ours = psutil.Process().children(recursive=True)
                found += [each for each in ours if each not in found and _created(each) >= self.began]
        for process in found:
            self._seen[process.pid, _created(process)] = process
        return found

    def memory(self, limit: int | None = None) -> int:
        """Return the resident bytes of the processes together.

        Pages that they share are counted once, where the system says so, if they would be over the limit else.
        """
        processes = self.look()
        total = sum(map(_resident, processes))
        if limit is None or total <= limit or len(processes) < 2:
            return total
        shares = [_share(process) for process in processes]
        return total if None in shares else sum(share for share in shares if share is not None)

    def kill(self, grace: float) -> None:
        """End every process: SIGTERM, and SIGKILL for those that are there after `grace` seconds."""
        self.look()
        if self.lives():
            self._signal(signal.SIGTERM)
        give_up, step = time.monotonic() + grace, _STEP
        while self.lives() and time.monotonic() < give_up:
            time.sleep(step)
            step = min(0.2, step * 1.5)
        give_up = time.monotonic() + KILLED_SECONDS
        while self.lives() and time.monotonic() < give_up:
            self.look()
            self._signal(signal.SIGKILL)
            time.sleep(_STEP)
        self._bury()

    def lives(self) -> bool:
        """Whether a process of the group, or one that was seen, is there and is no zombie."""
        return any(map(_is_running, self._seen.values())) or any(map(_is_running, _group(self.pid)))

    def _signal(self, number: signal.Signals) -> None:
        # The first process was not waited for, so that the group's number is nobody else's.
        with contextlib.suppress(OSError):
            os.killpg(self.pid, number)
        for process in self._seen.values():
            with contextlib.suppress(psutil.Error, OSError):
                if os.getpgid(process.pid) != self.pid:
                    process.send_signal(number)

    def _bury(self) -> None:
        """Wait for zombies that came to us."""
        for process in self._seen.values():
            if process.pid != self.pid:
                with contextlib.suppress(OSError):
                    os.waitpid(process.pid, os.WNOHANG)


def kill_orphans(known: Iterable[int]) -> int:
    """Kill the children of this process but those known by pid; returns how many there were."""
    spared, count = set(known), 0
    for child in psutil.Process().children():
        if child.pid in spared:
            continue
        with contextlib.suppress(psutil.Error):
            if child.status() != psutil.STATUS_ZOMBIE:
                for below in (*child.children(recursive=True), child):
                    with contextlib.suppress(psutil.Error):
                        below.kill()
                count += 1
        with contextlib.suppress(OSError):
            os.waitpid(child.pid, os.WNOHANG)
    return count


def _group(number: int) -> list[psutil.Process]:
    found = []
    for pid in psutil.pids():
        with contextlib.suppress(psutil.Error, OSError):
            if os.getpgid(pid) == number:
                found.append(psutil.Process(pid))
    return found


def _is_running(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False


def _created(process: psutil.Process) -> float:
    try:
        return float(process.create_time())
    except psutil.Error:
        return 0.0


def _resident(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.Error:
        return 0


def _share(process: psutil.Process) -> int | None:
    """Return the process's bytes with shared pages divided among those that share them; None if unknown."""
    try:
        full = process.memory_full_info()
    except psutil.NoSuchProcess:
        return 0
    except psutil.Error:
        return None
    share = getattr(full, "pss", None)
    return None if share is None else int(share)
