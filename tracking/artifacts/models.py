"""Model files: written with skops, and read back with a list of what they may be made of. Nothing is unpickled.

Models of other frameworks are kept by their adapters; see `tracking.artifacts.model_adapters`.
"""

from __future__ import annotations

import platform
import warnings
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from typing import Any, BinaryIO, Protocol

from tracking.artifacts.model_adapters import ModelAdapter, adapter_for, adapter_of
from tracking.artifacts.model_archive import check_archive
from tracking.artifacts.model_parts import check_parts
from tracking.artifacts.reading import find_artifact
from tracking.errors import InvalidValue, MissingDependency, TrackingError, TrackingWarning
from tracking.records import ArtifactKind, ArtifactRecord

MEDIA = "application/vnd.skops+zip"
EXTENSION = ".skops"

ALLOWED: tuple[str, ...] = (
    "functools.partial",
    "numpy.dtype",
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.calibration._SigmoidCalibration",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
    "sklearn.neural_network._stochastic_optimizers.SGDOptimizer",
    "sklearn.tree._tree.Tree",
    "sklearn.utils.validation.check_array",
)
"""Types that a model file may hold beside those that skops trusts by itself; `model_parts` looks into those that may
do harm by what they hold."""

_NAMED = 5
_LEVEL = 3
"""Of compression: twice as quick as the usual 6 and 8 % larger, measured on a forest of 550,000 nodes."""
_TEXT = 200
_COLUMNS = 100
_PACKAGES = ("scikit-learn", "skops", "numpy", "scipy")


