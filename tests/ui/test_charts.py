"""Figures: what is drawn for which curves."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

from tracking.analysis.curves import Axis, CurveOptions, curve_of
from tracking.records import Series
from tracking.ui.charts import Line, TimeUnit, metric_chart, points_note, points_per_line, relative_unit
from tracking.ui.colours import run_styles


def lines(values: dict[str, Any], options: CurveOptions, times: Any = None) -> list[Line]:
    styles = run_styles(values)
    made = []
    for run_id, listed in values.items():
        array = np.array(listed, dtype=float)
        series = Series(
            np.arange(len(array)), array, np.arange(len(array)) * 1_000_000 if times is None else times
        )
        made.append(Line(run_id, f"name {run_id}", curve_of(series, options), styles[run_id]))
    return made


def draw(values: dict[str, Any], options: CurveOptions | None = None, **kwargs: Any) -> dict[str, Any]:
    options = options or CurveOptions()
    return metric_chart(lines(values, options), options, **kwargs)


def test_plotly_accepts_the_figure() -> None:
    figure = draw({"a": [1, np.nan, np.inf, 2], "b": [3, 4]}, CurveOptions(smoothing=0.5), legend=True)
    go.Figure(figure)  # validates every attribute


def test_a_gap_is_a_gap_and_its_kind_is_marked() -> None:
    figure = draw({"a": [1.0, np.nan, np.inf, -np.inf, 2.0]})
    line, marks = figure["data"]
    assert np.isnan(line["y"]).tolist() == [False, True, True, True, False]
    assert marks["text"] == ["NaN", "inf", "-inf"]
    assert marks["marker"]["symbol"] == ["x", "triangle-up", "triangle-down"]
    assert marks["marker"]["color"] == line["line"]["color"]
    assert marks["y"][1] > 0.9 and marks["y"][0] < 0.1 and marks["yaxis"] == "y2"


def test_a_point_between_two_gaps_gets_a_marker() -> None:
    values = np.sin(np.arange(200.0))
    values[[99, 101]] = np.nan
    trace = draw({"a": values})["data"][0]
    assert trace["mode"] == "lines+markers"
    assert np.flatnonzero(trace["marker"]["size"]).tolist() == [100]


def test_smoothed_lines_lie_over_faint_raw_ones() -> None:
    raw, smooth = draw({"a": [1.0, 5.0, 1.0]}, CurveOptions(smoothing=0.9))["data"]
    assert raw["y"].tolist() == [1, 5, 1] and raw["opacity"] < 0.5
    assert smooth["y"][1] < 5 and "opacity" not in smooth
    assert not raw["showlegend"]


def test_runs_that_share_a_colour_differ() -> None:
    figure = draw({f"run-{n}": np.arange(100.0) for n in range(40)})
    looks = [
        (t["line"]["color"], t["line"]["dash"], t.get("marker", {}).get("symbol")) for t in figure["data"]
    ]
    assert len(set(looks)) == 40


def test_names_are_on_the_lines_and_in_the_legend() -> None:
    figure = draw({"a": [1, 2], "b": [2, 1]}, legend=True)
    assert [trace["name"] for trace in figure["data"]] == ["name a", "name b"]
    assert figure["layout"]["showlegend"]
    assert not draw({"a": [1, 2]})["layout"]["showlegend"]


def test_the_pointer_tells_x_and_the_runs_there() -> None:
    few = draw({f"run-{n}": [1, 2] for n in range(10)})
    assert few["layout"]["hovermode"] == "x unified"
    many = draw({f"run-{n}": [1, 2] for n in range(11)})
    assert many["layout"]["hovermode"] == "closest"
    assert all("%{x}" in trace["hovertemplate"] for trace in many["data"])
    assert draw({"a": [1, 2]})["layout"]["hovermode"] == "x"


def test_axes_follow_the_options() -> None:
    assert draw({"a": [1, 2]}, CurveOptions(log_y=True))["layout"]["yaxis"]["type"] == "log"
    assert draw({"a": [1, 2]}, CurveOptions(log_x=True))["layout"]["xaxis"]["type"] == "log"
    assert draw({"a": [1, 2]}, CurveOptions(axis=Axis.WALL))["layout"]["xaxis"]["type"] == "date"


def test_relative_time_is_in_the_unit_and_wall_time_on_the_clock_of_the_reader() -> None:
    minutes = draw({"a": [1, 2, 3]}, CurveOptions(axis=Axis.RELATIVE), unit=TimeUnit("minutes", 60.0))
    assert minutes["data"][0]["x"].tolist() == [0, 1 / 60, 2 / 60]
    assert minutes["layout"]["xaxis"]["title"]["text"] == "minutes since the start"
    wall = draw({"a": [1, 2, 3]}, CurveOptions(axis=Axis.WALL), zone_offset=7200)
    assert wall["data"][0]["x"].tolist() == [7_200_000, 7_201_000, 7_202_000]


@pytest.mark.parametrize(
    ("values", "low", "high"),
    [
        ([0.0004] * 5, 0.00036, 0.00044),
        ([0.0004], 0.00036, 0.00044),
        ([-20.0, -20.0], -22, -18),
        ([0.0, 0.0], -1, 1),
        ([1e300, np.nan, 1e300], 0.9e300, 1.1e300),
    ],
)
@pytest.mark.parametrize("smoothing", [0.0, 0.6])
def test_a_constant_gets_an_axis_of_its_size(
    values: list[float], low: float, high: float, smoothing: float
) -> None:
    figure = draw({"a": values, "b": values}, CurveOptions(smoothing=smoothing))
    fitting = figure["layout"]["yaxis"]["autorangeoptions"]
    assert fitting["include"] == pytest.approx([low, high])
    assert [fitting["clipmin"], fitting["clipmax"]] == fitting["include"]
    go.Figure(figure)


def test_values_beyond_a_linear_axis_are_marked_and_counted() -> None:
    values = {"a": [1.0, 1e308, -1.7e308, np.nan, 2.0]}
    line, marks = draw(values)["data"]
    assert np.isnan(line["y"]).tolist() == [False, True, True, True, False]
    assert marks["text"] == ["1e+308", "-1.7e+308", "NaN"]
    assert marks["marker"]["symbol"] == ["triangle-up", "triangle-down", "x"]
    assert marks["y"][0] > 0.9 and marks["y"][1] < 0.1
    note = points_note([line.curve for line in lines(values, CurveOptions())])
    assert "1 not finite" in note and "2 too large for a linear axis" in note
    (whole,) = draw({"a": [1.0, 1e308]}, CurveOptions(log_y=True))["data"]
    assert whole["y"].tolist() == [1.0, 1e308]


@pytest.mark.parametrize("values", [[5e-324, 1.0], [1.0, 1.7e308], [5e-324, 1.7e308]])
def test_a_log_axis_reaches_the_ends_of_a_float(values: list[float]) -> None:
    low, high = draw({"a": values}, CurveOptions(log_y=True))["layout"]["yaxis"]["autorangeoptions"][
        "include"
    ]
    assert 0 < low <= values[0] and values[1] <= high < np.inf


def test_values_too_small_for_a_linear_axis_are_drawn_as_zero_and_counted() -> None:
    values = {"a": [5e-324, -1e-322, 0.0]}
    (line,) = draw(values)["data"]
    assert line["y"].tolist() == [0, 0, 0]
    note = points_note([line.curve for line in lines(values, CurveOptions())])
    assert "2 within 1e-285 of 0 drawn as 0" in note
    assert draw(values, CurveOptions(log_y=True))["data"][0]["y"].tolist() == values["a"]


def test_y_fits_the_part_of_x_in_view() -> None:
    values = {"a": [9.0, 1.0, 1.5, 2.0, 9.0], "b": [-5.0, 1.0, 1.0, 1.0, np.inf]}
    options = CurveOptions(visible=(1, 3))
    fitting = draw(values, options)["layout"]["yaxis"]["autorangeoptions"]
    assert fitting["include"] == pytest.approx([0.95, 2.05])
    assert (fitting["clipmin"], fitting["clipmax"]) == tuple(fitting["include"])
    low, high = draw(values, replace(options, log_y=True))["layout"]["yaxis"]["autorangeoptions"]["include"]
    assert 0.9 < low < 1 and 2 < high < 2.2
    smooth = draw(values, replace(options, smoothing=0.9))["layout"]["yaxis"]["autorangeoptions"]["include"]
    assert smooth[0] < 0.95 and smooth[1] > 2  # the faint raw line is in view as well
    assert "autorangeoptions" not in draw(values, CurveOptions(visible=(0.2, 0.4)))["layout"]["yaxis"]


@pytest.mark.parametrize("values", [[1.0, 1.1], [], [np.nan, np.inf], [1.7e308]])
def test_other_axes_are_left_to_plotly(values: list[float]) -> None:
    assert "autorangeoptions" not in draw({"a": values})["layout"]["yaxis"]
    assert "autorangeoptions" not in draw({"a": [2, 2]}, CurveOptions(log_y=True))["layout"]["yaxis"]
    assert "autorangeoptions" not in draw({"a": [2, 2], "b": [3, 3]})["layout"]["yaxis"]


def test_steps_beyond_32_bits_are_drawn_where_they_are() -> None:
    series = Series(np.array([2**40, 2**41]), np.array([1.0, 2.0]), np.array([0, 1]))
    options = CurveOptions()
    line = Line("a", "a", curve_of(series, options), run_styles(["a"])["a"])
    assert metric_chart([line], options)["data"][0]["x"].tolist() == [2.0**40, 2.0**41]


@pytest.mark.parametrize(("seconds", "name"), [(10, "seconds"), (3000, "minutes"), (50_000, "hours")])
def test_the_unit_follows_the_longest_run(seconds: float, name: str) -> None:
    assert relative_unit(seconds).name == name


def test_fifty_runs_of_ten_thousand_points_stay_below_two_megabytes() -> None:
    rng = np.random.default_rng(0)
    budget = points_per_line(6, 50)
    options = CurveOptions(max_points=budget)
    drawn = lines({f"run-{n}": rng.normal(size=10_000) for n in range(50)}, options)
    per_chart = sum(line.curve.x.nbytes + line.curve.y.nbytes for line in drawn)
    assert 6 * per_chart * 4 / 3 < 2_000_000
    assert budget >= 150


def test_the_note_says_what_is_shown() -> None:
    values = np.random.default_rng(0).normal(size=10_000)
    reduced = [line.curve for line in lines({"a": values}, CurveOptions(max_points=100))]
    assert points_note(reduced) == f"{reduced[0].shown} of 10,000 points, extremes kept"
    whole = [line.curve for line in lines({"a": [1.0], "b": [2.0]}, CurveOptions())]
    assert points_note(whole) == "2 points"
    assert points_note(whole[:1], zoomed=True) == "1 point in view"
    odd = [line.curve for line in lines({"a": [1.0, np.nan, -1.0]}, CurveOptions(log_y=True))]
    assert "1 not finite" in points_note(odd)
    assert "1 not above 0 cannot be drawn on a log axis" in points_note(odd)
