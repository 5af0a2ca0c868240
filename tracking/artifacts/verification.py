"""Reads every object that anything refers to once more, and says what is not as it was logged."""

from __future__ import annotations

from collections.abc import Callable

from tracking.artifacts import manifests
from tracking.artifacts.objects import Objects
from tracking.database.engine import Engines
from tracking.database.references import Reference, references
from tracking.errors import ArtifactDamaged, InvalidValue, NotFound
from tracking.records import DamagedFile

MISSING, DAMAGED = "missing", "damaged"


def verify_objects(
    engines: Engines, objects: Objects, progress: Callable[[int], None] | None = None
) -> list[DamagedFile]:
    """Return what is missing or damaged, by run, name and file, the trash included.

    Args:
        engines: On the store's database.
        objects: Of the store.
        progress: Called with how many objects were read so far.
    """
    with engines.reading() as connection:
        everything = list(references(connection))
    states: dict[str, str | None] = {}
    inside: dict[str, tuple[tuple[str, str], ...]] = {}
    found: list[DamagedFile] = []

    def state_of(digest: str) -> str | None:
        if digest not in states:
            states[digest] = _state(objects, digest)
            if progress is not None:
                progress(len(states))
        return states[digest]

    for reference in everything:
        state = state_of(reference.digest)
        if state is None and reference.folder:
            if reference.digest not in inside:
                files = _files(objects, reference)
                if files is None:
                    states[reference.digest] = state = DAMAGED
                else:
                    inside[reference.digest] = files
            for path, digest in inside.get(reference.digest, ()):
                within = state_of(digest)
                if within is not None:
                    found.append(_damaged(reference, path, digest, within))
        if state is not None:
            found.append(_damaged(reference, "", reference.digest, state))
    return sorted(set(found), key=lambda one: (one.run, one.what, one.name, one.path, one.digest))


def _state(objects: Objects, digest: str) -> str | None:
    try:
        objects.open(digest).close()
    except NotFound:
        return MISSING
    except (ArtifactDamaged, InvalidValue, OSError):
        return DAMAGED
    return None


def _files(objects: Objects, reference: Reference) -> tuple[tuple[str, str], ...] | None:
    """Return path and digest of a folder's files, None when its list cannot be read."""
    try:
        with objects.open(reference.digest) as file:
            data = file.read(manifests.BYTES_LIMIT)
        if reference.what == "dataset" and not data.startswith(manifests.BEGINNING):
            return ()
        return tuple((file.path, file.digest) for file in manifests.from_bytes(data).files)
    except (InvalidValue, ArtifactDamaged, NotFound, OSError):
        return None


def _damaged(reference: Reference, path: str, digest: str, state: str) -> DamagedFile:
    return DamagedFile(reference.run, reference.what, reference.name, path, digest, state == MISSING)