class ModelStore(Protocol):
    """What reading a model needs of a store."""

    def artifacts(self, run_id: str) -> Sequence[ArtifactRecord]:
        """Return a run's artifacts."""

    def open_artifact(self, run_id: str, name: str, *, step: int | None = None) -> BinaryIO:
        """Open an artifact's bytes, verified."""


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A model as bytes, with their MIME type and what its artifact says of it."""

    data: bytes
    details: Mapping[str, Any] = field(default_factory=dict)
    media: str = MEDIA


def encode_model(model: Any) -> ModelFile:
    """Return a model as a file that `read_model` will take back: by the adapter that keeps it, else by skops.

    Raises:
        InvalidValue: It holds something that is no part of scikit-learn, or is no model; the message names the types
            and what to do.
        MissingDependency: skops or scikit-learn is not installed.
    """
    kind = f"{type(model).__module__}.{type(model).__qualname__}"
    adapter = None if isinstance(model, type) else adapter_for(model)
    if adapter is not None:
        return _adapted(adapter, model, kind)
    framework = _OF_OTHERS.get(kind.partition(".")[0], "")
    if isinstance(model, type) or not hasattr(model, "get_params"):
        raise InvalidValue(
            f"log_model takes a fitted estimator of scikit-learn, not {kind}. {framework}{_OTHERWISE}"
        )
    sio = _skops()
    try:
        data = sio.dumps(model, compression=zipfile.ZIP_DEFLATED, compresslevel=_LEVEL)
    except Exception as error:  # whatever a foreign part raises while it is taken apart
        raise InvalidValue(
            f"skops cannot keep {kind}: {' '.join(str(error).split())[:300]}. {framework}{_OTHERWISE}"
        ) from None
    refused, needed = _types(sio, data)
    if refused:
        raise InvalidValue(
            f"{kind} holds {_listed(refused)}, which would not be read back: a model file is made of "
            f"parts of scikit-learn that are known to be safe. {_instead(refused)}{_OTHERWISE}"
        )
    check_parts(model)
    return ModelFile(
        data,
        {
            "extension": EXTENSION,
            "format": "skops",
            "class": kind,
            "estimator": _estimator(model),
            "versions": versions_of(_PACKAGES),
            "types": needed,
        },
    )


_OTHERWISE = (
    "Other models: save them in a format of their own and log the file with log_artifact, or register an adapter for "
    "them (tracking.register_adapter)."
)
_OF_OTHERS = {
    "torch": "Of a PyTorch module the numbers can be kept safely, not the class that computes with them: export it to "
    "ONNX, or let an adapter make your module and fill it from safetensors. ",
    "lightgbm": "Of LightGBM keep the text of booster_.model_to_string(). ",
    "xgboost": "Of XGBoost the estimators are kept, such as XGBClassifier, by themselves and not inside a pipeline. ",
}


def _adapted(adapter: ModelAdapter, model: Any, kind: str) -> ModelFile:
    try:
        data = adapter.save(model)
    except TrackingError:
        raise
    except Exception as error:  # of somebody's adapter
        raise InvalidValue(
            f"The adapter {adapter.name} cannot keep {kind} ({type(error).__name__}: {_short(error)})"
        ) from None
    if not isinstance(data, bytes):
        raise InvalidValue(
            f"The adapter {adapter.name} returned {type(data).__name__} for {kind}, not bytes."
        )
    said = {"extension": adapter.extension, "format": adapter.name, "class": kind}
    versions = versions_of(adapter.packages)
    return ModelFile(
        data, {**said, "estimator": _estimator(model), "versions": versions}, str(adapter.media_type)
    )


def read_model(
    store: ModelStore, run: str, name: str = "model", *, step: int | None = None, trust: bool = False
) -> Any:
    """Return a logged model; its bytes are verified, and only types of `ALLOWED` and skops' own are made.

    Args:
        store: The store.
        run: Id of the run.
        name: The artifact.
        step: Its step; left out, as in `Store.open_artifact`.
        trust: Make any type that a skops file names, whatever code that runs: for files that you wrote yourself.

    Raises:
        NotFound: There is no such run or artifact, or its bytes are missing.
        ArtifactDamaged: The bytes are not those that were logged.
        InvalidValue: It is no skops file, or holds types that are not allowed; or an adapter refuses it.
        MissingDependency: skops or scikit-learn is not installed.

    Warns:
        TrackingWarning: It was written with another version of scikit-learn.
    """
    record = find_artifact(store.artifacts(run), run, name, step)
    where = f"The model {record.name!r} of run {run}"
    if record.kind is not ArtifactKind.MODEL:
        raise InvalidValue(
            f"{record.name!r} of run {run} is no model but a {record.kind}: log it with log_model."
        )
    with store.open_artifact(run, name, step=record.step) as file:
        data = file.read()
    return load_format(data, record.details, where, trust=trust)


def load_format(data: bytes, details: Mapping[str, Any], where: str, *, trust: bool = False) -> Any:
    """Return the model of a file in the format that its artifact's details say; never in another one.

    Args:
        data: The file.
        details: Of the artifact.
        where: What it is, for messages, at the beginning of a sentence.
        trust: As in `read_model`.

    Raises:
        InvalidValue: It is not what it is said to be, is not safe, or nothing here reads its format.
        MissingDependency: A library that it needs is not installed.
    """
    named = details.get("format", "skops")
    if named == "skops":
        return load(data, where, details.get("versions"), trust=trust)
    adapter = adapter_of(named) if isinstance(named, str) else None
    if adapter is None:
        raise InvalidValue(
            f"{where} is of the format {named!r:.60}, which no adapter here reads. Register the one that wrote it with "
            "tracking.register_adapter, or install the package that offers it."
        )
    try:
        return adapter.load(data, details, trust=trust)
    except InvalidValue as error:
        raise InvalidValue(f"{where} is refused: {error}") from None
    except TrackingError:
        raise
    except Exception as error:  # of somebody's adapter, or of the library it calls
        raise InvalidValue(f"{where} cannot be read by {adapter.name}: {_short(error)}") from error


def load(data: bytes, where: str, versions: object = None, *, trust: bool = False) -> Any:
    """Return the model of a skops file.

    Args:
        data: The file.
        where: What it is, for messages, at the beginning of a sentence.
        versions: Of the libraries it was written with, by name.
        trust: Make whatever types it names.

    Raises:
        InvalidValue: It is no skops file, or holds what is not allowed.
        MissingDependency: skops or scikit-learn is not installed.
    """
    sio = _skops()
    check_archive(data, where, trust=trust)
    allowed, refused = _allowed(sio, data, where, trust=trust)
    told = _other_version(versions)
    try:
        model = sio.loads(data, trusted=[*allowed, *refused])
        if not trust:
            check_parts(model)
    except InvalidValue as error:
        raise InvalidValue(f"{where} is refused: {error}") from None
    except Exception as error:
        raise InvalidValue(f"{where} cannot be read: {_short(error)} {told}".rstrip()) from error
    if told:
        warnings.warn(f"Podium: {where[:1].lower()}{where[1:]}: {told}", TrackingWarning, stacklevel=3)
    return model


def needed_types(data: bytes, where: str) -> list[str]:
    """Return the types of `ALLOWED` that a skops file needs, for those who read it elsewhere. Nothing is made of it.

    Raises:
        InvalidValue: It is no skops file, or holds what is not allowed.
        MissingDependency: skops or scikit-learn is not installed.
    """
    sio = _skops()
    check_archive(data, where)
    return _allowed(sio, data, where)[0]


def model_facts(details: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an artifact's details say of a model, for people: texts within bounds, whatever they hold."""
    facts: dict[str, Any] = {
        key: value[:_TEXT]
        for key in ("estimator", "class", "format")
        if isinstance(value := details.get(key), str)
    }
    versions = details.get("versions")
    if isinstance(versions, Mapping):
        facts["versions"] = {f"{key:.60}": f"{value!s:.60}" for key, value in list(versions.items())[:20]}
    facts |= signature_facts(details.get("signature"))
    return facts


