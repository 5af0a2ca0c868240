"""The model of a sweep's best trial, for targets that are tables."""

from __future__ import annotations

import shutil
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import optuna

from tracking.config import StoreLocation
from tracking.database.engine import Engines
from tracking.database.study_queries import trial_records
from tracking.tuning.definition import Choice, ParamKind, ParamSpace
from tracking.tuning.execution.finished import take_in
from tracking.tuning.execution.launching import Launch, environment
from tracking.tuning.execution.orders import STOP, Orders, read_orders
from tracking.tuning.execution.outcomes import Ending, last_traceback
from tracking.tuning.execution.places import REQUEST, RESULT, SweepPlaces, read_json, write_json
from tracking.tuning.execution.reporting import Overseer
from tracking.tuning.execution.watching import Watch, evaluate
from tracking.tuning.space import is_active
from tracking.tuning.storage import StudyStorage

MODEL = "podium:model"
"""System attribute of a study: {"trial"}, the number of the trial whose model was kept last."""


def keep_best_model(
    location: StoreLocation,
    engines: Engines,
    storage: StudyStorage,
    study: int,
    places: SweepPlaces,
    orders: Orders,
    *,
    grace: float,
) -> str | None:
    """Fit the pipeline of the best trial on all rows and log it to the trial's run, unless it was before.

    Returns:
        Why that could not be done, None when it was or there is no trial to do it for.
    """
    name = storage.get_study_name_from_id(study)
    best = optuna.Study(name, storage).best_trials
    if not best or (storage.get_study_system_attrs(study).get(MODEL) or {}).get("trial") == best[0].number:
        return None
    with engines.reading() as connection:
        (record,) = trial_records(connection, name, first=best[0].number, limit=1)
    if record.run is None:
        return "its run was removed for good"
    definition = orders.definition
    folder = places.evaluation(best[0].number)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_json(
        folder / REQUEST,
        {
            "kind": "refit",
            "target": asdict(definition.target),
            "params": whole_configuration(definition.space, best[0].params),
            "project": str(orders.project),
            "experiment": definition.experiment or definition.name,
            "metrics": [],
        },
    )

    def is_wanted() -> bool:
        return read_orders(storage.get_study_system_attrs(study)).wanted != STOP

    overseer = Overseer(is_wanted, None, threading.Event())
    try:
        ended = evaluate(
            Launch(
                [sys.executable, "-P", "-m", "tracking.tuning.execution.evaluator", str(folder)],
                orders.project,
                environment(location, record.run, names=definition.environment),
                places.logs / "model.log",
            ),
            Watch(memory=definition.limits.memory, grace=grace),
            stop=overseer.stop,
        )
    finally:
        overseer.finish()
    said = read_json(folder / RESULT)
    shutil.rmtree(folder, ignore_errors=True)
    take_in(location, engines, [record.run])
    if ended.ending is Ending.STOP:
        return "it was stopped"
    if said is None:
        trace = last_traceback(ended.printed)
        return trace.splitlines()[-1] if trace else f"its process ended with exit code {ended.code}"
    if said.get("problem"):
        return str(said["problem"])
    storage.set_study_system_attr(study, MODEL, {"trial": best[0].number})
    return None


def whole_configuration(space: Sequence[ParamSpace], drawn: Mapping[str, Any]) -> dict[str, Choice]:
    """Return a configuration with its fixed params, as `suggest` gave it to the trial."""
    params: dict[str, Choice] = {}
    for param in space:
        if is_active(param, params):
            if param.kind is ParamKind.FIXED:
                params[param.name] = param.value
            elif param.name in drawn:
                params[param.name] = drawn[param.name]
    return params
