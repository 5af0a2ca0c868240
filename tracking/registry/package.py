"""A version as a folder that somebody without Podium can use: model, example, pinned requirements, script, card."""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from tracking.artifacts.model_adapters import adapter_of
from tracking.artifacts.model_examples import BYTES, decode_example
from tracking.artifacts.models import EXTENSION, needed_types
from tracking.artifacts.reading import find_artifact, located
from tracking.config import StoreLocation
from tracking.errors import InvalidValue, NotFound
from tracking.records import ArtifactRecord
from tracking.registry_records import VersionRecord

_DISTRIBUTION = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,98}[A-Za-z0-9])?")
_VERSION = re.compile(r"[0-9A-Za-z]([0-9A-Za-z.!+_-]{0,98}[0-9A-Za-z])?")
_CLASS = re.compile(r"[A-Za-z_][A-Za-z0-9_.]{0,300}")
_SKOPS = "import skops.io\nmodel = skops.io.loads(data, trusted={types})"
_FRAME = """\
import pandas
types = dict(zip(given["columns"], given["types"]))
rows = pandas.DataFrame(given["rows"], columns=given["columns"], dtype=object).astype(types)"""
_ARRAY = 'rows = numpy.array(given["rows"], dtype=given["types"][0])'
_TEXTS = 'rows = [text for (text,) in given["rows"]]'
_SCRIPT = '''\
"""Predicts with {name}: `python predict.py [input.json]` prints the predictions as JSON. It needs requirements.txt."""
import hashlib, json, numpy, pathlib, sys

here = pathlib.Path(__file__).resolve().parent
data = (here / "{file}").read_bytes()
if hashlib.sha256(data).hexdigest() != "{digest}":
    sys.exit("{file} is not the file that was registered as {name}.")
{load}
given = json.loads(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else here / "input.json").read_text("utf-8"))
{rows}
print(json.dumps(numpy.asarray(model.predict(rows)).tolist()))
'''


class PackageStore(Protocol):
    """What a package reads of a store."""

    @property
    def location(self) -> StoreLocation:
        """Where the store is."""

    def resolve(self, reference: str) -> VersionRecord:
        """Return the version that a reference means."""

    def open_object(self, digest: str) -> BinaryIO:
        """Open an object's bytes, verified."""

    def artifacts(self, run_id: str) -> list[ArtifactRecord]:
        """Return a run's artifacts."""

    def model_card(self, name: str, number: int) -> str:
        """Return the card of a version."""


def package(store: PackageStore, reference: str, folder: Path) -> Path:
    """Write a version as a folder to hand over; see `Store.package`.

    In it are the model's file, `signature.json`, `input.json` and `output.json` (the example, and what the model
    predicted of it when it was logged), `requirements.txt` with the versions at that time of what predicting needs,
    `predict.py`, which needs these and not Podium, and `MODEL_CARD.md`.

    Args:
        store: The store.
        reference: `digits@champion`, or `digits/3`.
        folder: A new one, or one that is empty.

    Raises:
        NotFound: There is no such version, or its bytes are missing.
        ArtifactDamaged: Its bytes are not those that were registered.
        InvalidValue: The folder is not empty, lies in the store or cannot be made, or the version cannot be handed
            over: the message says why.
    """
    version = store.resolve(reference)
    target = _checked_folder(folder, store.location.root)
    files = {
        **_files(store, version),
        "MODEL_CARD.md": store.model_card(version.model, version.number).encode("utf-8", "backslashreplace"),
    }
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        # Beside it, so that a folder of this name is always whole.
        made = Path(tempfile.mkdtemp(prefix=f".{target.name[:100]}.", dir=target.parent))
        try:
            for name, data in files.items():
                (made / name).write_bytes(data)
            made.chmod(0o755)
            made.rename(target)
        except BaseException:
            shutil.rmtree(made, ignore_errors=True)
            raise
    except OSError as error:
        raise _cannot(target, error) from error
    return target


def _checked_folder(folder: Path, store: Path) -> Path:
    try:
        target = Path(os.path.abspath(folder.expanduser()))
        real, own = target.resolve(), store.resolve()
        taken = target.is_symlink() or (target.exists() and (not target.is_dir() or any(target.iterdir())))
    except (
        OSError,
        ValueError,
        RuntimeError,
    ) as error:  # a name that no folder can have, or one without rights
        raise _cannot(folder, error) from error
    if real == own or own in real.parents:
        raise InvalidValue(
            f"{target} lies in the store {own}, which holds only what Podium writes. Name a folder outside of it."
        )
    if taken:
        raise InvalidValue(f"{target} is there already, and not an empty folder. Name another one.")
    return target


