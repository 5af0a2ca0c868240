"""Where each artifact of a run lands when all of them are downloaded into one folder.

In a store one name may be a file and also the beginning of another name; in a folder it cannot be both.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from tracking.artifacts.names import checked_artifact_name
from tracking.records import ArtifactRecord


@dataclass(frozen=True, slots=True)
class Content:
    """An artifact on its way out.

    Attributes:
        record: The artifact.
        name: What its file or folder would be called if it were alone.
        files: Paths inside, when it is a folder, else None.
        folders: Paths inside of folders with nothing in them.
    """

    record: ArtifactRecord
    name: str
    files: tuple[str, ...] | None = None
    folders: tuple[str, ...] = ()


def placed(contents: Iterable[Content]) -> list[tuple[Content, str]]:
    """Give every artifact a place of its own, by a rule that looks at the names only.

    Folders go first, the outer ones before the inner ones, and stay as they were logged. Files follow, the
    deepest first. What meets a file or folder that is there gets `.1` (`.2`, …) before its ending, one that
    nothing else is called: beside "model/w.bin" the file "model" becomes "model.1".

    Args:
        contents: All that is to be placed.

    Returns:
        Each with its place, in an order in which they can be written.

    Raises:
        InvalidValue: A place would be no name for an artifact.
    """
    turns = sorted(contents, key=_turn)
    names = {content.name for content in turns}
    files: set[str] = set()
    folders: set[str] = set()
    result = []
    for content in turns:
        place = _free_place(content, files, folders, names)
        if content.files is None:
            files.add(place)
        else:
            files.update(f"{place}/{path}" for path in content.files)
            folders.add(place)
            folders.update(f"{place}/{path}" for path in content.folders)
            for path in (*content.files, *content.folders):
                folders.update(f"{place}/{above}" for above in _above(path))
        folders.update(_above(place))
        result.append((content, place))
    return result


def _turn(content: Content) -> tuple[bool, int, str, int]:
    is_file = content.files is None
    depth = content.name.count("/")
    step = content.record.step
    return is_file, -depth if is_file else depth, content.name, -1 if step is None else step


def _free_place(content: Content, files: set[str], folders: set[str], names: set[str]) -> str:
    *above, last = content.name.split("/")
    place = ""
    for part in above:
        place = _free(place + part, (files,), names) + "/"
    return checked_artifact_name(_free(place + last, (files, folders), names))


def _free(name: str, taken: tuple[set[str], ...], names: set[str]) -> str:
    path, tried, number = PurePosixPath(name), name, 0
    while any(tried in each for each in taken) or (number and tried in names):
        number += 1
        tried = str(path.with_name(f"{path.stem}.{number}{path.suffix}"))
    return tried


def _above(path: str) -> Iterator[str]:
    """Yield the folders that a path lies in."""
    while path := path.rpartition("/")[0]:
        yield path
