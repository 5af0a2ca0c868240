"""Models of other frameworks: kept by adapters, read back, and never trusted for what their bytes say."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_iris
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

import tracking
from tracking.artifacts import model_adapters
from tracking.artifacts.model_examples import decode_example
from tracking.artifacts.models import encode_model, load_format, read_model
from tracking.artifacts.xgboost_json import canonical
from tracking.errors import InvalidValue

X, Y = load_iris(return_X_y=True)


class Line:
    """A model that is two numbers."""

    def __init__(self, slope: float, offset: float) -> None:
        self.slope, self.offset = slope, offset

    def predict(self, rows: Any) -> Any:
        return self.slope * np.asarray(rows)[:, 0] + self.offset


class LineAdapter:
    name = "line-json"
    extension = ".line.json"
    media_type = "application/json"
    packages: tuple[str, ...] = ("numpy",)
    script = ""

    def can_save(self, model: Any) -> bool:
        return type(model) is Line

    def save(self, model: Any) -> bytes:
        return json.dumps({"slope": model.slope, "offset": model.offset}).encode()

    def load(self, data: bytes, details: Mapping[str, Any], *, trust: bool) -> Any:
        return Line(**json.loads(data))


@pytest.fixture(autouse=True)
def no_adapters_stay() -> Iterator[None]:
    yield
    model_adapters._registered.clear()


def test_an_adapter_keeps_a_model_of_its_own(store: tracking.Store, store_folder: Path) -> None:
    with tracking.start_run(store=store_folder, capture=False, strict=True) as run:
        with pytest.raises(InvalidValue, match=r"not .*Line.*tracking.register_adapter"):
            run.log_model(Line(2.0, 1.0))
        tracking.register_adapter(LineAdapter())
        run.log_model(Line(2.0, 1.0), input_example=[{"x": 1.0}, {"x": 3.0}])
    back = read_model(store, run.id)
    assert back.predict(np.array([[5.0]])).tolist() == [11.0]
    record = next(each for each in store.artifacts(run.id) if each.name == "model")
    assert record.details["format"] == "line-json" and record.details["estimator"] == "Line"
    assert set(record.details["versions"]) == {"python", "numpy", "pandas"}
    assert record.details["signature"] == {
        "inputs": {"kind": "frame", "columns": [{"name": "x", "type": "float64"}]},
        "outputs": {"kind": "array", "type": "float64", "shape": [None]},
    }
    with store.open_object(record.details["example_digest"]) as file:
        rows, predictions = decode_example(file.read())
    assert predictions == [3.0, 7.0] and list(rows.columns) == ["x"]
    model_adapters._registered.clear()
    with pytest.raises(InvalidValue, match="format 'line-json', which no adapter here reads"):
        read_model(store, run.id)


def test_what_is_no_adapter_is_refused() -> None:
    with pytest.raises(InvalidValue, match="object is none: it has no name, extension"):
        tracking.register_adapter(object())  # type: ignore[arg-type]
    with pytest.raises(InvalidValue, match="it is a class"):
        tracking.register_adapter(LineAdapter)  # type: ignore[arg-type]
    for name in ("pickle", "Line", "../line"):
        wrong = LineAdapter()
        wrong.name = name
        with pytest.raises(InvalidValue, match="An adapter's name"):
            tracking.register_adapter(wrong)


def test_an_adapter_that_fails_does_not_stop_the_training(store: tracking.Store, store_folder: Path) -> None:
    class Failing(LineAdapter):
        def save(self, model: Any) -> bytes:
            raise ZeroDivisionError("no slope")

    tracking.register_adapter(Failing())
    with tracking.start_run(store=store_folder, capture=False) as run:
        with pytest.warns(
            tracking.TrackingWarning, match="line-json cannot keep .*ZeroDivisionError: no slope"
        ):
            run.log_model(Line(0.0, 0.0))
    assert store.run(run.id).status == "finished" and store.artifacts(run.id) == []


def test_texts_are_an_example_too(store: tracking.Store, store_folder: Path) -> None:
    texts = ["good", "bad", "good good", "bad bad"]
    model = make_pipeline(CountVectorizer(), LogisticRegression()).fit(texts, ["yes", "no", "yes", "no"])
    with tracking.start_run(store=store_folder, capture=False, strict=True) as run:
        run.log_model(model, input_example=texts[:2])
        with pytest.raises(InvalidValue, match="list of texts"):
            run.log_model(model, input_example=["good", 1])
    details = next(each for each in store.artifacts(run.id) if each.name == "model").details
    assert details["signature"] == {
        "inputs": {"kind": "texts"},
        "outputs": {"kind": "array", "type": "text", "shape": [None]},
    }
    with store.open_artifact(run.id, details["example"]) as file:
        rows, predictions = decode_example(file.read())
    assert (rows, predictions) == (texts[:2], ["yes", "no"])


# XGBoost

xgboost = pytest.importorskip("xgboost")


def small() -> Any:
    return xgboost.XGBClassifier(n_estimators=3, max_depth=2, n_jobs=1).fit(X, Y)


@pytest.mark.parametrize(
    ("kind", "settings", "target"),
    [
        ("XGBClassifier", {}, Y),
        ("XGBClassifier", {"objective": "multi:softmax"}, Y),
        (
            "XGBRegressor",
            {"tree_method": "exact", "gamma": 5, "max_depth": 6},
            Y,
        ),  # with nodes that were pruned
        ("XGBRegressor", {"grow_policy": "lossguide", "max_leaves": 9}, np.stack([Y, -Y], axis=1)),
        ("XGBRFRegressor", {}, Y),
    ],
)
def test_a_model_of_xgboost_comes_back(kind: str, settings: dict[str, Any], target: Any) -> None:
    model = getattr(xgboost, kind)(**{"n_estimators": 3, "max_depth": 3, "n_jobs": 1, **settings})
    encoded = encode_model(model.fit(X, target))
    assert canonical(encoded.data) == encoded.data
    back = load_format(encoded.data, encoded.details, "The model")
    assert type(back) is type(model) and np.array_equal(back.predict(X), model.predict(X))
    assert encoded.details["estimator"] == kind and any(
        "xgboost" in each for each in encoded.details["versions"]
    )


def test_categories_by_number_come_back() -> None:
    codes = pd.DataFrame({"code": (np.arange(len(Y)) * 7) % 13, "size": X[:, 0]})
    model = xgboost.XGBRegressor(
        n_estimators=3, n_jobs=1, feature_types=["c", "float"], enable_categorical=True, max_cat_to_onehot=1
    )
    model.fit(codes.to_numpy(), codes["code"] % 3)
    encoded = encode_model(model)
    assert any(tree["categories"] for tree in trees_of(json.loads(encoded.data)))
    back = load_format(encoded.data, encoded.details, "The model")
    assert np.allclose(back.predict(codes.to_numpy()), model.predict(codes.to_numpy()))


def test_what_xgboost_would_not_give_back_is_refused_at_the_call() -> None:
    for model, message in (
        (xgboost.XGBClassifier(), "XGBClassifier cannot be kept: need to call fit"),
        (
            xgboost.XGBClassifier(booster="gblinear", n_estimators=2).fit(X, Y),
            "would not be read back: its booster is 'gblinear'",
        ),
    ):
        with pytest.raises(InvalidValue, match=message):
            encode_model(model)

    with pytest.raises(
        InvalidValue, match=r"Pipeline holds .*xgboost.*XGBClassifier, by themselves and not inside"
    ):
        encode_model(make_pipeline(small()))

    class Mine(xgboost.XGBClassifier):  # type: ignore[misc]
        pass

    with pytest.raises(InvalidValue, match="Mine"):
        encode_model(Mine(n_estimators=1).fit(X, Y))


def trees_of(value: Any) -> list[Any]:
    found: list[Any] = value["learner"]["gradient_booster"]["model"]["trees"]
    return found


def put(name: str, place: int, value: int) -> Callable[[Any], None]:
    def change(whole: Any) -> None:
        trees_of(whole)[0][name][place] = value

    return change


def shorten(whole: Any) -> None:
    trees_of(whole)[0]["split_conditions"].pop()


def fewer_columns(whole: Any) -> None:
    whole["learner"]["learner_model_param"]["num_feature"] = "2"


def one_group(whole: Any) -> None:
    whole["learner"]["gradient_booster"]["model"]["tree_info"][0] = 4_000_000


@pytest.mark.parametrize(
    "change",
    [
        put("left_children", 0, 10_000_000),
        put("left_children", 0, -7),
        put("right_children", 0, 0),
        put("right_children", 0, 1),
        put("split_indices", 0, 99),
        put("split_type", 0, 1),
        shorten,
        fewer_columns,
        one_group,
    ],
)
def test_trees_that_lead_astray_are_refused(change: Callable[[Any], None]) -> None:
    encoded = encode_model(small())
    whole = json.loads(encoded.data)
    change(whole)
    with pytest.raises(InvalidValue, match="The model is refused: a part of it is not as XGBoost makes it"):
        load_format(json.dumps(whole).encode(), encoded.details, "The model")


def test_bytes_that_xgboost_did_not_write_are_refused() -> None:
    encoded = encode_model(small())
    for data in (b"", b"{}", b"[]", b"\x80\x04K.", b"[" * 100_000, b'{"learner": {"gradient_booster": 3}}'):
        with pytest.raises(InvalidValue, match="no model as XGBoost writes it"):
            canonical(data)
    with pytest.raises(InvalidValue, match="said to be a 'os.system'"):
        load_format(encoded.data, {**encoded.details, "class": "os.system"}, "The model", trust=True)
    # The same model, as XGBoost itself would write and read it: it was not looked at in this form.
    with pytest.raises(InvalidValue, match="not in the form that log_model writes"):
        load_format(json.dumps(json.loads(encoded.data)).encode(), encoded.details, "The model", trust=True)
