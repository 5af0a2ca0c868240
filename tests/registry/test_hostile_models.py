"""Files that would run code if they were read as other tools read them: whatever is done with them here, none does.

Each would make a folder of its own. A control shows that they would, where the caller answers for them.
"""

from __future__ import annotations

import io
import json
import os
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
import skops.io
import streamlit as st
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import FunctionTransformer
from streamlit.testing.v1 import AppTest

import tracking
from tracking.artifacts.models import MEDIA, encode_model
from tracking.client.carrying import carry_bytes
from tracking.errors import InvalidValue, PromotionRefused
from tracking.registry.pickles import named_types
from tracking.ui import access

ROOT = Path(__file__).parents[2]
X = np.random.default_rng(0).normal(size=(20, 2))
GOOD = LogisticRegression().fit(X, X[:, 0] > 0)


class Runs:
    """Makes a folder when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (self.path,)


@dataclass(frozen=True)
class Hostile:
    """A file, what `load_model` says of it, and how it was logged."""

    name: str
    data: bytes
    refused: str
    details: dict[str, Any] | None = None
    """Of an artifact that claims to be what log_model made; None for a file of log_artifact."""


def written(write: Any, value: Any) -> bytes:
    file = io.BytesIO()
    write(value, file)
    return file.getvalue()


def numpy_objects(value: Any) -> bytes:
    file = io.BytesIO()
    np.save(file, np.array([value], dtype=object), allow_pickle=True)
    return file.getvalue()


def bomb() -> bytes:
    """Return a zip that says it becomes 6 GB."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("schema.json", "1.npy", "2.npy"):
            archive.writestr(name, b"0" * 100_000)
        for entry in archive.infolist():
            entry.file_size = 2_000_000_000
    return data.getvalue()


def torch_like(value: Any) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("archive/data.pkl", written(lambda it, file: joblib.dump(it, file), value))
    return data.getvalue()


def renamed(data: bytes) -> bytes:
    """Return a good skops file whose root is said to be another class."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(target, "w") as changed:
        for entry in source.infolist():
            content = source.read(entry)
            if entry.filename == "schema.json":
                schema = json.loads(content)
                schema["__module__"], schema["__class__"] = "subprocess", "Popen"
                content = json.dumps(schema).encode()
            changed.writestr(entry.filename, content)
    return target.getvalue()


def files(folder: Path) -> list[Hostile]:
    """Return the files; each would make `folder/<name>`."""
    import pickle

    skops_file: dict[str, Any] = {"format": "skops", "class": "sklearn.pipeline.Pipeline", "versions": {}}
    mkdir = rf"{os.mkdir.__module__}\.mkdir"
    return [
        Hostile("a.pkl", pickle.dumps(Runs(folder / "a.pkl")), f"is a pickle.*calls {mkdir}.*trust=True"),
        Hostile("old.pkl", pickle.dumps(Runs(folder / "old.pkl"), protocol=0), f"calls {mkdir}"),
        Hostile("plain", pickle.dumps(Runs(folder / "plain"), protocol=4), f"is a pickle.*calls {mkdir}"),
        Hostile("b.joblib", written(joblib.dump, Runs(folder / "b.joblib")), f"is a pickle.*calls {mkdir}"),
        Hostile("c.npy", numpy_objects(Runs(folder / "c.npy")), "Python objects, which are a pickle inside"),
        Hostile("d.pt", torch_like(Runs(folder / "d.pt")), "of a format that load_model does not read"),
        Hostile("e.skops", skops.io.dumps(Runs(folder / "e.skops")), f"refused: it holds .*{mkdir}|Runs"),
        Hostile("f", skops.io.dumps(Runs(folder / "f")), f"refused: it holds .*({mkdir}|Runs)", skops_file),
        Hostile(
            "g",
            skops.io.dumps(FunctionTransformer(os.system).fit(X)),
            r"refused: it holds .*system",
            skops_file,
        ),
        Hostile("h", renamed(encode_model(GOOD).data), r"refused: it holds subprocess\.Popen", skops_file),
        Hostile("i", bomb(), r"would become 6\.0 GB", skops_file),
        Hostile("j", pickle.dumps(Runs(folder / "j")), "is no skops file", skops_file),
        Hostile(
            "k", pickle.dumps(Runs(folder / "k")), "format 'pickle', which no adapter", {"format": "pickle"}
        ),
        Hostile(
            "l",
            pickle.dumps(Runs(folder / "l")),
            "said to be a 'os.system'",
            {"format": "xgboost-json", "class": "os.system"},
        ),
        Hostile(
            "m",
            pickle.dumps(Runs(folder / "m")),
            "no model as XGBoost writes it",
            {"format": "xgboost-json", "class": "xgboost.sklearn.XGBClassifier"},
        ),
    ]


@dataclass(frozen=True)
class Place:
    store: tracking.Store
    run: str
    made: Path
    files: list[Hostile]

    def is_quiet(self) -> bool:
        return list(self.made.iterdir()) == []


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A store whose model `hostile` has one good version, the champion, and then one of each file."""
    root = tmp_path_factory.mktemp("hostile")
    made = root / "made"
    made.mkdir()
    hostile = files(made)
    with tracking.open_store(root / "store") as store:
        with tracking.start_run("hostile", store=root / "store", capture=False, strict=True) as run:
            run.define_metric("accuracy", goal="maximize")
            run.log({"accuracy": 0.9})
            run.log_model(GOOD, "good", input_example=X[:3])
            for each in hostile:
                if each.details is None:
                    (root / each.name).write_bytes(each.data)
                    run.log_artifact(root / each.name)
                else:
                    event = {"t": "artifact", "kind": "model", "media": MEDIA, "step": None, "files": 1}
                    details = {**each.details, "example": "good.example.json"}
                    carry_bytes(run._session, {**event, "name": each.name, "details": details}, each.data)
        store.register("hostile", run.id, artifact="good")
        store.promote("hostile", 1)
        for each in hostile:
            store.register("hostile", run.id, artifact=each.name)
        store.set_gates("hostile", ["loads", "accuracy >= 0.5", f"artifacts: {hostile[0].name}"])
        yield Place(store, run.id, made, hostile)
    assert list(made.iterdir()) == []


