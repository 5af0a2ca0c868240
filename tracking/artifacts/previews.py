"""Previews of artifacts: parsed as data, within bounds, never executed.

`preview` reads what `Store.open_artifact` opened. It is chosen by what the run said the artifact is and, for
files, by the extension and the first bytes; bytes that are not what they claim to be are shown as text or in
hexadecimal with a note. SVG and HTML are text. Nothing is unpickled, rendered or fetched.
"""

from __future__ import annotations

import json
import math
from pathlib import PurePosixPath
from typing import Any, BinaryIO

from tracking.artifacts.figures import MAX_BYTES as FIGURE_BYTES
from tracking.artifacts.figures import safe_figure
from tracking.artifacts.image_headers import is_image, plain_png, read_header
from tracking.artifacts.models import model_facts
from tracking.artifacts.preview_records import (
    AudioPreview,
    BinaryPreview,
    ColumnPreview,
    Curve,
    CurvePreview,
    FigurePreview,
    ImagePreview,
    JsonPreview,
    MatrixPreview,
    Preview,
    TablePreview,
    TextPreview,
)
from tracking.artifacts.table_previews import preview_csv, preview_parquet
from tracking.errors import InvalidValue, MissingDependency
from tracking.records import ArtifactKind, ArtifactRecord

__all__ = [
    "AudioPreview",
    "BinaryPreview",
    "ColumnPreview",
    "Curve",
    "CurvePreview",
    "FigurePreview",
    "ImagePreview",
    "JsonPreview",
    "MatrixPreview",
    "Preview",
    "TablePreview",
    "TextPreview",
    "preview",
]

TEXT_BYTES = 256 << 10
JSON_BYTES = 1 << 20
DATA_BYTES = 16 << 20
"""Of matrices and curves."""
JSON_DEPTH = 64
MODEL_NOTE = "What was noted when the model was logged; its file is not opened to show it."
MEDIA_BYTES = 32 << 20
HEX_BYTES = 512
CURVES = 1_000
POINTS = 100_000
CLASSES = 2_000

_LANGUAGES = {
    "py": "python", "pyi": "python", "ipynb": "json", "json": "json", "jsonl": "json", "toml": "toml", "yaml": "yaml",
    "yml": "yaml", "ini": "ini", "cfg": "ini", "sh": "bash", "bash": "bash", "sql": "sql", "md": "markdown",
    "html": "html", "htm": "html", "svg": "xml", "xml": "xml", "js": "javascript", "ts": "typescript", "css": "css",
    "c": "c", "h": "c", "cc": "cpp", "cpp": "cpp", "cu": "cpp", "hpp": "cpp", "java": "java", "rs": "rust", "go": "go",
    "r": "r", "jl": "julia", "tex": "latex", "diff": "diff", "patch": "diff", "dockerfile": "docker",
}  # fmt: skip
_TABLES = {"csv": None, "tsv": "\t", "tab": "\t"}
_IMAGES = frozenset(("png", "jpg", "jpeg", "gif", "webp"))
_AUDIO = frozenset(("wav", "mp3", "ogg", "oga", "flac"))


def preview(file: BinaryIO, record: ArtifactRecord, *, path: str | None = None) -> Preview:
    """Return what can be shown of an artifact.

    Args:
        file: Its bytes, open for reading at their beginning, seekable.
        record: What is known of it.
        path: Of a file inside a folder; its extension counts then.

    Raises:
        OSError: The file cannot be read. Bytes of any content raise nothing.
        TrackingError: The process that reads Parquet cannot be started, or the system ended it.
    """
    if record.kind is ArtifactKind.MODEL and path is None and (facts := model_facts(record.details)):
        return JsonPreview(facts, note=MODEL_NOTE)
    size = file.seek(0, 2)
    file.seek(0)
    head = file.read(512)
    file.seek(0)
    extension = _extension(record, path)
    try:
        return _as_claimed(file, _claim(record, path, extension, head), extension, size)
    except (InvalidValue, MissingDependency) as error:
        file.seek(0)
        return _plain(file, extension, size, note=str(error))


