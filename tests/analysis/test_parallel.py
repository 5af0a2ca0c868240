"""Axes put every value somewhere or say that it has no place, and a brush finds its trials."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from tracking.analysis.axes import ABSENT, MAX_CHOICES, OTHER, Scale, axis_of
from tracking.analysis.differences import MISSING
from tracking.analysis.parallel import brushed, parallel
from tracking.analysis.slices import slice_of
from tracking.analysis.trials import trial_frame
from tracking.records import Goal
from tracking.study_records import TrialRecord
from tracking.sweep_records import SweepObjective

LOSS = (SweepObjective("loss", Goal.MINIMIZE),)


def frame_of(*trials: tuple[dict[str, Any], float], state: str = "complete") -> pd.DataFrame:
    return trial_frame(
        [
            TrialRecord(number, None, state, None, None, (value,), params)
            for number, (params, value) in enumerate(trials)
        ],
        LOSS,
    )


def test_a_log_axis_is_one_only_where_every_number_has_a_logarithm() -> None:
    axis = axis_of(pd.Series([1e-5, 1e-1, np.inf], name="params.lr"), log=True)
    assert axis.scale is Scale.LOG and axis.positions[:2].tolist() == pytest.approx([-5, -1])
    assert np.isnan(axis.positions[2]) and dict(zip(axis.labels, axis.ticks, strict=True))["0.001"] == -3
    assert axis_of(pd.Series([0.0, 0.1], name="params.lr"), log=True).scale is Scale.LINEAR


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize(
    "values",
    [[3.0], [0.0], [1e-300, 1e300], [-1e300, 1e300], [5, 5 + 1e-15], [np.nan], [1e-320], [1e9, 1e9 + 1]],
)
def test_ticks_of_any_numbers_are_few_ascending_and_in_range(values: list[float], log: bool) -> None:
    axis = axis_of(pd.Series(values, name="values.loss"), log=log)
    assert axis.low < axis.high and 0 < len(axis.ticks) <= 20 and len(axis.ticks) == len(axis.labels)
    assert (np.diff(axis.ticks) > 0).all()
    inside = axis.positions[np.isfinite(axis.positions)]
    assert ((axis.low <= inside) & (inside <= axis.high)).all()


def test_an_axis_of_all_there_is_still_has_a_place_for_what_is_absent() -> None:
    axis = axis_of(pd.Series([-1.7e308, 1.7e308, np.nan], name="params.x"))
    assert (
        np.isfinite(axis.positions).all()
        and axis.labels[0] == ABSENT
        and np.isfinite([axis.low, axis.high]).all()
    )


def test_choices_are_in_order_and_what_is_absent_has_a_place_of_its_own() -> None:
    axis = axis_of(pd.Series(["sgd", None, MISSING, 16, "adam", 2], name="params.opt", dtype=object))
    assert axis.labels == (ABSENT, "2", "16", "None", "adam", "sgd")
    assert axis.positions.tolist() == [4, 2, -1, 1, 3, 0] and axis.absent == -1


def test_many_choices_share_a_place_but_for_the_most_frequent() -> None:
    values = [*(f"v{number}" for number in range(1000)), "often", "often"]
    axis = axis_of(pd.Series(values, name="params.name", dtype=object))
    assert len(axis.labels) == MAX_CHOICES + 1 and axis.labels[-1] == OTHER and "often" in axis.labels
    assert (axis.positions == MAX_CHOICES).sum() == 1001 - MAX_CHOICES


def test_a_brush_finds_the_trials_inside_all_of_its_ranges() -> None:
    frame = frame_of(
        ({"lr": 0.1, "opt": "sgd"}, 1.0),
        ({"lr": 0.001, "opt": "adam"}, 2.0),
        ({"lr": 0.01}, 3.0),
        ({"lr": 0.2, "opt": "sgd"}, float("inf")),
    )
    lines = parallel(frame, ["params.lr", "params.opt", "values.loss"], log=["params.lr"])
    assert lines.rows.tolist() == [0, 1, 2]
    assert brushed(lines, {}).tolist() == [0, 1, 2]
    assert brushed(lines, {"params.lr": (-1.5, -3.5), "values.loss": (0, 2.5)}).tolist() == [1]
    assert brushed(lines, {"values.loss": [(0, 1.5), (2.5, 9)], "unknown": (0, 0)}).tolist() == [0, 2]
    assert brushed(lines, {"params.opt": (-1.2, -0.8)}).tolist() == [2]
    assert len(parallel(frame_of(({"lr": 1.0}, 1.0), state="fail"), ["params.lr", "values.loss"]).rows) == 0


def test_a_slice_is_one_param_against_one_objective() -> None:
    frame = frame_of(({"lr": 0.1}, 1.0), ({"lr": 1.0}, float("nan")), ({"n": 2}, 3.0))
    found = slice_of(frame, "params.lr", "values.loss", log=True)
    assert found.rows.tolist() == [0, 2] and found.values.tolist() == [1.0, 3.0]
    assert found.axis.positions[0] == pytest.approx(-1) and found.axis.positions[1] == found.axis.absent
