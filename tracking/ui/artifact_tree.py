"""Artifacts and the files of a folder as a tree by `/`, one level at a time. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import pandas as pd

from tracking.analysis.natural_order import NaturalKey, natural
from tracking.records import ArtifactFile, ArtifactKind, ArtifactRecord
from tracking.ui import format
from tracking.ui.sizes import size
from tracking.ui.tables import Table, TableColumn

SHOWN: Final = 2_000
"""Rows of one table; a search narrows what is longer."""
NAME_WIDTH: Final = 216
"""Pixels. All columns fit beside a preview in a window of 1,440, name and size in one of 900."""

_KINDS: Final = {"roc_curve": "ROC curve", "pr_curve": "PR curve", "json": "JSON"}


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of a level.

    Attributes:
        label: What is written: the last part of the name, or all of it in a search; folders end with a slash.
        target: The whole name, with a slash at its end when it is a folder of names.
        kind: In words.
        size: Bytes, of the last step.
        steps: Those it has, ascending; empty when it has none.
    """

    label: str
    target: str
    kind: str
    size: int
    steps: tuple[int, ...] = ()


def kind_name(kind: str) -> str:
    """Return a kind of artifact in words."""
    return _KINDS.get(kind, kind.replace("_", " "))


def versions(records: Iterable[ArtifactRecord], name: str) -> list[ArtifactRecord]:
    """Return the artifacts of one name by step, the one without a step last, as it is what is shown first."""
    named = [record for record in records if record.name == name]
    return sorted(named, key=lambda record: (record.step is None, record.step or 0))


def level(records: Sequence[ArtifactRecord], prefix: str) -> list[Entry]:
    """Return what stands directly below a folder of names, folders first.

    Args:
        records: The artifacts of a run.
        prefix: The folder with a slash at its end, or empty for the first level.
    """
    folders: dict[str, dict[str, ArtifactRecord]] = {}
    leaves: dict[str, list[ArtifactRecord]] = {}
    for record in records:
        if record.name.startswith(prefix):
            part, slash, _ = record.name[len(prefix) :].partition("/")
            if slash:
                folders.setdefault(part, {})[record.name] = record
            else:
                leaves.setdefault(record.name, []).append(record)
    entries = [
        Entry(
            f"{part}/",
            f"{prefix}{part}/",
            format.plural(len(found), "artifact"),
            sum(record.size for record in found.values()),
        )
        for part, found in folders.items()
    ]
    entries.sort(key=_natural)
    own = [_artifact(found, found[0].name[len(prefix) :]) for found in leaves.values()]
    return entries + sorted(own, key=_natural)


def found(records: Sequence[ArtifactRecord], text: str) -> list[Entry]:
    """Return the artifacts whose name has the text in it, in any case, on all levels."""
    sought = text.casefold()
    named: dict[str, list[ArtifactRecord]] = {}
    for record in records:
        if sought in record.name.casefold():
            named.setdefault(record.name, []).append(record)
    return sorted((_artifact(group, name) for name, group in named.items()), key=_natural)


def file_level(files: Sequence[ArtifactFile], prefix: str) -> list[Entry]:
    """Return what stands directly below a folder inside a folder artifact; see `level`."""
    folders: dict[str, tuple[int, int]] = {}
    leaves: list[Entry] = []
    for file in files:
        if file.path.startswith(prefix):
            part, slash, _ = file.path[len(prefix) :].partition("/")
            if slash:
                count, total = folders.get(part, (0, 0))
                folders[part] = count + 1, total + file.size
            else:
                leaves.append(Entry(part, file.path, "file", file.size))
    entries = [
        Entry(f"{part}/", f"{prefix}{part}/", format.plural(count, "file"), total)
        for part, (count, total) in folders.items()
    ]
    return sorted(entries, key=_natural) + sorted(leaves, key=_natural)


def files_found(files: Sequence[ArtifactFile], text: str) -> list[Entry]:
    """Return the files whose path has the text in it, in any case, on all levels."""
    sought = text.casefold()
    entries = [
        Entry(file.path, file.path, "file", file.size) for file in files if sought in file.path.casefold()
    ]
    return sorted(entries, key=_natural)


def table(entries: Sequence[Entry]) -> Table:
    """Return entries as a table; digests are in the heading of what is open, where all of one has room."""
    columns = {
        "name": TableColumn("Name", help="Click to open", width=NAME_WIDTH),
        "size": TableColumn("Size", align="right", width=84),
        "kind": TableColumn("Kind", width=124),
        "steps": TableColumn("Steps", width=96),
    }
    frame = pd.DataFrame(
        {
            "name": pd.Series([entry.label for entry in entries], dtype="str"),
            "size": pd.Series([float(entry.size) for entry in entries], dtype="float64"),
            "kind": pd.Series([entry.kind for entry in entries], dtype="str"),
            "steps": pd.Series([_steps(entry.steps) for entry in entries], dtype="str"),
        }
    )
    if not any(entry.steps for entry in entries):
        del columns["steps"], frame["steps"]
    return Table(frame, columns, texts={"size": [size(entry.size) for entry in entries]})


def _artifact(group: Sequence[ArtifactRecord], label: str) -> Entry:
    shown = versions(group, group[0].name)[-1]
    folder = shown.kind is ArtifactKind.FOLDER
    return Entry(
        f"{label}/" if folder else label,
        shown.name,
        format.plural(shown.files, "file") if folder else kind_name(shown.kind),
        shown.size,
        tuple(sorted(record.step for record in group if record.step is not None)),
    )


def _steps(steps: Sequence[int]) -> str:
    if len(steps) < 2:
        return "".join(format.count(step) for step in steps)
    return f"{format.count(steps[0])}–{format.count(steps[-1])} ({format.count(len(steps))})"


def _natural(entry: Entry) -> NaturalKey:
    return natural(entry.label)
