"""The JSON of XGBoost's trees, written anew from parts that were looked at.

XGBoost's compiled code follows what a file says without looking: a made-up child, column or number of classes reads
beyond an array. So a file is taken apart, every number is checked, and the same model is written again in one form.
`log_model` keeps that form, and only bytes that are exactly it are ever handed to XGBoost. What XGBoost itself trains
always passes, or is refused when it is logged.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tracking.errors import InvalidValue

LIMIT = 512 << 20
"""Bytes of JSON; in memory they take several times that while they are looked at."""
OBJECTIVES = frozenset(
    "reg:squarederror reg:squaredlogerror reg:logistic reg:pseudohubererror reg:absoluteerror reg:gamma reg:tweedie "
    "binary:logistic binary:logitraw binary:hinge count:poisson survival:cox multi:softmax multi:softprob "
    "rank:pairwise rank:ndcg rank:map".split()
)
_ROOT = 2147483647
"""The parent of a tree's root."""
_CATEGORY = 1 << 24
"""As XGBoost says: categories are whole numbers that a float can hold."""
_TYPES = frozenset(("float", "int", "i", "q", "c"))
_TEXT = 1_000
_FLOATS = ("base_weights", "loss_changes", "split_conditions", "sum_hessian")


def canonical(data: bytes) -> bytes:
    """Return the same model in the one form that is kept.

    Raises:
        InvalidValue: It is no such file, of a kind that is not looked at, or a part of it leads astray.
    """
    if len(data) > LIMIT:
        raise InvalidValue(f"it has {len(data):,} bytes; up to {LIMIT:,} are read.")
    try:
        written = json.dumps(_whole(json.loads(data)), separators=(",", ":"), sort_keys=True)
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
    return written.encode()


def _whole(value: Any) -> dict[str, Any]:
    learner = value["learner"]
    booster = learner["gradient_booster"]
    if booster["name"] != "gbtree":
        raise InvalidValue(f"its booster is {booster['name']!r:.40}, and only gbtree's trees are looked at.")
    said = learner["learner_model_param"]
    columns, classes = _count(said["num_feature"], 1), _count(said["num_class"], 0)
    targets = _count(said["num_target"], 1)
    _require(classes <= 1 or targets == 1)
    groups = max(1, classes, targets)
    scores = json.loads(said["base_score"])
    scores = [_float(each) for each in scores] if isinstance(scores, list) else _float(scores)
    _require(not isinstance(scores, list) or len(scores) in (1, groups))
    names, kinds = (_texts(learner.get(name, []), columns) for name in ("feature_names", "feature_types"))
    _require(set(kinds) <= _TYPES)
    return {
        "learner": {
            "attributes": {_text(key): _text(said) for key, said in learner["attributes"].items()},
            "feature_names": names,
            "feature_types": kinds,
            "gradient_booster": {"model": _trees(booster["model"], columns, groups), "name": "gbtree"},
            "learner_model_param": {
                "base_score": json.dumps(scores),
                "boost_from_average": str(_count(said["boost_from_average"], 0)),
                "num_class": str(classes),
                "num_feature": str(columns),
                "num_target": str(targets),
            },
            "objective": _objective(learner["objective"], classes),
        },
        "version": _ints(value["version"], 3),
    }


def _objective(said: Mapping[str, Any], classes: int) -> dict[str, Any]:
    name = said["name"]
    if name not in OBJECTIVES:
        raise InvalidValue(
            f"its objective is {name!r:.60}, which is not one of {', '.join(sorted(OBJECTIVES))}."
        )
    found: dict[str, Any] = {"name": name}
    for key, params in said.items():
        if key == "name":
            continue
        _require(isinstance(params, dict))
        found[_text(key)] = {_text(param): _text(told) for param, told in params.items()}
        if "num_class" in params:
            _require(_count(params["num_class"], 0) == classes)
    _require(name.startswith("multi:") == (classes > 1))
    _require(classes < 2 or "num_class" in found.get("softmax_multiclass_param", {}))
    return found


def _trees(model: Mapping[str, Any], columns: int, groups: int) -> dict[str, Any]:
    if model.get("cats", {}).get("enc"):
        raise InvalidValue(
            "it keeps the categories of a data frame, which are not looked at. Encode them before, for example with "
            "OneHotEncoder."
        )
    trees = model["trees"]
    _require(isinstance(trees, list) and len(trees) >= 1)
    if any(_count(tree["tree_param"]["size_leaf_vector"], 0) > 1 for tree in trees):
        raise InvalidValue(
            "its leaves are vectors, which are not looked at. Fit it with multi_strategy='one_output_per_tree'."
        )
    parallel = _count(model["gbtree_model_param"]["num_parallel_tree"], 1)
    each_turn = groups * parallel
    turns = _ints(model["iteration_indptr"], len(model["iteration_indptr"]))
    _require(
        _count(model["gbtree_model_param"]["num_trees"], 1) == len(trees) == (len(turns) - 1) * each_turn
    )
    _require(turns == [turn * each_turn for turn in range(len(turns))])
    info = _ints(model["tree_info"], len(trees))
    _require(all(0 <= group < groups for group in info))
    return {
        "cats": {"enc": [], "feature_segments": [], "sorted_idx": []},
        "gbtree_model_param": {"num_parallel_tree": str(parallel), "num_trees": str(len(trees))},
        "iteration_indptr": turns,
        "tree_info": info,
        "trees": [_tree(tree, place, columns) for place, tree in enumerate(trees)],
    }