def test_each_is_refused_and_says_what_it_would_make(place: Place, tmp_path: Path) -> None:
    for number, each in enumerate(place.files, start=2):
        with pytest.raises(InvalidValue, match=each.refused):
            place.store.load_model(f"hostile/{number}")
        with pytest.raises(InvalidValue):
            place.store.package(f"hostile/{number}", tmp_path / "out")
        assert place.store.preview(place.run, each.name)
        assert "# hostile" in place.store.model_card("hostile", number)
    assert place.is_quiet() and list(tmp_path.iterdir()) == []


def test_none_gets_past_the_gate(place: Place) -> None:
    # Those that are said to be models are tried in a process of its own, a few of each kind.
    tried = {"f", "i", "m", "a.pkl", "c.npy"}
    for number, each in enumerate(place.files, start=2):
        if each.name not in tried:
            continue
        loads, *others = place.store.check_promotion("hostile", number).gates
        assert not loads.passed and all(gate.passed for gate in others), loads.found
        if each.details is not None:
            assert "The model is" in loads.found or "would become" in loads.found, loads.found
    with pytest.raises(PromotionRefused):
        place.store.promote("hostile", 2)
    assert place.store.resolve("hostile@champion").number == 1
    assert place.is_quiet()


def test_pages_show_them_and_run_nothing(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    # Against the gate, as somebody in a hurry would: pages then show each as a holder.
    for number in (2, 5, 6, 9, 12):
        place.store.promote("hostile", number, alias="live", override=True, reason="tried out")
    monkeypatch.setenv("TRACKING_STORE", str(place.store.location.root))
    st.cache_resource.clear()
    pages: list[tuple[str, dict[str, str]]] = [
        ("overview", {}),
        ("runs", {}),
        ("compare", {"runs": place.run}),
        ("models", {}),
        *(("model", {"model": "hostile", "version": str(number)}) for number in (2, 5, 9, 12)),
        ("model", {"model": "hostile", "tab": "Journal"}),
        ("run", {"run": place.run}),
        *(
            ("run", {"run": place.run, "tab": "Artifacts", "artifact": each.name})
            for each in place.files[::4]
        ),
    ]
    try:
        app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120).run()
        app.session_state[access.UNLOCKED] = True
        for name, query in pages:
            app.query_params.clear()
            for key, value in query.items():
                app.query_params[key] = value
            app.switch_page(f"pages/{name}.py").run()
            assert not app.exception and not app.error, (name, query)
            assert place.is_quiet(), (name, query)
    finally:
        st.cache_resource.clear()


def test_they_would_run_where_the_caller_answers_for_them(place: Place) -> None:
    """The control: the same files are live, and only `trust=True` sets them off."""
    trusted = {"a.pkl", "old.pkl", "plain", "b.joblib"}
    for number, each in enumerate(place.files, start=2):
        if each.name in trusted:
            place.store.load_model(f"hostile/{number}", trust=True)
            assert [found.name for found in place.made.iterdir()] == [each.name]
            (place.made / each.name).rmdir()
        elif each.name not in ("e.skops", "f", "g", "h"):
            # No format becomes another one by trust.
            with pytest.raises(InvalidValue):
                place.store.load_model(f"hostile/{number}", trust=True)
    assert place.is_quiet()


def test_names_in_a_pickle_are_read_without_running_it() -> None:
    import pickle

    for protocol in range(6):
        data = pickle.dumps([Runs(Path("/never/made")), Runs(Path("/never/made/either"))], protocol)
        assert named_types(data) == [f"{os.mkdir.__module__}.mkdir"]
    for data in (b"", b"\x80\x04", b"not a pickle", bytes(range(256)) * 100, b"\x80\x05" + b"}" * 1_000_000):
        assert named_types(data) == []
