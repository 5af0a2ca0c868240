"""Optuna's samplers as a definition names them."""

from __future__ import annotations

import warnings
from typing import Any

from tracking.errors import InvalidDefinition, MissingDependency
from tracking.tuning.definition import FunctionTarget, SweepDefinition
from tracking.tuning.definition_fields import Problems
from tracking.tuning.definition_methods import PACKAGES
from tracking.tuning.definition_options import ENUMERATED, check_sampler

try:
    import numpy as np
    import optuna
    from optuna.samplers import BaseSampler
except ImportError as error:
    raise MissingDependency("Sweeps need Optuna, and it is not installed: pip install 'optuna>=5'") from error


def is_enumerated(definition: SweepDefinition) -> bool:
    """Return whether the configurations are enqueued one by one (`tracking.tuning.space.configurations`)."""
    return definition.sampler.name in ENUMERATED


def make_sampler(definition: SweepDefinition, *, worker: int, trials: int = 0) -> BaseSampler:
    """Return the sampler of one worker.

    With a seed, one worker draws the same configurations every time; workers draw different ones. For grid,
    bruteforce and listed it is the random sampler, which draws what an enqueued configuration does not say.

    Args:
        definition: A checked one.
        worker: Number of the worker, from 0.
        trials: That the study has already. A worker that takes the place of another, or goes on with a sweep,
            would draw the same configurations again from the same seed.

    Raises:
        InvalidDefinition: The name or an option makes no sense.
        MissingDependency: The sampler needs a package that is not installed.
    """
    problems = Problems()
    check_sampler(definition.sampler, problems)
    if problems.found:
        raise InvalidDefinition(problems.found)
    seed = _seed(definition.seed, worker, trials)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        try:
            return _made(definition, seed)
        except ImportError as error:
            needed = " and ".join(PACKAGES.get(definition.sampler.name, (str(error.name),)))
            raise MissingDependency(
                f"The sampler {definition.sampler.name} needs the package {needed}: pip install {needed}"
            ) from error


def _made(definition: SweepDefinition, seed: int | None) -> BaseSampler:
    name, options = definition.sampler.name, dict(definition.sampler.options)
    samplers = optuna.samplers
    if name == "tpe":
        return samplers.TPESampler(seed=seed, **_tpe_options(definition, options))
    if name == "nsga2":
        return samplers.NSGAIISampler(seed=seed, **options)
    # What these cannot draw themselves comes from another generator, or it would repeat the numbers of the first.
    other = samplers.RandomSampler(seed=None if seed is None else seed ^ 1)
    if name == "qmc":
        # Every worker takes its points from one sequence, which the seed scrambles.
        return samplers.QMCSampler(
            seed=definition.seed,
            independent_sampler=other,
            warn_asynchronous_seeding=False,
            warn_independent_sampling=False,
            **options,
        )
    if name == "cmaes":
        import cmaes  # type: ignore[import-not-found,unused-ignore]  # noqa: F401  # Optuna loads it at the first trial

        return samplers.CmaEsSampler(
            seed=seed, independent_sampler=other, warn_independent_sampling=False, **options
        )
    if name == "gp":
        import torch  # type: ignore[import-not-found,unused-ignore]  # noqa: F401  # Optuna loads it at the first trial

        return samplers.GPSampler(
            seed=seed, independent_sampler=other, warn_independent_sampling=False, **options
        )
    return samplers.RandomSampler(seed=seed)


def _tpe_options(definition: SweepDefinition, options: dict[str, Any]) -> dict[str, Any]:
    # Without groups, a conditional param is drawn by itself: the joint distribution is of params in every trial.
    draws_itself = isinstance(definition.target, FunctionTarget) and definition.target.objective
    if draws_itself or any(param.only_if for param in definition.space):
        options.setdefault("multivariate", True)
        options.setdefault("group", options["multivariate"])
    elif options.get("group"):
        options.setdefault("multivariate", True)
    return options


def _seed(seed: int | None, worker: int, trials: int) -> int | None:
    if seed is None:
        return None
    return int(np.random.SeedSequence((seed, worker, trials)).generate_state(1)[0])