def _claim(record: ArtifactRecord, path: str | None, extension: str, head: bytes) -> str:
    kind = record.kind
    if path is None and not (kind is ArtifactKind.TEXT and extension in _TABLES):
        if kind is ArtifactKind.FIGURE:
            return "image" if record.media_type.startswith("image/") else "figure"
        named = {
            ArtifactKind.TABLE: "parquet",
            ArtifactKind.IMAGE: "image",
            ArtifactKind.AUDIO: "audio",
            ArtifactKind.TEXT: "text",
            ArtifactKind.JSON: "json",
            ArtifactKind.CONFUSION_MATRIX: "confusion_matrix",
            ArtifactKind.ROC_CURVE: "roc_curve",
            ArtifactKind.PR_CURVE: "pr_curve",
            ArtifactKind.FOLDER: "json",
        }
        if kind in named:
            return named[kind]
    if head.startswith(b"PAR1"):
        return "parquet"
    if is_image(head):
        return "image"
    if _audio_type(head):
        return "audio"
    if extension in _TABLES:
        return "csv"
    if extension in _IMAGES or extension in _AUDIO or extension == "parquet":
        return "image" if extension in _IMAGES else "audio" if extension in _AUDIO else "parquet"
    return "json" if extension in ("json", "ipynb") else "text"


def _as_claimed(file: BinaryIO, claim: str, extension: str, size: int) -> Preview:
    if claim == "parquet":
        return preview_parquet(file)
    if claim == "csv":
        return preview_csv(file, delimiter=_TABLES[extension])
    if claim in ("image", "audio"):
        if size > MEDIA_BYTES:
            raise InvalidValue(f"It has {size:,} bytes; up to {MEDIA_BYTES:,} are shown. Download it.")
        return _image(file.read(MEDIA_BYTES)) if claim == "image" else _audio(file.read(MEDIA_BYTES))
    if claim == "figure":
        if size > FIGURE_BYTES:
            raise InvalidValue(f"The figure has {size:,} bytes, more than {FIGURE_BYTES:,}. Download it.")
        return safe_figure(file.read(FIGURE_BYTES))
    if claim == "text":
        return _plain(file, extension, size)
    value = _json(file, size, JSON_BYTES if claim == "json" else DATA_BYTES)
    if claim == "confusion_matrix":
        return _matrix(value)
    return JsonPreview(value) if claim == "json" else _curves(value, claim)


def _extension(record: ArtifactRecord, path: str | None) -> str:
    name = PurePosixPath(path if path is not None else record.name)
    told = record.details.get("extension") if path is None else None
    suffix = name.suffix or (told if isinstance(told, str) else "") or name.name
    return suffix.lower().lstrip(".")


def _plain(file: BinaryIO, extension: str, size: int, *, note: str = "") -> Preview:
    data = file.read(TEXT_BYTES)
    text = _decoded(data)
    if text is None:
        return BinaryPreview(_hex(data[:HEX_BYTES]), size, note=note)
    return TextPreview(text, size > len(data), _LANGUAGES.get(extension, ""), note=note)


