"""The estimators a table can be given to: where their params may lie, scikit-learn's defaults, building them."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tracking.errors import InvalidValue
from tracking.tuning.definition import Choice, OnlyIf, ParamKind, ParamSpace
from tracking.tuning.tables.task import Task

NO_DEPTH_LIMIT = 64
"""As `forest.max_depth`: no limit, which is scikit-learn's default and has no number of its own."""


@dataclass(frozen=True, slots=True)
class Tuned:
    """One param of an estimator: where it may lie, and scikit-learn's default, which is inside."""

    space: ParamSpace
    default: Choice
    task: Task | None = None
    """The only task the estimator has it for; None for both."""


def _float(name: str, low: float, high: float, default: float, **more: Any) -> Tuned:
    task = more.pop("task", None)
    return Tuned(ParamSpace(name, ParamKind.FLOAT, low=low, high=high, **more), default, task)


def _int(name: str, low: int, high: int, default: int, **more: Any) -> Tuned:
    return Tuned(ParamSpace(name, ParamKind.INT, low=low, high=high, **more), default)


def _one_of(name: str, *choices: Choice, default: Choice, **more: Any) -> Tuned:
    task = more.pop("task", None)
    return Tuned(ParamSpace(name, ParamKind.CATEGORICAL, choices=choices, **more), default, task)


_RBF = (OnlyIf("kernel", ("rbf",)),)

SPACES: Mapping[str, tuple[Tuned, ...]] = {
    "linear": (
        _float("C", 1e-3, 1e3, 1.0, log=True, task=Task.CLASSIFICATION),
        _float("alpha", 1e-3, 1e3, 1.0, log=True, task=Task.REGRESSION),
    ),
    "forest": (
        _int("n_estimators", 50, 400, 100, log=True),
        _one_of("max_features", "sqrt", "log2", 0.5, 1.0, default="sqrt", task=Task.CLASSIFICATION),
        _one_of("max_features", "sqrt", "log2", 0.5, 1.0, default=1.0, task=Task.REGRESSION),
        _int("max_depth", 3, NO_DEPTH_LIMIT, NO_DEPTH_LIMIT, log=True),
        _int("min_samples_leaf", 1, 20, 1, log=True),
    ),
    "boosting": (
        _float("learning_rate", 0.01, 0.5, 0.1, log=True),
        _int("max_iter", 50, 400, 100, log=True),
        _int("max_leaf_nodes", 7, 127, 31, log=True),
        _int("min_samples_leaf", 5, 100, 20, log=True),
        _float("l2_regularization", 0.0, 5.0, 0.0),
        _float("max_features", 0.3, 1.0, 1.0),
    ),
    "svm": (
        _float("C", 1e-2, 1e2, 1.0, log=True),
        _one_of("kernel", "rbf", "linear", default="rbf"),
        _one_of("gamma", "scale", 0.001, 0.01, 0.1, 1.0, default="scale", only_if=_RBF),
        _float("epsilon", 0.01, 1.0, 0.1, log=True, task=Task.REGRESSION),
    ),
    "knn": (
        _int("n_neighbors", 1, 30, 5, log=True),
        _one_of("weights", "uniform", "distance", default="uniform"),
        _one_of("p", 1, 2, default=2),
    ),
    "mlp": (
        _int("hidden_layer_sizes", 16, 256, 100, log=True),
        _one_of("activation", "relu", "tanh", default="relu"),
        _float("alpha", 1e-6, 1e-1, 1e-4, log=True),
        _float("learning_rate_init", 1e-4, 1e-1, 1e-3, log=True),
    ),
}

NAMES: tuple[str, ...] = tuple(SPACES)
"""Every estimator: `linear` is logistic or ridge regression, `boosting` HistGradientBoosting."""

USUAL: tuple[str, ...] = ("linear", "forest", "boosting")
"""What a target that names none is given: quick on any table of ordinary size."""


def build(name: str, params: Mapping[str, Any], task: Task, *, seed: int, probabilities: bool = False) -> Any:
    """Return an estimator, not fitted.

    Args:
        name: One of `NAMES`.
        params: Its own, without the prefix; any that scikit-learn's class has.
        task: Classes or numbers.
        seed: Of its random state, where it has one.
        probabilities: Whether it must give probabilities, which a support vector machine learns separately.

    Raises:
        InvalidValue: The estimator has no such param.
    """
    classes, fixed = _made_of(name)
    kind = classes[task is Task.REGRESSION]
    given = dict(params)
    if name == "forest" and given.get("max_depth") == NO_DEPTH_LIMIT:
        given["max_depth"] = None
    made = kind()
    known = made.get_params()
    _check_known(name, given, known, kind.__name__)
    usual = {key: value for key, value in fixed.items() if key in known}
    random = {"random_state": seed} if "random_state" in known else {}
    made.set_params(**{**usual, **random, **given})
    if name in ("svm", "mlp") and task is Task.REGRESSION:
        # Both learn poorly where the numbers to predict are far from one in size.
        from sklearn.compose import TransformedTargetRegressor
        from sklearn.preprocessing import StandardScaler

        return TransformedTargetRegressor(made, transformer=StandardScaler())
    if name == "svm" and probabilities:
        from sklearn.calibration import CalibratedClassifierCV

        return CalibratedClassifierCV(made, ensemble=False)
    return made


def _made_of(name: str) -> tuple[tuple[Any, Any], dict[str, Any]]:
    """Return the classifier's and the regressor's class, and what is set where scikit-learn's default would not do."""
    if name == "linear":
        from sklearn.linear_model import LogisticRegression, Ridge

        return (LogisticRegression, Ridge), {"max_iter": 1_000}
    if name == "forest":
        from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

        return (RandomForestClassifier, RandomForestRegressor), {}
    if name == "boosting":
        from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

        return (HistGradientBoostingClassifier, HistGradientBoostingRegressor), {}
    if name == "svm":
        from sklearn.svm import SVC, SVR

        return (SVC, SVR), {"cache_size": 500}
    if name == "knn":
        from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor

        # The trees of the other algorithms are types that a model file should not bring along.
        return (KNeighborsClassifier, KNeighborsRegressor), {"algorithm": "brute"}
    from sklearn.neural_network import MLPClassifier, MLPRegressor

    return (MLPClassifier, MLPRegressor), {}


def _check_known(name: str, given: Iterable[str], known: Mapping[str, Any], kind: str) -> None:
    for key in given:
        if key not in known:
            close = difflib.get_close_matches(key, known, n=3)
            meant = f" Did you mean {' or '.join(f'{name}.{each}' for each in close)}?" if close else ""
            raise InvalidValue(f"{name}.{key:.80} is no param of {kind}.{meant}")
