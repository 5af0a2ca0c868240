"""Sweeps for tests: a project with a small script, studies that look like a sweep's, and waiting for real ones."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import optuna
import psutil

import tracking
from tracking.config import StoreLocation
from tracking.study_records import CAUSE, REASON
from tracking.sweep_records import PROJECT
from tracking.tuning.definition import SweepDefinition
from tracking.tuning.definition_file import read_definition
from tracking.tuning.study_draft import StudyDraft
from tracking.tuning.sweep_start import _DIRECTIONS
from tracking.tuning.sweep_state import definition_attribute, opened, stopped, wanted

PATIENCE = 120.0

SCRIPT = '''
"""Train a little."""
import argparse, sys, time
import tracking

parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float, default=0.1)
parser.add_argument("--opt", default="sgd")
parser.add_argument("--momentum", type=float, default=0.5)
parser.add_argument("--wait", default="")
args = parser.parse_args()
print("lr is", args.lr)
with tracking.start_run("x", params=vars(args), capture=False) as run:
    run.log({"accuracy": 1 - args.lr, "cost": args.lr}, step=0)
    while args.wait:
        try:
            open(args.wait).close()
        except OSError:
            time.sleep(0.05)
        else:
            break
    if args.lr > 0.4:
        raise ValueError("too large")
'''

TEXT = """
name = "s"  # comments stay
workers = 1

[target]
script = "train.py"

[space.lr]
low = 0.01
high = 0.3

[space.opt]
choices = ["sgd", "adam"]

[[objectives]]
metric = "accuracy"
goal = "maximize"

[sampler]
name = "random"

[budget]
trials = 10
"""


def project(folder: Path) -> Path:
    """Make a project with `train.py`; returns its folder."""
    made = folder / "project"
    made.mkdir()
    (made / "train.py").write_text(SCRIPT)
    return made


def made(
    location: StoreLocation,
    folder: Path,
    trials: int = 0,
    *,
    text: str = TEXT,
    ended: bool = True,
    **changes: str,
) -> SweepDefinition:
    """Make a sweep in the store that no process works on, with trials that were made here.

    Trial 1 failed, and trial 2 has lr 0.2 and opt adam. `changes` replaces words of the definition.
    """
    for old, new in changes.items():
        text = text.replace(old, new)
    definition = read_definition(text)
    draft = StudyDraft([_DIRECTIONS[each.goal] for each in definition.objectives])
    attributes: dict[str, Any] = {**definition_attribute(definition, 1, text), PROJECT: str(folder)}
    draft.set_attributes({**attributes, **wanted("run"), **(stopped() if ended else {})})
    with opened(location) as engines:
        assert draft.write(engines, definition.name, definition.name) is not None
    study = optuna.load_study(
        study_name=definition.name,
        storage=tracking.study_storage(location.root),
        sampler=optuna.samplers.RandomSampler(seed=1),
    )
    for number in range(trials):
        if number == 2:
            study.enqueue_trial({"lr": 0.2, "opt": "adam"})
        trial = study.ask()
        lr = trial.suggest_float("lr", 0.01, 0.3)
        trial.suggest_categorical("opt", ["sgd", "adam"])
        if number == 1:
            trial.set_user_attr(CAUSE, "error")
            trial.set_user_attr(REASON, "It ended with exit code 1: ValueError: too large")
            study.tell(trial, state=optuna.trial.TrialState.FAIL)
        else:
            study.tell(trial, [1 - lr, lr][: len(definition.objectives)])
    return definition


def wait_for(what: Callable[[], Any], store: Path | None = None) -> Any:
    """Return what a function gives as soon as that is true; fails with the supervisors' logs."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        found = what()
        if found:
            return found
        time.sleep(0.1)
    logs = sorted(store.glob("logs/sweeps/*/*.log")) if store is not None else []
    raise AssertionError("\n".join(log.read_text() for log in logs) or "it did not come")


def processes_of(store: Path) -> list[psutil.Process]:
    """Return the processes that name the store in their arguments."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.pid != os.getpid() and str(store) in " ".join(process.cmdline()):
                found.append(process)
    return found


def end_all(store: Path) -> None:
    """End every process of the store's sweeps."""
    for _ in range(3):
        for process in processes_of(store):
            with suppress(psutil.Error):
                process.send_signal(signal.SIGKILL)
        psutil.wait_procs(processes_of(store), timeout=10)
