"""Where a version comes from, written down when it is registered: it outlasts every later edit of the run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tracking.database import carried_queries, run_queries, study_queries
from tracking.records import CaptureRecord, RunRecord
from tracking.registry.groups import group_of
from tracking.registry.measured import measured

_GIT = ("commit", "branch", "dirty")


def lineage_of(connection: Any, run: RunRecord, step: int | None = None) -> dict[str, Any]:
    """Return the lineage of a version made from a run, as `VersionRecord.lineage` describes it.

    Args:
        connection: To read with.
        run: The run.
        step: Of the model.
    """
    captures = carried_queries.capture_records(connection, run.id)
    found: dict[str, Any] = {
        "params": dict(run.params),
        **measured(connection, run, step),
        "datasets": [
            {"name": each.name, "digest": each.digest}
            for each in carried_queries.dataset_records(connection, run.id)
        ],
        "git": {
            key: value
            for key, value in _section(captures, "git").items()
            if key in _GIT and value is not None
        },
        "script": _section(captures, "script").get("path"),
        "parent": run.parent,
        **_search(connection, run),
    }
    return {key: value for key, value in found.items() if value not in (None, {}, [])}


def experiments_of(connection: Any, run_id: str) -> list[str]:
    """Return the experiment of a run, and that of the run whose configuration it repeats; raises NotFound."""
    origin = group_of(connection, run_id).origin
    found = run_queries.run_records(connection, [run_id, origin.uid])
    return list(dict.fromkeys(each.experiment for each in found))


def _search(connection: Any, run: RunRecord) -> dict[str, Any]:
    found: dict[str, Any] = {"picked_from": group_of(connection, run.id).picked_from}
    trial = study_queries.trial_of_run(connection, run.id)
    if trial is None and run.parent is not None:
        trial = study_queries.trial_of_run(connection, run.parent)
    return found if trial is None else {**found, "study": trial[0], "trial": trial[1]}


def _section(captures: Sequence[CaptureRecord], section: str) -> dict[str, Any]:
    """Return a section as the last session that owned the run recorded it."""
    found = [each for each in captures if each.section == section]
    owned = [each for each in found if each.owner]
    return dict((owned or found)[-1].data) if found else {}
