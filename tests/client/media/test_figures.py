"""Figures are kept as data, or as a picture with its drawing, and stay as they were."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import plotly.graph_objects as go
import pytest

import tracking
from tests.client.media.logged import logged, only
from tracking.client.media.figures import encode_figure
from tracking.errors import InvalidValue


def quiet(kind: str, message: str) -> None:
    raise AssertionError(message)


def test_a_plotly_figure_is_kept_as_data(store_folder: Path) -> None:
    figure = go.Figure(go.Scatter(y=[1, None, 3]), layout={"title": {"text": "loss"}})
    before = figure.to_json()
    record, data = only(store_folder, lambda run: run.log_figure(figure, "curve", step=2))
    assert record.media_type == "application/vnd.plotly.v1+json"
    assert (record.kind, record.step) == (tracking.ArtifactKind.FIGURE, 2)
    assert json.loads(data) == json.loads(before) and figure.to_json() == before


def test_a_figure_as_a_dict() -> None:
    encoded = encode_figure({"data": [{"y": np.array([1.0, np.nan])}]}, quiet)
    assert json.loads(encoded.data) == {"data": [{"y": [1.0, None]}], "layout": {}}


def test_a_huge_figure_is_left_out_with_a_way_out(store_folder: Path) -> None:
    figure = go.Figure(go.Scatter(y=[f"{number:032}" for number in range(900_000)]))
    with tracking.start_run(store=store_folder, capture=False) as run:
        with pytest.warns(tracking.TrackingWarning, match="draw fewer points"):
            run.log_figure(figure, "huge")
        run.log({"loss": 1.0})


@pytest.mark.parametrize("figure", [None, 3, "fig", {"a": 1}, np.zeros(3)])
def test_what_is_no_figure_is_refused(figure: object) -> None:
    with pytest.raises(InvalidValue):
        encode_figure(figure, quiet)


def test_a_matplotlib_figure_is_a_picture_with_its_drawing(store_folder: Path) -> None:
    pytest.importorskip("matplotlib").use("agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots()
    axes.plot([1, 2, 3])

    def work(run: tracking.Run) -> None:
        run.log_figure(figure, "curve", step=1)
        run.log_figure(axes, "axes")

    found = {record.name: (record, data) for record, data in logged(store_folder, work)}
    assert found.keys() == {"curve", "curve.svg", "axes", "axes.svg"}
    record, data = found["curve"]
    assert record.media_type == "image/png" and data.startswith(b"\x89PNG")
    assert record.details["width"] > 100
    drawing, text = found["curve.svg"]
    assert (drawing.kind, drawing.step) == (tracking.ArtifactKind.FILE, 1)
    assert drawing.details == {"source_of": "curve"} and b"<svg" in text
    assert plt.fignum_exists(figure.number)