def _cannot(folder: Path, error: Exception) -> InvalidValue:
    why = (error.strerror if isinstance(error, OSError) else None) or str(error)
    return InvalidValue(
        f"The package cannot be written to {str(folder)!r:.300}: {why}. Name a folder that can be made, in one "
        "that you may write to."
    )


def _files(store: PackageStore, version: VersionRecord) -> dict[str, bytes]:
    where = f"The model {version.name}"
    if version.kind != "model":
        raise InvalidValue(
            f"{where} is a {version.kind} that log_artifact kept, which load_model reads with trust=True at most: it "
            "is not handed over. Log the model with log_model and register that."
        )
    with located(f"the model {version.name}", lambda: store.open_object(version.digest)) as file:
        data = file.read()
    extension, load, packages = _format(version, data, where)
    example = _example(store, version, where)
    rows = _FRAME if example["columns"] is not None else _TEXTS if example["types"] == ["text"] else _ARRAY
    needed = (*packages, "numpy", *(("pandas",) if rows is _FRAME else ()))
    name = f"model{extension}"
    script = _SCRIPT.format(name=version.name, file=name, digest=version.digest, load=load, rows=rows)
    given = {key: example[key] for key in ("columns", "types", "rows")}
    return {
        name: data,
        "signature.json": _json(version.details.get("signature", {})),
        "input.json": _json(given),
        "output.json": _json(example["predictions"]),
        "requirements.txt": _requirements(version, needed, where).encode(),
        "predict.py": script.encode(),
    }


def _format(version: VersionRecord, data: bytes, where: str) -> tuple[str, str, tuple[str, ...]]:
    """Return the file's extension, the lines that load it, and the distributions that they need."""
    named = version.details.get("format", "skops")
    if named == "skops":
        return EXTENSION, _SKOPS.format(types=needed_types(data, where)), ("skops", "scikit-learn", "scipy")
    adapter = adapter_of(named) if isinstance(named, str) else None
    if adapter is None:
        raise InvalidValue(f"{where} is of the format {named!r:.60}, which no adapter here knows.")
    if not adapter.script:
        raise InvalidValue(f"{where} cannot be handed over: its adapter {named} has no script that loads it.")
    kind = version.details.get("class")
    if not isinstance(kind, str) or not _CLASS.fullmatch(kind):
        raise InvalidValue(f"{where} is said to be a {kind!r:.80}, which is no class.")
    # Nobody is handed what would be refused here.
    adapter.load(data, version.details, trust=False)
    load = f"classname = {kind.rpartition('.')[2]!r}\n{adapter.script}"
    return adapter.extension, load, tuple(adapter.packages)


def _example(store: PackageStore, version: VersionRecord, where: str) -> Mapping[str, Any]:
    digest = version.details.get("example_digest")
    named = version.details.get("example")
    if digest is None and isinstance(named, str):
        try:
            digest = find_artifact(store.artifacts(version.run), version.run, named, version.step).digest
        except NotFound:
            digest = None
    if not isinstance(digest, str):
        raise InvalidValue(
            f"{where} has no example, so nothing tells what it is to be given. Log it again with input_example=, a few "
            "rows that it predicts, and register that."
        )
    with located(f"the example of {version.name}", lambda: store.open_object(digest)) as file:
        data = file.read(BYTES + 1)
    if len(data) > BYTES:
        raise InvalidValue(
            f"{where} has an example of more than {BYTES:,} bytes, which log_model does not keep."
        )
    decode_example(data)
    found: Mapping[str, Any] = json.loads(data)
    return found


def _requirements(version: VersionRecord, needed: tuple[str, ...], where: str) -> str:
    """Return a line for each distribution whose version was kept; nothing else of a store gets into the file."""
    said = version.details.get("versions")
    versions = dict(said) if isinstance(said, Mapping) else {}
    lines = []
    for name in dict.fromkeys(needed):
        number = versions.get(name)
        if number is None:
            continue
        if not (_DISTRIBUTION.fullmatch(name) and isinstance(number, str) and _VERSION.fullmatch(number)):
            raise InvalidValue(
                f"{where} was logged with {name} {number!r:.60}, which is no version that pip knows."
            )
        lines.append(f"{name}=={number}")
    if not lines:
        raise InvalidValue(f"{where} does not say with which versions of its libraries it was logged.")
    python = versions.get("python")
    told = (
        f"# Logged with Python {python}.\n" if isinstance(python, str) and _VERSION.fullmatch(python) else ""
    )
    return told + "".join(f"{line}\n" for line in sorted(lines))


def _json(value: Any) -> bytes:
    # Half a surrogate pair, which only somebody's own writing can hold, is escaped as JSON escapes it.
    return (json.dumps(value, ensure_ascii=False, indent=1) + "\n").encode("utf-8", "backslashreplace")
