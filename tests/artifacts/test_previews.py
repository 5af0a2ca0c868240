"""Previews show what is there, within bounds, and nothing that bytes hold is executed, fetched or believed."""

from __future__ import annotations

import io
import json
import struct
import time
import zlib
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tracking.artifacts.previews import (
    AudioPreview,
    BinaryPreview,
    CurvePreview,
    FigurePreview,
    ImagePreview,
    JsonPreview,
    MatrixPreview,
    TablePreview,
    TextPreview,
    preview,
)
from tracking.records import ArtifactKind, ArtifactRecord


def record(name: str, kind: str = "file", media: str = "application/octet-stream") -> ArtifactRecord:
    return ArtifactRecord("r", name, ArtifactKind(kind), None, "0" * 64, 0, 1, media, datetime.now(UTC))


def look(data: bytes, name: str, kind: str = "file", media: str = "", path: str | None = None) -> Any:
    return preview(io.BytesIO(data), record(name, kind, media), path=path)


def parquet(table: pa.Table | pd.DataFrame, **options: Any) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table if isinstance(table, pa.Table) else pa.Table.from_pandas(table), sink, **options)
    return sink.getvalue()


def png(width: int, height: int, pixels: bytes, *more: tuple[bytes, bytes]) -> bytes:
    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        chunk(*part) for part in ((b"IHDR", head), *more, (b"IDAT", zlib.compress(pixels)), (b"IEND", b""))
    )


# Text and bytes


def test_text_is_text_whatever_it_says() -> None:
    found = look(b"<script>alert(1)</script>", "page.html")
    assert isinstance(found, TextPreview)
    assert (found.text, found.cut, found.language) == ("<script>alert(1)</script>", False, "html")
    assert look(b"<svg onload='x()'/>", "drawing.svg").language == "xml"


def test_a_long_text_is_cut_and_says_so() -> None:
    found = look(b"x" * 5_000_000, "log.txt")
    assert found.cut and len(found.text) == 256 << 10


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ("naïve".encode(), "naïve"),
        ("naïve".encode("utf-16"), "naïve"),
        ("naïve ünü".encode("latin-1"), "naïve ünü"),
    ],
)
def test_encodings_of_text(data: bytes, text: str) -> None:
    assert look(data, "a.txt").text.lstrip("\ufeff") == text


def test_a_pickle_is_shown_in_hexadecimal() -> None:
    found = look(b"\x80\x04\x95\x00\x00c__builtin__\neval\n", "model.pkl", "model")
    assert isinstance(found, BinaryPreview)
    assert found.hex.startswith("00000000  80 04 95 00 00 63") and found.size == 23


def test_an_empty_file_is_empty_text() -> None:
    assert look(b"", "nothing.bin").text == ""


# Tables


def test_a_parquet_table_with_statistics() -> None:
    frame = pd.DataFrame(
        {"n": [1, 2, 2, None], "word": ["a", "b", "b", None], "t": pd.to_datetime(["2026-01-02"] * 4)}
    )
    found = look(parquet(frame), "errors", "table")
    assert isinstance(found, TablePreview)
    assert (found.rows, found.columns, found.counted) == (4, 3, 4)
    number, word, when = found.schema
    assert (number.type, word.type) == ("double", "large_string")
    assert number.statistics["mean"] == pytest.approx(5 / 3) and number.statistics["missing"] == 1
    assert word.statistics["top"] == [["b", 2], ["a", 1]] and word.statistics["distinct"] == 2
    assert when.statistics["min"].startswith("2026-01-02T00:00:00")
    assert found.frame["word"].tolist()[:3] == ["a", "b", "b"]


def test_a_large_table_shows_its_first_rows_and_counts_some() -> None:
    data = parquet(pa.table({"x": np.arange(300_000)}), row_group_size=50_000)
    found = look(data, "big.parquet")
    assert len(found.frame) == 200 and found.rows == 300_000
    assert 100_000 <= found.counted <= 105_000


def test_a_table_without_rows_shows_its_columns() -> None:
    found = look(
        parquet(pa.table({"a": pa.array([], pa.int64()), "b": pa.array([], pa.string())})), "t.parquet"
    )
    assert list(found.frame.columns) == ["a", "b"] and found.rows == 0


def test_pandas_metadata_is_not_believed() -> None:
    table = pa.table({"x": [1, 2]}).replace_schema_metadata(
        {"pandas": b'{"index_columns": [{"kind": "range"'}
    )
    assert look(parquet(table), "t.parquet").frame["x"].tolist() == [1, 2]


