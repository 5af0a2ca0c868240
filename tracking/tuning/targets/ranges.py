"""A first search space for a target, from the types and defaults of its options."""

from __future__ import annotations

import math
import re

from tracking.tuning.definition import Choice, ParamKind, ParamSpace
from tracking.tuning.targets.options import FoundTarget, Option, Passing
from tracking.validation import EXACT_INT

# Words of a name that say a param is not one to tune.
_LEFT_OUT = frozenset(
    """
    seed seeds random state fold folds path paths dir directory folder file files out output outputs input
    inputs data dataset datasets root cache checkpoint checkpoints ckpt resume name names experiment
    project run tag tags notes log logs logging logger verbose verbosity quiet debug silent print interval
    every frequency freq device devices gpu gpus cuda cpu cpus mps workers worker jobs threads processes
    rank world port host address url store config version help dry test eval evaluate predict plot show
    save load download tracking deterministic pin memory prefetch benchmark profile timeout limit
    """.split()
)
# How long it trains or on how much is a decision about cost: more is better, so it is fixed at its default.
_FIXED = frozenset("epochs epoch steps iterations iters rounds samples images trials budget patience".split())
_SHARES = frozenset(
    "dropout momentum drop keep beta beta1 beta2 rho subsample colsample ratio fraction share prob".split()
)
_SHARE_HIGH = 0.99
_LOG_FROM = 64
"""Whole numbers from here on are drawn evenly in their logarithm: 16 to 256 is a matter of factors."""


def space_of(found: FoundTarget) -> tuple[ParamSpace, ...]:
    """Return a first search space: what can be tuned by its nature, with ranges around the defaults.

    - A float with default d > 0: d/10 to 10 d, in the logarithm. One that its name calls a share (dropout, momentum,
      beta, subsample …) or that is a negative or zero: 0 to 0.99 for shares, 0 to 1 for 0, d ± |d| below 0.
    - An int with default d > 0: d/4 (at least 1) to 4 d, in the logarithm from 64 on. Epochs, steps, rounds and samples
      are fixed at their default, since more of them costs more. An int with default 0 or less is left out.
    - A switch: true and false. Choices: all of them, the default first in the source's order.
    - Bounds that the option has (`IntRange`, `min=`) hold.
    - Left out are texts, paths, lists, options without a known default, and those whose name speaks of seeds, files,
      devices, workers, logging and the like. What a script requires and nothing here covers has to be added.
    - Of options that exclude each other the first that can be tuned stays.
    - An objective draws for itself: it gets no space.

    Args:
        found: A script or function.

    Returns:
        In the order of the options; the params have no conditions.
    """
    space: list[ParamSpace] = []
    groups: set[int] = set()
    for option in found.options:
        param = _param(option) if option.exclusive not in groups else None
        if param is None:
            continue
        if option.exclusive is not None:
            groups.add(option.exclusive)
        space.append(param)
    return tuple(space)


def words(name: str) -> set[str]:
    """Return the words of a name in lower case: `batchSize2` has batch, size and size2."""
    split = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
    return {word for word in re.split(r"[^a-z0-9]+", split) if word} | {split}


def _param(option: Option) -> ParamSpace | None:
    named = words(option.name)
    if option.passing in (Passing.DRAWN, Passing.COUNT, Passing.EACH, Passing.MANY) or option.path:
        return None
    if named & _LEFT_OUT or option.nargs not in (None, "?") or option.command is not None:
        return None
    if option.choices:
        choices = tuple(choice for choice in option.choices if _is_exact(choice))
        return ParamSpace(option.name, ParamKind.CATEGORICAL, choices=choices) if len(choices) > 1 else None
    if option.type == "bool":
        return ParamSpace(option.name, ParamKind.CATEGORICAL, choices=(True, False))
    default = option.default
    if isinstance(default, bool) or not isinstance(default, int | float):
        return None
    if not _is_exact(default):
        return None
    if named & _FIXED:
        return ParamSpace(option.name, ParamKind.FIXED, value=default)
    if option.type == "float":
        return _float(option, float(default), is_share=bool(named & _SHARES))
    return _int(option, int(default)) if option.type == "int" else None


def _is_exact(value: Choice) -> bool:
    """Return whether a definition can hold a value: no whole number beyond 2^53, nothing infinite."""
    if isinstance(value, float):
        return math.isfinite(value)
    return not isinstance(value, int) or abs(value) <= EXACT_INT


def _float(option: Option, default: float, *, is_share: bool) -> ParamSpace | None:
    log = False
    if is_share and 0 <= default < 1:
        low, high = 0.0, _SHARE_HIGH
    elif default > 0:
        low, high, log = _rounded(default / 10), _rounded(default * 10), True
    elif default == 0:
        low, high = 0.0, 1.0
    else:
        low, high = 2 * default, 0.0
    low, high = map(float, _within(option, low, high))
    if not low < high or not math.isfinite(high - low):
        return None
    return ParamSpace(option.name, ParamKind.FLOAT, low=low, high=high, log=log and low > 0)


def _int(option: Option, default: int) -> ParamSpace | None:
    if default <= 0:
        return None
    low, high = _within(option, max(1, default // 4), default * 4)
    high = min(high, EXACT_INT)
    if not low < high:
        return None
    return ParamSpace(
        option.name, ParamKind.INT, low=int(low), high=int(high), log=default >= _LOG_FROM and low > 0
    )


def _within(option: Option, low: float, high: float) -> tuple[float, float]:
    low = low if option.low is None else max(low, option.low)
    return low, high if option.high is None else min(high, option.high)


def _rounded(value: float) -> float:
    """Return a value without the digits that dividing by ten leaves: 0.0003 for 0.00030000000000000003."""
    return float(f"{value:.12g}")
