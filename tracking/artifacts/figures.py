"""Plotly figures made safe to draw: no request, no link, no markup, bounded.

What is taken out, because plotly.js would fetch it or make it clickable:

- traces on maps (`scattergeo`, `choropleth`, `scattermap`, `choroplethmap`, `densitymap` and the
  `…mapbox` ones), and the `geo`, `map` and `mapbox` parts of layouts: tiles, styles, glyphs, coastlines and
  GeoJSON by address come from the network; so does any trace type that plotly.js 4 did not know
- images (`layout.images`, `image` traces) but embedded PNG, JPEG, GIF and WebP
- `updatemenus`, `sliders` and `frames`: their arguments can put any of it back at a click
- markup in texts, but `<b> <i> <u> <s> <em> <strong> <sub> <sup> <br> <extra>` without attributes: other
  angle brackets are shown as they are written, so `<a href=…>` is text
- colours and fonts that say `url(…)`, references of Chart Studio (`…src`), and the keys
  `__proto__`, `constructor` and `prototype`
- what stands beside `data` and `layout` (`config` could name a server)
"""

from __future__ import annotations

import json
import re
from typing import Any

from tracking.artifacts.preview_records import FigurePreview
from tracking.errors import InvalidValue

MAX_BYTES = 24 << 20
MAX_TRACES = 2_000
MAX_DEPTH = 40
MAX_SIDE = 10_000

_TRACES = frozenset(
    "bar barpolar box candlestick carpet cone contour contourcarpet funnel funnelarea heatmap histogram histogram2d "
    "histogram2dcontour icicle image indicator isosurface mesh3d ohlc parcats parcoords pie quiver sankey scatter "
    "scatter3d scattercarpet scattergl scatterpolar scatterpolargl scattersmith scatterternary splom streamtube "
    "sunburst surface table treemap violin volume waterfall".split()
)
_MAPS = re.compile(r"(geo|map|mapbox)\d*")
_MARKUP = re.compile(r"<(?!/?(?:b|i|u|s|em|strong|sub|sup|br|extra)\s*/?>)", re.IGNORECASE)
_EMBEDDED = re.compile(r"data:image/(png|jpeg|gif|webp);base64,[A-Za-z0-9+/=\s]*", re.IGNORECASE)
_LOADED = re.compile(r"url\s*\(|@import|expression\s*\(|\\", re.IGNORECASE)
_STYLED = ("color", "family", "style", "fill", "font", "bgcolor")
_NEVER = frozenset(("__proto__", "constructor", "prototype"))
_ACTIONS = frozenset(("updatemenus", "sliders"))


def safe_figure(text: bytes | str) -> FigurePreview:
    """Return a figure from its JSON, without what could reach the network.

    Raises:
        InvalidValue: It is no JSON of a Plotly figure, or is larger than can be drawn.
    """
    if len(text) > MAX_BYTES:
        raise InvalidValue(f"The figure has {len(text):,} bytes, more than {MAX_BYTES:,}. Download it.")
    try:
        spec = json.loads(text, parse_constant=lambda _: None)
    except (ValueError, RecursionError) as error:
        raise InvalidValue(f"This is no JSON of a figure: {str(error)[:100]}.") from None
    if not isinstance(spec, dict) or not isinstance(spec.get("data", []), list):
        raise InvalidValue("This is no Plotly figure: it has no list named data.")
    cleaner = _Cleaner()
    return FigurePreview(cleaner.figure(spec), tuple(dict.fromkeys(cleaner.stripped)))


