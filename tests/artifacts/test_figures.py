"""A figure is drawn without a request, a link or a button that could bring one back."""

from __future__ import annotations

import json
from typing import Any

import plotly.express as px
import plotly.graph_objects as go
import pytest

from tracking.artifacts.figures import safe_figure
from tracking.errors import InvalidValue


def safe(figure: Any) -> Any:
    return safe_figure(figure.to_json() if hasattr(figure, "to_json") else json.dumps(figure))


def test_a_plain_figure_stays_as_it_is() -> None:
    figure = go.Figure(go.Scatter(x=[1, 2], y=[3, 1], name="a"), layout={"title": {"text": "<b>x</b> < 3"}})
    found = safe(figure)
    assert found.stripped == ()
    assert found.spec["data"] == json.loads(figure.to_json())["data"]
    assert found.spec["layout"]["title"]["text"] == "<b>x</b> &lt; 3"
    assert go.Figure(found.spec).data[0].y == (3, 1)


def test_express_figures_and_their_arrays_survive() -> None:
    figure = px.scatter(px.data.iris(), x="sepal_width", y="sepal_length", color="species")
    found = safe(figure)
    assert found.stripped == ()
    assert found.spec["data"] == json.loads(figure.to_json())["data"]


@pytest.mark.parametrize(
    "kind",
    ["scattergeo", "choropleth", "scattermap", "choroplethmap", "densitymap", "scattermapbox", "new", "", 7],
)
def test_traces_on_maps_and_unknown_ones_go(kind: object) -> None:
    found = safe({"data": [{"type": kind, "geojson": "https://evil.example/x"}, {"type": "bar", "y": [1]}]})
    assert found.spec["data"] == [{"type": "bar", "y": [1]}]
    assert len(found.stripped) == 1


HOSTILE: dict[str, Any] = {
    "data": [
        {"type": "image", "source": "https://evil.example/trace.png"},
        {
            "type": "scatter",
            "text": ['<a href="https://evil.example/link">x</a>', "<img src=https://evil.example/i.png>"],
            "hovertemplate": "<span style='background:url(https://evil.example/s)'>%{y}</span><extra></extra>",
            "textfont": {"family": "url(https://evil.example/f)"},
            "marker": {"color": ["url(https://evil.example/c)", "red"]},
            "xsrc": "https://evil.example/grid",
            "__proto__": {"polluted": "https://evil.example/p"},
        },
    ],
    "layout": {
        "images": [{"source": "https://evil.example/a.png"}, {"source": "data:image/svg+xml,<svg/>"}, 3],
        "map": {"style": "https://evil.example/style.json"},
        "mapbox2": {"layers": [{"source": "https://evil.example/tiles"}]},
        "geo": {"scope": "world"},
        "updatemenus": [{"buttons": [{"args": [{"images[0].source": "https://evil.example/b.png"}]}]}],
        "sliders": [{"steps": [{"args": [{"map.style": "https://evil.example/m"}]}]}],
        "template": {
            "layout": {
                "images": [{"source": "https://evil.example/t.png"}],
                "mapbox": {"style": "https://evil.example/u"},
            },
            "data": {
                "scattergeo": [{"geojson": "https://evil.example/g"}],
                "image": [{"source": "//evil.example/v"}],
            },
        },
        "annotations": [{"text": '<A HREF="javascript:alert(1)">go</A><script>alert(1)</script>'}],
    },
    "frames": [{"layout": {"images": [{"source": "https://evil.example/f.png"}]}}],
    "config": {"plotlyServerURL": "https://evil.example/"},
}


def test_nothing_is_left_that_loads_or_links() -> None:
    found = safe(HOSTILE)
    text = json.dumps(found.spec)
    # What is left of the addresses stands in texts, as text.
    left = [part for part in strings(found.spec) if "evil.example" in part]
    assert all("&lt;" in part and "<a" not in part.lower() and "<span" not in part for part in left)
    assert "<img" not in text and "<script" not in text and "__proto__" not in text
    assert {"updatemenus", "sliders", "map", "mapbox2", "geo"} & found.spec["layout"].keys() == set()
    assert found.spec["layout"]["images"] == []
    assert found.spec.keys() == {"data", "layout"}
    assert len(found.stripped) >= 7


def strings(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for part in parts for text in strings(part)]


def test_embedded_images_stay() -> None:
    source = "data:image/png;base64,iVBORw0KGgo="
    found = safe({"data": [{"type": "image", "source": source}], "layout": {"images": [{"source": source}]}})
    assert found.spec["data"][0]["source"] == source and len(found.spec["layout"]["images"]) == 1


def test_a_sankey_keeps_its_sources() -> None:
    found = safe(
        {"data": [{"type": "sankey", "link": {"source": [0, 1], "target": [2, 2], "value": [1, 1]}}]}
    )
    assert found.spec["data"][0]["link"]["source"] == [0, 1]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "3",
        "null",
        '{"data": 3}',
        "[" * 100_000,
        '{"data": [' + '{"a":' * 60 + "1" + "}" * 60 + "]}",
    ],
)
def test_what_is_no_figure_is_refused(text: str) -> None:
    with pytest.raises(InvalidValue):
        safe_figure(text)


def test_too_many_traces_are_refused() -> None:
    with pytest.raises(InvalidValue, match="traces"):
        safe({"data": [{"y": [1]}] * 2_001})


def test_sizes_beyond_measure_are_dropped() -> None:
    assert safe({"data": [], "layout": {"width": 1e9, "height": 400}}).spec["layout"] == {"height": 400}
