"""A version's model, from bytes that were verified. Nothing is unpickled unless the caller asks for it by name.

Formats that execute nothing are read by themselves: what `log_model` keeps, and a skops file that `log_artifact`
kept. A pickle, which joblib's files are too, is a program that runs as it is read, with all that the account may do;
it is refused, with what it would call, unless `trust=True`. There is no way from one to the other: a file that is not
what it is said to be is refused, and never tried as something else.
"""

from __future__ import annotations

import io
from pathlib import PurePosixPath
from typing import Any, BinaryIO, Protocol

from tracking.artifacts.models import EXTENSION, load, load_format
from tracking.artifacts.reading import located
from tracking.errors import InvalidValue, MissingDependency
from tracking.registry.pickles import holds_objects, is_pickle, named_types
from tracking.registry_records import VersionRecord


class VersionStore(Protocol):
    """What reading a version's model needs of a store."""

    def resolve(self, reference: str) -> VersionRecord:
        """Return the version that a reference means."""

    def open_object(self, digest: str) -> BinaryIO:
        """Open an object's bytes, verified."""


def load_model(store: VersionStore, reference: str, *, trust: bool = False) -> Any:
    """Return the model that a reference means; see `Store.load_model`.

    Args:
        store: The store.
        reference: `digits@champion`, or `digits/3`.
        trust: Read formats that run code as they are read, and make whatever types a skops file names.

    Raises:
        NotFound: Its bytes are missing.
        ArtifactDamaged: Its bytes are not those that were registered.
        InvalidValue: It is no model that can be read, or reading it would run code and `trust` is not set.
        MissingDependency: A library that it needs is not installed.
    """
    version = store.resolve(reference)
    where = f"The model {version.name}"
    if version.kind == "folder":
        raise InvalidValue(
            f"{where} is the folder {version.artifact!r}, which load_model does not read. "
            f"store.download({version.run!r}, {version.artifact!r}, target) writes it, for the library that made it."
        )
    with located(f"the model {version.name}", lambda: store.open_object(version.digest)) as file:
        data = file.read()
    if version.kind == "model":
        return load_format(data, version.details, where, trust=trust)
    if PurePosixPath(version.artifact.lower()).suffix == EXTENSION:
        return load(data, where, trust=trust)
    if is_pickle(version.artifact, data):
        return _unpickled(data, where, version) if trust else _refuse_pickle(data, where, version)
    inside = " with Python objects, which are a pickle inside" if holds_objects(data) else ""
    raise InvalidValue(
        f"{where} is the file {version.artifact!r}{inside}, of a format that load_model does not read, with trust or "
        f"without. store.download({version.run!r}, {version.artifact!r}, target) writes it, for the library that made "
        "it; log models with log_model to have them loaded."
    )


def _refuse_pickle(data: bytes, where: str, version: VersionRecord) -> Any:
    types = named_types(data)
    calls = f", and this one calls {', '.join(types)}" if types else ""
    raise InvalidValue(
        f"{where} is refused: {version.artifact!r} is a pickle, which runs code as it is read{calls}. Nothing of it "
        "was executed. Log it anew with log_model; or, if you know who wrote the file and answer for it, load it with "
        "trust=True, which runs that code with all that your account may do."
    )


def _unpickled(data: bytes, where: str, version: VersionRecord) -> Any:
    """Return what a pickle holds: the one place that reads one, for a caller who said trust=True."""
    try:
        import joblib  # reads pickles and its own files
    except ImportError:
        raise MissingDependency(f"{where} is read with joblib: pip install joblib") from None
    try:
        return joblib.load(io.BytesIO(data))
    except Exception as error:
        raise InvalidValue(
            f"{where}, the file {version.artifact!r}, cannot be unpickled ({type(error).__name__}: "
            f"{' '.join(str(error).split())[:300]})."
        ) from error
