"""The trials of a sweep as one data frame, which everything that is said or drawn of them starts from."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tracking.analysis.differences import MISSING
from tracking.analysis.natural_order import natural
from tracking.study_records import CAUSE, REASON, RETRY_OF, RUN, WORKER, TrialRecord
from tracking.sweep_records import STOPPED, SweepObjective

if TYPE_CHECKING:
    import pandas as pd

VALUE = "values."
"""Begins the columns that hold a trial's values, so that no metric's name collides with another column."""
PARAM = "params."
"""Begins the columns that hold a trial's params."""


def value_columns(objectives: Sequence[SweepObjective]) -> tuple[str, ...]:
    """Return the column of each objective: `values.<metric>`, with the point where a metric is there twice."""
    often = Counter(each.metric for each in objectives)
    names: list[str] = []
    for each in objectives:
        name = VALUE + (each.metric if often[each.metric] == 1 else f"{each.metric} ({each.at})")
        names.append(name if name not in names else f"{name} {len(names) + 1}")
    return tuple(names)


def param_columns(frame: pd.DataFrame) -> tuple[str, ...]:
    """Return the columns of the params of a trial frame, sorted by name."""
    return tuple(name for name in frame.columns if name.startswith(PARAM))


def trial_frame(records: Sequence[TrialRecord], objectives: Sequence[SweepObjective]) -> pd.DataFrame:
    """Return one row per trial, in order of `records`, with a plain index from 0.

    The columns, in this order:

    - `number` (int64), `run` (text, absent where the run was removed for good), `state` (text);
    - `started`, `completed` (UTC, to the microsecond, NaT where there is none), `duration` (seconds, NaN);
    - `worker` (text: its token), `cause` (text: of failed trials, `unknown` where nothing says it), `reason` (text);
    - `stopped` (bool: failed because somebody ended it), `taken_over` (bool: has the outcome of a run that was
      there before), `retry_of` (Int64: the number of the trial that it tries again), `feasible` (bool: breaks none
      of its constraints);
    - `values.<metric>` (float64) as `value_columns` names them, NaN where there is none;
    - `params.<name>`, sorted: int64 or float64 where every trial that has it has a number there (Int64 for whole
      numbers where some lack it, NaN for the others), else the values as they are, `MISSING` where a trial lacks it,
      which None does not say: it may be a choice.

    Args:
        records: Of one study.
        objectives: Of the sweep, in order; values beyond them are left out.
    """
    import pandas as pd

    said = [each.attributes for each in records]
    states = [each.state for each in records]
    causes = [
        (_text(about.get(CAUSE)) or "unknown") if state == "fail" else None
        for about, state in zip(said, states, strict=True)
    ]
    started, completed = (
        _times(each.started for each in records),
        _times(each.completed for each in records),
    )
    columns: dict[str, Any] = {
        "number": np.fromiter((each.number for each in records), np.int64, len(records)),
        "run": pd.array([each.run for each in records], dtype="str"),
        "state": pd.array(states, dtype="str"),
        "started": pd.DatetimeIndex(started, tz="UTC"),
        "completed": pd.DatetimeIndex(completed, tz="UTC"),
        "duration": _seconds(started, completed),
        "worker": pd.array([_text(about.get(WORKER)) for about in said], dtype="str"),
        "cause": pd.array(causes, dtype="str"),
        "reason": pd.array([_text(about.get(REASON)) for about in said], dtype="str"),
        "stopped": np.array([cause == STOPPED for cause in causes], dtype=bool),
        "taken_over": np.array([RUN in about for about in said], dtype=bool),
        "retry_of": pd.array([_whole(about.get(RETRY_OF)) for about in said], dtype="Int64"),
        "feasible": np.array([each.feasible for each in records], dtype=bool),
    }
    for place, name in enumerate(value_columns(objectives)):
        columns[name] = np.array(
            [
                each.values[place] if each.values is not None and len(each.values) > place else np.nan
                for each in records
            ],
            dtype=np.float64,
        )
    drawn = [each.params for each in records]
    for name in sorted(set().union(*drawn), key=natural):
        columns[PARAM + name] = _param(_of_each(name, drawn))
    return pd.DataFrame(columns, copy=False)


def present(column: pd.Series) -> NDArray[np.bool_]:
    """Return which trials have the param of a column of a trial frame."""
    if column.dtype == object:
        return np.fromiter((value is not MISSING for value in column.array), bool, len(column))
    return column.notna().to_numpy(dtype=bool)


def finished(frame: pd.DataFrame, columns: Sequence[str]) -> NDArray[np.bool_]:
    """Return which trials are complete and have a number (infinite ones count) in every one of the value columns."""
    return np.asarray(
        (frame["state"] == "complete").to_numpy(dtype=bool)
        & ~np.isnan(frame[list(columns)].to_numpy(dtype=np.float64)).any(axis=1)
    )


def feasible(frame: pd.DataFrame) -> NDArray[np.bool_]:
    """Return which trials break none of their constraints."""
    return frame["feasible"].to_numpy(dtype=bool)


def label(value: Any) -> str:
    """Return a param's value as text, as it was logged: text as it is, the rest as in Python or JSON."""
    if isinstance(value, str):
        return value
    if value is None or isinstance(value, bool | int | float):
        return str(value)
    return json.dumps(value, ensure_ascii=False, sort_keys=True, default=repr)


def _of_each(name: str, drawn: Sequence[Mapping[str, Any]]) -> list[Any]:
    try:
        return [params[name] for params in drawn]
    except KeyError:
        return [params.get(name, MISSING) for params in drawn]


def _param(values: list[Any]) -> Any:
    import pandas as pd

    kinds = set(map(type, values))
    lacking = type(MISSING) in kinds
    kinds.discard(type(MISSING))
    if kinds == {int} and all(-(2**63) <= value < 2**63 for value in values if value is not MISSING):
        if lacking:
            return pd.array([None if value is MISSING else value for value in values], dtype="Int64")
        return np.array(values, dtype=np.int64)
    if kinds and kinds <= {int, float}:
        try:
            return np.array([np.nan if value is MISSING else value for value in values], dtype=np.float64)
        except OverflowError:
            pass
    # One by one: lists of one length would become a second axis.
    return pd.Series(np.fromiter(values, dtype=object, count=len(values)), dtype=object)


def _times(moments: Iterable[datetime | None]) -> NDArray[np.datetime64]:
    # Seconds since 1970 as float64 are exact to 0.24 microseconds, so rounding gives the very microsecond.
    seconds = np.array([math.nan if each is None else each.timestamp() for each in moments])
    found = np.full(len(seconds), np.datetime64("NaT"), dtype="M8[us]")
    known = ~np.isnan(seconds)
    found[known] = np.rint(seconds[known] * 1e6).astype(np.int64).view("M8[us]")
    return found


def _seconds(started: NDArray[np.datetime64], completed: NDArray[np.datetime64]) -> NDArray[np.float64]:
    lasted = (completed - started) / np.timedelta64(1, "s")
    return np.asarray(lasted, dtype=np.float64)


def _text(value: Any) -> str | None:
    if value is None:
        return None
    text = value if isinstance(value, str) else str(value)
    # Half a character, which a user's program can write, has no place in a column of text.
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
