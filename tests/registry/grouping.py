"""Runs, trials and sweeps that run a configuration again, made up for tests of groups: no process is started."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import optuna

import tracking
from tracking.client import launch
from tracking.config import StoreLocation
from tracking.registry.evidence import compare
from tracking.registry.groups import Group, group_of
from tracking.registry_records import Evidence
from tracking.study_records import PLACE
from tracking.sweep_records import CONFIRMS, REPEATS_RUN
from tracking.tuning.definition_file import read_definition
from tracking.tuning.study_draft import StudyDraft
from tracking.tuning.sweep_start import _DIRECTIONS
from tracking.tuning.sweep_state import definition_attribute, opened

optuna.logging.set_verbosity(optuna.logging.ERROR)

SEARCH = """
name = "search"
[target]
script = "train.py"
[space.lr]
low = 0.0
high = 1.0
[[objectives]]
metric = "accuracy"
goal = "maximize"
[budget]
trials = 3
"""


class Place:
    """A store in which runs and trials are made up."""

    def __init__(self, folder: Path) -> None:
        self.location = StoreLocation(folder / "store", named=True)

    def run(
        self,
        accuracy: float | None,
        *,
        experiment: str = "x",
        status: str = "finished",
        parent: str | None = None,
        **params: Any,
    ) -> str:
        """Log a run; returns its id."""
        with tracking.start_run(
            experiment, params=params, parent=parent, store=self.location.root, capture=False, strict=True
        ) as run:
            if accuracy is not None:
                run.log({"accuracy": accuracy})
            if status != "finished":
                run.finish(status)
        return run.id

    def sweep(
        self, name: str, trials: Sequence[Mapping[str, Any]], experiment: str = "", **attributes: Any
    ) -> list[str]:
        """Make a sweep whose trials are complete, with `PLACE` in order; returns the ids of their runs."""
        text = SEARCH.replace('"search"', f'"{name}"')
        draft = StudyDraft([_DIRECTIONS[each.goal] for each in read_definition(text).objectives])
        draft.set_attributes({**definition_attribute(read_definition(text), 1, text), **attributes})
        with opened(self.location) as engines:
            assert draft.write(engines, name, experiment or name) is not None
        study = optuna.load_study(study_name=name, storage=tracking.study_storage(self.location.root))
        with warnings.catch_warnings():  # Optuna calls this one experimental
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            study.set_metric_names(["accuracy"])
        for place, params in enumerate(trials):
            study.enqueue_trial(dict(params), user_attrs={PLACE: place})
            asked = study.ask()
            for key in params:
                asked.suggest_float(key, 0.0, 1.0)
            study.tell(asked, 0.9 - place / 100)
        with tracking.open_store(self.location.root) as store:
            return [str(trial.run) for trial in store.trials(name)]

    def confirm(
        self, sweep: str, runs: Sequence[tuple[str, Mapping[str, Any]]], seeds: Sequence[int]
    ) -> list[str]:
        """Make a sweep that confirms trials, given as run and params; returns the ids of its trials' runs."""
        said = {
            "sweep": sweep,
            "trials": [{"trial": 0, "run": run, "values": [0.9], "params": params} for run, params in runs],
            "vary": "seed",
            "values": list(seeds),
        }
        return self.sweep(f"{sweep} confirmed", [params for _, params in runs], **{CONFIRMS: said})

    def repeated(self, run: str, seeds: Sequence[int], experiment: str = "x") -> str:
        """Make a sweep that repeats a run; returns the id of its only trial's run."""
        said = {"run": run, "vary": "seed", "values": list(seeds)}
        return self.sweep("repeated", [{}], experiment, **{REPEATS_RUN: said})[0]

    def child(self, trial: str, repeat: int, accuracy: float, *, experiment: str, **params: Any) -> str:
        """Log a repeat of a trial as a script does that a sweep runs; returns its id."""
        launch._started.clear()  # the id is for the first run that a process starts
        with _environment(TRACKING_RUN_ID=launch.repeat_id(trial, repeat)):
            return self.run(accuracy, experiment=experiment, parent=trial, **params)

    def group(self, run: str) -> Group:
        with tracking.open_store(self.location.root) as store, store._reading() as connection:
            return group_of(connection, run)

    def counted(self, run: str) -> list[str]:
        """Return the ids of the runs that count for a run's configuration."""
        return [each.run.uid for each in self.group(run).members]

    def evidence(self, candidate: str, champion: str | None, *asked: Any, **more: Any) -> Evidence:
        with tracking.open_store(self.location.root) as store, store._reading() as connection:
            return compare(connection, candidate, champion, *asked, **more)


@contextmanager
def _environment(**values: str) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
