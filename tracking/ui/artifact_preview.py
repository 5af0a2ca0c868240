"""Draws what an artifact holds. Nothing of it is executed or read as markup."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from typing import Any, Final, Literal

import streamlit as st

from tracking.store import preview_records as previews
from tracking.ui import artifact_charts, format, grid
from tracking.ui.column_tables import columns_table
from tracking.ui.live_chart import live_chart
from tracking.ui.markdown import escape
from tracking.ui.sizes import size
from tracking.ui.spreadsheet import harmless

HEIGHT: Final = 560
COLOURED_CHARACTERS: Final = 100_000
"""Of longer texts the browser would take seconds to find the colours."""
SMALL_IMAGE: Final = 240
FIGURE_HEIGHTS: Final = (240, 1_200)


def draw(preview: previews.Preview, *, key: str, name: str) -> None:
    """Draw a preview.

    Args:
        preview: As `Store.preview` returns it.
        key: Of the artifact and its step; distinguishes the elements.
        name: Of the artifact, for those who cannot see it.
    """
    if preview.note:
        st.caption(escape(preview.note))
    for kind, draw_kind in _DRAWN.items():
        if isinstance(preview, kind):
            draw_kind(preview, key, name)
            return
    st.caption("This dashboard does not know how to show it. Download it, or update Podium.")


def enlarged(data: bytes, times: int) -> bytes:
    """Return a picture of a few pixels as PNG with each pixel a square; as it is when it cannot be read."""
    from PIL import Image

    target = io.BytesIO()
    try:
        with Image.open(io.BytesIO(data)) as image:
            size = (image.width * times, image.height * times)
            image.resize(size, Image.Resampling.NEAREST).save(target, "PNG")
    except (OSError, ValueError, SyntaxError):
        return data
    return target.getvalue()


def _text(preview: previews.TextPreview, key: str, name: str) -> None:
    if not preview.text:
        st.caption("It is empty.")
        return
    language = preview.language if len(preview.text) <= COLOURED_CHARACTERS else ""
    lines = preview.text.count("\n") + 1
    st.code(
        preview.text,
        language=language or None,
        wrap_lines=not language,
        height=HEIGHT if lines > 26 or len(preview.text) > 4_000 else "content",
    )
    if preview.cut:
        st.caption(f"The first {size(len(preview.text.encode()))}; the download has all of it.")


def _table(preview: previews.TablePreview, key: str, name: str) -> None:
    shown = len(preview.frame)
    rows = "more rows than were counted" if preview.rows is None else format.plural(preview.rows, "row")
    parts = [f"{rows} × {format.plural(preview.columns, 'column')}"]
    if preview.rows is None or shown < preview.rows:
        parts.append(f"the first {format.plural(shown, 'row')} shown")
    if preview.frame.shape[1] < preview.columns:
        parts.append(f"the first {format.plural(preview.frame.shape[1], 'column')} shown")
    st.caption(" · ".join(parts))
    st.dataframe(
        harmless(preview.frame),
        height=grid.height(shown, 12),
        row_height=grid.ROW_HEIGHT,
        key=f"{key}.rows",
        alt=f"First rows of {name}",
    )
    if preview.schema:
        counted = (
            ""
            if preview.counted == preview.rows
            else f" over the first {format.plural(preview.counted, 'row')}"
        )
        st.caption(f"Columns, with statistics{counted}")
        grid.show(
            columns_table((column.name, column.type, column.statistics) for column in preview.schema),
            alt=f"Columns of {name}",
            key=f"{key}.columns",
            rows=12,
        )


def _image(preview: previews.ImagePreview, key: str, name: str) -> None:
    times = SMALL_IMAGE // max(preview.width, preview.height)
    data = enlarged(preview.data, times) if times > 1 else preview.data
    # Left to itself, Streamlit would send a picture without transparency as JPEG, and lose detail.
    encoding: Literal["PNG", "auto"] = "PNG" if times > 1 or preview.media_type == "image/png" else "auto"
    st.image(data, width=preview.width * max(1, times), alt=name, output_format=encoding)
    larger = f", drawn {times} times as large" if times > 1 else ""
    st.caption(f"{preview.width:,} × {preview.height:,} pixels{larger}")


def _audio(preview: previews.AudioPreview, key: str, name: str) -> None:
    st.audio(preview.data, format=preview.media_type, alt=name)


def _figure(preview: previews.FigurePreview, key: str, name: str) -> None:
    layout = dict(preview.spec.get("layout", {}))
    layout.pop("width", None)
    # Without a margin of its own the figure would get that of our charts, which have no title.
    layout.setdefault("margin", {"l": 60, "r": 24, "t": 64 if layout.get("title") else 24, "b": 48})
    low, high = FIGURE_HEIGHTS
    given = layout.get("height")
    height = int(min(high, max(low, given))) if isinstance(given, int | float) else 460
    live_chart({**preview.spec, "layout": layout}, key=f"{key}.figure", height=height, alt=name)
    if preview.stripped:
        st.caption(
            escape(
                f"Left out, because a stored figure may not load or link to anything: {', '.join(preview.stripped)}."
            )
        )


def _curves(preview: previews.CurvePreview, key: str, name: str) -> None:
    live_chart(artifact_charts.curve_chart(preview), key=f"{key}.curves", height=480, alt=name)
    if len(preview.curves) > artifact_charts.SHOWN_CURVES:
        st.caption(f"The first {artifact_charts.SHOWN_CURVES} of {format.count(len(preview.curves))} curves.")


def _matrix(preview: previews.MatrixPreview, key: str, name: str) -> None:
    normalized = st.segmented_control(
        "Cells",
        artifact_charts.NORMALIZED,
        default=artifact_charts.NORMALIZED[0],
        required=True,
        key="run.matrix",
        label_visibility="collapsed",
    )
    classes = len(preview.labels)
    height = max(300, min(760, 130 + 44 * classes))
    with st.container(width=min(1_000, height + 160)):
        live_chart(
            artifact_charts.matrix_chart(
                preview, normalized=str(normalized), theme=st.context.theme.type or "light"
            ),
            key=f"{key}.matrix.{normalized}",
            height=height,
            alt=f"Confusion matrix {name}, true classes by predicted ones: {classes}",
        )
    total = sum(map(sum, preview.counts))
    right = sum(row[place] for place, row in enumerate(preview.counts))
    if total > 0:
        st.caption(f"{format.number(right)} of {format.number(total)} on the diagonal: {right / total:.1%}")


def _json(preview: previews.JsonPreview, key: str, name: str) -> None:
    if isinstance(preview.value, Mapping | list):
        with st.container(height=HEIGHT if len(preview.value) > 20 else "content"):
            st.json(preview.value, expanded=2)
    else:
        st.code(json.dumps(preview.value, ensure_ascii=False), language="json", wrap_lines=True)


def _binary(preview: previews.BinaryPreview, key: str, name: str) -> None:
    st.caption(f"The first bytes of {size(preview.size)} that are no text and no format shown here.")
    st.code(preview.hex, language=None)


_DRAWN: Final[Mapping[type[previews.Preview], Callable[[Any, str, str], None]]] = {
    previews.TextPreview: _text,
    previews.TablePreview: _table,
    previews.ImagePreview: _image,
    previews.AudioPreview: _audio,
    previews.FigurePreview: _figure,
    previews.CurvePreview: _curves,
    previews.MatrixPreview: _matrix,
    previews.JsonPreview: _json,
    previews.BinaryPreview: _binary,
}