def test_hostile_names_nested_values_and_long_cells() -> None:
    table = pa.table(
        [pa.array(["x" * 10_000]), pa.array([[1, 2]]), pa.array([b"\0\1"])], names=["<img>", "l", ""]
    )
    found = look(parquet(table), "t.parquet")
    assert list(found.frame.columns)[:2] == ["<img>", "l"]
    assert len(found.frame["<img>"][0]) == 500 and found.frame["l"][0] == "[1, 2]"


def test_wide_tables_are_bounded() -> None:
    table = pa.table({f"c{at}": [at] for at in range(3_000)})
    found = look(parquet(table), "wide.parquet")
    assert found.frame.shape == (1, 100) and found.columns == 3_000


def test_few_bytes_that_say_many_rows_or_long_texts_are_bounded() -> None:
    rows = pa.array(np.zeros(20_000_000, np.int8))
    found = look(parquet(pa.table({"x": rows}), row_group_size=20_000_000), "rows.parquet")
    assert found.rows == 20_000_000 and found.counted < 110_000
    text = pa.DictionaryArray.from_arrays(pa.array(np.zeros(100_000, np.int8)), pa.array(["x" * 1_000_000]))
    data = parquet(pa.table({"s": text, "n": np.arange(100_000)}))
    assert len(data) < 2_000_000
    found = look(data, "texts.parquet")
    assert found.frame["s"][0] == "x" * 499 + "…" and found.schema[1].statistics["count"] == 100_000
    shared = pa.table({"s": ["x" * 1_000_000 + str(at) for at in range(50)]})
    data = parquet(shared, use_dictionary=False, column_encoding={"s": "DELTA_BYTE_ARRAY"})
    assert "left out" in look(data, "shared.parquet").note


@pytest.mark.parametrize("keep", [4, 50, 0.5, 0.99])
def test_a_truncated_parquet_file_is_told_of(keep: float) -> None:
    data = parquet(pd.DataFrame({"x": range(1000)}))
    found = look(data[: int(keep if keep > 1 else keep * len(data))], "t.parquet")
    assert isinstance(found, (BinaryPreview, TextPreview)) and "Parquet" in found.note


def test_csv_with_its_own_delimiter() -> None:
    found = look(b"name;size\na,b;1\nc;2\n", "t.csv")
    assert found.frame.to_dict("list") == {"name": ["a,b", "c"], "size": [1, 2]}
    assert found.rows == 2 and found.schema[1].statistics["max"] == 2
    assert look(b"a\tb\n1\t2\n", "t.tsv").frame.shape == (1, 2)


def test_csv_is_a_table_also_where_it_was_logged_as_text() -> None:
    assert look(b"a,b\n1,2\n", "t.csv", "text", "text/csv").frame.shape == (1, 2)
    assert isinstance(look(b"a,b\n1,2\n", "t.txt", "text", "text/plain"), TextPreview)


def test_a_large_csv_does_not_claim_to_know_its_rows() -> None:
    found = look(b"a,b\n" + b"1,2\n" * 2_000_000, "t.csv")
    assert found.rows is None and len(found.frame) == 200


class EndlessLine(io.RawIOBase):
    """A file of one line of a gigabyte, which exists nowhere."""

    size, at = 1 << 30, 0

    def readable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        self.at = offset if whence == 0 else self.size + offset
        return self.at

    def read(self, count: int = -1) -> bytes:
        assert 0 <= count <= 32 << 20, "read without a bound"
        found = b"x" * min(count, self.size - self.at)
        self.at += len(found)
        return found


def test_a_csv_line_of_a_gigabyte() -> None:
    began = time.monotonic()
    found = preview(EndlessLine(), record("t.csv"))  # type: ignore[arg-type]
    assert isinstance(found, TextPreview) and found.cut and "first line" in found.note
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    "data", [b"," * 50_000 + b"\n1\n", b'"' + b"a\n" * 100, b"\n\n\n", b"\0,\0\n\0,1\n", b"a,a\n1,2\n"]
)
def test_odd_csv_raises_nothing(data: bytes) -> None:
    assert isinstance(look(data, "t.csv"), (TablePreview, TextPreview, BinaryPreview))


@settings(deadline=None)
@given(
    st.binary(max_size=300), st.sampled_from(["t.csv", "a.json", "p.png", "s.wav", "x.parquet", "x.py", "x"])
)
def test_any_bytes_under_any_name_raise_nothing(data: bytes, name: str) -> None:
    look(data, name)


# Images and sound


