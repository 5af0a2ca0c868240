"""Sweeps for tests of their processes: made without the service, supervised, and seen to leave nothing behind."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

import tracking
from tests.conftest import script_environment
from tracking.config import StoreLocation
from tracking.study_records import TrialRecord
from tracking.sweep_records import DEFINITION, OUTCOME, PROJECT, WANTED
from tracking.tuning.definition_file import read_definition
from tracking.tuning.execution.places import SweepPlaces
from tracking.tuning.storage import StudyStorage

GOES_ON = """
name = "{name}"
workers = {workers}
{general}
[target]
{target}
{space}
[[objectives]]
metric = "{metric}"
goal = "maximize"
{more}
"""
X = "[space.x]\nlow = 0.0\nhigh = 1.0"


class SweepProcesses:
    """One sweep in a store of its own, with supervisors that the test starts and kills."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.project = folder / "project"
        self.project.mkdir(parents=True)
        self.location = StoreLocation((folder / "store").resolve(), named=True)
        self.name = ""
        self.supervisors: list[subprocess.Popen[bytes]] = []

    def make(
        self,
        text: str | None = None,
        *,
        target: str = 'script = "train.py"',
        space: str = X,
        workers: int = 1,
        more: str = "",
        metric: str = "accuracy",
        general: str = "",
    ) -> SweepProcesses:
        """Make the study of a sweep whose definition is `text`, or follows from the rest."""
        text = text or GOES_ON.format(
            name="s", workers=workers, target=target, space=space, more=more, metric=metric, general=general
        )
        definition = read_definition(text)
        self.name = definition.name
        self.storage = StudyStorage(self.location)
        self.study = tracking.create_study(
            definition.name,
            directions=[each.goal.value for each in definition.objectives],
            store=self.location.root,
            experiment=definition.experiment,
        )
        self.number = self.study._study_id
        self.places = SweepPlaces(self.location, self.number)
        self.set(DEFINITION, {"text": text, "edition": 1})
        self.set(PROJECT, str(self.project))
        self.want("run")
        return self

    def write(self, text: str, name: str = "train.py") -> None:
        """Write a file of the project."""
        (self.project / name).write_text(text)

    def set(self, key: str, value: Any) -> None:
        self.storage.set_study_system_attr(self.number, key, value)

    def get(self, key: str) -> Any:
        return self.storage.get_study_system_attrs(self.number).get(key)

    def want(self, state: str) -> None:
        self.set(WANTED, {"state": state, "at": datetime.now(UTC).isoformat()})

    def define(self, text: str, edition: int) -> None:
        self.set(DEFINITION, {"text": text, "edition": edition})

    def start(self, **env: str) -> subprocess.Popen[bytes]:
        """Start a supervisor."""
        self.places.make()
        with open(self.places.logs / "stderr.log", "ab") as log:
            process = subprocess.Popen(
                [
                    *(sys.executable, "-P", "-m", "tracking.tuning.execution.supervisor"),
                    *(str(self.location.root), self.name, "1.0"),
                ],
                env=script_environment(**{"TRACKING_CAPTURE": "0", **env}),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.supervisors.append(process)
        return process

    def finish(self, seconds: float = 120) -> dict[str, Any]:
        """Wait until the newest supervisor has ended by itself; returns the sweep's outcome."""
        try:
            self.supervisors[-1].wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"The sweep does not end.\n{self.log()}") from None
        outcome = self.get(OUTCOME)
        assert outcome is not None, self.log()
        return dict(outcome)

    def run(self, seconds: float = 120) -> dict[str, Any]:
        """Start a supervisor and wait for the end."""
        self.start()
        return self.finish(seconds)

    def wait(self, what: Callable[[], Any], seconds: float = 60) -> Any:
        """Wait until something is true; returns it."""
        give_up = time.monotonic() + seconds
        while not (found := what()):
            assert time.monotonic() < give_up, f"It does not become true.\n{self.log()}"
            time.sleep(0.02)
        return found

    def trials(self) -> list[TrialRecord]:
        """Return the trials from rows."""
        with tracking.open_store(self.location.root) as store:
            return store.trials(self.name)

    def states(self) -> list[str]:
        return [trial.state.name for trial in self.study.get_trials(deepcopy=False)]

    def log(self) -> str:
        """Return what the supervisors and workers wrote."""
        logs = [self.places.logs / "stderr.log", self.places.supervisor_log]
        return "\n".join(log.read_text() for log in logs if log.exists())

    def processes(self) -> list[psutil.Process]:
        """Return the processes that belong to the store: they name it by argument or environment."""
        root = str(self.location.root)
        found = []
        for process in psutil.process_iter():
            try:
                about = process.cmdline() + [process.environ().get("TRACKING_STORE", "")]
                if root in about and process.pid != os.getpid() and process.status() != "zombie":
                    found.append(process)
            except psutil.Error:
                continue
        return found

    def end(self) -> None:
        """Kill the supervisors that live; what they started must then go by itself, within seconds."""
        for supervisor in self.supervisors:
            if supervisor.poll() is None:
                supervisor.terminate()
        for supervisor in self.supervisors:
            supervisor.wait(60)
        give_up = time.monotonic() + 20
        while left := self.processes():
            if time.monotonic() > give_up:
                said = [process.cmdline() for process in left]
                for process in left:
                    process.kill()
                raise AssertionError(f"These processes were left behind: {said}\n{self.log()}")
            time.sleep(0.05)
