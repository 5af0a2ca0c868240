"""Puts into runs what they carry: artifacts, captured sections, datasets."""

from __future__ import annotations

import io
import json
from typing import Any

import numpy as np
import pandas as pd

import tracking
from tracking.client.carrying import carry_bytes

COMMIT = "3f2a9c1d5e7b8a90123456789abcdef012345678"
DIFF = """diff --git a/train.py b/train.py
--- a/train.py
+++ b/train.py
@@ -1 +1 @@
-lr = 0.1
+lr = 0.01
"""


def artifact(
    run: tracking.Run, name: str, data: bytes, kind: str = "file", step: int | None = None, **details: Any
) -> None:
    media = "image/png" if kind == "image" else "application/octet-stream"
    event = {"t": "artifact", "name": name, "kind": kind, "step": step, "media": media, "details": details}
    carry_bytes(run._session, event, data)


def capture(run: tracking.Run, section: str, **data: Any) -> None:
    run._session.say({"t": "capture", "section": section, "data": data, "time": 1})


def capture_text(run: tracking.Run, section: str, text: str) -> None:
    carry_bytes(run._session, {"t": "capture", "section": section, "data": {}}, text.encode())


def dataset(run: tracking.Run, name: str, digest: str) -> None:
    event = {"t": "dataset", "name": name, "digest": digest, "kind": "frame", "rows": 1_200, "columns": 2}
    schema = {"a": "int64", "b": "str"}
    statistics = {"a": {"mean": 0.5}, "b": {"distinct": 3}}
    run._session.say(
        {**event, "schema": schema, "statistics": statistics, "source": "data/train.csv", "time": 1}
    )


def picture(shade: int) -> bytes:
    from PIL import Image

    target = io.BytesIO()
    Image.fromarray(np.full((12, 16, 3), shade, np.uint8)).save(target, "PNG")
    return target.getvalue()


def parquet(rows: int) -> bytes:
    target = io.BytesIO()
    pd.DataFrame({"n": range(rows), "text": ["=cmd()"] * rows}).to_parquet(target)
    return target.getvalue()


def rich(run: tracking.Run) -> None:
    """Log one artifact of each kind."""
    artifact(run, "notes.txt", b"First <b>line</b>\n", "text")
    artifact(run, "train.py", b"import tracking\n")
    artifact(run, "index.html", b"<script>alert(1)</script>")
    artifact(run, "reports/scores.csv", b"name,score\na,1\nb,2\n")
    artifact(run, "reports/errors", parquet(300), "table", extension=".parquet")
    artifact(run, "config", json.dumps({"layers": [1, 2]}).encode(), "json")
    artifact(run, "weights.bin", bytes(range(256)))
    for step in (1, 5, 20):
        artifact(run, "sample", picture(step * 10), "image", step, extension=".png")
    figure = {"data": [{"type": "bar", "x": [1], "y": [2]}], "layout": {"title": {"text": "T"}}}
    artifact(run, "figure", json.dumps(figure).encode(), "figure")
    matrix = {"labels": ["cat", "dog"], "counts": [[8, 2], [1, 9]]}
    artifact(run, "confusion", json.dumps(matrix).encode(), "confusion_matrix")
    roc = {"curves": [{"label": "cat", "x": [0, 1], "y": [0, 1], "thresholds": [None, 0.5], "auc": 0.75}]}
    artifact(run, "roc", json.dumps(roc).encode(), "roc_curve")
