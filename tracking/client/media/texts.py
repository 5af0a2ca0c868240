"""Text and JSON."""

from __future__ import annotations

import json
from pathlib import PurePosixPath
from typing import Any

from tracking.client.media.encoded import Encoded
from tracking.errors import InvalidValue
from tracking.records import ArtifactKind
from tracking.validation import storable


def encode_text(text: object, name: str) -> Encoded:
    """Return text as UTF-8; NUL and lone surrogates are written as escapes.

    Raises:
        InvalidValue: It is no string.
    """
    if not isinstance(text, str):
        raise InvalidValue(f"log_text takes a string, not {type(text).__name__}. For data there is log_json.")
    details = {} if PurePosixPath(name).suffix else {"extension": ".txt"}
    return Encoded(ArtifactKind.TEXT, "text/plain", storable(text).encode(), details)


def encode_json(value: object) -> Encoded:
    """Return a value as strict JSON; NaN and infinities become the strings "nan", "inf" and "-inf".

    Raises:
        InvalidValue: It is nested into itself or deeper than 50 levels, or holds what has no content as JSON.
    """
    from tracking.artifacts.columns import plain_json

    text = json.dumps(plain_json(value), ensure_ascii=False, allow_nan=False)
    # A lone surrogate becomes the escape that JSON has for it.
    data = text.encode("utf-8", "backslashreplace")
    return Encoded(ArtifactKind.JSON, "application/json", data, {"extension": ".json"})


def dump(value: Any) -> bytes:
    """Return the bytes of a document of our own making."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode(
        "utf-8", "backslashreplace"
    )
