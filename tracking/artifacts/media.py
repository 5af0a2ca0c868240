"""What a file is, by its first bytes and then by its name.

The content decides: a picture is what begins like one, whatever its extension says. Parquet is a table;
CSV is text of the media type `text/csv`; SVG and everything unknown is a plain file.
"""

from __future__ import annotations

import mimetypes
from pathlib import PurePosixPath

from tracking.records import ArtifactKind

HEAD = 8192
"""How many of a file's first bytes are looked at."""
UNKNOWN = "application/octet-stream"

# The standard library's own table, without what this machine's configuration adds.
_types = mimetypes.MimeTypes(filenames=())
_MORE = {
    ".cfg": "text/plain",
    ".ini": "text/plain",
    ".ipynb": "application/x-ipynb+json",
    ".jsonl": "application/jsonl",
    ".log": "text/plain",
    ".markdown": "text/markdown",
    ".md": "text/markdown",
    ".parquet": "application/vnd.apache.parquet",
    ".rst": "text/x-rst",
    ".sql": "application/sql",
    ".toml": "application/toml",
    ".yaml": "application/yaml",
    ".yml": "application/yaml",
}
_IMAGES = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF87a": "image/gif",
    b"GIF89a": "image/gif",
    b"BM": "image/bmp",
}
_AUDIO = {b"ID3": "audio/mpeg", b"OggS": "audio/ogg", b"fLaC": "audio/flac"}
_TEXTUAL = {"application/json", "image/svg+xml", *(kind for kind in _MORE.values() if "parquet" not in kind)}
_PLAIN_CONTROLS = {9, 10, 12, 13, 27}


def classify(name: str, head: bytes) -> tuple[ArtifactKind, str]:
    """Return a file's kind and media type.

    Args:
        name: Its name, of which the extension counts.
        head: Its first bytes, up to `HEAD`.
    """
    extension = PurePosixPath(name).suffix.lower()
    named = _MORE.get(extension) or _types.guess_type("a" + extension)[0] or ""
    if head[:4] == b"PAR1":
        return ArtifactKind.TABLE, _MORE[".parquet"]
    picture = _image_type(head, extension)
    if picture:
        return ArtifactKind.IMAGE, picture
    sound = _audio_type(head, extension)
    if sound:
        return ArtifactKind.AUDIO, sound
    if not _is_text(head) or (not head and not _says_text(named)):
        return ArtifactKind.FILE, UNKNOWN if _says_text(named) or not head else (named or UNKNOWN)
    if named == "image/svg+xml":
        return ArtifactKind.FILE, named
    if named == "application/json" and head:
        return ArtifactKind.JSON, named
    return ArtifactKind.TEXT, named if _says_text(named) else "text/plain"


def _image_type(head: bytes, extension: str) -> str | None:
    for magic, media in _IMAGES.items():
        # Two letters are too few to go by alone.
        if head.startswith(magic) and (len(magic) > 2 or extension == ".bmp"):
            return media
    return "image/webp" if head[:4] == b"RIFF" and head[8:12] == b"WEBP" else None


def _audio_type(head: bytes, extension: str) -> str | None:
    for magic, media in _AUDIO.items():
        if head.startswith(magic):
            return media
    if head[:4] == b"RIFF" and head[8:12] == b"WAVE":
        return "audio/wav"
    is_frame = len(head) > 1 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0
    return "audio/mpeg" if extension == ".mp3" and is_frame else None


def _says_text(media: str) -> bool:
    return media.startswith("text/") or media in _TEXTUAL


def _is_text(head: bytes) -> bool:
    if any(byte < 32 and byte not in _PLAIN_CONTROLS for byte in head):
        return False
    try:
        head.decode()
    except UnicodeDecodeError as error:
        # A character may be cut in two at the end of what was read.
        return len(head) >= HEAD and error.start > len(head) - 4
    return True
