"""A Plotly chart that keeps its zoom while points arrive, and tells which x range is visible.

`st.plotly_chart` builds its chart anew with every change of the figure. This
component draws with `Plotly.react` on a node that stays. plotly.js is the one
of the installed package, served by this machine.
"""

from __future__ import annotations

import base64
import html
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NewType

import numpy as np
import plotly
import streamlit as st
from streamlit.components.v1 import declare_component

from tracking.ui import access, state

if TYPE_CHECKING:
    import plotly.graph_objects as go
    from numpy.typing import NDArray

Packed = NewType("Packed", str)
"""A figure as it is sent."""

PLOTLY_FILE: Final = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
PLOTLY_ROUTE: Final = f"/vendor/plotly-{plotly.__version__}.min.js"

_HERE: Final = Path(__file__).parent
# plotly.js reads arrays of these types from base64; others go as float64 or as lists.
_TYPED: Final = frozenset({"i1", "u1", "i2", "u2", "i4", "u4", "f4", "f8"})
_EXACT_INTEGERS: Final = 2**53

_LOADING: Final = (_HERE / "plotly_loading.js").read_text(encoding="utf-8")

_component = st.components.v2.component(
    "podium_live_chart",
    html='<div class="podium-chart"><div class="podium-chart-plot" role="img"></div></div>',
    css=(_HERE / "live_chart.css").read_text(encoding="utf-8"),
    js=_LOADING + (_HERE / "live_chart.js").read_text(encoding="utf-8"),
    isolate_styles=False,  # Plotly puts its styles into the document, where a shadow root would not see them
)
_preload = st.components.v2.component(
    "podium_plotly_loading",
    html="<span></span>",
    js=_LOADING
    + """export default function ({ data }) {
  (window.requestIdleCallback ?? setTimeout)(() => loadPlotly(data.source).catch(() => {}));
}""",
)


@dataclass(frozen=True, slots=True)
class ChartView:
    """What the user looks at.

    Attributes:
        x_range: The range zoomed to, or None for everything. In the units of
            the x data, on a log axis too; on a date axis microseconds since
            1970-01-01 UTC.
        brush: What was brushed on the axes of parallel coordinates, as the browser sent it: not checked.
    """

    x_range: tuple[float, float] | None
    brush: object = None


def live_chart(
    figure: go.Figure | Mapping[str, Any] | Packed,
    *,
    key: str,
    height: int = 320,
    alt: str,
    address_name: str | None = None,
    brushed_by: Mapping[str, Any] | None = None,
) -> ChartView:
    """Draw a figure, or redraw it in place.

    Zoom and hidden traces stay as long as `layout.uirevision` does, which is the
    key if the figure names none. Colours of text, grid and background follow the
    theme of the page. Names of traces are shown as they are, not as markup.

    Args:
        figure: A Plotly figure, or its dict with `data` and `layout`, or what `packed` made of one with this key.
        key: Stays the same for the same chart.
        height: In pixels.
        alt: What a screen reader says: what is drawn and what it shows.
        address_name: The chart's name in the address, which then carries its zoom;
            it names the metric and what runs along x.
        brushed_by: Of parallel coordinates: ranges by axis that are brushed when it is first drawn; the address then
            carries what is brushed since.

    Returns:
        What the user looks at; a change of it reruns the page or fragment.
    """
    zoom = _zoom_at_first(key, address_name)
    brush = _brush_at_first(key, brushed_by)
    result = _component(
        key=key,
        data={
            "figure": figure if isinstance(figure, str) else packed(figure, key=key),
            "source": _plotly_source(),
            "height": height,
            "alt": alt,
            "zoom": {"x": zoom.x, "y": zoom.y},
            "address": None if address_name is None else {"parameter": state.ZOOM, "name": address_name},
            "brush": None if brushed_by is None else {"parameter": state.BRUSH, "ranges": brush},
        },
        default={"x_range": zoom.x, "brush": brush},
        on_x_range_change=_no_callback,
        on_brush_change=_no_callback,
    )
    return ChartView(_checked_range(result.get("x_range")), result.get("brush"))