def test_a_png_is_shown_without_what_is_no_picture() -> None:
    bomb = b"note\0\0" + zlib.compress(b"\0" * 10_000_000)
    found = look(png(2, 1, b"\0\1\2", (b"zTXt", bomb)), "a.png")
    assert isinstance(found, ImagePreview)
    assert (found.width, found.height, found.media_type) == (2, 1, "image/png")
    assert b"zTXt" not in found.data and found.data == png(2, 1, b"\0\1\2")


def test_a_png_of_too_many_pixels_is_refused() -> None:
    found = look(png(60_000, 60_000, b""), "a.png")
    assert isinstance(found, BinaryPreview) and "pixels" in found.note


def test_a_png_that_inflates_to_more_than_it_says_is_refused() -> None:
    found = look(png(2, 1, b"\0" * 50_000_000), "a.png")
    assert isinstance(found, BinaryPreview) and "more data" in found.note


@pytest.mark.parametrize(
    ("form", "media"), [("JPEG", "image/jpeg"), ("GIF", "image/gif"), ("WEBP", "image/webp")]
)
def test_other_formats_have_their_size_read(form: str, media: str) -> None:
    from PIL import Image

    sink = io.BytesIO()
    Image.fromarray(np.zeros((7, 13, 3), np.uint8)).save(sink, form)
    found = look(sink.getvalue(), f"a.{form.lower()}", "image")
    assert (found.width, found.height, found.media_type) == (13, 7, media)
    assert isinstance(look(sink.getvalue()[:9], "a", "image"), (BinaryPreview, TextPreview))


def test_an_svg_that_claims_to_be_an_image_is_text() -> None:
    found = look(b"<svg xmlns='http://www.w3.org/2000/svg' onload='x()'/>", "a.png", "image", "image/png")
    assert isinstance(found, TextPreview) and "PNG" in found.note


def test_sound_is_what_its_first_bytes_say() -> None:
    found = look(b"RIFF\x24\0\0\0WAVEfmt ", "a.wav", "audio")
    assert isinstance(found, AudioPreview) and found.media_type == "audio/wav"
    assert isinstance(look(b"<html>", "a.wav", "audio"), TextPreview)


# JSON, matrices and curves


def test_json_with_nan() -> None:
    assert look(b'{"a": [1, NaN, -Infinity]}', "a.json") == JsonPreview({"a": [1, "NaN", "-Infinity"]})


@pytest.mark.parametrize("depth", [70, 5_000, 400_000])
def test_deep_json_is_text(depth: int) -> None:
    found = look(b"[" * depth + b"]" * depth, "a.json", "json")
    assert isinstance(found, TextPreview) and "nested" in found.note


def test_a_number_of_many_digits_is_text() -> None:
    assert isinstance(look(b"9" * 10_000, "a.json", "json"), TextPreview)


def test_a_confusion_matrix() -> None:
    found = look(b'{"labels": ["cat", 7], "counts": [[3, 1], [0, 2]]}', "cm", "confusion_matrix")
    assert found == MatrixPreview(("cat", "7"), ((3, 1), (0, 2)))


@pytest.mark.parametrize(
    "text", ["[]", "{}", '{"labels": [1], "counts": [[1, 2]]}', '{"labels": [1], "counts": [["x"]]}']
)
def test_what_is_no_matrix_is_text(text: str) -> None:
    assert isinstance(look(text.encode(), "cm", "confusion_matrix"), TextPreview)


def test_curves() -> None:
    curve = {"label": "a", "x": [0, 1], "y": [0, 1], "thresholds": [None, 0.5], "auc": 0.5}
    found = look(json.dumps({"curves": [curve]}).encode(), "roc", "roc_curve")
    assert isinstance(found, CurvePreview)
    assert found.curves[0].thresholds == (None, 0.5) and found.curves[0].area == 0.5
    assert isinstance(look(b'{"curves": [{"x": [1], "y": []}]}', "roc", "roc_curve"), TextPreview)


# Files inside folders


def test_a_file_of_a_folder_is_known_by_its_own_name() -> None:
    assert isinstance(look(b"a,b\n1,2\n", "reports", "folder", path="x/t.csv"), TablePreview)
    assert look(b"import os\n", "src", "folder", path="train.py").language == "python"


def test_a_figure_is_a_figure() -> None:
    found = look(b'{"data": [{"y": [1]}], "layout": {}}', "fig", "figure", "application/vnd.plotly.v1+json")
    assert isinstance(found, FigurePreview) and found.spec["data"] == [{"y": [1]}]
    assert isinstance(look(b"{}{", "fig", "figure", "application/vnd.plotly.v1+json"), TextPreview)
