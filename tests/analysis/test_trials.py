"""A frame of trials holds what the records say, and tells what is absent from what is None."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tracking.analysis.best_so_far import best_so_far
from tracking.analysis.differences import MISSING
from tracking.analysis.trials import finished, label, param_columns, present, trial_frame, value_columns
from tracking.records import Goal
from tracking.study_records import CAUSE, REASON, RETRY_OF, RUN, WORKER, TrialRecord
from tracking.sweep_records import STOPPED, SweepObjective

BEGAN = datetime(2026, 3, 29, 1, 59, 59, 999_999, tzinfo=UTC)
LOSS = (SweepObjective("loss", Goal.MINIMIZE),)


def trial(number: int, state: str = "complete", value: float | None = None, **rest: Any) -> TrialRecord:
    values = None if value is None else (value,)
    return TrialRecord(number, f"run{number}", state, rest.pop("started", BEGAN), None, values, **rest)


def test_a_row_says_what_its_record_says() -> None:
    east = timezone(timedelta(hours=9))
    record = TrialRecord(
        number=4,
        run=None,
        state="fail",
        started=BEGAN.astimezone(east),
        completed=BEGAN + timedelta(microseconds=3),
        values=None,
        params={"lr": 0.1},
        attributes={WORKER: "w", CAUSE: STOPPED, REASON: "As asked for.", RETRY_OF: 2, RUN: "old"},
    )
    row = trial_frame([record], LOSS).iloc[0]
    assert row["started"].to_pydatetime() == BEGAN
    assert row["duration"] == 3e-6
    assert (row["number"], row["state"], row["worker"], row["cause"]) == (4, "fail", "w", STOPPED)
    assert (row["reason"], row["retry_of"]) == ("As asked for.", 2)
    assert row["stopped"] and row["taken_over"] and pd.isna(row["run"]) and np.isnan(row["values.loss"])


def test_params_of_numbers_are_numbers_and_the_rest_stay_what_they_are() -> None:
    frame = trial_frame(
        [
            trial(0, params={"n": 3, "lr": 1, "opt": None, "big": 2**70, "flag": True, "deep": [1, 2]}),
            trial(1, params={"lr": 0.5, "opt": "adam", "big": 1, "flag": False, "deep": {"a": 1}}),
            trial(2, params={"n": 5}),
        ],
        LOSS,
    )
    assert param_columns(frame) == (
        "params.big",
        "params.deep",
        "params.flag",
        "params.lr",
        "params.n",
        "params.opt",
    )
    assert frame["params.n"].dtype == "Int64" and frame["params.n"].tolist()[::2] == [3, 5]
    assert frame["params.lr"].dtype == float and frame["params.big"].tolist()[:2] == [float(2**70), 1.0]
    assert frame["params.opt"].tolist() == [None, "adam", MISSING]
    assert frame["params.flag"].tolist() == [True, False, MISSING]
    assert [present(frame[name]).tolist() for name in ("params.n", "params.opt")] == [
        [True, False, True],
        [True, True, False],
    ]
    assert [label(value) for value in (None, True, 0.1, "a", [1, 2])] == [
        "None",
        "True",
        "0.1",
        "a",
        "[1, 2]",
    ]


def test_no_metric_name_can_take_the_place_of_a_column() -> None:
    twice = (
        SweepObjective("number", Goal.MINIMIZE),
        SweepObjective("loss", Goal.MINIMIZE, "min"),
        SweepObjective("loss", Goal.MINIMIZE, "last"),
        SweepObjective("loss", Goal.MINIMIZE, "last"),
    )
    names = value_columns(twice)
    assert len(set(names)) == 4 and names[:3] == ("values.number", "values.loss (min)", "values.loss (last)")
    record = TrialRecord(7, "r", "complete", BEGAN, BEGAN, (1.0, 2.0, 3.0, 4.0))
    frame = trial_frame([record], twice)
    assert frame["number"].tolist() == [7] and frame[list(names)].iloc[0].tolist() == [1.0, 2.0, 3.0, 4.0]


def test_no_trials_make_an_empty_frame_with_its_columns() -> None:
    frame = trial_frame([], LOSS)
    assert len(frame) == 0 and str(frame["started"].dtype) == "datetime64[us, UTC]"
    assert frame["values.loss"].dtype == float and frame["number"].dtype == np.int64
    assert len(best_so_far(frame, "values.loss", Goal.MINIMIZE)) == 0


def test_only_complete_trials_with_a_number_are_finished() -> None:
    frame = trial_frame(
        [trial(0, value=1.0), trial(1, value=float("nan")), trial(2, "pruned", 0.1), trial(3, "running")],
        LOSS,
    )
    assert finished(frame, ["values.loss"]).tolist() == [True, False, False, False]


@pytest.mark.parametrize("goal", list(Goal))
def test_the_best_so_far_is_what_a_loop_finds(goal: Goal) -> None:
    rng = np.random.default_rng(3)
    sign = 1 if goal is Goal.MAXIMIZE else -1
    records = []
    for number in range(300):
        value = [rng.normal(), np.nan, np.inf, -np.inf][rng.choice(4, p=[0.9, 0.05, 0.025, 0.025])]
        records.append(trial(number, ["complete", "fail"][int(rng.random() < 0.2)], float(value)))
    feasible = rng.random(300) < 0.5
    history = best_so_far(trial_frame(records[::-1], LOSS), "values.loss", goal, feasible=feasible[::-1])
    best, rows = None, []
    for record in records:
        assert record.values is not None
        value = record.values[0]
        if record.state != "complete" or np.isnan(value):
            continue
        better = bool(feasible[record.number]) and (best is None or sign * value > sign * best)
        best = value if better else best
        rows.append((record.number, value, np.nan if best is None else best, better))
    expected = pd.DataFrame(rows, columns=["number", "value", "best", "improved"])
    pd.testing.assert_frame_equal(history[["number", "value", "best", "improved"]], expected)


def test_history_can_go_in_order_of_the_end() -> None:
    ends = [BEGAN + timedelta(seconds=each) for each in (30, 10, 20)]
    records = [
        TrialRecord(place, None, "complete", BEGAN, end, (float(place),)) for place, end in enumerate(ends)
    ]
    frame = trial_frame(records, LOSS)
    history = best_so_far(frame, "values.loss", Goal.MINIMIZE, order="completed")
    assert history["number"].tolist() == [1, 2, 0] and history["best"].tolist() == [1.0, 1.0, 0.0]
    with pytest.raises(ValueError, match="'number' or 'completed'"):
        best_so_far(frame, "values.loss", None, order="duration")


def test_lists_of_one_length_and_half_characters_are_kept_out_of_trouble() -> None:
    records = [
        trial(
            number, "fail", params={"layers": [number, 2], "name": "\ud800"}, attributes={REASON: "a\udfff b"}
        )
        for number in range(3)
    ]
    frame = trial_frame(records, LOSS)
    assert frame["params.layers"].tolist() == [[0, 2], [1, 2], [2, 2]] and frame["params.name"][0] == "\ud800"
    assert frame["reason"].tolist() == ["a? b"] * 3 and frame["cause"].tolist() == ["unknown"] * 3
