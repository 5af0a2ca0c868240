"""Runs a verb and reads back what it kept."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import tracking
from tracking import ArtifactRecord, Run


def logged(folder: Path, work: Callable[[Run], None]) -> list[tuple[ArtifactRecord, bytes]]:
    """Return the artifacts of one strict run with their bytes, by name and step."""
    with tracking.start_run(store=folder, capture=False, strict=True) as run:
        work(run)
    with tracking.open_store(folder) as store:
        found = []
        for record in store.artifacts(run.id):
            with store.open_artifact(run.id, record.name, step=record.step) as file:
                found.append((record, file.read()))
        return found


def only(folder: Path, work: Callable[[Run], None]) -> tuple[ArtifactRecord, bytes]:
    """Return the one artifact of a run with its bytes."""
    (found,) = logged(folder, work)
    return found
