"""Confusion matrices and curves as figures."""

from __future__ import annotations

import numpy as np
import pytest

from tracking.store import preview_records as previews
from tracking.ui import artifact_charts
from tracking.ui.artifact_charts import NORMALIZED

MATRIX = previews.MatrixPreview(
    ("cat", "<b>dog</b>", "none"), ((8.0, 2.0, 0.0), (1.0, 3.0, 0.0), (0.0, 0.0, 0.0))
)


@pytest.mark.parametrize(
    ("normalized", "first_row", "last_row"),
    [
        (NORMALIZED[0], ["8", "2", "0"], ["0", "0", "0"]),
        (NORMALIZED[1], ["0.80", "0.20", "0.00"], ["–", "–", "–"]),
        (NORMALIZED[2], ["0.89", "0.40", "–"], ["0.00", "0.00", "–"]),
    ],
)
def test_counts_or_shares_stand_in_the_cells(
    normalized: str, first_row: list[str], last_row: list[str]
) -> None:
    chart = artifact_charts.matrix_chart(MATRIX, normalized=normalized, theme="dark")
    (trace,) = chart["data"]
    assert (trace["text"][0], trace["text"][2]) == (first_row, last_row)
    assert trace["customdata"][0][1] == ["cat", "&lt;b&gt;dog&lt;/b&gt;"]  # true cat, predicted dog
    assert chart["layout"]["xaxis"]["ticktext"][1] == "&lt;b&gt;dog&lt;/b&gt;"
    assert chart["layout"]["yaxis"]["autorange"] == "reversed"


def test_labels_that_do_not_fit_side_by_side_are_slanted_and_none_is_left_out() -> None:
    def angle(*labels: str) -> float:
        counts = tuple((1.0,) * len(labels) for _ in labels)
        chart = artifact_charts.matrix_chart(
            previews.MatrixPreview(labels, counts), normalized=NORMALIZED[0], theme="light"
        )
        angle: float = chart["layout"]["xaxis"]["tickangle"]
        return angle

    assert angle("cat", "dog") == angle(*map(str, range(20))) == 0
    assert angle("cat", "dog", "a class with a long name") < 0


def test_a_large_matrix_has_no_numbers_in_its_cells() -> None:
    labels = tuple(map(str, range(50)))
    chart = artifact_charts.matrix_chart(
        previews.MatrixPreview(labels, tuple(tuple(np.eye(50)[row]) for row in range(50))),
        normalized=NORMALIZED[0],
        theme="light",
    )
    assert "texttemplate" not in chart["data"][0] and chart["data"][0]["showscale"]


def curve(label: str, points: int, area: float | None = 0.9123) -> previews.Curve:
    x = tuple(np.linspace(0, 1, points))
    return previews.Curve(label, x, x, (None, *x[1:]), area)


def test_roc_curves_say_their_area_and_have_the_line_of_chance() -> None:
    chart = artifact_charts.curve_chart(
        previews.CurvePreview("roc_curve", (curve("cat", 50_000), curve("", 3, None)))
    )
    assert [trace["name"] for trace in chart["data"]] == ["cat (AUC 0.9123)", "AUC undefined", "chance"]
    cat = chart["data"][0]
    assert len(cat["x"]) == len(cat["text"]) == artifact_charts.CURVE_POINTS
    assert (cat["x"][0], cat["x"][-1], cat["text"][0], cat["text"][-1]) == (0, 1, "above every score", "1")


def test_many_curves_show_the_first_ones() -> None:
    curves = tuple(curve(str(n), 5) for n in range(100))
    chart = artifact_charts.curve_chart(previews.CurvePreview("pr_curve", curves))
    assert len(chart["data"]) == artifact_charts.SHOWN_CURVES
    assert chart["layout"]["yaxis"]["title"]["text"] == "precision"
