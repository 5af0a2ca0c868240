"""A run's model becomes a version: its bytes are verified first, then one transaction says so."""

from __future__ import annotations

import getpass
import socket
import time
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from tracking.artifacts.objects import Objects
from tracking.artifacts.reading import files_of, find_artifact, located, open_entry, open_file
from tracking.database import carried_queries, registry_queries, registry_writes, run_queries
from tracking.database.engine import Engines
from tracking.errors import InvalidValue, NotFound, RunStateError
from tracking.records import ArtifactKind, ArtifactRecord, RunRecord
from tracking.registry.lineage import lineage_of
from tracking.registry.names import key_of
from tracking.registry.parts import NO_MODELS, which
from tracking.registry_records import VersionRecord
from tracking.validation import NAME_LIMIT, storable

_BLANK = frozenset("\u115f\u1160\u2800\u3164\uffa0")
"""Letters and a sign that are drawn as nothing."""
_TURNS = frozenset("\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""What changes the direction of the text after it."""


def register(
    engines: Engines,
    objects: Objects,
    model: str,
    run_id: str,
    *,
    artifact: str,
    step: int | None,
    description: str,
    tags: Sequence[str],
    by: str,
) -> VersionRecord:
    """Make a version of a model; see `Store.register`. `model` is a checked name."""
    with engines.reading() as connection, connection.begin():
        run = run_queries.run_record(connection, run_id)
        _check_kept(run)
        record = _find(connection, run, artifact, step)
        lineage = lineage_of(connection, run, record.step)
    if record.kind in NO_MODELS:
        raise InvalidValue(
            f"The artifact {record.name!r} of run {run.id} is a {record.kind.replace('_', ' ')}, no model. "
            "Log models with log_model."
        )
    # As long as the run has the artifact and lies outside of the trash, no clean-up takes these bytes.
    verify_bytes(objects, record)

    def work(connection: Any) -> tuple[str, int]:
        number = carried_queries.run_number(connection, run.id)
        _check_kept(run_queries.run_record(connection, run.id))
        at = time.time_ns() // 1000
        mine = registry_writes.add_model(connection, model, key_of(model), at)
        added = registry_writes.add_version(
            connection,
            mine,
            run=(number, run.id),
            at=at,
            by=by,
            artifact={
                "artifact": record.name,
                "kind": record.kind.value,
                "step": record.step,
                "digest": record.digest,
                "size": record.size,
                "details": dict(record.details),
            },
            lineage=lineage,
            description=description,
            tags=tags,
        )
        return mine[1], added

    name, number = engines.write_durably(work)
    with engines.reading() as connection:
        return registry_queries.version_records(connection, name, number=number)[0]


def verify_version(objects: Objects, version: VersionRecord) -> None:
    """Read the bytes of a version once more.

    Raises:
        NotFound: They are missing.
        ArtifactDamaged: They are not those that were registered.
    """
    located(f"the model {version.name}", lambda: verify_bytes(objects, artifact_of(version)))


def artifact_of(version: VersionRecord) -> ArtifactRecord:
    """Return the artifact that a version pins, by its digest, whatever was logged under its name since."""
    return stored_artifact(
        {
            "run": version.run,
            "artifact": version.artifact,
            "kind": version.kind,
            "step": version.step,
            "digest": version.digest,
            "size": version.size,
            "details": version.details,
        }
    )


def stored_artifact(row: Mapping[str, Any]) -> ArtifactRecord:
    """Return the artifact of a version by the columns of its row, whatever somebody made of them."""
    kind = row["kind"]
    return ArtifactRecord(
        run=str(row["run"]),
        name=str(row["artifact"]),
        kind=ArtifactKind(kind) if kind in set(ArtifactKind) else ArtifactKind.FILE,
        step=row["step"],
        digest=row["digest"],
        size=row["size"],
        files=1,
        media_type="application/octet-stream",
        created=datetime.now(UTC),
        details=row["details"] if isinstance(row["details"], Mapping) else {},
    )


def verify_bytes(objects: Objects, record: ArtifactRecord) -> None:
    """Read an artifact's bytes once more, of a folder those of all its files.

    Raises:
        NotFound: Some are missing.
        ArtifactDamaged: Some are not those that were logged.
    """
    if record.kind is not ArtifactKind.FOLDER:
        open_file(objects, record, None).close()
        return
    for file in files_of(objects, record):
        open_entry(objects, record, file).close()


def account(by: object) -> str:
    """Return who does it: as given, on one line and without control characters, or the account as `user@host`.

    Raises:
        InvalidValue: `by` is no text, shows nothing, or is too long.
    """
    if by is None:
        try:
            user = getpass.getuser()
        except (OSError, KeyError, ImportError):  # an account without a name, as in a container
            user = "unknown"
        return storable(f"{user}@{socket.gethostname()}")
    said = ""
    if isinstance(by, str):
        kept = (
            each for each in " ".join(by.split()) if unicodedata.category(each) != "Cc" and each not in _TURNS
        )
        said = storable("".join(kept))
    if not is_visible(said):
        raise InvalidValue(
            f"by={by!r:.80} is no name of who does it. Leave it out for the account of this process."
        )
    if len(said) > NAME_LIMIT:
        raise InvalidValue(
            f"by= has {len(said):,} characters; who does it has up to {NAME_LIMIT}. Shorten it, or leave it out "
            "for the account of this process."
        )
    return said


def is_visible(text: str) -> bool:
    """Whether a person sees anything of a text: a letter, digit, mark or sign that is not drawn as nothing."""
    return any(unicodedata.category(each)[0] in "LNPS" and each not in _BLANK for each in text)


def _find(connection: Any, run: RunRecord, name: str, step: int | None) -> ArtifactRecord:
    try:
        return find_artifact(run.artifacts, run.id, name, step)
    except NotFound as error:
        if not (said := which(connection, run, name)):
            raise
        raise NotFound(f"{error} {said}") from None


def _check_kept(run: RunRecord) -> None:
    if run.deleted:
        raise RunStateError(
            f"Run {run.id} ({run.name}) lies in the trash: no version is made of it. Take it out with "
            f"store.restore({run.id!r}), then register it."
        )


def no_version(name: str, number: int, latest: int) -> NotFound:
    """Return the error for a version that there is not."""
    told = "It has none yet." if latest == 0 else f"It has 1 to {latest}." if latest > 1 else "It has only 1."
    return NotFound(f"The model {name!r} has no version {number}. {told}")
