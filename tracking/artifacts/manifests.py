"""A folder as an object: a JSON list of its files, each with the sha256 of its bytes.

    {"format": 1, "files": [{"path", "digest", "size", "mode"}], "folders": [empty ones],
     "skipped": [{"path", "why"}]}

The same files give the same bytes, so that a folder logged twice is stored once.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from tracking.artifacts.names import checked_artifact_name
from tracking.artifacts.objects import is_digest
from tracking.errors import InvalidValue
from tracking.records import ArtifactFile

MEDIA = "application/vnd.podium.folder+json"
FORMAT = 1
BEGINNING = b'{"format":'
"""What every manifest's bytes begin with."""
FILES_LIMIT = 1_000_000
BYTES_LIMIT = 1 << 29


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a folder held.

    Attributes:
        files: By path.
        folders: Those with nothing in them.
        skipped: Path and why, of what was left out.
    """

    files: tuple[ArtifactFile, ...]
    folders: tuple[str, ...] = ()
    skipped: tuple[tuple[str, str], ...] = ()

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)


def to_bytes(manifest: Manifest) -> bytes:
    """Return a manifest's object."""
    files = [
        {"path": file.path, "digest": file.digest, "size": file.size, "mode": file.mode}
        for file in sorted(manifest.files, key=lambda file: file.path)
    ]
    skipped = [{"path": path, "why": why} for path, why in sorted(manifest.skipped)]
    content = {"format": FORMAT, "files": files, "folders": sorted(manifest.folders), "skipped": skipped}
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


def from_bytes(data: bytes) -> Manifest:
    """Read a manifest, of which nothing is believed: a store may come from anybody.

    Raises:
        InvalidValue: It is none, or names a file that could land outside its folder; the message says what.
    """
    try:
        content = json.loads(data)
        if content["format"] != FORMAT:
            raise InvalidValue(
                f"It has format {content['format']!r:.40}; this Podium reads {FORMAT}. Upgrade Podium."
            )
        files = tuple(_file(entry) for entry in content["files"])
        folders = tuple(checked_artifact_name(path, inside=True) for path in content.get("folders", ()))
        skipped = tuple((str(entry["path"]), str(entry["why"])) for entry in content.get("skipped", ()))
    except InvalidValue:
        raise
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise InvalidValue(f"It is no list of files ({type(error).__name__}: {error}).") from None
    if len(files) > FILES_LIMIT:
        raise InvalidValue(f"It names {len(files):,} files, more than {FILES_LIMIT:,}.")
    _check_places([file.path for file in files], folders)
    return Manifest(files, folders, skipped)


def _file(entry: Any) -> ArtifactFile:
    path = checked_artifact_name(entry["path"], inside=True)
    digest, size, mode = entry["digest"], entry["size"], entry.get("mode", 0o644)
    if not is_digest(digest):
        raise InvalidValue(f"It gives {digest!r:.80} as the sha256 of {path!r:.120}.")
    if not all(isinstance(number, int) and 0 <= number < 1 << 62 for number in (size, mode)):
        raise InvalidValue(f"It gives no size or mode of {path!r:.120}.")
    return ArtifactFile(path, digest, size, mode & 0o777)


def _check_places(paths: Iterable[str], folders: Iterable[str]) -> None:
    """Refuse a path named twice, and one that is a file for one entry and a folder for another."""
    files: set[str] = set()
    for path in paths:
        if path in files:
            raise InvalidValue(f"It names {path!r:.120} twice.")
        files.add(path)
    for path in (*files, *folders):
        above = path.rpartition("/")[0]
        while above:
            if above in files:
                raise InvalidValue(f"It names {above!r:.120} as a file and as a folder.")
            above = above.rpartition("/")[0]
    if not files.isdisjoint(folders):
        raise InvalidValue("It names a path as a file and as a folder.")
