"""How models of other frameworks are kept: one small adapter each, made here or registered.

An adapter turns a fitted model into the bytes of one file and back. Podium does the rest: example, signature,
digest, versions of libraries, registry, gates and hand-over. This one keeps a model that is two numbers:

    import json

    import tracking

    class LineAdapter:
        name = "line-json"                  # the format; stored with each model, so it never changes its meaning
        extension = ".line.json"            # of a download
        media_type = "application/json"
        packages = ("numpy",)               # distributions that loading and predicting need
        script = ""                         # see `ModelAdapter`; empty: not for `package`

        def can_save(self, model):
            return type(model) is Line

        def save(self, model):
            return json.dumps({"slope": model.slope, "offset": model.offset}).encode()

        def load(self, data, details, *, trust):
            return Line(**json.loads(data))

    tracking.register_adapter(LineAdapter())

An adapter holds to this: `save` refuses with `tracking.InvalidValue`, saying which types and what to do, what `load`
would not take back; `load` executes nothing that the bytes say unless `trust` is true, and never falls back from a
safe way to an unsafe one. Bytes that are a program (a pickle, a TorchScript archive) are therefore no format for an
adapter that ignores `trust`.

A package offers its adapter to every process, the command line's and the gate's own one too, by an entry point:

    [project.entry-points."tracking.model_adapters"]
    line-json = "line_models:LineAdapter"
"""

from __future__ import annotations

import re
import threading
import warnings
from collections.abc import Mapping
from importlib.metadata import entry_points
from typing import Any, Protocol, runtime_checkable

from tracking.errors import InvalidValue, TrackingError, TrackingWarning

GROUP = "tracking.model_adapters"
"""Of entry points: name of the format, and the adapter's class or the adapter."""
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_EXTENSION = re.compile(r"(\.[A-Za-z0-9_-]{1,20}){1,3}")
_TAKEN = frozenset(("skops", "pickle", "joblib"))
_lock = threading.Lock()


@runtime_checkable
class ModelAdapter(Protocol):
    """Keeps the models of one framework.

    Attributes:
        name: Of the format: lower-case letters, digits and `-`, up to 40. `skops`, `pickle` and `joblib` are taken.
        extension: What a downloaded model ends in, with its dot.
        media_type: Of the bytes.
        packages: Distributions that loading and predicting need, as pip knows them; their versions are kept.
        script: Lines of Python that make `model` of `data`, the bytes, without Podium, for the `predict.py` of a
            package; empty when they cannot. In it `classname` is the class's name, as text.
    """

    name: str
    extension: str
    media_type: str
    packages: tuple[str, ...]
    script: str

    def can_save(self, model: Any) -> bool:
        """Return whether a model is one of this framework's; quick, and without importing the framework."""

    def save(self, model: Any) -> bytes:
        """Return a fitted model as bytes; raises InvalidValue for one that `load` would refuse."""

    def load(self, data: bytes, details: Mapping[str, Any], *, trust: bool) -> Any:
        """Return a model that has `predict`; raises InvalidValue for what is not this format or not safe.

        Args:
            data: What `save` returned, or what somebody made up.
            details: Of the artifact: `class`, `versions`; made up too, in a store from elsewhere.
            trust: The caller answers for the bytes.
        """


_registered: dict[str, ModelAdapter] = {}


def register_adapter(adapter: ModelAdapter) -> None:
    """Let `log_model` and `load_model` of this process use an adapter, in place of one of the same name.

    Args:
        adapter: An object with what `tracking.artifacts.model_adapters.ModelAdapter` lists; the module's docstring
            has one as an example. Asked in order of registration, before Podium's own.

    Raises:
        InvalidValue: Something of it is missing, or its name is none or taken.
    """
    checked = _checked(adapter)
    with _lock:
        _registered[checked.name] = checked


def adapter_for(model: Any) -> ModelAdapter | None:
    """Return the adapter that keeps a model, None for none: of this process, of installed packages, our own."""
    with _lock:
        mine = list(_registered.values())
    for adapter in (*mine, *_own()):
        if adapter.can_save(model):
            return adapter
    for name in dict.fromkeys(each.name for each in entry_points(group=GROUP)):
        try:
            offered = _from_entry_point(name)
        except TrackingError as error:  # somebody else's package is no reason to lose this model
            warnings.warn(f"Podium: {error}", TrackingWarning, stacklevel=2)
            continue
        if offered is not None and offered.can_save(model):
            return offered
    return None


def adapter_of(name: str) -> ModelAdapter | None:
    """Return the adapter of a format, None when there is none.

    Raises:
        TrackingError: An installed package offers one that cannot be used.
    """
    with _lock:
        if name in _registered:
            return _registered[name]
    for adapter in _own():
        if adapter.name == name:
            return adapter
    return _from_entry_point(name)


def _own() -> tuple[ModelAdapter, ...]:
    from tracking.artifacts.model_xgboost import XGBoostAdapter

    return (XGBoostAdapter(),)


def _from_entry_point(name: str) -> ModelAdapter | None:
    for each in entry_points(group=GROUP, name=name):
        try:
            found = each.load()
            adapter = _checked(found() if isinstance(found, type) else found)
        except Exception as error:
            raise TrackingError(
                f"The adapter for models of the format {name!r:.60}, which {each.value:.200} offers, cannot be used "
                f"({type(error).__name__}: {' '.join(str(error).split())[:300]})."
            ) from error
        if adapter.name != name:
            raise TrackingError(
                f"The entry point {name!r:.60} leads to an adapter that is named {adapter.name!r}."
            )
        return adapter
    return None


def _checked(adapter: Any) -> ModelAdapter:
    if isinstance(adapter, type) or not isinstance(adapter, ModelAdapter):
        kind = adapter.__name__ if isinstance(adapter, type) else type(adapter).__name__
        wanted = ("name", "extension", "media_type", "packages", "script", "can_save", "save", "load")
        missing = ", ".join(each for each in wanted if not hasattr(adapter, each))
        what = f"it has no {missing}" if missing else "it is a class: give an object of it"
        raise InvalidValue(f"register_adapter takes an adapter for models, and {kind} is none: {what}.")
    if not isinstance(adapter.name, str) or not _NAME.fullmatch(adapter.name) or adapter.name in _TAKEN:
        raise InvalidValue(
            f"An adapter's name is that of a format, such as 'xgboost-json', not {adapter.name!r:.80}: lower-case "
            f"letters, digits and '-', up to 40, and none of {', '.join(sorted(_TAKEN))}."
        )
    if not isinstance(adapter.extension, str) or not _EXTENSION.fullmatch(adapter.extension):
        raise InvalidValue(
            f"The extension of {adapter.name} is such as '.json', not {adapter.extension!r:.80}."
        )
    return adapter
