"""Holds a study's runs against the trials that Optuna replays from its journal."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import optuna
from optuna.trial import FrozenTrial

import tracking

STATUS = {
    "RUNNING": "running",
    "COMPLETE": "finished",
    "PRUNED": "pruned",
    "FAIL": "failed",
    "WAITING": "waiting",
}


def differences(folder: Path, name: str) -> list[str]:
    """Return in what the runs and records of a study differ from `study.trials`, read afresh."""
    study = optuna.load_study(study_name=name, storage=tracking.study_storage(folder))
    found = []
    with tracking.open_store(folder) as store:
        (about,) = [each for each in store.studies() if each.name == name]
        records = store.trials(name)
        trials = study.trials
        if len(records) != len(trials):
            found.append(f"{len(records)} records of {len(trials)} trials")
        for trial, record in zip(trials, records, strict=False):
            assert record.run is not None
            run = store.run(record.run)
            pairs: dict[str, tuple[Any, Any]] = {
                "number": (trial.number, record.number),
                "state": (trial.state.name.lower(), record.state),
                "status": (STATUS[trial.state.name], run.status.value),
                "params": (exact(trial.params), exact(record.params)),
                "run's params": (exact(trial.params), exact(run.flat_params)),
                "attributes": (trial.user_attrs, record.attributes),
                "values": (
                    exact(trial.values),
                    exact(None if record.values is None else list(record.values)),
                ),
                "started": (moment(trial.datetime_start), record.started),
                "completed": (moment(trial.datetime_complete), record.completed),
                "reports": (exact(trial.intermediate_values), exact(reports(store, run.id))),
                "metrics": (exact(ended_with(trial, about.metrics)), exact(logged(run, about.metrics))),
                "ended": (trial.state.is_finished(), run.ended is not None),
            }
            if trial.datetime_start and trial.datetime_complete:
                lasted = (trial.datetime_complete - trial.datetime_start).total_seconds()
                pairs["duration"] = (round(max(0.0, lasted), 6), round(run.duration, 6))
            found += [
                f"trial {trial.number}: {what} {theirs!r} != {ours!r}"
                for what, (theirs, ours) in pairs.items()
                if theirs != ours
            ]
    return found


def reports(store: tracking.Store, run: str) -> dict[int, float]:
    series = store.series(run, "intermediate_value").get((run, "intermediate_value"))
    return {} if series is None else dict(zip(series.steps.tolist(), series.values.tolist(), strict=True))


def ended_with(trial: FrozenTrial, keys: tuple[str, ...]) -> dict[str, float]:
    values = trial.values if trial.state.is_finished() else None
    return {} if values is None else dict(zip(keys, values, strict=False))


def logged(run: tracking.RunRecord, keys: tuple[str, ...]) -> dict[str, float]:
    return {key: run.metrics[key].last for key in keys if key in run.metrics}


def exact(value: Any) -> Any:
    """Return the value in a form in which NaN equals NaN, and 1 is not True."""
    if isinstance(value, dict):
        return {key: exact(item) for key, item in sorted(value.items())}
    if isinstance(value, list | tuple):
        return [exact(item) for item in value]
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return repr(value)
    return "nan" if math.isnan(value) else float(value)


def moment(naive: Any) -> Any:
    return None if naive is None else naive.astimezone(tz=None)
