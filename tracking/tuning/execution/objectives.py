"""The Optuna trial that an objective gets, in the process that calls it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import optuna

from tracking.config import locate_store
from tracking.tuning.definition_file import read_definition
from tracking.tuning.pruners import make_pruner
from tracking.tuning.samplers import make_sampler
from tracking.tuning.storage import StudyStorage


def trial_of(request: Mapping[str, Any]) -> optuna.Trial:
    """Return the trial that a request is about, bound to its study.

    Every trial has a process of its own, and therefore a sampler of its own: its draws follow from the number
    of the trial.
    """
    definition = read_definition(request["definition"])
    sampler = make_sampler(definition, worker=int(request["slot"]), trials=int(request["number"]))
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.Study(
        request["study"], StudyStorage(locate_store()), sampler=sampler, pruner=make_pruner(definition)
    )
    return optuna.Trial(study, int(request["trial"]))
