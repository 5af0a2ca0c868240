"""Asking one script for its options by running it up to where it reads its command line.

For scripts that cannot be read in full. This executes the script: whoever asks for it has been told.
"""

from __future__ import annotations

import json
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tracking.config import evaluation_environment
from tracking.errors import InvalidValue
from tracking.tuning.execution.launching import Launch, Launched, StartFailed
from tracking.tuning.targets import probe_child
from tracking.tuning.targets.declarations import Declaration, options_of
from tracking.tuning.targets.describe import describe_script
from tracking.tuning.targets.options import Option
from tracking.tuning.targets.project_files import shown

SECONDS = 10.0
_RESULT_LIMIT = 8 << 20
_LAST = 300
_STEP = 0.02


def probe_script(
    project: Path,
    path: str,
    seconds: float = SECONDS,
    *,
    arguments: Sequence[str] = (),
    environment: Sequence[str] = (),
) -> tuple[Option, ...]:
    """Run a script until it calls `parse_args`, and return the options that its parser has then.

    It runs in the project's folder, in a session of its own, with logging off and the environment of a trial; nothing
    behind `parse_args` runs. The process and all that it started are killed when it gets there or the time is over.

    Args:
        project: The folder.
        path: Of the script, relative to it.
        seconds: It may take until it parses.
        arguments: It is given.
        environment: Names of variables that it gets besides the usual ones.

    Raises:
        InvalidValue: It is no script of the project, or never reads its command line with argparse; the sentence says
            what happened instead.
    """
    if describe_script(project, path).reader not in ("", "argparse"):
        raise InvalidValue(
            f"{shown(path)} does not use argparse, and only that can be asked for its options."
        )
    with tempfile.TemporaryDirectory(prefix="probe-") as folder:
        result, log = Path(folder, "result.json"), Path(folder, "output")
        launch = Launch(
            # -P: what stands beside the child must not hide modules of the standard library.
            [sys.executable, "-P", probe_child.__file__, str(project / path), str(result), *arguments],
            project,
            evaluation_environment(environment),
            log,
        )
        ended, printed = _run(launch, seconds)
        said = _read(result)
    if "parser" not in said:
        happened = said.get("ended") or ended
        raise InvalidValue(
            f"{shown(path)} never came to read its command line with argparse: {happened}{_last_line(printed)}."
        )
    return options_of(
        Declaration(
            strings=tuple(each["strings"]),
            action=each["action"],
            type=each["type"],
            given=each["given"],
            notes=each["notes"],
            command=each["command"],
        )
        for each in said["parser"]["declared"]
    )


def _run(launch: Launch, seconds: float) -> tuple[str, str]:
    """Run a script's probe, and return how it ended and the end of what it printed."""
    try:
        launched = Launched(launch)
    except StartFailed as error:
        raise InvalidValue(f"The script could not be started: {error}") from error
    deadline = time.monotonic() + seconds
    in_time = False
    try:
        while not (in_time := launched.is_over()) and time.monotonic() < deadline:
            # What it starts and lets go of is remembered, to be killed too.
            launched.tree.look()
            time.sleep(_STEP)
    finally:
        code = launched.end(grace=0)
    printed = launched.log.tail()
    if not in_time:
        return f"after {seconds:g} s it was still running", printed
    if code < 0:
        return f"it was ended by {signal.Signals(-code).name}", printed
    return f"it ended with exit code {code}", printed


def _read(result: Path) -> dict[str, Any]:
    try:
        with open(result, "rb") as file:
            said = json.loads(file.read(_RESULT_LIMIT))
    except (OSError, ValueError):
        return {}
    return said if isinstance(said, dict) else {}


def _last_line(printed: str) -> str:
    lines = [line.strip() for line in printed.splitlines() if line.strip()]
    return f" (it printed last: {shown(lines[-1][:_LAST])})" if lines else ""
