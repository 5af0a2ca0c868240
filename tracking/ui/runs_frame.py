"""The frame of runs that a search gives: which columns to show, what a blank cell means. Pure."""

from __future__ import annotations

import ast
import difflib
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from tracking.analysis.differences import MISSING
from tracking.analysis.reported import stand_ins
from tracking.records import Goal, KeyCatalogue, RunRecord
from tracking.ui import format

METRIC, PARAM = "metrics.", "params."
SYSTEM = "system/"
"""What the keys of the machine's metrics begin with: they are shown on their own, or when asked for by name."""
CANDIDATES = (12, 60)
"""How many metrics and params are looked at to choose the columns of a table."""

COMMON_SHARE = 0.3
"""Share of the rows that have to have a column for it to be chosen."""
SHORT_PARAM = 40

_TEXT = r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'"
_NAMES = re.compile(
    rf"\b(?P<root>metrics|params)\s*(?:\.\s*(?P<plain>\w+(?:\.\w+)*)|\[\s*(?P<quoted>{_TEXT})\s*\])|{_TEXT}"
)
_PLAIN_KEY = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*", re.ASCII)


def order_term(column: str) -> str:
    """Return a column of the runs table as the filter language names it: `metrics["val/loss"]`."""
    for prefix in (METRIC, PARAM):
        key = column.removeprefix(prefix)
        if key != column and not _PLAIN_KEY.fullmatch(key):
            return f"{prefix[:-1]}[{json.dumps(key, ensure_ascii=False)}]"
    return column


def unknown_names(where: str, catalogue: KeyCatalogue) -> list[str]:
    """Return a sentence for each metric or param in a readable filter that no run has, with the name meant."""
    found: list[str] = []
    for name in _NAMES.finditer(where):
        root = name["root"]
        if root is None:
            continue  # a text that is no key
        key = name["plain"] or ast.literal_eval(name["quoted"])
        known = catalogue.metrics if root == "metrics" else catalogue.params
        if key in known:
            continue
        close = difflib.get_close_matches(key[:64], known, n=1, cutoff=0.6)
        hint = f"; did you mean {order_term(f'{root}.{close[0]}')}?" if close else "."
        found.append(f"No run has a {root[:-1]} {format.shorten(key, 60)}{hint}")
    return list(dict.fromkeys(found))


def candidate_columns(catalogue: KeyCatalogue, goals: Mapping[str, Goal]) -> tuple[str, ...]:
    """Return the columns to look at when the reader has chosen none: bounded, the telling ones first."""
    own = [key for key in catalogue.metrics if not is_system(key)]
    metrics = sorted(own, key=lambda key: metric_rank(key, goals))[: CANDIDATES[0]]
    return (*(METRIC + key for key in metrics), *(PARAM + key for key in catalogue.params[: CANDIDATES[1]]))


def automatic_columns(
    frame: pd.DataFrame, goals: Mapping[str, Goal], *, metrics: int = 4, params: int = 5
) -> list[str]:
    """Return the columns worth showing first: metrics with a goal, then short params that differ.

    What most of the rows have comes before what few have. What a study was told of a metric that the runs have
    themselves is left out.

    Args:
        frame: Rows of `search`.
        goals: Goal by metric key.
        metrics: At most this many metrics.
        params: At most this many params; only those that are not the same in all rows.
    """
    had = frame.notna().mean()
    common = [column for column in frame.columns if had[column] >= COMMON_SHARE]
    keys = [
        column for column in common if column.startswith(METRIC) and not column.startswith(METRIC + SYSTEM)
    ]
    said_again = _stand_ins(frame)
    keys = [column for column in keys if column.removeprefix(METRIC) not in said_again]
    goals = goals_with_stand_ins(frame, goals)
    keys.sort(key=lambda column: metric_rank(column.removeprefix(METRIC), goals))
    differing = [column for column in common if column.startswith(PARAM) and _tells_apart(frame[column])]
    return keys[:metrics] + differing[:params]


