"""Whether a version could be used now: its bytes are there, its run is whole. Nothing of it is loaded.

Sizes on disk are asked for; of a folder its list of files is read, and the first 1,000 of them are looked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tracking.errors import InvalidValue, TrackingError
from tracking.records import ArtifactKind, RunRecord, RunStatus
from tracking.registry_records import VersionRecord
from tracking.ui import format, registry_cache
from tracking.ui.model_metrics import Shown, version_value
from tracking.ui.sizes import size

if TYPE_CHECKING:
    from tracking.store import Store

WHOLE: Final = "✓ bytes there"
_ENDED_BADLY: Final = frozenset({RunStatus.FAILED, RunStatus.LOST, RunStatus.INTERRUPTED})


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is wrong with a version.

    Attributes:
        short: For a cell of a table.
        sentence: The whole of it, with the way out.
        grave: It cannot be loaded.
    """

    short: str
    sentence: str
    grave: bool = False


def problems(
    store: Store, version: VersionRecord, run: RunRecord | None, shown: Sequence[Shown] = ()
) -> list[Problem]:
    """Return what is wrong with a version, the gravest first.

    Args:
        store: Whose objects are looked for; the size on disk is compared, the bytes are not read. Of a folder as many
            files are looked for as `looked_for` says.
        version: The version.
        run: Its run, None when it is not in the store.
        shown: The metrics by which versions are judged; one that is not finite is said.
    """
    return [*_of_bytes(store, version), *_of_run(version, run, shown)]


def summary(found: Sequence[Problem]) -> str:
    """Return the health for a cell of a table: never by colour alone."""
    if not found:
        return WHOLE
    mark = "✕" if found[0].grave else "!"
    more = f", {len(found) - 1} more" if len(found) > 1 else ""
    return f"{mark} {found[0].short}{more}"


def _of_bytes(store: Store, version: VersionRecord) -> list[Problem]:
    name = f"v{version.number}"
    try:
        there = store.object_size(version.digest)
    except InvalidValue:
        return [
            Problem("no digest", f"The digest of {name} is none: the registry was changed by hand.", True)
        ]
    if there is None:
        sentence = (
            f"The bytes of {name} are not in the store: it cannot be loaded. Copy objects/{version.digest[:2]}/"
            f"{version.digest[2:12]}… back from a backup of the store, or give its aliases to another version."
        )
        return [Problem("bytes missing", sentence, True)]
    # A folder is known by the digest of its list of files, whose size is another one.
    if version.kind == ArtifactKind.FOLDER:
        return _of_files(store, version)
    if there != version.size:
        sentence = (
            f"{name} has {size(there)} on disk and had {size(version.size)} when it was logged: it will not load. "
            "Copy the object back from a backup of the store, or give its aliases to another version."
        )
        return [Problem("bytes damaged", sentence, True)]
    return []


def _of_files(store: Store, version: VersionRecord) -> list[Problem]:
    name = f"v{version.number}"
    way_out = "from a backup of the store, or give its aliases to another version."
    try:
        files = registry_cache.folder_files(store, version.digest)
    except (TrackingError, OSError):
        sentence = f"The list of the files of {name} cannot be read: it will not load. Copy it back {way_out}"
        return [Problem("bytes damaged", sentence, True)]
    if files is None or not files.missing:
        return []
    first, more = format.shorten_middle(files.missing[0], 80), len(files.missing) - 1
    what = f"{first} and {format.plural(more, 'other file')}" if more else first
    some = (
        ""
        if files.looked_for == files.count
        else f", of which the first {format.count(files.looked_for)} were looked for"
    )
    sentence = (
        f"The bytes of {what} of {name} are not in the store: it cannot be loaded whole. It has "
        f"{format.plural(files.count, 'file')}{some}. Copy what is missing back {way_out}"
    )
    return [Problem("files missing", sentence, True)]


def looked_for(store: Store, version: VersionRecord) -> str | None:
    """Return how many files of a version that is a folder are looked for, None for any other or a damaged one."""
    if version.kind != ArtifactKind.FOLDER:
        return None
    try:
        files = registry_cache.folder_files(store, version.digest)
    except (TrackingError, OSError):
        return None
    if files is None:
        return f"not looked for: their list has more than {size(registry_cache.LONGEST_LIST)}"
    count = format.count(files.count)
    if files.looked_for < files.count:
        return f"{count}, the first {format.count(files.looked_for)} looked for"
    return count


def _of_run(version: VersionRecord, run: RunRecord | None, shown: Sequence[Shown]) -> list[Problem]:
    name = f"v{version.number}"
    if run is None:
        told = f"The run of {name} is not in this store: what it logged besides is unknown."
        return [Problem("run unknown", told)]
    found = []
    if run.deleted:
        found.append(Problem("run in the trash", f"The run of {name} lies in the trash: restore it."))
    if run.status in _ENDED_BADLY:
        found.append(
            Problem(
                f"run {run.status}",
                f"The run of {name} is {run.status}: it did not come to its planned end, and what it measured may be "
                "of an unfinished model.",
            )
        )
    elif not run.status.is_final:
        found.append(
            Problem(f"run {run.status}", f"The run of {name} still goes on: its metrics will change.")
        )
    for each in shown:
        number = version_value(version, run, each)
        if number is not None and format.number(number) in ("NaN", "inf", "-inf"):
            found.append(
                Problem(
                    f"{format.shorten_key(each.metric, 24)} {format.number(number)}",
                    f"The {each.at} {format.shorten_key(each.metric, 60)} of {name} is {format.number(number)}.",
                )
            )
    return found