def _decoded(data: bytes) -> str | None:
    """Return text, or None when the bytes are none."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data[: len(data) & ~1].decode("utf-16", "replace")
    if b"\0" in data:
        return None
    text = data.decode("utf-8-sig", "replace")
    broken = text.count("\ufffd")
    if broken > max(1, len(text) // 50):
        # Not UTF-8. Older files are often Latin-1, which takes any bytes: only where few are control characters.
        control = sum(byte < 32 and byte not in (9, 10, 12, 13, 27) or byte == 127 for byte in data[:4096])
        return data.decode("latin-1") if control == 0 else None
    return text


def _hex(data: bytes) -> str:
    lines = []
    for at in range(0, len(data), 16):
        row = data[at : at + 16]
        shown = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in row)
        lines.append(f"{at:08x}  {row.hex(' '):<47}  {shown}")
    return "\n".join(lines)


def _image(data: bytes) -> ImagePreview:
    header = read_header(data)
    if header.media_type == "image/png":
        data = plain_png(data, header)
    return ImagePreview(data, header.media_type, header.width, header.height)


def _audio_type(head: bytes) -> str:
    if head[:4] == b"RIFF" and head[8:12] == b"WAVE":
        return "audio/wav"
    if head.startswith(b"OggS"):
        return "audio/ogg"
    if head.startswith(b"fLaC"):
        return "audio/flac"
    if head.startswith((b"ID3", b"\xff\xfb", b"\xff\xf3", b"\xff\xf2")):
        return "audio/mpeg"
    return ""


def _audio(data: bytes) -> AudioPreview:
    media_type = _audio_type(data[:16])
    if not media_type:
        raise InvalidValue("This is neither WAV, MP3, Ogg nor FLAC.")
    return AudioPreview(data, media_type)


def _json(file: BinaryIO, size: int, limit: int) -> Any:
    if size > limit:
        raise InvalidValue(f"It has {size:,} bytes; JSON up to {limit:,} is shown.")
    try:
        value = json.loads(file.read(limit), parse_constant=str)
    except (ValueError, RecursionError) as error:
        why = "nested too deep" if isinstance(error, RecursionError) else str(error)[:100]
        raise InvalidValue(f"This is no JSON that can be shown as a tree: {why}.") from None
    level: list[Any] = [value]
    for _ in range(JSON_DEPTH):
        level = [
            item
            for part in level
            if isinstance(part, (dict, list))
            for item in (part.values() if isinstance(part, dict) else part)
        ]
        if not level:
            return value
    raise InvalidValue(f"The JSON is nested deeper than {JSON_DEPTH} levels.")


def _matrix(value: Any) -> MatrixPreview:
    labels, counts = _field(value, "labels"), _field(value, "counts")
    if len(labels) != len(counts) or not 0 < len(labels) <= CLASSES:
        raise InvalidValue("This is no confusion matrix: labels and rows differ in number, or are too many.")
    rows = tuple(_numbers(row) for row in counts)
    if any(len(row) != len(labels) for row in rows):
        raise InvalidValue("This is no confusion matrix: it is not square.")
    return MatrixPreview(tuple(str(label)[:200] for label in labels), rows)


def _curves(value: Any, kind: str) -> CurvePreview:
    curves = _field(value, "curves")
    area = "auc" if kind == "roc_curve" else "average_precision"
    if len(curves) > CURVES:
        raise InvalidValue(f"These are {len(curves):,} curves, more than {CURVES:,}.")
    found = []
    for curve in curves:
        x, y = _numbers(_field(curve, "x")), _numbers(_field(curve, "y"))
        if len(x) != len(y) or len(x) > POINTS:
            raise InvalidValue("This is no curve: x and y differ in length, or are too long.")
        listed = curve.get("thresholds")
        above = isinstance(listed, list) and len(listed) == len(x)
        thresholds = tuple(_number(item) for item in listed) if above else ()
        label = curve.get("label")
        found.append(
            Curve("" if label is None else str(label)[:200], x, y, thresholds, _number(curve.get(area)))
        )
    return CurvePreview(kind, tuple(found))


def _field(value: Any, name: str) -> list[Any]:
    found = value.get(name) if isinstance(value, dict) else None
    if not isinstance(found, list):
        raise InvalidValue(f"The list {name} is missing.")
    return found


def _numbers(values: Any) -> tuple[float, ...]:
    if not isinstance(values, list):
        raise InvalidValue("A list of numbers is missing.")
    numbers = tuple(_number(value) for value in values)
    if any(number is None for number in numbers):
        raise InvalidValue("A value is no finite number.")
    return tuple(number for number in numbers if number is not None)


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None
