"""Optuna's pruners as a definition names them."""

from __future__ import annotations

import warnings
from typing import Any

from tracking.errors import InvalidDefinition, MissingDependency
from tracking.tuning.definition import Named, SweepDefinition
from tracking.tuning.definition_fields import Problems
from tracking.tuning.definition_options import DOMINATED, WRAPPED, check_pruner

try:
    import optuna
    from optuna.pruners import BasePruner
except ImportError as error:
    raise MissingDependency("Sweeps need Optuna, and it is not installed: pip install 'optuna>=5'") from error

_MADE: dict[str, Any] = {
    "none": optuna.pruners.NopPruner,
    "median": optuna.pruners.MedianPruner,
    "percentile": optuna.pruners.PercentilePruner,
    "halving": optuna.pruners.SuccessiveHalvingPruner,
    "hyperband": optuna.pruners.HyperbandPruner,
    "wilcoxon": optuna.pruners.WilcoxonPruner,
}


def make_pruner(definition: SweepDefinition) -> BasePruner:
    """Return the pruner of a sweep.

    Raises:
        InvalidDefinition: The name or an option makes no sense.
    """
    problems = Problems()
    check_pruner(definition.pruner, problems)
    if problems.found:
        raise InvalidDefinition(problems.found)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        return _made(definition.pruner)


def _made(pruner: Named) -> BasePruner:
    options = dict(pruner.options)
    if pruner.name == DOMINATED:
        return optuna.pruners.NopPruner()  # Optuna compares one value: the worker does that itself
    if pruner.name != "patient":
        return _MADE[pruner.name](**options)  # type: ignore[no-any-return]
    wrapped = dict(options.pop(WRAPPED, None) or {"name": "none"})
    name = wrapped.pop("name")
    inner = None if name == "none" else _made(Named(name, wrapped))
    return optuna.pruners.PatientPruner(inner, **options)
