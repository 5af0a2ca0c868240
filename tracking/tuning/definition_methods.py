"""Whether the sampler and the pruner of a definition can do what the rest of it asks for."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec

from tracking.tuning.definition import FunctionTarget, ParamKind, SweepDefinition
from tracking.tuning.definition_fields import Problems
from tracking.tuning.definition_options import (
    DOMINATED,
    ENUMERATED,
    LISTED,
    WRAPPED,
    check_pruner,
    check_sampler,
)
from tracking.tuning.space import configurations, is_finite

PACKAGES = {"cmaes": ("cmaes",), "gp": ("torch",), "wilcoxon": ("scipy",), "qmc": ("scipy",)}
"""What a method needs that Optuna does not bring along."""

# The sampler that copes with everything is the way out of each of these.
_TPE = 'name = "tpe" can.'


def check_methods(definition: SweepDefinition, problems: Problems, *, limit: int) -> None:
    """Note what the sampler and the pruner cannot do.

    Args:
        definition: The whole.
        problems: Noted so far.
        limit: Configurations that a space may have which is gone through one by one.
    """
    if not problems.touched("sampler"):
        check_sampler(definition.sampler, problems)
    if not problems.touched("pruner"):
        check_pruner(definition.pruner, problems)
    if not problems.touched("sampler", "name"):
        _check_package("sampler", definition.sampler.name, problems)
        _check_sampling(definition, problems)
        if not problems.touched("space") and definition.sampler.name in ENUMERATED:
            _check_finite(definition, problems, limit)
    if not problems.touched("pruner", "name"):
        _check_pruning(definition, problems)


def _check_package(field: str, name: str, problems: Problems) -> None:
    for package in PACKAGES.get(name, ()):
        if find_spec(package) is None:
            problems.add(
                (field, "name"), f"is {name}, which needs the package {package}: pip install {package}"
            )


def _check_sampling(definition: SweepDefinition, problems: Problems) -> None:
    name, path = definition.sampler.name, ("sampler", "name")
    space = definition.space
    if name in ("qmc", "cmaes", "gp"):
        conditional = [param.name for param in space if param.only_if and param.kind is not ParamKind.FIXED]
        if conditional:
            problems.add(
                path,
                f"is {name}, which cannot do params with only_if, as {conditional[0]!r}. {_TPE}",
            )
    if name == "cmaes":
        drawn = [param for param in space if param.kind is not ParamKind.FIXED]
        categorical = [param.name for param in drawn if param.kind is ParamKind.CATEGORICAL]
        if categorical:
            problems.add(
                path,
                f"is cmaes, which cannot do categorical params, as {categorical[0]!r}: numbers only. {_TPE}",
            )
        elif len(drawn) == 1:
            problems.add(path, f"is cmaes, which needs two params or more that are drawn. {_TPE}")
        if len(definition.objectives) > 1:
            problems.add(path, 'is cmaes, which cannot do several objectives. name = "tpe" or "nsga2" can.')
    if name == "qmc" and definition.sampler.options.get("scramble") is True and definition.seed is None:
        problems.add(
            ("sampler", "scramble"),
            "needs a seed that all workers share, else they leave different sequences. Give seed = 0, say.",
        )


def _check_finite(definition: SweepDefinition, problems: Problems, limit: int) -> None:
    path, name = ("sampler", "name"), definition.sampler.name
    if name == LISTED:
        if not definition.start_with and not problems.touched("start_with"):
            problems.add(
                path, "is listed, which goes through the configurations of [[start_with]]. There are none."
            )
        return
    if isinstance(definition.target, FunctionTarget) and definition.target.objective:
        problems.add(path, f"is {name}, and what an objective(trial) draws is not known before. {_TPE}")
        return
    endless = [param.name for param in definition.space if not is_finite(param)]
    if endless:
        problems.add(
            path,
            f"is {name}, which goes through every value, and {endless[0]!r} is a float without a step. "
            "Give it a step or choices, or take another sampler.",
        )
    elif sum(1 for _ in configurations(definition.space, limit + 1)) > limit:
        problems.add(
            path, f"is {name}, and the space has more than {limit:,} configurations. Narrow it, or take tpe."
        )


def _check_pruning(definition: SweepDefinition, problems: Problems) -> None:
    pruner = definition.pruner
    if pruner.name == "none":
        return
    if pruner.name == DOMINATED and len(definition.objectives) == 1:
        problems.add(
            ("pruner", "name"),
            'is dominated, which compares trials in several objectives, and there is one. name = "median" is for one.',
        )
    elif pruner.name != DOMINATED and len(definition.objectives) > 1:
        problems.add(
            ("pruner", "name"),
            f"is {pruner.name}, and there are {len(definition.objectives)} objectives, which it does not compare. "
            'Give name = "dominated" or "none", or one objective.',
        )
    inner = pruner.options.get(WRAPPED)
    wrapped = inner.get("name") if isinstance(inner, Mapping) else None
    _check_package("pruner", wrapped if wrapped == "wilcoxon" else pruner.name, problems)
    if "wilcoxon" in (pruner.name, wrapped) and definition.repeats is None:
        problems.add(
            ("pruner", "name"),
            'is wilcoxon, which compares the repeats of trials. Add [repeats], or take name = "median".',
        )
