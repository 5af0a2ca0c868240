"""Where a version comes from, written down when it is registered: it outlasts every later edit of the run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tracking.database import carried_queries, registry_queries, run_queries, study_queries, sweep_queries
from tracking.records import CaptureRecord, RunRecord
from tracking.sweep_records import CONFIRMS

_GIT = ("commit", "branch", "dirty")


def lineage_of(connection: Any, run: RunRecord) -> dict[str, Any]:
    """Return the lineage of a version made from a run, as `VersionRecord.lineage` describes it.

    Args:
        connection: To read with.
        run: The run.
    """
    captures = carried_queries.capture_records(connection, run.id)
    found: dict[str, Any] = {
        "params": dict(run.params),
        "metrics": {
            key: summary.last for key, summary in run.metrics.items() if not key.startswith("system/")
        },
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
    """Return the experiment of a run, and that of the sweep which its sweep confirms."""
    run = run_queries.run_record(connection, run_id)
    found = [run.experiment]
    trial = _trial(connection, run)
    chain = None if trial is None else _chain(connection, trial[0])
    confirmed = None if chain is None else _confirmed(connection, chain)
    if confirmed is not None and confirmed[0].experiment not in found:
        found.append(confirmed[0].experiment)
    return found


def _search(connection: Any, run: RunRecord) -> dict[str, Any]:
    trial = _trial(connection, run)
    if trial is None:
        return {}
    study, number = trial
    chain = _chain(connection, study)
    competed = chain
    if chain is not None and CONFIRMS in chain[0].attributes:
        competed = _confirmed(connection, chain)
    counted: int | None
    if competed is not None:
        counted = registry_queries.finished_trials(connection, competed[-1].number)
    elif chain is None:
        counted = registry_queries.finished_trials(connection, study_queries.study_number(connection, study))
    else:
        counted = None
    return {"study": study, "trial": number, "picked_from": counted}


def _trial(connection: Any, run: RunRecord) -> tuple[str, int] | None:
    """Return the trial that a run is, or is a repeat of."""
    found = study_queries.trial_of_run(connection, run.id)
    if found is None and run.parent is not None:
        found = study_queries.trial_of_run(connection, run.parent)
    return found


def _chain(connection: Any, study: str) -> list[sweep_queries.SweepStudy] | None:
    for chain in sweep_queries.chains(connection):
        if any(each.name == study for each in chain):
            return chain
    return None


def _confirmed(
    connection: Any, chain: Sequence[sweep_queries.SweepStudy]
) -> list[sweep_queries.SweepStudy] | None:
    said = chain[0].attributes.get(CONFIRMS)
    name = said.get("sweep") if isinstance(said, dict) else None
    return None if not isinstance(name, str) else _chain(connection, name)


def _section(captures: Sequence[CaptureRecord], section: str) -> dict[str, Any]:
    """Return a section as the last session that owned the run recorded it."""
    found = [each for each in captures if each.section == section]
    owned = [each for each in found if each.owner]
    return dict((owned or found)[-1].data) if found else {}
