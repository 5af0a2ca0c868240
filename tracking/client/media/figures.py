"""Plotly and Matplotlib figures, known by what they can do; neither library is imported here."""

from __future__ import annotations

import io
import json
from typing import Any

from tracking.client.media.encoded import Encoded, Tell
from tracking.errors import InvalidValue
from tracking.records import ArtifactKind

PLOTLY = "application/vnd.plotly.v1+json"
MAX_BYTES = 24 << 20


def encode_figure(figure: Any, tell: Tell) -> Encoded:
    """Return a Plotly figure as JSON, or a Matplotlib one as PNG with its SVG.

    Raises:
        InvalidValue: It is neither, or a Plotly figure of more than 24 MB.
    """
    if isinstance(figure, dict) and isinstance(figure.get("data"), (list, tuple)):
        return _plotly(json.dumps(_figure_of(figure), allow_nan=False))
    if callable(getattr(figure, "to_plotly_json", None)) and callable(getattr(figure, "to_json", None)):
        return _plotly(figure.to_json())
    if not callable(getattr(figure, "savefig", None)) and callable(getattr(figure, "get_figure", None)):
        figure = figure.get_figure()  # Matplotlib's Axes and artists know theirs
    if callable(getattr(figure, "savefig", None)):
        return _matplotlib(figure, tell)
    raise InvalidValue(
        f"log_figure takes a Plotly or Matplotlib figure, not {type(figure).__name__}. "
        "For pictures there is log_image."
    )


def _figure_of(figure: dict[str, Any]) -> Any:
    """Return a figure given as a dict, with null for NaN as Plotly itself writes it."""

    def listed(value: Any) -> Any:
        from tracking.artifacts.columns import plain_json

        tolist = getattr(value, "tolist", None)
        return tolist() if callable(tolist) else plain_json(value)

    try:
        text = json.dumps({"data": figure["data"], "layout": figure.get("layout") or {}}, default=listed)
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidValue(f"this dict is no Plotly figure: {str(error)[:100]}") from None
    return json.loads(text, parse_constant=lambda _: None)


def _plotly(text: str) -> Encoded:
    data = text.encode("utf-8", "backslashreplace")
    if len(data) > MAX_BYTES:
        raise InvalidValue(
            f"the Plotly figure has {len(data):,} bytes, more than the {MAX_BYTES:,} that a browser draws well: "
            "draw fewer points, or log the numbers with log_table."
        )
    return Encoded(ArtifactKind.FIGURE, PLOTLY, data, {"extension": ".json"})


def _matplotlib(figure: Any, tell: Tell) -> Encoded:
    picture, drawing = io.BytesIO(), io.BytesIO()
    # bbox_inches: what a notebook shows, labels beyond the edge included. The figure stays open and as it was.
    figure.savefig(picture, format="png", bbox_inches="tight")
    source = None
    try:
        figure.savefig(drawing, format="svg", bbox_inches="tight")
        if len(drawing.getvalue()) <= MAX_BYTES:
            source = (".svg", "image/svg+xml", drawing.getvalue())
        else:
            tell("svg", "the SVG of a figure has more than 24 MB and is left out; its PNG is kept.")
    except Exception as error:
        tell("svg", f"a figure could not be drawn as SVG ({error}); its PNG is kept.")
    data = picture.getvalue()
    width, height = int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")
    details = {"extension": ".png", "width": width, "height": height}
    return Encoded(ArtifactKind.FIGURE, "image/png", data, details, source)
