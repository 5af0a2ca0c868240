"""Checks what is in a loaded model: trees hold indexes that compiled code follows without looking.

skops checks of which types a file's objects are and not what is in them, and for that reason trusts neither of
scikit-learn's two kinds of trees: a made-up child or feature reads beyond an array, or runs in a circle. So every node
is looked at here, once, before a model is handed out. What scikit-learn itself builds always passes: a child comes
after its parent. And HistGradientBoosting keeps one function with its arguments: it has to be that one.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

from tracking.errors import InvalidValue

_BITS = 256
"""A category of HistGradientBoosting is one bit of so many."""
_OF_ONE_TABLE = ("sklearn.ensemble._forest", "sklearn.ensemble._gb", "sklearn.ensemble._iforest")
"""Ensembles that hand their own checked rows to their trees, which do not count the columns again."""


def check_parts(model: Any) -> None:
    """Look at every node of every tree in a model, and at its functions.

    Raises:
        InvalidValue: A node leads out of its tree or to a column that there is not, or a function is another one.
    """
    from sklearn.ensemble._hist_gradient_boosting.gradient_boosting import BaseHistGradientBoosting
    from sklearn.ensemble._hist_gradient_boosting.predictor import TreePredictor
    from sklearn.tree import BaseDecisionTree
    from sklearn.tree._tree import Tree
    from sklearn.utils import check_array

    owned: set[int] = set()
    found: list[Any] = []
    for each in _parts(model):
        if isinstance(each, BaseDecisionTree) and hasattr(each, "tree_"):
            _require(isinstance(each.tree_, Tree) and each.tree_.n_features == each.n_features_in_)
            owned.add(id(each.tree_))
            _check_tree(each.tree_)
        elif isinstance(each, BaseHistGradientBoosting) and hasattr(each, "_predictors"):
            owned.update(_check_boosting(each, TreePredictor))
        elif type(each).__module__ in _OF_ONE_TABLE and hasattr(each, "estimators_"):
            for tree in _flat(each.estimators_):
                _require(isinstance(tree, BaseDecisionTree) and tree.n_features_in_ == each.n_features_in_)
        elif isinstance(each, functools.partial):
            _require(each.func is check_array)
        elif isinstance(each, Tree | TreePredictor):
            found.append(each)
    _require(all(id(each) in owned for each in found))


def _check_tree(tree: Any) -> None:
    left, right, feature = tree.children_left, tree.children_right, tree.feature
    _require(tree.node_count == len(left) >= 1)
    _check_nodes(left, right, feature, left != -1, tree.n_features)


def _check_boosting(model: Any, kind: type) -> set[int]:
    import numpy as np

    columns = int(model.n_features_in_)
    mapper = model._bin_mapper
    categorical = np.asarray(mapper.is_categorical_)
    _require(categorical.shape == (columns,))
    for column in np.flatnonzero(categorical):
        known = np.asarray(mapper.bin_thresholds_[column], dtype=float)
        _require(bool(((known >= 0) & (known < _BITS)).all()))
    seen = set()
    for tree in _flat(model._predictors):
        _require(isinstance(tree, kind))
        nodes = tree.nodes
        _require(nodes.ndim == 1 and len(nodes) >= 1)
        inner = nodes["is_leaf"] == 0
        _check_nodes(nodes["left"], nodes["right"], nodes["feature_idx"], inner, columns)
        by_category = inner & (nodes["is_categorical"] != 0)
        _require(bool(categorical[nodes["feature_idx"][by_category]].all()))
        for bits in (tree.raw_left_cat_bitsets, tree.binned_left_cat_bitsets):
            _require(bits.ndim == 2 and bits.shape[1] == _BITS // 32)
            _require(bool((nodes["bitset_idx"][by_category] < len(bits)).all()))
        seen.add(id(tree))
    return seen


def _check_nodes(left: Any, right: Any, feature: Any, inner: Any, columns: int) -> None:
    import numpy as np

    own = np.arange(len(left))[inner]
    for child in (left[inner].astype(np.int64), right[inner].astype(np.int64)):
        _require(bool(((child > own) & (child < len(left))).all()))
    wanted = feature[inner].astype(np.int64)
    _require(bool(((wanted >= 0) & (wanted < columns)).all()))


def _require(holds: bool) -> None:
    if not holds:
        raise InvalidValue("a part of it is not as scikit-learn makes it, and could not be used safely.")


def _flat(values: Any) -> Iterator[Any]:
    if isinstance(values, list | tuple):
        for each in values:
            yield from _flat(each)
    elif hasattr(values, "ravel"):
        yield from values.ravel()
    else:
        yield values


def _parts(model: Any) -> Iterator[Any]:
    """Yield everything that a model is made of, each object once, in no order."""
    import numpy as np

    seen: dict[int, Any] = {}
    left = [model]
    while left:
        each = left.pop()
        if isinstance(each, str | bytes | int | float | bool | type(None) | type) or id(each) in seen:
            continue
        seen[id(each)] = each
        yield each
        if isinstance(each, dict):
            left += [*each.keys(), *each.values()]
        elif isinstance(each, list | tuple | set | frozenset):
            left += each
        elif isinstance(each, np.ndarray):
            left += each.ravel().tolist() if each.dtype == object else []
        else:
            left += vars(each).values() if hasattr(each, "__dict__") else []
