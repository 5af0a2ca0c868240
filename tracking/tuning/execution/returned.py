"""What a function that a sweep calls returned: checked, and logged to the trial's run."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from tracking.client.run import Run
from tracking.errors import TrackingError
from tracking.tuning.definition import Objective

Values = dict[str, float] | list[float] | None


class WrongValue(Exception):
    """A function returned what is no value of an objective; the message says what."""


def checked_values(returned: object) -> Values:
    """Return what a function returned as values of objectives.

    Raises:
        WrongValue: It is no number, no mapping of numbers and no sequence of numbers.
    """
    if returned is None:
        return None
    if isinstance(returned, Mapping):
        found = {
            str(key): number for key, value in returned.items() if (number := _number(value)) is not None
        }
        if found or not returned:
            return found or None
        raise WrongValue(f"returned a {type(returned).__name__} without a number in it: {_shown(returned)}.")
    if isinstance(returned, list | tuple):
        numbers = [_number(value) for value in returned]
        if numbers and None not in numbers:
            return [number for number in numbers if number is not None]
        raise WrongValue(f"returned {_shown(returned)}, which is not one number for each objective.")
    number = _number(returned)
    if number is None:
        raise WrongValue(
            f"returned {_shown(returned)} ({type(returned).__name__}). Return a number, a dictionary of metrics, "
            "one number for each objective, or nothing where the metric is logged."
        )
    return [number]


def log_values(run: Run, name: str, values: Values, objectives: Sequence[Objective]) -> None:
    """Log what was returned under the names of metrics, where the function did not log the same itself.

    What is returned is the trial's value. Where the function has logged another one, the returned one becomes the
    metric's last point, so that run and trial agree, and a line on standard error says so.

    Args:
        run: The trial's, or the repeat's.
        name: Of the function, for that line.
        values: Checked.
        objectives: Of the sweep.
    """
    metrics = [objective.metric for objective in objectives]
    named = values if isinstance(values, dict) else dict(zip(metrics, values or [], strict=False))
    logged = {key for shape in run._packer._shapes for key in shape}
    new = {key: value for key, value in named.items() if key not in logged}
    for objective in objectives:
        if objective.metric not in named:
            continue
        found = _last(run, objective)
        if found is None:
            continue
        new.pop(objective.metric, None)
        value, (step, last) = named[objective.metric], found
        if value != last and not (math.isnan(value) and math.isnan(last)):
            run.log({objective.metric: value}, step=step + 1)
            print(
                f"{name} returned {value:.6g} as {objective.metric!r}, which it had logged as {last:.6g}: the trial's "
                f"value is what was returned, now the metric's last point too, at step {step + 1}.",
                file=sys.stderr,
                flush=True,
            )
    if new:
        run.log(new)


def _last(run: Run, objective: Objective) -> tuple[int, float] | None:
    """Return the last step of an objective's metric in a run, and what the objective takes for its value by then."""
    import numpy as np

    from tracking.tuning.execution.domination import worth
    from tracking.tuning.execution.readings import MetricReader, by_step

    reader = MetricReader(run._description.location, None, run.id, objective.metric)
    try:
        stored = reader.stored()  # also what processes that are over have logged
    except TrackingError:
        stored = []  # locked for now: the spool has what this process logged
    try:
        steps, values = by_step([*stored, *reader.poll()])
    except TrackingError:
        return None
    return (steps[-1], float(worth(objective, np.array(values, dtype=float))[-1])) if steps else None


def _number(value: Any) -> float | None:
    if isinstance(value, str | bytes):
        return None
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError, RuntimeError):
        return None


def _shown(value: object) -> str:
    try:
        text = repr(value)
    except Exception:
        text = object.__repr__(value)
    return text if len(text) <= 80 else text[:79] + "…"
