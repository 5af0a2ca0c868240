"""Which columns of a table of runs only say again what a study was told.

The run of a trial has what it reported as `intermediate_value` and what it came to as `value` (`values.0`, … of
several objectives). Where its script logs the metric itself, that is the same number three times.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

SAME_SHARE = 0.9
"""Of the runs with a value: so many must have the same number as metric. A killed trial may have logged on."""
REPORTED = "intermediate_value"
"""The metric of a trial's run that has what an objective reported on the way."""
_VALUE = re.compile(r"value|values\.\d+")


def is_reported(metric: str) -> bool:
    """Whether a metric has a name under which runs of trials keep what a study was told."""
    return metric == REPORTED or _VALUE.fullmatch(metric) is not None


def aimed(metrics: Iterable[str], goals: Container[str]) -> list[str]:
    """Return the metrics that have a goal, in order; what a study was told only where there is no other one."""
    found = [key for key in metrics if key in goals]
    return [key for key in found if not is_reported(key)] or found


def stand_ins(metrics: Mapping[str, Sequence[Any]]) -> dict[str, str | None]:
    """Return the metrics that may be left out of a table, each with the metric that says the same.

    Args:
        metrics: The last value of each metric in each run, None or NaN where a run lacks it.

    Returns:
        By key of the metric to leave out; None stands for no single metric: what was reported on the way is left out
        wherever the runs have any metric of their own.
    """
    own = [key for key in metrics if not is_reported(key)]
    found: dict[str, str | None] = {}
    if own and REPORTED in metrics:
        found[REPORTED] = None
    numbers = {key: np.asarray(metrics[key], dtype=float) for key in own}
    for key in metrics:
        if not _VALUE.fullmatch(key):
            continue
        values = np.asarray(metrics[key], dtype=float)
        there = ~np.isnan(values)
        if not there.any():
            continue
        shares = {each: float(np.mean(numbers[each][there] == values[there])) for each in own}
        best = max(own, key=lambda each: shares[each], default=None)
        if best is not None and shares[best] >= SAME_SHARE:
            found[key] = best
    return found
