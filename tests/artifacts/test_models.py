"""Model files: made of scikit-learn's own parts, refused when they are not, and never executed."""

from __future__ import annotations

import io
import json
import os
import subprocess
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.datasets import load_iris
from sklearn.ensemble import (
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    IsolationForest,
    RandomForestClassifier,
)
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.tree import DecisionTreeClassifier

import tracking
from tracking.artifacts import model_archive, models
from tracking.artifacts.model_examples import decode_example, encode_example
from tracking.artifacts.model_parts import check_parts
from tracking.artifacts.models import encode_model, load, read_model
from tracking.errors import ArtifactDamaged, InvalidValue, MissingDependency, NotFound, TrackingWarning
from tracking.store import preview_records as previews

X, Y = load_iris(return_X_y=True)


def twice(values: Any) -> Any:
    return 2 * values


class Runs:
    """What a hostile file would have executed at its reading."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (self.path,)


def logged(store_folder: Path, model: Any, **more: Any) -> str:
    with tracking.start_run(store=store_folder, capture=False, strict=True) as run:
        run.log_model(model, **more)
    return run.id


def hostile(store_folder: Path, data: bytes) -> str:
    """Log bytes as a model, past `log_model`, as a store from elsewhere may hold them."""
    from tracking.client.carrying import carry_bytes

    with tracking.start_run(store=store_folder, capture=False) as run:
        event = {
            "t": "artifact",
            "name": "model",
            "kind": "model",
            "media": models.MEDIA,
            "step": None,
            "files": 1,
        }
        carry_bytes(run._session, {**event, "details": {}}, data)
    return run.id


def test_a_model_comes_back_with_its_example(store: tracking.Store, store_folder: Path) -> None:
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(X, Y)
    run = logged(store_folder, model, input_example=X[::40], name="models/best")
    back = read_model(store, run, "models/best")
    assert np.array_equal(back.predict_proba(X), model.predict_proba(X))
    by_name = {record.name: record for record in store.artifacts(run)}
    record, example = by_name["models/best"], by_name["models/best.example.json"]
    assert record.kind is tracking.ArtifactKind.MODEL and record.media_type == models.MEDIA
    assert record.details["class"] == "sklearn.pipeline.Pipeline"
    assert record.details["estimator"] == "LogisticRegression"
    assert record.details["example"] == example.name
    rows, predictions = decode_example(store.open_artifact(run, example.name).read())
    assert np.array_equal(rows, X[::40]) and back.predict(rows).tolist() == predictions
    shown = store.preview(run, "models/best")
    assert isinstance(shown, previews.JsonPreview)
    assert shown.value["estimator"] == "LogisticRegression" and "scikit-learn" in shown.value["versions"]
    assert store.download(run, "models/best", store_folder.parent / "out").name == "best.skops"


def test_an_example_keeps_types_and_missing_values() -> None:
    frame = pd.DataFrame(
        {"number": [1.5, np.nan, -np.inf], "count": [1, 2, 3], "text": ["a", None, "c"], "yes": True}
    )
    model = HistGradientBoostingClassifier(max_iter=2).fit(frame[["count"]], ["a", "b", "a"])

    class Sees:
        def predict(self, rows: Any) -> Any:
            return model.predict(rows[["count"]])

    rows, predictions = decode_example(encode_example(Sees(), frame))
    pd.testing.assert_frame_equal(rows, frame)
    assert predictions == ["a", "a", "a"]


def test_what_would_not_be_read_back_is_said_at_the_call(store: tracking.Store, store_folder: Path) -> None:
    scaled = make_pipeline(FunctionTransformer(twice), LogisticRegression(max_iter=500)).fit(X, Y)
    with tracking.start_run(store=store_folder, capture=False, strict=True) as run:
        for model, message in (
            (scaled, r"Pipeline holds .*twice, which would not be read back.*Replace them.*log_artifact"),
            (
                KNeighborsClassifier(algorithm="kd_tree").fit(X, Y),
                "holds .*sklearn.neighbors._kd_tree.*algorithm='brute'",
            ),
            (LogisticRegression, "fitted estimator"),
            ({"weights": X}, "fitted estimator of scikit-learn, not builtins.dict"),
        ):
            with pytest.raises(InvalidValue, match=message):
                run.log_model(model)
        with pytest.raises(InvalidValue, match="cannot predict its input_example: ValueError"):
            run.log_model(LogisticRegression(max_iter=500).fit(X, Y), input_example=X[:3, :2])
        with pytest.raises(InvalidValue, match="shape .rows, columns."):
            run.log_model(LogisticRegression(max_iter=500).fit(X, Y), input_example=X[0])
    assert store.artifacts(run.id) == []


def test_a_training_goes_on_without_the_model(store: tracking.Store, store_folder: Path) -> None:
    with tracking.start_run(store=store_folder, capture=False) as run:
        with pytest.warns(TrackingWarning, match="twice") as caught:
            tracking.log_model(FunctionTransformer(twice).fit(X))
        tracking.log({"loss": 1.0})
    assert caught[0].filename == __file__
    assert store.artifacts(run.id) == [] and store.run(run.id).status == "finished"


def test_a_hostile_file_is_refused_and_not_executed(
    store: tracking.Store, store_folder: Path, tmp_path: Path
) -> None:
    made = tmp_path / "made"
    data = skops.io.dumps(Runs(str(made)))
    run = hostile(store_folder, data)
    with pytest.raises(InvalidValue, match=f"The model 'model' of run {run} is refused: it holds .*Nothing"):
        read_model(store, run)
    assert not made.exists()
    assert isinstance(store.preview(run, "model"), previews.BinaryPreview)
    function = skops.io.dumps(FunctionTransformer(os.system).fit(X))
    with pytest.raises(InvalidValue, match=r"holds .*posix.system"):
        load(function, "The model")


def test_files_that_are_no_models(store: tracking.Store, store_folder: Path, tmp_path: Path) -> None:
    other = io.BytesIO()
    with zipfile.ZipFile(other, "w") as archive:
        archive.writestr("schema.json", "{" * 100_000)
    for data in (b"", b"\x80\x04not a zip", other.getvalue(), b"PK\x03\x04"):
        with pytest.raises(InvalidValue, match="skops file"):
            load(data, "The model")
    (tmp_path / "model").write_text("x")
    with tracking.start_run(store=store_folder, capture=False) as run:
        run.log_artifact(tmp_path / "model")
    with pytest.raises(InvalidValue, match="is no model but a"):
        read_model(store, run.id)
    with pytest.raises(NotFound, match="no artifact 'best'"):
        read_model(store, run.id, "best")


def test_a_file_that_would_fill_the_memory_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    data = encode_model(LogisticRegression(max_iter=500).fit(X, Y)).data
    monkeypatch.setattr(model_archive, "UNPACKED", 100)
    with pytest.raises(InvalidValue, match="would become"):
        load(data, "The model")


def test_sizes_that_no_model_has_are_refused_before_they_are_read() -> None:
    def changed(name: str, content: bytes) -> bytes:
        target = io.BytesIO()
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(name, content)
        return target.getvalue()

    large = 20 << 20
    for name in ("schema.json", "1.npy", "other"):
        with pytest.raises(
            InvalidValue, match=f"'{name}' has .* in a file of .* would become 21 MB.*trust=True"
        ):
            model_archive.check_archive(changed(name, bytes(large)), "The model")
        model_archive.check_archive(changed(name, bytes(large)), "The model", trust=True)
    model_archive.check_archive(changed("schema.json", os.urandom(large)), "The model")
    # An array of zeros has every reason to be small.
    zeros = LogisticRegression().fit(np.zeros((4, 3_000_000)), [0, 1, 0, 1])
    load(encode_model(zeros).data, "The model")
    sparse = io.BytesIO()
    with zipfile.ZipFile(sparse, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("data.npy", b"0")
        archive.infolist()[0].file_size = 1 << 40
    with pytest.raises(InvalidValue, match="would become 1,099"):
        model_archive.check_archive(changed("1.npz", sparse.getvalue()), "The model")


def test_changed_bytes_are_noticed(store: tracking.Store, store_folder: Path) -> None:
    run = logged(store_folder, LogisticRegression(max_iter=500).fit(X, Y))
    (kept,) = (store_folder / "objects").glob("??/*")
    os.chmod(kept, 0o644)
    kept.write_bytes(kept.read_bytes()[:-1] + b"\x01")
    with pytest.raises(ArtifactDamaged, match=run):
        read_model(store, run)


def test_another_version_is_told() -> None:
    data = encode_model(LogisticRegression(max_iter=500).fit(X, Y)).data
    with pytest.warns(TrackingWarning, match=r"written with scikit-learn 1.2.0 and is read with"):
        load(data, "The model", {"scikit-learn": "1.2.0"})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        load(data, "The model", models.versions_of(["scikit-learn"]))


GOOD = [
    DecisionTreeClassifier(max_leaf_nodes=9),
    DecisionTreeClassifier(ccp_alpha=0.01),
    RandomForestClassifier(3),
    GradientBoostingClassifier(n_estimators=3),
    IsolationForest(n_estimators=3),
    HistGradientBoostingClassifier(max_iter=3, categorical_features=[0]),
]


@pytest.mark.parametrize("model", GOOD, ids=lambda model: type(model).__name__)
def test_trees_of_scikit_learn_pass(model: Any) -> None:
    codes = np.column_stack([Y, X])
    model.fit(codes, Y)
    check_parts(model)
    back = load(encode_model(model).data, "The model")
    assert np.array_equal(back.predict(codes), model.predict(codes))


def changed_tree(change: Callable[[Any], None]) -> Any:
    model = DecisionTreeClassifier().fit(X, Y)
    state = model.tree_.__getstate__()
    change(state["nodes"])
    model.tree_.__setstate__(state)
    return model


def changed_boosting(change: Callable[[Any], None]) -> Any:
    model = HistGradientBoostingClassifier(max_iter=2).fit(X, Y)
    change(model._predictors[0][0].nodes)
    return model


def put(field: str, value: int) -> Callable[[Any], None]:
    def change(nodes: Any) -> None:
        nodes[field][0] = value

    return change


BAD = {
    "a child beyond the tree": changed_tree(put("left_child", 10_000_000)),
    "a circle": changed_tree(put("right_child", 0)),
    "a column that there is not": changed_tree(put("feature", 4)),
    "a child of boosting beyond the tree": changed_boosting(put("left", 4_000_000)),
    "a circle in boosting": changed_boosting(put("right", 0)),
    "a column of boosting that there is not": changed_boosting(put("feature_idx", 99)),
    "a category where there is none": changed_boosting(put("is_categorical", 1)),
}


@pytest.mark.parametrize("what", BAD)
def test_trees_that_lead_astray_are_refused(what: str) -> None:
    data = skops.io.dumps(BAD[what])
    with pytest.raises(InvalidValue, match="is refused: a part of it is not as scikit-learn makes it"):
        load(data, "The model")


def test_a_tree_with_fewer_columns_than_its_forest_expects_is_refused() -> None:
    forest = RandomForestClassifier(3).fit(X, Y)
    forest.n_features_in_ = 2
    with pytest.raises(InvalidValue, match="is refused"):
        load(skops.io.dumps(forest), "The model")


def test_a_client_without_skops_is_told_what_to_install(
    run_script: Callable[..., subprocess.CompletedProcess[str]], store_folder: Path
) -> None:
    done = run_script(
        """
        import sys
        sys.modules["skops"] = None
        import tracking
        from sklearn.linear_model import LogisticRegression
        with tracking.start_run(capture=False) as run:
            run.log_model(LogisticRegression(max_iter=500).fit([[0], [1]], [0, 1]))
            run.log({"loss": 1.0})
        """,
        env={"TRACKING_STORE": str(store_folder)},
    )
    assert done.returncode == 0, done.stderr
    assert "pip install scikit-learn 'skops>=0.16'" in done.stderr
    assert MissingDependency.__name__ not in done.stderr


def test_schema_names_decide_not_file_content() -> None:
    """A type that is renamed in the file's own list is still one that has to be allowed."""
    data = encode_model(LogisticRegression(max_iter=500).fit(X, Y)).data
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(target, "w") as changed:
        for entry in source.infolist():
            content = source.read(entry)
            if entry.filename == "schema.json":
                schema = json.loads(content)
                schema["__module__"], schema["__class__"] = "subprocess", "Popen"
                content = json.dumps(schema).encode()
            changed.writestr(entry.filename, content)
    with pytest.raises(InvalidValue, match="subprocess.Popen"):
        load(target.getvalue(), "The model")
