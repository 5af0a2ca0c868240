"""Starting a sweep's own processes, which outlive whoever starts them."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import tracking
from tracking.config import StoreLocation, evaluation_environment, trial_niceness
from tracking.errors import StoreError
from tracking.tuning.definition import SweepDefinition
from tracking.tuning.execution.places import SweepPlaces, is_alive

SUPERVISOR = "tracking.tuning.execution.supervisor"
HANDOVER = "tracking.tuning.handover"
LOG_LIMIT = 5_000_000


def spawn(location: StoreLocation, study: int, name: str, definition: SweepDefinition, module: str) -> int:
    """Start a process in a session of its own, with an environment by allow-list; returns its id.

    Args:
        location: Of the store.
        study: Number of the study that it is for.
        name: Of the study.
        definition: Names the variables of the environment that are passed on besides the usual ones.
        module: Which program: `SUPERVISOR` or `HANDOVER`.

    Raises:
        StoreError: The system refuses.
        InvalidValue: TRACKING_NICE says no niceness.
    """
    trial_niceness()
    places = SweepPlaces(location, study)
    try:
        places.make()
        if module == SUPERVISOR and not is_alive(location, study):
            places.supervisor_record.unlink(missing_ok=True)  # of a dead one: this one is on its way
        log = _log(places.supervisor_log)
        try:
            process = subprocess.Popen(
                # -P: a file of the user's in the working directory must not stand for a module.
                [sys.executable, "-P", "-m", module, str(location.root), name],
                cwd=location.root,
                env=_environment(definition),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                close_fds=True,
            )
        finally:
            os.close(log)
    except OSError as error:
        raise StoreError(
            f"The sweep's supervisor cannot be started: {error}. To try again: resume."
        ) from error
    # Waited for, or it would stay in the table of processes for as long as the caller lives.
    threading.Thread(target=process.wait, name=f"sweep {study}", daemon=True).start()
    return process.pid


def _environment(definition: SweepDefinition) -> dict[str, str]:
    found = evaluation_environment(definition.environment)
    here = str(Path(tracking.__file__).resolve().parent.parent)
    paths = found.get("PYTHONPATH", "").split(os.pathsep)
    if here not in paths and here not in _installed():
        found["PYTHONPATH"] = os.pathsep.join([here, *filter(None, paths)])
    return found


def _installed() -> list[str]:
    import site

    return [*site.getsitepackages(), site.getusersitepackages()]


def _log(path: Path) -> int:
    if path.exists() and path.stat().st_size > LOG_LIMIT:
        os.replace(path, path.with_name(path.name + ".1"))
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
