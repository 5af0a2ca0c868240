"""Collects what a run wants captured, in a thread beside it, and says it into the run's spool.

Nothing here can fail a run or hold it up: `begin` looks at what must be seen at once and starts a daemon thread; every
program that is asked has a time limit; `end` waits for what is under way, at most `END_SECONDS`, and then goes.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any

from tracking.client.capture import console
from tracking.client.capture.notebook import read_cells
from tracking.client.capture.script import (
    Entry,
    entry_of_process,
    prepare,
    python_section,
    read_source,
    repository_folder,
    script_section,
)
from tracking.client.carrying import carry_bytes
from tracking.client.description import now_us
from tracking.spool.console import ConsoleWriter
from tracking.spool.forking import working

if TYPE_CHECKING:
    from tracking.client.session import Session

GIT_SECONDS = 10.0
"""For each of the looks at the repository: all but the diff, and the diff."""
END_SECONDS = 0.8
IMPORT_SECONDS = 6.0
_MODULES = {
    "host": ("psutil", "tracking.client.capture.host", "tracking.client.capture.gpu"),
    "system": ("psutil", "tracking.client.capture.system_metrics"),
    "packages": ("tracking.client.capture.packages",),
    "git": ("tracking.client.capture.git",),
    "diff": ("tracking.client.capture.git", "tracking.artifacts.objects"),
    "source": ("tracking.client.capture.git", "tracking.artifacts.objects"),
    "notebook": ("tracking.artifacts.objects",),
}


class Capture:
    """What is recorded beside one run in this process.

    Args:
        session: Of the run.
        sections: Names from `choice.SECTIONS`.
        rank: In a distributed run.
        local_rank: Among the processes of this machine, where that is known.
    """

    def __init__(
        self,
        session: Session,
        sections: frozenset[str],
        *,
        rank: int | None = None,
        local_rank: int | None = None,
    ) -> None:
        self._session = session
        self._sections = sections
        self._rank = rank
        self._speaks_for_machine = rank is None or not (local_rank or 0)
        self._entry: Entry | None = None
        self._begun = threading.Event()
        self._ending = threading.Event()
        self._end_by = float("inf")
        self._over = False
        self._thread: threading.Thread | None = None
        self._under_way: str | None = None
        self._started = time.monotonic()

    def begin(self) -> None:
        """Begin; never raises, returns at once."""
        if self._session.disabled or not self._sections:
            return
        try:
            if "console" in self._sections:
                self._begin_console()
            if self._sections - {"console"}:
                self._entry = entry_of_process()
                self._thread = threading.Thread(target=self._work, name="podium-capture", daemon=True)
                self._thread.start()
        except Exception as error:
            self._failed("capture", error)

    def end(self, seconds: float = END_SECONDS) -> None:
        """Bring what is under way to its end; returns within about `seconds`."""
        self._end_by = time.monotonic() + seconds
        self._ending.set()
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            # In a script that is over in no time the modules are still being imported, as those of the ingest
            # are, which finish() waits for anyway.
            self._begun.wait(max(0.0, min(IMPORT_SECONDS, 8 * seconds)))
            self._end_by = time.monotonic() + seconds
            thread.join(seconds + 0.3)
            if thread.is_alive() and self._under_way is not None:
                self._say(self._under_way, {"error": "The run ended before this was read."})
        if "notebook" in self._sections and self._entry is not None:
            self._collect("notebook", self._say_notebook)
        self._over = True
        console.end(self._session.description.run_id)

    def forked(self) -> None:
        """In a forked child: the thread is not here, and nothing is captured."""
        self._over = True
        self._thread = None
        self._sections = frozenset()
        self._begun, self._ending = threading.Event(), threading.Event()
        console.forked()

    def _begin_console(self) -> None:
        name = self._session.spool_id
        if name is not None:
            location = self._session.description.location
            console.begin(self._session.description.run_id, ConsoleWriter(location.logs, name))

    # The thread

    def _work(self) -> None:
        try:
            with working():
                # A child that was forked in the middle of an import could never import that module again.
                for section in sorted(self._sections):
                    for module in _MODULES.get(section, ()):
                        import_module(module)
                if self._sections & {"git", "diff", "source"}:
                    prepare()
        except Exception as error:
            self._failed("capture", error)
            return
        finally:
            self._begun.set()
        metrics = self._system_metrics()
        assert self._entry is not None
        entry = self._entry
        self._collect("script", lambda: self._say("script", script_section(entry)))
        self._collect("python", lambda: self._say("python", python_section()))
        self._collect("packages", self._say_packages)
        self._collect("host", self._say_host)
        self._say_code(entry)
        self._collect("host", self._say_gpus)
        self._measure(metrics)

    def _collect(self, section: str, collect: Callable[[], None]) -> None:
        if section in self._sections and not self._over:
            self._under_way = section
            try:
                collect()
            except Exception as error:
                self._failed(section, error)
            finally:
                self._under_way = None

    def _failed(self, section: str, error: Exception) -> None:
        known = type(error).__name__ == "CommandFailed"
        self._say(section, {"error": str(error) if known else f"{type(error).__name__}: {error}"[:500]})

    def _say(self, section: str, data: dict[str, Any], body: bytes | None = None) -> None:
        if self._over:
            return
        event = {"t": "capture", "section": section, "data": data}
        try:
            if body is None:
                self._session.say({**event, "time": now_us()})
            else:
                carry_bytes(self._session, event, body)
        except Exception as error:  # the disk is full: the points need what is left of it
            if body is not None:
                self._say(section, {**data, "error": f"could not be kept: {error}"[:500]})

    def _say_packages(self) -> None:
        from tracking.client.capture.packages import installed_packages

        self._say("packages", {"packages": installed_packages()})

    def _say_host(self) -> None:
        from tracking.client.capture.host import host_section

        self._say("host", {**host_section(), "gpus": []})

    def _say_gpus(self) -> None:
        from tracking.client.capture.gpu import SMI_SECONDS, known_gpus
        from tracking.client.capture.host import host_section

        try:
            gpus = known_gpus(self._deadline(SMI_SECONDS))
        except Exception as error:
            self._say("host", {**host_section(), "gpus": [], "gpus_error": str(error)})
        else:
            if gpus:
                self._say("host", {**host_section(), "gpus": gpus})

    def _say_code(self, entry: Entry) -> None:
        """Say "git", "diff" and "source", which belong together."""
        if not self._sections & {"git", "diff", "source"}:
            return
        from tracking.client.capture.commands import CommandFailed
        from tracking.client.capture.git import Repository, find_root, read_repository

        found: Repository | None = None
        try:
            folder = repository_folder(entry)
            root = find_root(folder)
            if root is None:
                raise CommandFailed(f"{folder} is in no git repository.")
            found = read_repository(root, entry.file, self._deadline(GIT_SECONDS))
            self._collect("git", lambda: self._say("git", found.data))
        except Exception as error:
            if "git" in self._sections:
                self._failed("git", error)
        if found is None or not found.has_script:
            self._collect("source", lambda: self._say_source(entry))
        if found is not None and found.changed and found.data["commit"] is not None:
            self._collect("diff", lambda: self._say_diff(found))

    def _say_diff(self, found: Any) -> None:
        from tracking.client.capture.git import read_diff

        text, data = read_diff(found.data["root"], found, self._deadline(GIT_SECONDS))
        self._say("diff", data, text.encode("utf-8", "backslashreplace"))

    def _say_source(self, entry: Entry) -> None:
        source = read_source(entry)
        if source is not None:
            self._say("source", source[1], source[0])

    def _say_notebook(self) -> None:
        cells = read_cells()
        if cells is not None:
            self._say("notebook", cells[1], cells[0])

    def _deadline(self, seconds: float) -> Callable[[], float]:
        own = time.monotonic() + seconds
        return lambda: min(own, self._end_by)

    def _system_metrics(self) -> Any:
        if "system" not in self._sections:
            return None
        try:
            from tracking.client.capture.system_metrics import SystemMetrics

            return SystemMetrics(self._session, rank=self._rank, machine=self._speaks_for_machine)
        except Exception:
            return None  # a machine that hides its numbers

    def _measure(self, metrics: Any) -> None:
        if metrics is None:
            return
        from tracking.client.capture.system_metrics import FIRST_SECONDS, INTERVAL

        next_time = self._started + FIRST_SECONDS
        while not self._ending.wait(max(0.0, next_time - time.monotonic())):
            try:
                metrics.log()
            except Exception:
                return
            next_time = max(next_time + INTERVAL, time.monotonic() + INTERVAL / 2)
