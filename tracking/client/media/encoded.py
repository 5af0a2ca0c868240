"""What an encoder gives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tracking.records import ArtifactKind

Tell = Callable[[str, str], None]
"""Warns once for a kind of trouble, with a sentence; what was logged is kept none the less."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """Bytes with what their artifact says of them.

    Attributes:
        kind: Of the artifact.
        media: MIME type.
        data: The bytes.
        details: Of the artifact; `extension` is added to its name at a download.
        source: A file it was drawn from, kept beside it for download: extension, media type and bytes.
    """

    kind: ArtifactKind
    media: str
    data: bytes
    details: dict[str, Any] = field(default_factory=dict)
    source: tuple[str, str, bytes] | None = None