def load_soon() -> None:
    """Let the browser load plotly.js while it has nothing to do: for a page that leads to one with charts."""
    _preload(key="plotly.loading", data={"source": _plotly_source()}, height=0)


def visible_range(key: str, address_name: str | None = None) -> tuple[float, float] | None:
    """Return the x range of the chart with this key before it is drawn again; None for everything."""
    drawn = st.session_state.get(key)
    if isinstance(drawn, Mapping):
        return _checked_range(drawn.get("x_range"))
    return _zoom_at_first(key, address_name).x


def _zoom_at_first(key: str, address_name: str | None) -> state.Zoom:
    """Return what a link gave the chart to show when it was first drawn, the same ever after."""
    if address_name is None:
        return state.Zoom()
    place = f"{key}.zoom"
    if key not in st.session_state:
        st.session_state[place] = state.zoom(address_name)
    given: state.Zoom = st.session_state.get(place) or state.Zoom()
    return given


def _brush_at_first(key: str, given: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """Return what was brushed when the chart was first drawn, the same ever after."""
    place = f"{key}.brush"
    if key not in st.session_state:
        st.session_state[place] = dict(given) if given else None
    found: Mapping[str, Any] | None = st.session_state.get(place)
    return found


def _no_callback() -> None:
    """Make the range a state of the component; the rerun itself is what pages wait for."""


def _checked_range(value: object) -> tuple[float, float] | None:
    """Return what the browser sent if it is a range, else None."""
    if not isinstance(value, list | tuple) or len(value) != 2:
        return None
    if not all(isinstance(end, int | float) and math.isfinite(end) for end in value):
        return None
    low, high = sorted(float(end) for end in value)
    return (low, high) if low < high else None


def _plotly_source() -> str:
    """Return where the browser gets plotly.js from.

    A bare `streamlit run` has no route of ours; it serves files of a declared
    component, of which only this file is ever asked for.
    """
    if access.is_guarded():
        return PLOTLY_ROUTE
    component = declare_component("plotly", path=PLOTLY_FILE.parent)
    return f"/component/{component.name}/{PLOTLY_FILE.name}?v={plotly.__version__}"


def packed(figure: go.Figure | Mapping[str, Any], *, key: str) -> Packed:
    """Return a figure as it is sent: JSON for plotly.js, arrays in binary. For figures that are kept between draws."""
    from plotly.io import to_json

    plain = figure if isinstance(figure, Mapping) else figure.to_plotly_json()
    layout = {name: value for name, value in plain.get("layout", {}).items() if name != "template"}
    layout.setdefault("uirevision", key)
    traces = [_plain_trace(trace) for trace in plain.get("data", ())]
    return Packed(to_json({"data": traces, "layout": layout}, validate=False))


def _plain_trace(trace: Mapping[str, Any]) -> dict[str, Any]:
    plain = {name: _packed(value) for name, value in trace.items()}
    if "name" in plain:
        plain["name"] = html.escape(str(plain["name"]), quote=False)
    return plain


def _packed(value: Any) -> Any:
    """Return a numeric array in Plotly's typed form (base64, little-endian), anything else as it is."""
    if isinstance(value, Mapping):
        return {name: _packed(inner) for name, inner in value.items()}
    if not isinstance(value, np.ndarray) or value.ndim not in (1, 2) or value.dtype.kind not in "iuf":
        return value
    array: NDArray[Any] = value
    if array.dtype.kind in "iu" and array.dtype.itemsize == 8:
        if array.size and max(abs(int(array.min())), abs(int(array.max()))) > _EXACT_INTEGERS:
            return array.tolist()
        array = array.astype(np.float64)
    kind = f"{array.dtype.kind}{array.dtype.itemsize}"
    if kind not in _TYPED:
        array, kind = array.astype(np.float64), "f8"
    little = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
    packed = {"dtype": kind, "bdata": base64.b64encode(little.tobytes()).decode("ascii")}
    if array.ndim == 2:
        packed["shape"] = f"{array.shape[0]}, {array.shape[1]}"
    return packed
