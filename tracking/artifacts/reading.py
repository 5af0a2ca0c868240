"""Artifacts by their run and name: the bytes verified, the errors naming run and file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import BinaryIO, TypeVar

from tracking.artifacts import manifests
from tracking.artifacts.names import checked_artifact_name
from tracking.artifacts.objects import Objects
from tracking.errors import ArtifactDamaged, InvalidValue, NotFound, TrackingError
from tracking.records import ArtifactFile, ArtifactKind, ArtifactRecord

Result = TypeVar("Result")
_WAY_OUT = "Log it again, or bring the store back from a backup."


def find_artifact(
    records: Sequence[ArtifactRecord], run_id: str, name: str, step: int | None
) -> ArtifactRecord:
    """Return the artifact of a name; without a step the one that has none, else that of the last step.

    Raises:
        InvalidValue: The name cannot be one.
        NotFound: There is none.
    """
    wanted = checked_artifact_name(name)
    named = [record for record in records if record.name == wanted]
    if not named:
        names = list(dict.fromkeys(record.name for record in records))
        some = (", ".join(map(repr, names[:10])) or "none") + (", …" if len(names) > 10 else "")
        raise NotFound(f"Run {run_id} has no artifact {wanted!r}. It has: {some}.")
    if step is not None:
        for record in named:
            if record.step == step:
                return record
        raise NotFound(f"Run {run_id} has no artifact {wanted!r} of step {step}.")
    plain = [record for record in named if record.step is None]
    return plain[0] if plain else max(named, key=lambda record: record.step or 0)


def files_of(objects: Objects, record: ArtifactRecord) -> list[ArtifactFile]:
    """Return an artifact's files; of a plain file itself.

    Raises:
        NotFound: The folder's manifest is missing.
        ArtifactDamaged: It is damaged, or names files that could land outside of the folder.
    """
    if record.kind is not ArtifactKind.FOLDER:
        return [ArtifactFile(record.name, record.digest, record.size, 0o644)]
    return list(manifest_of(objects, record).files)


def manifest_of(objects: Objects, record: ArtifactRecord) -> manifests.Manifest:
    """Return what a folder held; raises as `files_of`."""
    where = f"the folder {record.name!r} of run {record.run}"
    return located(where, lambda: list_files(objects, record.digest))


def list_files(objects: Objects, digest: str) -> manifests.Manifest:
    """Return what a folder held, by the digest of its list.

    Raises:
        NotFound: The list is missing.
        ArtifactDamaged: It is damaged, or no list of files of a folder.
        InvalidValue: `digest` is no sha256 in hexadecimal.
    """
    with objects.open(digest) as file:
        data = file.read(manifests.BYTES_LIMIT + 1)
    if len(data) > manifests.BYTES_LIMIT:
        raise ArtifactDamaged("Its list of files is longer than any that is written.")
    try:
        return manifests.from_bytes(data)
    except InvalidValue as error:
        raise ArtifactDamaged(f"Its list of files is refused. {error}") from None


def open_file(objects: Objects, record: ArtifactRecord, path: str | None) -> BinaryIO:
    """Open an artifact's bytes, or those of one file of a folder.

    Raises:
        InvalidValue: A folder without a path, or a path into a file.
        NotFound: No such file, or its object is missing.
        ArtifactDamaged: The bytes are not those that were logged.
    """
    if record.kind is not ArtifactKind.FOLDER:
        if path is not None:
            raise InvalidValue(f"{record.name!r} is a file: leave path= out.")
        return located(f"{record.name!r} of run {record.run}", lambda: objects.open(record.digest))
    if path is None:
        raise InvalidValue(
            f"{record.name!r} is a folder: name one of its files with path=, or download it. "
            "store.artifact_files lists them."
        )
    for file in files_of(objects, record):
        if file.path == path:
            return open_entry(objects, record, file)
    raise NotFound(f"The folder {record.name!r} of run {record.run} has no file {path!r:.250}.")


def open_entry(objects: Objects, record: ArtifactRecord, file: ArtifactFile) -> BinaryIO:
    """Open one file of a folder's list; raises as `open_file`."""
    where = f"{file.path!r} in {record.name!r} of run {record.run}"
    return located(where, lambda: objects.open(file.digest))


def located(where: str, read: Callable[[], Result]) -> Result:
    """Return what `read` returns; its errors say where the trouble is.

    Raises:
        NotFound: The bytes are missing.
        ArtifactDamaged: The bytes are damaged.
    """
    try:
        return read()
    except (NotFound, ArtifactDamaged) as error:
        state = "damaged" if isinstance(error, ArtifactDamaged) else "missing"
        said = str(error)
        way_out = "" if said.endswith(_WAY_OUT) else f" {_WAY_OUT}"  # of a file in what is located itself
        raise type(error)(f"{where[:1].upper() + where[1:]} is {state}. {said}{way_out}") from error
    except InvalidValue as error:
        raise ArtifactDamaged(f"{where[:1].upper() + where[1:]} is damaged. {error}") from error
    except OSError as error:
        raise TrackingError(f"{where} cannot be read ({error}).") from error
