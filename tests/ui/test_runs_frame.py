"""The frame of runs: columns worth showing, blanks, rows that keep their places."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

import pandas as pd
import pytest

from tracking.records import Goal, KeyCatalogue, MetricSummary, RunRecord, RunStatus
from tracking.ui import runs_frame


def record(run_id: str, metrics: list[str], params: dict[str, Any]) -> RunRecord:
    summaries = {
        key: MetricSummary(key, 1, math.nan, 0, math.nan, 0, None, None, None, None, None, 1)
        for key in metrics
    }
    created = datetime(2026, 1, 1, tzinfo=UTC)
    return RunRecord(run_id, "e", run_id, RunStatus.FINISHED, created, None, 1.0, {}, params, summaries)


@pytest.mark.parametrize(
    ("column", "term"),
    [
        ("created", "created"),
        ("metrics.loss", "metrics.loss"),
        ("params.optimizer.name", "params.optimizer.name"),
        ("metrics.val/acc", 'metrics["val/acc"]'),
        ('params.a"b', 'params["a\\"b"]'),
        ("metrics.é", 'metrics["é"]'),
    ],
)
def test_columns_are_named_as_the_filter_language_does(column: str, term: str) -> None:
    assert runs_frame.order_term(column) == term


def test_automatic_columns_put_goals_first_and_leave_out_what_is_the_same() -> None:
    frame = pd.DataFrame(
        {
            "run": ["a", "b", "c", "d"],
            "metrics.epoch_seconds": [1.0, 1.0, 1.0, 1.0],
            "metrics.loss": [0.1, 0.2, 0.3, 0.4],
            "metrics.quality": [0.1, 0.2, 0.3, 0.4],
            "metrics.rare": [None, None, None, 1.0],
            "params.lr": [0.1, 0.2, 0.1, 0.1],
            "params.seed": [1, 1, 1, 1],
            "params.prompt": ["x" * 100, "y" * 100, "z", "z"],
            "params.few": [None, None, None, 3.0],
        }
    )
    assert runs_frame.automatic_columns(frame, {"quality": Goal.MAXIMIZE}) == [
        "metrics.quality",
        "metrics.loss",
        "metrics.epoch_seconds",
        "params.lr",
    ]


def test_what_a_study_was_told_is_left_out_beside_the_metric_itself() -> None:
    nan = math.nan
    goals = {"value": Goal.MINIMIZE, "intermediate_value": Goal.MINIMIZE}
    frame = pd.DataFrame(
        {
            "run": ["a", "b", "c"],
            "metrics.intermediate_value": [0.5, 0.4, 0.3],
            "metrics.score": [0.1, 0.1, 0.1],
            "metrics.rest": [0.5, 0.4, 0.2],  # the last run has gone on since it reported
            "metrics.value": [0.5, 0.4, nan],
        }
    )
    assert runs_frame.automatic_columns(frame, goals) == ["metrics.rest", "metrics.score"]
    assert runs_frame.goals_with_stand_ins(frame, goals)["rest"] is Goal.MINIMIZE
    # A value that no metric says is the trial's result, as of an objective that logs other things.
    other = frame.drop(columns="metrics.rest")
    assert runs_frame.automatic_columns(other, goals) == ["metrics.value", "metrics.score"]
    alone = other.drop(columns="metrics.score")
    assert runs_frame.automatic_columns(alone, goals) == ["metrics.intermediate_value", "metrics.value"]


def test_candidates_are_bounded() -> None:
    catalogue = KeyCatalogue(
        metrics=tuple(f"m{n}" for n in range(500)) + ("acc",), params=tuple(f"p{n}" for n in range(500))
    )
    columns = runs_frame.candidate_columns(catalogue, {"m499": Goal.MAXIMIZE})
    assert len(columns) == sum(runs_frame.CANDIDATES)
    assert columns[:2] == ("metrics.m499", "metrics.acc")


def test_nan_is_told_from_absent() -> None:
    frame = pd.DataFrame({"run": ["a", "b", "c"], "metrics.acc": [math.nan, math.nan, 0.5]})
    assert runs_frame.unsure_rows(frame) == ["a", "b"]
    told = runs_frame.tell_absent_from_nan(frame, [record("a", ["acc"], {}), record("b", [], {})])
    first, second, third = told["metrics.acc"].tolist()
    assert math.isnan(first) and second is None and third == 0.5
    assert frame["metrics.acc"].isna().sum() == 2  # the argument is shared with others


def test_a_frame_without_blanks_needs_no_look() -> None:
    assert runs_frame.unsure_rows(pd.DataFrame({"run": ["a"], "metrics.acc": [1.0]})) == []
    assert runs_frame.unsure_rows(pd.DataFrame({"run": ["a"]})) == []


def test_rows_keep_their_places_with_fresh_values() -> None:
    shown = pd.DataFrame({"run": ["b", "a"], "metrics.acc": [0.1, 0.2]})
    fresh = pd.DataFrame({"run": ["new", "b"], "metrics.acc": [0.0, 0.9]})
    kept = runs_frame.keep_rows(shown, fresh)
    assert kept["run"].tolist() == ["b", "a"]
    assert kept["metrics.acc"].tolist() == [0.9, 0.2]


def test_metrics_that_most_runs_have_come_before_those_of_one() -> None:
    runs = [
        record("a", ["loss", "val/acc"], {}),
        record("b", ["loss", "rare"], {}),
        record("c", ["loss"], {}),
    ]
    assert runs_frame.metric_order(runs, {}) == ["loss", "val/acc", "rare"]
    assert runs_frame.metric_order(runs, {"rare": Goal.MAXIMIZE})[0] == "rare"


def test_metrics_of_the_machine_are_shown_only_when_asked_for() -> None:
    runs = [record("a", ["loss", "system/cpu_percent"], {}), record("b", ["system/rank1/cpu_percent"], {})]
    assert runs_frame.metric_order(runs, {}) == ["loss"]
    assert runs_frame.system_keys(runs) == ["system/cpu_percent", "system/rank1/cpu_percent"]
    catalogue = KeyCatalogue(metrics=("loss", "system/cpu_percent"))
    assert runs_frame.candidate_columns(catalogue, {}) == ("metrics.loss",)
    frame = pd.DataFrame({"run": ["a"], "metrics.loss": [0.1], "metrics.system/cpu_percent": [3.0]})
    assert runs_frame.automatic_columns(frame, {}) == ["metrics.loss"]