def signature_facts(signature: object) -> dict[str, Any]:
    """Return what a model takes and gives, for people: {"inputs": …, "outputs": …}, texts within bounds."""
    facts: dict[str, Any] = {}
    for side in ("inputs", "outputs"):
        said = signature.get(side) if isinstance(signature, Mapping) else None
        if not isinstance(said, Mapping):
            continue
        columns, shape = said.get("columns"), said.get("shape")
        if said.get("kind") == "texts":
            facts[side] = "one text a row"
        elif isinstance(columns, list):
            named = [each for each in columns if isinstance(each, Mapping)]
            facts[side] = {
                f"{each.get('name')!s:.100}": f"{each.get('type')!s:.60}" for each in named[:_COLUMNS]
            }
            if len(named) > _COLUMNS:
                facts[side]["…"] = f"{len(named) - _COLUMNS} more columns"
        elif isinstance(shape, list):
            sizes = ["rows" if each is None else f"{each!s:.20}" for each in shape[:8]]
            facts[side] = f"{said.get('type')!s:.60} of shape ({', '.join(sizes)})"
    return facts


def _skops() -> Any:
    try:
        import sklearn  # noqa: F401
        import skops.io
    except ImportError:
        raise MissingDependency(
            "Models are kept as skops files, which need scikit-learn and skops: pip install scikit-learn 'skops>=0.16'"
        ) from None
    return skops.io


def _types(sio: Any, data: bytes) -> tuple[list[str], list[str]]:
    """Return the types in a file that are refused, and those that the list allows."""
    found = set(sio.get_untrusted_types(data=data))
    return sorted(found - set(ALLOWED)), sorted(found & set(ALLOWED))


def _allowed(sio: Any, data: bytes, where: str, *, trust: bool = False) -> tuple[list[str], list[str]]:
    """Return the types in a file that the list allows, and those that only `trust` does."""
    try:
        refused, allowed = _types(sio, data)
    except Exception as error:  # a file made up by somebody fails anywhere
        raise InvalidValue(f"{where} is no readable skops file: {_short(error)}") from None
    if refused and not trust:
        raise InvalidValue(
            f"{where} is refused: it holds {_listed(refused)}, which no model logged with log_model does. Nothing of "
            "it was executed."
        )
    return allowed, refused


def _instead(refused: Sequence[str]) -> str:
    for each in refused:
        if each.partition(".")[0] in _OF_OTHERS:
            return _OF_OTHERS[each.partition(".")[0]]
    if any(each.startswith("sklearn.neighbors._") for each in refused):
        return "Fit neighbours with algorithm='brute', which keeps no tree. "
    if all(each.startswith("sklearn.") for each in refused):
        return "Not all of these are: take another estimator. "
    return "Replace them, functions and classes of your own included. "


def _estimator(model: Any) -> str:
    """Return the class that a person would name: of a pipeline its last step."""
    steps = getattr(model, "steps", None)
    last = steps[-1][1] if isinstance(steps, list) and steps else model
    inner = getattr(last, "regressor", None) if type(last).__name__ == "TransformedTargetRegressor" else None
    return type(last if inner is None else inner).__name__


def versions_of(packages: Sequence[str]) -> dict[str, str]:
    """Return the versions of Python and of those of the distributions that are installed."""
    found = {"python": platform.python_version()}
    for name in packages:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _other_version(versions: object) -> str:
    written = versions.get("scikit-learn") if isinstance(versions, Mapping) else None
    here = versions_of(("scikit-learn",)).get("scikit-learn", "")
    if not isinstance(written, str) or written.split(".")[:2] == here.split(".")[:2]:
        return ""
    return f"It was written with scikit-learn {written:.40} and is read with {here}."


def _listed(types: Sequence[str]) -> str:
    more = len(types) - _NAMED
    return ", ".join(f"{each:.120}" for each in types[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def _short(error: BaseException) -> str:
    return (" ".join(str(error).split())[:300] or type(error).__name__).rstrip(".") + "."