def goals_with_stand_ins(frame: pd.DataFrame, goals: Mapping[str, Goal]) -> dict[str, Goal]:
    """Return the goals, with that of a study's value also for the metric that the value is of."""
    known = dict(goals)
    for key, metric in _stand_ins(frame).items():
        if metric is not None and key in goals:
            known.setdefault(metric, goals[key])
    return known


def metric_rank(key: str, goals: Mapping[str, Goal]) -> tuple[bool, bool, bool, str]:
    """Return a sort key: metrics with a goal, then scores and losses, of validation before others."""
    validation = re.search(r"(^|[/_.])(val|valid|validation|test|eval)([/_.]|$)", key) is not None
    telling = re.search(r"acc|loss|f1|auc|error|rmse|mae|score", key) is not None
    return key not in goals, not telling, not validation, key


def metric_order(runs: Sequence[RunRecord], goals: Mapping[str, Goal]) -> list[str]:
    """Return the runs' own metrics, the telling ones first: with a goal, then those that most runs have."""
    count = Counter(key for run in runs for key in run.metrics if not is_system(key))
    return sorted(count, key=lambda key: (key not in goals, -count[key], metric_rank(key, goals)))


def is_system(key: str) -> bool:
    """Whether a metric is of the machine rather than of the experiment."""
    return key.startswith(SYSTEM)


def system_keys(runs: Sequence[RunRecord]) -> list[str]:
    """Return the metrics of the machines that runs were on, sorted."""
    return sorted({key for run in runs for key in run.metrics if is_system(key)})


def unsure_rows(frame: pd.DataFrame) -> list[str]:
    """Return the ids of the runs with a NaN that may be a value or the lack of one."""
    unsure = [frame[column].isna() for column in _float_columns(frame)]
    return [] if not unsure else frame["run"][pd.concat(unsure, axis=1).any(axis=1)].tolist()


def tell_absent_from_nan(frame: pd.DataFrame, runs: Sequence[RunRecord]) -> pd.DataFrame:
    """Return the frame with None where a run has no such metric or param; NaN then is a value.

    Args:
        frame: As `search` gives it, NaN for both.
        runs: The runs of `unsure_rows`.
    """
    by_id = {run.id: run for run in runs}
    told = frame.copy()
    for column in _float_columns(frame):
        blank = frame[column].isna()
        if blank.any():
            told[column] = pd.Series(
                [
                    value if not missing or _has(by_id[run_id], column) else None
                    for value, missing, run_id in zip(frame[column], blank, frame["run"], strict=True)
                ],
                dtype="object",
            )
    return told


def keep_rows(shown: pd.DataFrame, fresh: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of `shown` in their places, with the values of `fresh` where it has them."""
    gone = shown[~shown["run"].isin(fresh["run"])]
    together = pd.concat([fresh, gone]) if len(gone) else fresh
    return together.set_index("run").loc[shown["run"]].reset_index()


def is_absent(value: Any) -> bool:
    """Whether a cell says that the run has no such value; NaN is a value."""
    return value is None or value is pd.NA or value is MISSING


def _stand_ins(frame: pd.DataFrame) -> dict[str, str | None]:
    keys = [column.removeprefix(METRIC) for column in frame.columns if column.startswith(METRIC)]
    return stand_ins({key: frame[METRIC + key].to_list() for key in keys if not is_system(key)})


def _has(run: RunRecord, column: str) -> bool:
    if column.startswith(METRIC):
        return column.removeprefix(METRIC) in run.metrics
    return column.removeprefix(PARAM) in run.flat_params


def _float_columns(frame: pd.DataFrame) -> list[str]:
    return [
        column
        for column in frame.columns
        if column.startswith((METRIC, PARAM)) and frame[column].dtype == "float64"
    ]


def _tells_apart(cells: pd.Series[Any]) -> bool:
    texts = {format.param(value) for value in cells if not is_absent(value)}
    return len(texts) > 1 and max(map(len, texts)) <= SHORT_PARAM
