"""Models of XGBoost as its own JSON, whose trees are looked at before XGBoost's compiled code follows them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tracking.errors import InvalidValue, MissingDependency

CLASSES = ("XGBClassifier", "XGBRegressor", "XGBRFClassifier", "XGBRFRegressor", "XGBRanker")
LIMIT = 512 << 20
"""Bytes of JSON; in memory they take several times that while they are looked at."""
_CATEGORY = 1 << 24
"""As XGBoost says: categories are whole numbers that a float can hold."""
_ENCODE = "Encode them before, for example with OneHotEncoder."


class XGBoostAdapter:
    """XGBClassifier and its relatives, with trees (`gbtree`) of numbers and categories by number."""

    name = "xgboost-json"
    extension = ".xgboost.json"
    media_type = "application/json"
    packages: tuple[str, ...] = ("xgboost", "xgboost-cpu", "numpy", "scipy", "scikit-learn")
    script = "import xgboost\nmodel = getattr(xgboost, classname)()\nmodel.load_model(bytearray(data))"

    def can_save(self, model: Any) -> bool:
        """Return whether it is exactly one of XGBoost's classes: a class of one's own would not come back."""
        kind = type(model)
        return kind.__module__ == "xgboost.sklearn" and kind.__name__ in CLASSES

    def save(self, model: Any) -> bytes:
        """Return the model as JSON; raises InvalidValue for one that is not fitted or that `load` would refuse."""
        kind = type(model).__name__
        try:
            data = bytes(model.get_booster().save_raw("json"))
        except Exception as error:  # of XGBoost; NotFittedError is one
            raise InvalidValue(f"This {kind} cannot be kept: {' '.join(str(error).split())[:200]}") from None
        try:
            check_trees(data)
        except InvalidValue as error:
            raise InvalidValue(f"This {kind} would not be read back: {error}") from None
        return data

    def load(self, data: bytes, details: Mapping[str, Any], *, trust: bool) -> Any:
        """Return the model; raises InvalidValue for what XGBoost did not write, whatever `trust` says."""
        said = details.get("class")
        kind = said.rpartition(".")[2] if isinstance(said, str) else ""
        if kind not in CLASSES:
            raise InvalidValue(f"it is said to be a {said!r:.80}, which is none of {', '.join(CLASSES)}.")
        check_trees(data)
        try:
            import xgboost
        except ImportError:
            raise MissingDependency("This model needs XGBoost: pip install xgboost") from None
        model = getattr(xgboost, kind)()
        try:
            model.load_model(bytearray(data))
        except Exception as error:  # of XGBoost, which reads the rest
            raise InvalidValue(f"XGBoost refuses it: {' '.join(str(error).split())[:200]}") from None
        return model


def check_trees(data: bytes) -> None:
    """Look at every node of every tree: XGBoost follows what a file says without looking.

    Raises:
        InvalidValue: It is no such file, of a kind that is not looked at, or a node leads astray.
    """
    if len(data) > LIMIT:
        raise InvalidValue(f"it has {len(data):,} bytes; up to {LIMIT:,} are read.")
    try:
        _check(json.loads(data))
    except InvalidValue:
        raise
    except (
        ValueError,
        TypeError,
        KeyError,
        IndexError,
        AttributeError,
        OverflowError,
        RecursionError,
    ) as error:
        raise InvalidValue(
            f"it is no model as XGBoost writes it ({type(error).__name__}: {' '.join(str(error).split())[:100]})."
        ) from None


def _check(value: Any) -> None:
    import numpy as np

    learner = value["learner"]
    booster = learner["gradient_booster"]
    if booster["name"] != "gbtree":
        raise InvalidValue(f"its booster is {booster['name']!r:.40}, and only gbtree's trees are looked at.")
    model = booster["model"]
    if model.get("cats", {}).get("enc"):
        raise InvalidValue(f"it keeps the categories of a data frame, which are not looked at. {_ENCODE}")
    said = learner["learner_model_param"]
    features = int(said["num_feature"])
    groups = max(1, int(said["num_class"]), int(said["num_target"]))
    trees, info = model["trees"], np.asarray(model["tree_info"], dtype=np.int64)
    turns = np.asarray(model["iteration_indptr"], dtype=np.int64)
    _require(0 < features < 1 << 31 and groups < 1 << 20)
    _require(len(info) == len(trees) == int(model["gbtree_model_param"]["num_trees"]))
    _require(bool(((info >= 0) & (info < groups)).all()))
    _require(turns.ndim == 1 and len(turns) >= 1 and turns[0] == 0 and turns[-1] == len(trees))
    _require(bool((np.diff(turns) >= 0).all()))
    for place, tree in enumerate(trees):
        _require(tree["id"] == place)
        _check_tree(tree, features)


def _check_tree(tree: Mapping[str, Any], features: int) -> None:
    import numpy as np

    said = tree["tree_param"]
    if int(said["size_leaf_vector"]) > 1:
        raise InvalidValue("its leaves are vectors, which are not looked at. Fit one_output_per_tree.")
    count = int(said["num_nodes"])
    _require(count >= 1 and int(said["num_feature"]) == features and 0 <= int(said["num_deleted"]) < count)
    per_node = (
        "left_children",
        "right_children",
        "parents",
        "split_indices",
        "split_conditions",
        "split_type",
    )
    for name in (*per_node, "base_weights", "default_left", "loss_changes", "sum_hessian"):
        _require(isinstance(tree[name], list) and len(tree[name]) == count)
    left, right = (np.asarray(tree[name], dtype=np.int64) for name in per_node[:2])
    column, kind = (np.asarray(tree[name], dtype=np.int64) for name in ("split_indices", "split_type"))
    inner = left != -1
    _require(bool((inner == (right != -1)).all()) and bool(((kind == 0) | (kind == 1)).all()))
    children = np.concatenate([left[inner], right[inner]])
    _require(bool(((children > 0) & (children < count)).all()))
    # A node with one parent at most, and a root with none: what is reached from the root has no circle.
    _require(bool((np.bincount(children, minlength=count) <= 1).all()))
    _require(bool(((column >= 0) & (column < features))[inner].all()))
    _check_categories(tree, np.flatnonzero(inner & (kind == 1)))


def _check_categories(tree: Mapping[str, Any], by_category: Any) -> None:
    import numpy as np

    names = ("categories", "categories_nodes", "categories_segments", "categories_sizes")
    values, nodes, starts, sizes = (np.asarray(tree[name], dtype=np.int64).ravel() for name in names)
    _require(len(nodes) == len(starts) == len(sizes))
    _require(np.array_equal(nodes, by_category))
    _require(bool(((starts >= 0) & (sizes > 0) & (starts <= len(values) - sizes)).all()))
    _require(bool(((values >= 0) & (values < _CATEGORY)).all()))


def _require(holds: bool) -> None:
    if not holds:
        raise InvalidValue("a part of it is not as XGBoost makes it, and could not be used safely.")
