"""Who refers to which object: what a clean-up must not remove and a verification looks at."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, select

from tracking.database.carried_rows import artifacts, captures, dataset_uses, datasets
from tracking.database.registry_stored import version_rows
from tracking.database.registry_values import read_json
from tracking.database.run_writes import runs, sessions
from tracking.records import ArtifactKind


@dataclass(frozen=True, slots=True)
class Reference:
    """That something of a run is kept in an object.

    Attributes:
        digest: The object's name.
        run: The run's id, and `number` its internal one.
        what: "artifact", "dataset", "capture" or "model".
        name: Of the artifact or dataset, the captured section, or the version as `digits/3`.
        folder: The object is a folder's list of files, which refers to more; of a dataset it may be one.
    """

    digest: str
    run: str
    number: int
    what: str
    name: str
    folder: bool = False

    def __str__(self) -> str:
        return f"the {self.what} {self.name!r} of run {self.run}"


def references(connection: Connection) -> Iterator[Reference]:
    """Yield every reference there is in the rows, superseded artifacts and the trash included.

    Whatever else keeps bytes alive adds its own function to `SOURCES`.
    """
    for source in SOURCES:
        yield from source(connection)


def _of_artifacts(connection: Connection) -> Iterator[Reference]:
    statement = select(
        artifacts.c.digest, runs.c.uid, runs.c.id, artifacts.c.name, artifacts.c.kind
    ).join_from(artifacts, runs)
    for digest, uid, number, name, kind in connection.execute(statement):
        yield Reference(digest, uid, number, "artifact", name, kind == ArtifactKind.FOLDER.value)


def _of_datasets(connection: Connection) -> Iterator[Reference]:
    statement = (
        select(datasets.c.object, runs.c.uid, runs.c.id, dataset_uses.c.name, datasets.c.kind)
        .join_from(dataset_uses, datasets)
        .join(runs, runs.c.id == dataset_uses.c.run_id)
        .where(datasets.c.object.is_not(None))
    )
    for digest, uid, number, name, kind in connection.execute(statement):
        yield Reference(digest, uid, number, "dataset", name, kind == "folder")


def _of_captures(connection: Connection) -> Iterator[Reference]:
    statement = (
        select(captures.c.digest, runs.c.uid, runs.c.id, captures.c.section)
        .join_from(captures, sessions)
        .join(runs, runs.c.id == sessions.c.run_id)
        .where(captures.c.digest.is_not(None))
    )
    for digest, uid, number, section in connection.execute(statement):
        yield Reference(digest, uid, number, "capture", section)


def _of_versions(connection: Connection) -> Iterator[Reference]:
    for row in version_rows(connection):
        name = f"{row['model']}/{row['number']}"
        uid, number, folder = str(row["run"]), row["run_id"], row["kind"] == ArtifactKind.FOLDER.value
        yield Reference(row["digest"], uid, number, "model", name, folder)
        example = read_json(row["details"], dict).get("example_digest")
        if isinstance(example, str):
            yield Reference(example, uid, number, "model", f"{name}, its example")


SOURCES: tuple[Callable[[Connection], Iterator[Reference]], ...] = (
    _of_artifacts,
    _of_datasets,
    _of_captures,
    _of_versions,
)
"""A function that yields live references each."""
