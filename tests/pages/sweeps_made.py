"""Sweeps that tests put into a store: with trials, but without processes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import optuna

import tracking
from tracking.store import Store
from tracking.study_records import CAUSE, REASON, TRACEBACK
from tracking.sweep_records import PROJECT
from tracking.tuning.definition_file import read_definition
from tracking.tuning.study_draft import StudyDraft
from tracking.tuning.sweep_start import _DIRECTIONS
from tracking.tuning.sweep_state import definition_attribute, opened, stopped, wanted

SPACE = """
[space.lr]
low = 0.01
high = 0.3

[space.opt]
choices = ["sgd", "adam"]

[space.momentum]
low = 0.5
high = 0.9
only_if = { opt = ["sgd"] }
"""

SCRIPT = """
import argparse

parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float, default=0.1)
parser.add_argument("--opt", default="sgd")
parser.add_argument("--momentum", type=float, default=0.5)
args = parser.parse_args()
"""


def text(name: str, objectives: Sequence[tuple[str, str]], space: str = SPACE) -> str:
    """Return a definition file."""
    wanted_ones = "".join(
        f'\n[[objectives]]\nmetric = "{metric}"\ngoal = "{goal}"\n' for metric, goal in objectives
    )
    return f"""name = "{name}"
workers = 2

[target]
script = "train.py"
{space}{wanted_ones}
[sampler]
name = "random"

[budget]
trials = 50
"""


def make(
    store: Store,
    name: str = "s",
    *,
    trials: int = 0,
    objectives: Sequence[tuple[str, str]] = (("accuracy", "maximize"),),
    fails: Sequence[int] = (),
    prunes: Sequence[int] = (),
    unfinished: Sequence[int] = (),
    attributes: dict[str, Any] | None = None,
) -> optuna.Study:
    """Make a stopped sweep; trials of which the numbers are listed fail, are pruned or stay unfinished."""
    (store.location.root / "train.py").write_text(SCRIPT)
    definition = read_definition(text(name, objectives))
    draft = StudyDraft([_DIRECTIONS[each.goal] for each in definition.objectives])
    about = {**definition_attribute(definition, 1, text(name, objectives)), PROJECT: str(store.location.root)}
    draft.set_attributes({**about, **wanted("run"), **stopped(), **(attributes or {})})
    with opened(store.location) as engines:
        assert draft.write(engines, name, name) is not None
    study = optuna.load_study(
        study_name=name,
        storage=tracking.study_storage(store.location.root),
        sampler=optuna.samplers.RandomSampler(seed=1),
    )
    for number in range(trials):
        trial = study.ask()
        lr = trial.suggest_float("lr", 0.01, 0.3)
        if trial.suggest_categorical("opt", ["sgd", "adam"]) == "sgd":
            trial.suggest_float("momentum", 0.5, 0.9)
        if number in unfinished:
            continue
        if number in fails:
            trial.set_user_attr(CAUSE, "error")
            trial.set_user_attr(REASON, "It ended with exit code 1: ValueError: too <b>large</b>")
            trial.set_user_attr(TRACEBACK, "Traceback (most recent call last):\nValueError: too <b>large</b>")
            study.tell(trial, state=optuna.trial.TrialState.FAIL)
        elif number in prunes:
            trial.report(0.1, 1)
            study.tell(trial, state=optuna.trial.TrialState.PRUNED)
        else:
            study.tell(trial, [1 - lr, lr, lr * 2][: len(objectives)])
    return study