def _tree(tree: Mapping[str, Any], place: int, columns: int) -> dict[str, Any]:
    import numpy as np

    said = tree["tree_param"]
    count = _count(said["num_nodes"], 1)
    _require(_count(said["num_feature"], 1) == columns and tree["id"] == place)
    left, right, column, kind, default = (
        np.asarray(_ints(tree[name], count), dtype=np.int64)
        for name in ("left_children", "right_children", "split_indices", "split_type", "default_left")
    )
    inner = left != -1
    _require(bool((inner == (right != -1)).all()))
    children = np.concatenate([left[inner], right[inner]])
    _require(bool(((children > 0) & (children < count)).all()))
    # A node with one parent at most, and a root with none: what is reached from the root has no circle.
    _require(bool((np.bincount(children, minlength=count) <= 1).all()))
    order = level = np.zeros(1, dtype=np.int64)
    while len(level := level[inner[level]]):  # nodes that XGBoost pruned are not reached
        level = np.stack([left[level], right[level]], axis=1).ravel()
        order = np.concatenate([order, level])
    place_of = np.full(count, -1, dtype=np.int64)
    place_of[order] = np.arange(len(order))
    inner = inner[order]
    left, right = (np.where(inner, place_of[each[order]], -1) for each in (left, right))
    column, kind = (np.where(inner, each[order], 0) for each in (column, kind))
    _require(bool(((column >= 0) & (column < columns) & ((kind == 0) | (kind == 1))).all()))
    parents = np.full(len(order), _ROOT, dtype=np.int64)
    own = np.flatnonzero(inner)
    parents[left[own]] = parents[right[own]] = own
    return {
        **_categories(tree, order, np.flatnonzero(kind == 1)),
        **{name: _picked(_floats(tree[name], count), order) for name in _FLOATS},
        "default_left": (default[order] != 0).astype(int).tolist(),
        "id": place,
        "left_children": left.tolist(),
        "parents": parents.tolist(),
        "right_children": right.tolist(),
        "split_indices": column.tolist(),
        "split_type": kind.tolist(),
        "tree_param": {
            "num_deleted": "0",
            "num_feature": str(columns),
            "num_nodes": str(len(order)),
            "size_leaf_vector": "1",
        },
    }


def _categories(tree: Mapping[str, Any], order: Any, by_category: Any) -> dict[str, list[int]]:
    """Return the categories of each node that splits by them, in the order of the nodes."""
    nodes = _ints(tree["categories_nodes"], len(tree["categories_nodes"]))
    starts, sizes = (_ints(tree[name], len(nodes)) for name in ("categories_segments", "categories_sizes"))
    values = _ints(tree["categories"], len(tree["categories"]))
    _require(all(0 <= value < _CATEGORY for value in values) and len(set(nodes)) == len(nodes))
    spans = {node: (start, size) for node, start, size in zip(nodes, starts, sizes, strict=True)}
    found: dict[str, list[int]] = {
        "categories": [],
        "categories_nodes": by_category.tolist(),
        "categories_segments": [],
        "categories_sizes": [],
    }
    for node in order[by_category].tolist():
        _require(node in spans)
        start, size = spans[node]
        _require(0 <= start and 0 < size <= len(values) - start)
        found["categories_segments"].append(len(found["categories"]))
        found["categories_sizes"].append(size)
        found["categories"] += values[start : start + size]
    return found


def _picked(values: list[float], order: Any) -> list[float]:
    return [values[place] for place in order.tolist()]


def _ints(values: Any, count: int) -> list[int]:
    _require(isinstance(values, list) and len(values) == count)
    _require(all(type(each) is int and -(1 << 31) <= each < 1 << 31 for each in values))
    return list(values)


def _floats(values: Any, count: int) -> list[float]:
    _require(isinstance(values, list) and len(values) == count)
    return [_float(each) for each in values]


def _float(value: Any) -> float:
    _require(type(value) in (int, float))
    return float(value)


def _count(text: Any, least: int) -> int:
    """Return a number that XGBoost writes as text."""
    _require(isinstance(text, str) and text.isascii() and text.isdigit() and len(text) < 10)
    _require(int(text) >= least)
    return int(text)


def _text(value: Any) -> str:
    _require(isinstance(value, str) and len(value) <= _TEXT)
    return str(value)


def _texts(values: Any, count: int) -> list[str]:
    _require(isinstance(values, list) and len(values) in (0, count))
    return [_text(each) for each in values]


def _require(holds: bool) -> None:
    if not holds:
        raise InvalidValue("a part of it is not as XGBoost makes it, and could not be used safely.")
