"""Whether a table target can be learned from: asked of a process of its own, which a damaged file may end."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

from tracking.config import StoreLocation, reader_environment
from tracking.errors import Problem
from tracking.tuning.definition import TableTarget
from tracking.tuning.targets.table_child import __name__ as CHILD

SECONDS = 60.0


def table_problem(target: TableTarget, project: Path, location: StoreLocation) -> Problem | None:
    """Return why a table cannot be learned from, None where it can or nothing could be told in time.

    Files up to 50 MB are read whole: the column has to be there, to fit the metric, and to have classes or rows enough
    for the folds. Of larger ones the column is looked for.

    Args:
        target: Checked by itself already.
        project: The folder that its file is relative to.
        location: Of the store that its artifact is in.
    """
    request = {"target": asdict(target), "project": str(project.resolve()), "store": str(location.root)}
    kind = next(name for name in ("dataset", "file", "artifact") if getattr(target, name) is not None)
    try:
        done = subprocess.run(
            [sys.executable, "-m", CHILD],
            input=json.dumps(request).encode(),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=reader_environment(),
            cwd=Path(__file__).resolve().parents[3],  # where `tracking` can be imported, installed or not
            timeout=SECONDS,
            start_new_session=True,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    if done.returncode < 0:
        sentence = (
            f"ended the process that read it by signal {-done.returncode}: it is damaged. Write it again."
        )
        return Problem(None, f"target.{kind}", sentence)
    try:
        said = json.loads(done.stdout)
    except ValueError:
        return None
    return Problem(None, f"target.{said['field']}", said["sentence"]) if said else None
