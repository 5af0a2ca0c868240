"""What a preview can be; all of it data, none of it executed or rendered as markup."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """Base of all previews.

    Attributes:
        note: A sentence for the reader, or empty: why the bytes are not shown as what they claim to be.
    """

    note: str = ""


@dataclass(frozen=True, slots=True)
class TextPreview(Preview):
    """Text, to be shown as text.

    Attributes:
        text: The beginning, or all of it.
        cut: Whether there is more.
        language: For colouring: "python", "json", "html", …; empty for plain text.
    """

    text: str
    cut: bool
    language: str = ""


@dataclass(frozen=True, slots=True)
class ColumnPreview:
    """One column of a table.

    Attributes:
        name: As in the table.
        type: As the file calls it, or as it was guessed for CSV.
        statistics: See `tracking.artifacts.column_statistics.ColumnStatistics`: count, missing, distinct,
            min, max, mean, std, infinite, longest, top, as far as they mean something.
    """

    name: str
    type: str
    statistics: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class TablePreview(Preview):
    """The beginning of a table.

    Attributes:
        frame: First rows and columns; column names are unique strings, cells are numbers, times,
            truth values or texts of at most 500 characters.
        rows: Of the whole table, or None where counting would mean reading all of a large file.
        columns: Of the whole table; `frame` may have fewer.
        schema: The columns of `frame`, with statistics.
        counted: Over how many rows, from the first, the statistics speak.
    """

    frame: pd.DataFrame
    rows: int | None
    columns: int
    schema: tuple[ColumnPreview, ...]
    counted: int


@dataclass(frozen=True, slots=True)
class ImagePreview(Preview):
    """A raster image whose header was read and whose size is bounded.

    Attributes:
        data: Its bytes; of a PNG only the chunks that make the picture.
        media_type: "image/png", "image/jpeg", "image/gif" or "image/webp".
        width: Pixels.
        height: Pixels.
    """

    data: bytes
    media_type: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class AudioPreview(Preview):
    """Sound in a format that browsers play.

    Attributes:
        data: Its bytes.
        media_type: "audio/wav", "audio/mpeg", "audio/ogg" or "audio/flac".
    """

    data: bytes
    media_type: str


@dataclass(frozen=True, slots=True)
class FigurePreview(Preview):
    """A Plotly figure that asks nothing of the network and holds no link.

    Attributes:
        spec: {"data": […], "layout": {…}}.
        stripped: What was taken out of it, each in a few words.
    """

    spec: Mapping[str, Any]
    stripped: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Curve:
    """One curve of an ROC or precision-recall plot.

    Attributes:
        label: The class, or empty for a binary problem.
        x: False positive rate, or recall.
        y: True positive rate, or precision.
        thresholds: Of the scores, as many as points, or empty. None stands for "above every score".
        area: Area under the ROC curve, or average precision; None when it is undefined.
    """

    label: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    thresholds: tuple[float | None, ...]
    area: float | None


@dataclass(frozen=True, slots=True)
class CurvePreview(Preview):
    """ROC curves ("roc_curve") or precision-recall curves ("pr_curve")."""

    kind: str
    curves: tuple[Curve, ...]


@dataclass(frozen=True, slots=True)
class MatrixPreview(Preview):
    """A confusion matrix.

    Attributes:
        labels: The classes.
        counts: One row a true class, one column a predicted one.
    """

    labels: tuple[str, ...]
    counts: tuple[tuple[float, ...], ...]


@dataclass(frozen=True, slots=True)
class JsonPreview(Preview):
    """A JSON document of bounded size and depth.

    Attributes:
        value: As parsed; NaN and infinities as strings.
    """

    value: Any


@dataclass(frozen=True, slots=True)
class BinaryPreview(Preview):
    """Bytes that are not shown otherwise.

    Attributes:
        hex: The first bytes as lines of offset, hexadecimal and printable ASCII.
        size: Bytes in all.
    """

    hex: str
    size: int
