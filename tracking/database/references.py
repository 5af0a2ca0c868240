"""Who refers to which object: what a clean-up must not remove and a verification looks at."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, select

from tracking.database.carried_rows import artifacts, captures, dataset_uses, datasets
from tracking.database.run_writes import runs, sessions
from tracking.records import ArtifactKind


@dataclass(frozen=True, slots=True)
class Reference:
    """That something of a run is kept in an object.

    Attributes:
        digest: The object's name.
        run: The run's id, and `number` its internal one.
        what: "artifact", "dataset" or "capture".
        name: Of the artifact or dataset, or the captured section.
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


SOURCES: tuple[Callable[[Connection], Iterator[Reference]], ...] = (
    _of_artifacts,
    _of_datasets,
    _of_captures,
)
"""A function that yields live references each."""
