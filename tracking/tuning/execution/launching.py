"""Starting one evaluation: a process group of its own, with no shell, no terminal and a chosen environment."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tracking.config import StoreLocation, evaluation_environment, trial_niceness
from tracking.tuning.execution.logs import EvaluationLog, Pump
from tracking.tuning.execution.processes import ProcessTree

_LAUNCHER = Path(__file__).with_name("launcher.py")


class StartFailed(Exception):
    """An evaluation could not be started; the message is a sentence without its beginning."""


@dataclass(frozen=True, slots=True)
class Launch:
    """What is started.

    Attributes:
        arguments: The program and its arguments.
        folder: To start it in.
        environment: All of it.
        log: The file that keeps what it prints.
    """

    arguments: Sequence[str]
    folder: Path
    environment: Mapping[str, str]
    log: Path


def environment(
    location: StoreLocation, run: str, repeat: int | None = None, names: Sequence[str] = ()
) -> dict[str, str]:
    """Return the environment of an evaluation.

    Args:
        location: Of the store.
        run: Id of the trial's run.
        repeat: Which repeat of the trial, from 0.
        names: Variables that the definition asks for.
    """
    place = {"TRACKING_STORE": str(location.root), "TRACKING_TRIAL": run, "TRACKING_ATTENDED": "1"}
    if repeat is not None:
        place["TRACKING_REPEAT"] = str(repeat)
    return {**evaluation_environment(names), "PYTHONUNBUFFERED": "1", **place}


class Launched:
    """A process that was started, with its log.

    Args:
        launch: What to start.
        orphans: See `ProcessTree`.

    Raises:
        StartFailed: The folder or the program is not there, or the system refuses.
    """

    def __init__(self, launch: Launch, *, orphans: bool = False) -> None:
        if not launch.folder.is_dir():
            raise StartFailed(f"the project's folder {launch.folder} is not there any more.")
        arguments = list(launch.arguments)
        if sys.platform.startswith("linux"):
            # By the main thread of the worker: the signal comes when the thread ends that started it.
            guard = [sys.executable, "-I", "-S", str(_LAUNCHER), str(os.getpid()), str(trial_niceness())]
            arguments = [*guard, *arguments]
        reading, writing = os.pipe()
        try:
            self.process = subprocess.Popen(
                arguments,
                cwd=launch.folder,
                env=dict(launch.environment),
                stdin=subprocess.DEVNULL,
                stdout=writing,
                stderr=writing,
                start_new_session=True,
                close_fds=True,
            )
        except (OSError, ValueError) as error:
            os.close(reading)
            raise StartFailed(f"{error}.") from error
        finally:
            os.close(writing)
        self.tree = ProcessTree(self.process.pid, orphans=orphans)
        self.log = EvaluationLog(launch.log)
        self._pump = Pump(reading, self.log)

    def is_over(self) -> bool:
        """Whether its first process has ended. It stays unwaited for: the group's number is ours until `end`."""
        if self.process.returncode is not None:
            return True
        if hasattr(os, "waitid"):
            try:
                return os.waitid(os.P_PID, self.process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
            except ChildProcessError:
                return True
        return self.process.poll() is not None

    def end(self, grace: float) -> int:
        """Kill what is left of it, close the log; returns the exit code of the first process."""
        self.tree.kill(grace)
        code = self.process.wait()
        self._pump.finish()
        return code