class _Cleaner:
    def __init__(self) -> None:
        self.stripped: list[str] = []

    def figure(self, spec: dict[str, Any]) -> dict[str, Any]:
        traces = [trace for trace in spec.get("data", []) if isinstance(trace, dict)]
        if len(traces) > MAX_TRACES:
            raise InvalidValue(
                f"The figure has {len(traces):,} traces, more than {MAX_TRACES:,}. Download it."
            )
        data = [self.clean(trace, 0) for trace in traces if self._drawn(trace)]
        layout = spec.get("layout")
        if spec.get("frames"):
            self.stripped.append("frames of an animation")
        return {"data": data, "layout": self.layout(layout if isinstance(layout, dict) else {})}

    def layout(self, layout: dict[str, Any]) -> dict[str, Any]:
        cleaned = self.clean(self._without_maps(layout), 0)
        template = cleaned.get("template")
        if isinstance(template, dict):
            inner = template.get("layout")
            if isinstance(inner, dict):
                template["layout"] = self._without_maps(inner, quiet=True)
            defaults = template.get("data")
            if isinstance(defaults, dict):
                template["data"] = {name: value for name, value in defaults.items() if name in _TRACES}
        elif template is not None:
            del cleaned["template"]
        for side in ("width", "height"):
            value = cleaned.get(side)
            if not isinstance(value, (int, float)) or not 10 <= value <= MAX_SIDE:
                cleaned.pop(side, None)
        return dict(cleaned)

    def clean(self, value: Any, depth: int) -> Any:
        """Return a copy of a part of a figure without what is not drawn."""
        if depth > MAX_DEPTH:
            raise InvalidValue(f"The figure is nested deeper than {MAX_DEPTH} levels.")
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, list):
            return [self.clean(item, depth + 1) for item in value]
        if isinstance(value, dict):
            if value.keys() >= {"bdata", "dtype"}:
                return _typed_array(value)
            return {
                self._text(key): self.clean(item, depth + 1)
                for key, item in value.items()
                if self._kept(key, item)
            }
        return value

    def _drawn(self, trace: dict[str, Any]) -> bool:
        kind = trace.get("type", "scatter")
        if isinstance(kind, str) and kind in _TRACES:
            return True
        self.stripped.append(f"traces of type {str(kind)[:40]}, which would ask the network")
        return False

    def _without_maps(self, layout: dict[str, Any], *, quiet: bool = False) -> dict[str, Any]:
        kept = {key: value for key, value in layout.items() if not _MAPS.fullmatch(key)}
        if len(kept) < len(layout) and not quiet:
            self.stripped.append("settings of maps")
        return kept

    def _kept(self, key: str, value: Any) -> bool:
        if key in _NEVER:
            self.stripped.append(f"the key {key}")
            return False
        if key in _ACTIONS:
            if value:
                self.stripped.append("buttons and sliders")
            return False
        if key.endswith("src") and isinstance(value, str):
            return False
        if key == "source" and isinstance(value, str) and not _EMBEDDED.fullmatch(value):
            self.stripped.append("images that are not embedded")
            return False
        if key == "images" and isinstance(value, list):
            value[:] = [image for image in value if self._embedded(image)]
        if key.lower().endswith(_STYLED) and self._loads(value):
            self.stripped.append("styles that load something")
            return False
        return True

    def _embedded(self, image: Any) -> bool:
        source = image.get("source") if isinstance(image, dict) else None
        if isinstance(source, str) and _EMBEDDED.fullmatch(source):
            return True
        self.stripped.append("images that are not embedded")
        return False

    def _loads(self, value: Any) -> bool:
        if isinstance(value, str):
            return _LOADED.search(value) is not None
        return isinstance(value, list) and any(self._loads(item) for item in value if isinstance(item, str))

    def _text(self, text: str) -> str:
        if "<" not in text:
            return text
        cleaned = _MARKUP.sub("&lt;", text)
        if cleaned != text and re.search(r"<\s*(a|img|script|svg|iframe|span|style)\b", text, re.IGNORECASE):
            self.stripped.append("markup in texts, which is shown as written")
        return cleaned


def _typed_array(value: dict[str, Any]) -> dict[str, Any]:
    """Return an array in base64 as it is, or an empty one when it is none."""
    kept: dict[str, Any] = {key: value[key] for key in ("dtype", "bdata", "shape") if key in value}
    plain = all(isinstance(part, (str, int)) for part in kept.values())
    right = plain and re.fullmatch(r"[a-z]\d{0,2}c?|[a-z]+\d{1,2}", str(kept["dtype"])) is not None
    if right and re.fullmatch(r"[A-Za-z0-9+/=\s]*", str(kept["bdata"])):
        return kept
    return {"dtype": "f8", "bdata": ""}
