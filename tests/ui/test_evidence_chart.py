"""Evidence as a chart: what it draws of both sides, of pairs, of the interval."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

import pytest

from tracking.analysis.evidence import Side, weigh
from tracking.records import Goal
from tracking.registry_records import Evidence, EvidencePoint, Verdict
from tracking.ui import evidence_chart


def points(values: Sequence[float], name: str) -> tuple[EvidencePoint, ...]:
    return tuple(EvidencePoint(f"{name}-{seed}", value, {"seed": seed}) for seed, value in enumerate(values))


def evidence(candidate: Sequence[float], champion: Sequence[float], **more: Any) -> Evidence:
    given: dict[str, Any] = {
        "metric": "acc<b>",
        "at": "last",
        "goal": Goal.MAXIMIZE,
        "method": "welch",
        "verdict": Verdict.BETTER,
        "sentence": "Said.",
        "candidate": points(candidate, "c"),
        "champion": points(champion, "h"),
    }
    return Evidence(**given | more)


def draw(found: Evidence) -> dict[str, Any]:
    return evidence_chart.chart(found, candidate="v7 <i>", champion="v3")


def trace(figure: dict[str, Any], name: str) -> dict[str, Any]:
    return next(each for each in figure["data"] if each["name"] == name)


def test_every_run_of_both_sides_and_no_markup_in_names() -> None:
    figure = draw(evidence([0.9, 0.8], [0.5, 0.7, 0.6]))
    assert trace(figure, "v7 &lt;i&gt;")["x"] == [0.9, 0.8]
    assert trace(figure, "v3")["x"] == [0.5, 0.7, 0.6]
    assert trace(figure, "mean of v3")["x"] == [pytest.approx(0.6)] * 2
    assert figure["layout"]["yaxis"]["ticktext"] == ["v7 &lt;i&gt;<br>2 runs", "v3<br>3 runs"]
    assert figure["layout"]["xaxis"]["title"]["text"] == "acc&lt;b&gt;, more is better"


def test_pairs_are_joined_by_their_repeat_values_not_by_their_order() -> None:
    found = evidence([0.1, 0.2], [0.3, 0.4], pairs=2, method="paired")
    turned = Evidence(
        **{name: getattr(found, name) for name in found.__slots__} | {"champion": found.champion[::-1]}
    )
    assert trace(draw(turned), "pairs")["x"] == [0.1, 0.3, None, 0.2, 0.4, None]
    assert "pairs" not in [each["name"] for each in draw(evidence([0.1], [0.3]))["data"]]


def test_a_candidate_that_has_nobody_to_beat_is_drawn_alone() -> None:
    alone = evidence([0.9, 0.8], [], verdict=Verdict.NO_CHAMPION)
    figure = draw(alone)
    assert trace(figure, "v7 &lt;i&gt;")["x"] == [0.9, 0.8] and "v3" not in str(figure)
    assert figure["layout"]["yaxis"]["ticktext"] == ["v7 &lt;i&gt;<br>2 runs"]
    assert figure["layout"]["yaxis"]["range"] == [0.5, 1.5]
    assert evidence_chart.height(alone) < evidence_chart.height(evidence([0.9], [0.8]))
    assert "v3" not in evidence_chart.alt(alone, candidate="v7", champion="v3")


@pytest.mark.parametrize(("goal", "sign"), [(Goal.MAXIMIZE, 1.0), (Goal.MINIMIZE, -1.0)])
def test_the_interval_stands_against_zero_and_the_margin(goal: Goal, sign: float) -> None:
    figure = draw(evidence([1.0], [2.0], goal=goal, difference=0.2, low=0.1, high=0.35, margin=0.15))
    bar = trace(figure, "difference")["error_x"]
    assert (bar["array"], bar["arrayminus"]) == ([pytest.approx(0.15)], [pytest.approx(0.1)])
    lines = [each["x0"] for each in figure["layout"]["shapes"] if each["type"] == "line"]
    (region,) = [each for each in figure["layout"]["shapes"] if each["type"] == "rect"]
    assert lines == [0.0, sign * 0.15] and region["x0"] == sign * 0.15
    low, high = figure["layout"]["xaxis2"]["range"]
    assert low < min(-0.0, sign * 0.15) < 0.35 < high and (region["x1"] - region["x0"]) * sign > 0


def test_one_run_a_side_has_no_interval_and_says_the_sentence() -> None:
    found = evidence([0.9], [0.8], verdict=Verdict.SINGLE_RUN, method="")
    assert "xaxis2" not in draw(found)["layout"]
    assert evidence_chart.height(found) == evidence_chart.HEIGHT_WITHOUT
    assert evidence_chart.alt(found, candidate="v7", champion="v3").endswith("Said.")


@pytest.mark.parametrize("value", [0.5, -3e-9, 1e300])
def test_one_value_stands_in_a_range_of_its_own_size(value: float) -> None:
    low, high = draw(evidence([value], []))["layout"]["xaxis"]["range"]
    assert low < value < high and high - low < abs(value)
    assert "range" not in draw(evidence([0.0], []))["layout"]["xaxis"]


def test_what_is_not_finite_is_left_out_and_many_keep_their_extremes() -> None:
    many = [math.nan, *(float(value) for value in range(5_000)), math.inf]
    drawn = trace(draw(evidence(many, [])), "v7 &lt;i&gt;")
    assert len(drawn["x"]) == evidence_chart.MOST_POINTS
    assert (drawn["x"][0], drawn["x"][-1]) == (0.0, 4999.0)
    assert "xaxis2" not in draw(evidence([1.0], [2.0], difference=math.nan, low=0.0, high=1.0))["layout"]


@pytest.mark.parametrize("other", [-1.7e308, 1.0, 1.2e308])
def test_values_near_the_end_of_floats_are_drawn(other: float) -> None:
    ours, theirs = (
        Side(tuple(EvidencePoint(f"{size}-{place}", size * (1 - place / 10)) for place in range(3)))
        for size in (1.7e308, other)
    )
    found = weigh(ours, theirs, metric="m", goal=Goal.MAXIMIZE)
    json.dumps(draw(found), allow_nan=False)
    assert evidence_chart.alt(found, candidate="v2", champion="v1")


def test_runs_without_a_partner_are_drawn_apart_and_are_in_no_mean() -> None:
    found = evidence([0.1, 0.2, 0.9], [0.3, 0.5], pairs=2, method="paired")
    figure = draw(found)
    assert trace(figure, "v7 &lt;i&gt;")["x"] == [0.1, 0.2]
    alone = trace(figure, "v7 &lt;i&gt;, without a partner")
    assert (alone["x"], alone["marker"]["symbol"]) == ([0.9], "diamond-open")
    assert trace(figure, "mean of v7 &lt;i&gt;")["x"] == [pytest.approx(0.15)] * 2
    assert figure["layout"]["yaxis"]["ticktext"] == ["v7 &lt;i&gt;<br>2 of 3 runs", "v3<br>2 runs"]


def test_folds_are_no_runs_of_their_own() -> None:
    found = evidence([], [0.5])
    folds = tuple(EvidencePoint("c", value, {"fold": fold}) for fold, value in enumerate((0.1, 0.2, 0.3)))
    given = {name: getattr(found, name) for name in found.__slots__} | {"candidate": folds}
    figure = draw(Evidence(**given))
    assert figure["layout"]["yaxis"]["ticktext"] == ["v7 &lt;i&gt;<br>1 run", "v3<br>1 run"]
