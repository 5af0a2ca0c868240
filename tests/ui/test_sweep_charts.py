"""Charts of a sweep: what they draw of many trials, and what they say of it."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tracking.analysis.axes import axis_of
from tracking.analysis.parallel import parallel
from tracking.analysis.slices import slice_of
from tracking.analysis.timeline import timeline
from tracking.analysis.trials import trial_frame
from tracking.records import Goal
from tracking.study_records import CAUSE, WORKER, TrialRecord
from tracking.sweep_records import SweepEdit, SweepObjective
from tracking.ui import sweep_axes, sweep_charts, sweep_lanes, sweep_parallel

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
ACCURACY = SweepObjective("acc<b>", Goal.MAXIMIZE)
COLUMN = "values.acc<b>"


def trials(
    values: Sequence[float | None], states: Sequence[str] = (), **params: Sequence[Any]
) -> pd.DataFrame:
    records = [
        TrialRecord(
            number,
            f"run-{number}",
            states[number] if states else "complete",
            BEGAN + timedelta(seconds=number),
            BEGAN + timedelta(seconds=number + 1),
            None if value is None else (value,),
            {name: each[number] for name, each in params.items() if each[number] is not None},
            {WORKER: f"{number % 2}-abc", CAUSE: "error"},
        )
        for number, value in enumerate(values)
    ]
    return trial_frame(records, [ACCURACY])


def trace(figure: dict[str, Any], name: str) -> dict[str, Any]:
    return next(each for each in figure["data"] if each["name"] == name)


def test_the_history_of_many_trials_keeps_the_best_and_the_worst() -> None:
    values = np.random.default_rng(1).normal(size=10_000)
    values[1234], values[4321] = 9.0, -9.0
    figure, note = sweep_charts.history(trials(values.tolist()), COLUMN, ACCURACY)
    drawn = trace(figure, "complete")
    assert len(drawn["x"]) <= sweep_charts.MOST_POINTS
    assert {1234, 4321} <= set(drawn["x"].tolist())
    assert note.startswith(f"{len(drawn['x']):,} of 10,000 complete trials drawn, extremes kept")
    best = trace(figure, "best so far")
    assert best["y"][-1] == 9.0 and best["x"][-1] == 9_999


def test_the_history_says_what_it_leaves_out_of_view() -> None:
    values = [*np.linspace(0.8, 0.9, 20), -1e6, math.inf, math.nan, 0.1]
    states = [*["complete"] * 23, "pruned"]
    figure, note = sweep_charts.history(trials(values, states), COLUMN, ACCURACY)
    assert "1 infinite" in note and "1 trial far off" in note and "1 pruned beyond" in note
    view = figure["layout"]["yaxis"]["autorangeoptions"]
    assert 0 < view["clipmin"] < 0.8 and 0.9 < view["clipmax"] < 1.0
    assert "<b>" not in json.dumps(figure, default=str)


def test_few_trials_stand_at_whole_numbers() -> None:
    few, _ = sweep_charts.history(trials([0.1, 0.2, 0.3]), COLUMN, ACCURACY)
    many, _ = sweep_charts.history(trials([0.1] * 30), COLUMN, ACCURACY)
    assert few["layout"]["xaxis"]["dtick"] == 1 and "dtick" not in many["layout"]["xaxis"]


def test_edits_stand_before_the_trial_that_came_next() -> None:
    edit = SweepEdit(BEGAN, "space", "<i>lr</i> was widened", 3, "s", 2)
    figure, _ = sweep_charts.history(trials([0.1] * 5), COLUMN, ACCURACY, [edit])
    assert trace(figure, "changed")["x"] == [2.5]
    assert trace(figure, "changed")["text"] == ["&lt;i&gt;lr&lt;/i&gt; was widened"]
    assert figure["layout"]["shapes"][0]["x0"] == 2.5


@pytest.mark.parametrize("goal", [Goal.MAXIMIZE, Goal.MINIMIZE, None])
def test_the_first_view_holds_the_best_and_three_quarters(goal: Goal | None) -> None:
    sign = -1.0 if goal is Goal.MAXIMIZE else 1.0
    values = sign * np.array([1.0, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1e9])
    low, high, beyond = sweep_charts.first_view(values, goal)
    assert beyond == 1
    assert low < values[:7].min() and values[:7].max() < high < 1e9


def test_a_constant_has_a_view_of_its_own() -> None:
    low, high, beyond = sweep_charts.first_view(np.full(8, 3.0), Goal.MINIMIZE)
    assert low < 3.0 < high and beyond == 0


def test_a_slice_marks_the_best_trial() -> None:
    frame = trials([0.1, 0.9, 0.5], lr=[0.1, 0.2, 0.3])
    figure, drawn = sweep_charts.slice_chart(slice_of(frame, "params.lr", COLUMN), "lr", ACCURACY, 1)
    assert (trace(figure, "best")["x"], trace(figure, "best")["y"]) == ([0.2], [0.9])
    assert (drawn.shown, drawn.total) == (3, 3)


def test_the_front_of_many_trials_is_drawn_whole() -> None:
    values = np.random.default_rng(1).uniform(size=(5_000, 2))
    front = np.zeros(5_000, dtype=bool)
    front[::100] = True
    pair = (SweepObjective("a", Goal.MAXIMIZE), SweepObjective("b", Goal.MINIMIZE))
    figure, drawn = sweep_charts.front_chart(values, np.arange(5_000), front, pair, joined=False)
    ahead = trace(figure, "on the front")
    assert sorted(ahead["customdata"].tolist()) == list(range(0, 5_000, 100))
    assert drawn.shown < drawn.total == 5_000
    assert figure["layout"]["xaxis"]["title"]["text"] == "a (more is better)"


def test_a_front_of_two_objectives_is_a_staircase_of_what_is_not_beaten() -> None:
    # More of a and less of b is better: from the best in a on, the line goes back in a before it goes down in b.
    values = np.array([[3.0, 3.0], [1.0, 1.0], [2.0, 2.0]])
    pair = (SweepObjective("a", Goal.MAXIMIZE), SweepObjective("b", Goal.MINIMIZE))
    figure, _ = sweep_charts.front_chart(values, np.arange(3), np.ones(3, dtype=bool), pair, joined=True)
    ahead = trace(figure, "on the front")
    assert (ahead["x"].tolist(), ahead["line"]["shape"]) == ([3.0, 2.0, 1.0], "hv")


def test_of_many_choices_so_many_are_named_as_do_not_overlap_and_all_keep_their_tick() -> None:
    frame = trials(list(range(40)), opt=[f"option {number:02}" for number in range(40)])
    found = parallel(frame, ["params.opt", COLUMN])
    figure = sweep_parallel.parallel_chart(found, frame, COLUMN, Goal.MAXIMIZE)[0]
    axis = figure["data"][0]["dimensions"][0]
    assert figure["layout"]["margin"]["l"] < 12 + sweep_parallel.WIDTH * 20, (
        "what shows nothing takes no room"
    )
    named = [name for name in axis["ticktext"] if name.strip(sweep_parallel.NOTHING)]
    assert len(set(axis["ticktext"])) == len(axis["ticktext"]), "equal ones would be one choice"
    assert len(axis["tickvals"]) == len(axis["ticktext"]) == len(found.axes[0].labels)
    assert axis["ticktext"][-1] in named, "the last one may stand for all others"
    assert sweep_parallel.MOST_CHOICES / 2 < len(named) <= sweep_parallel.MOST_CHOICES


def test_parallel_coordinates_of_many_trials_keep_the_best_on_top() -> None:
    values = np.random.default_rng(1).normal(size=3_000).tolist()
    frame = trials(values, lr=np.linspace(0, 1, 3_000).tolist(), opt=["<b>a</b>", "b"] * 1_500)
    found = parallel(frame, ["params.lr", "params.opt", COLUMN])
    figure, drawn = sweep_parallel.parallel_chart(found, frame, COLUMN, Goal.MAXIMIZE)
    axes = figure["data"][0]["dimensions"]
    assert (drawn.shown, drawn.total) == (sweep_parallel.MOST_LINES, 3_000)
    assert axes[2]["values"][-1] == max(values) and figure["data"][0]["line"]["color"][-1] == 1.0
    assert [axis["label"] for axis in axes] == ["lr", "opt", "acc&lt;b&gt;"]
    assert axes[1]["ticktext"] == ["&lt;b&gt;a&lt;/b&gt;", "b"]


def test_an_axis_of_numbers_spans_its_values_and_is_none_of_choices_to_which_a_brush_would_snap() -> None:
    frame = trials([0.861, 0.9228], lr=[0.007, 0.3], opt=["a", "b"])
    found = parallel(frame, ["params.lr", "params.opt", COLUMN], log=["params.lr"])
    lr, opt, value = sweep_parallel.parallel_chart(found, frame, COLUMN, Goal.MAXIMIZE)[0]["data"][0][
        "dimensions"
    ]
    assert value["range"] == [0.861, 0.9228] and "tickvals" not in value and "0.92" in value["labels"]["text"]
    assert (
        "tickvals" not in lr and dict(zip(lr["labels"]["text"], lr["labels"]["at"], strict=True))["0.1"] == -1
    )
    assert opt["tickvals"] == [0, 1] and "labels" not in opt


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (None, {}),
        ("params.lr", {}),
        ({"params.lr": [[0.1, 0.2], [0.5, 0.6]]}, {"params.lr": ((0.1, 0.2), (0.5, 0.6))}),
        ({"params.lr": [0.1, 0.2]}, {"params.lr": ((0.1, 0.2),)}),
        ({"params.lr": [["a", 1]], "other": [[0, 1]]}, {}),
        ({"params.lr": [[math.nan, 1.0], [0.0, 1.0, 2.0]]}, {}),
    ],
)
def test_what_the_browser_says_of_a_brush_is_checked(given: object, kept: dict[str, Any]) -> None:
    assert sweep_parallel.checked_brush(given, ["params.lr"]) == kept


def test_a_trial_that_somebody_ended_is_stopped_in_the_timeline_too() -> None:
    frame = trials([0.5, None, None], ["complete", "fail", "fail"])
    frame["stopped"] = [False, True, False]
    figure, _ = sweep_lanes.timeline_chart(timeline(frame, BEGAN + timedelta(hours=1)), 0.0)
    assert [each["name"] for each in figure["data"]] == ["complete", "failed", "stopped"]
    assert "trial 1, stopped" in trace(figure, "stopped")["text"][0]
    assert "trial 2, failed" in trace(figure, "failed")["text"][0]


def test_what_a_trial_came_to_has_one_colour_on_every_chart() -> None:
    frame = trials([0.5, 0.4, None], ["complete", "pruned", "running"])
    history, _ = sweep_charts.history(frame, COLUMN, ACCURACY)
    lanes, _ = sweep_lanes.timeline_chart(timeline(frame, BEGAN + timedelta(hours=1)), 0.0)
    front, _ = sweep_charts.front_chart(
        np.array([[1.0, 1.0], [0.5, 0.5]]),
        np.array([0, 1]),
        np.array([True, False]),
        (ACCURACY, ACCURACY),
        joined=True,
    )
    kinds = {kind: colour for kind, (_, colour, _) in sweep_lanes.KINDS.items()}
    colour = trace(lanes, "complete")["marker"]["color"]
    assert colour == trace(history, "complete")["marker"]["color"] == kinds["complete"]
    assert colour == trace(front, "other trials")["marker"]["color"]
    pruned = trace(history, "pruned, as far as it came")["marker"]["color"]
    assert pruned == trace(lanes, "pruned")["marker"]["color"] == kinds["pruned"]
    assert trace(lanes, "running")["marker"]["color"] == kinds["running"]
    best = trace(history, "best so far")["line"]["color"]
    assert best == kinds["best"] == trace(front, "on the front")["marker"]["color"]
    assert len({colour, pruned, kinds["running"], best}) == 4


def test_the_timeline_of_many_trials_shows_the_newest_and_says_so() -> None:
    frame = trials([0.5] * 1_000, ["complete", "fail", "pruned", "running"] * 250)
    figure, note = sweep_lanes.timeline_chart(timeline(frame, BEGAN + timedelta(hours=1)), 3600.0)
    assert sum(len(each["x"]) for each in figure["data"]) == sweep_lanes.MOST_BARS
    assert note.startswith("240 of 1,000 trials drawn, the newest")
    first = trace(figure, "complete")["base"].min()
    assert first == ((BEGAN + timedelta(seconds=760)).timestamp() + 3600) * 1e3


def test_an_axis_of_a_small_chart_has_few_labels_and_always_that_of_trials_without_the_param() -> None:
    frame = trials([0.5] * 4, lr=[1e-4, 1e-2, 1.0, None])
    layout = sweep_axes.axis_layout(axis_of(frame["params.lr"], log=True))
    assert layout["ticktext"][0] == "not set" and len(layout["ticktext"]) <= 6
    assert layout["range"][0] < layout["tickvals"][0]


def test_long_choices_fit_beside_each_other_below_a_small_chart_and_are_whole_where_one_points() -> None:
    names = ["gelu_approximate_tanh", "gelu_approximate_none", "leaky_relu_negative_slope"]
    frame = trials([0.5, 0.6, 0.7], activation=names)
    figure, _ = sweep_charts.slice_chart(slice_of(frame, "params.activation", COLUMN), "a", ACCURACY, None)
    ticks = figure["layout"]["xaxis"]
    assert ticks["tickangle"] == 0 and sum(map(len, ticks["ticktext"])) <= sweep_axes.CHOICE_ROOM
    assert len(set(ticks["ticktext"])) == 3
    assert set(figure["data"][0]["text"]) == set(names)


def test_the_axes_of_many_long_names_have_names_that_differ_and_do_not_overlap() -> None:
    names = [f"layer_{place}_dropout_probability_of_attention_head" for place in range(11)]
    drawn = np.random.default_rng(0)
    frame = trials([0.1, 0.2, 0.3], **{name: drawn.random(3).tolist() for name in names})
    axes = [*(f"params.{name}" for name in names), COLUMN]
    figure, _ = sweep_parallel.parallel_chart(parallel(frame, axes), frame, COLUMN, Goal.MAXIMIZE)
    said = [axis["label"] for axis in figure["data"][0]["dimensions"]]
    assert len(set(said)) == 12 and "layer_10" in said[10]
    assert max(map(len, said[:-1])) <= sweep_parallel.TILTED
    assert figure["data"][0]["labelangle"] < 0
    brief, _ = sweep_parallel.parallel_chart(parallel(frame, axes[-2:]), frame, COLUMN, Goal.MAXIMIZE)
    assert "labelangle" not in brief["data"][0]


def test_the_first_trial_stands_beside_the_axis_not_on_it() -> None:
    figure, _ = sweep_charts.history(trials([0.5] * 200), COLUMN, ACCURACY)
    assert figure["layout"]["xaxis"]["autorangeoptions"]["clipmin"] == -2.0


def test_params_are_logarithmic_as_the_definition_says_else_by_their_range() -> None:
    frame = trials(
        [0.5] * 3, a=[1.0, 10.0, 1000.0], b=[1.0, 10.0, 1000.0], c=[1.0, 2.0, 3.0], d=["x", "y", "z"]
    )
    assert sweep_axes.logarithmic(frame, {"b": False, "c": True}) == {"params.a", "params.c"}
    even = trials([0.5] * 500, a=np.linspace(0.001, 1, 500).tolist())
    assert sweep_axes.logarithmic(even, {}) == frozenset()


def test_of_a_cloud_the_middle_is_drawn_too() -> None:
    y = np.random.default_rng(1).uniform(size=20_000)
    y[777] = 5.0
    kept = sweep_axes.cloud(np.arange(20_000), y, 500)
    assert len(kept) <= 500 and 777 in kept and (np.diff(kept) > 0).all()
    middle = np.count_nonzero((y[kept] > 0.25) & (y[kept] < 0.75)) / len(kept)
    assert 0.25 < middle < 0.55  # half of all are there
    assert sweep_axes.cloud(np.arange(20_000), y, 500).tolist() == kept.tolist()
