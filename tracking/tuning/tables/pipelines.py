"""Preparing columns and an estimator, as one pipeline of scikit-learn's own parts: no code of ours is in a model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tracking.tuning.definition import Choice, TableTarget
from tracking.tuning.tables.configurations import split
from tracking.tuning.tables.estimators import build
from tracking.tuning.tables.table import Table
from tracking.tuning.tables.task import PROBABILITIES

MISSING = "(missing)"
RARE = 0.01
"""Categories of fewer rows than this share are one together, as are those never seen before."""
MOST_CATEGORIES = 50
BINS = 200
"""HistGradientBoosting takes up to 255 categories a column; further ones are one together."""


def make_pipeline(table: Table, target: TableTarget, params: Mapping[str, Choice], *, seed: int) -> Any:
    """Return the pipeline of a configuration, not fitted.

    It takes frames with the table's columns by name, as they were read: texts and truth values need no preparing,
    further columns are left out. Numbers: the median in place of missing values (with a column that says so), scaled
    where the estimator needs it; boosting takes missing values as they are. Categories: 0/1 columns for linear models,
    distances and nets, whole numbers for trees.

    Args:
        table: Its columns decide how they are prepared.
        target: Its metric may ask for probabilities.
        params: The configuration.
        seed: Of the estimator's random state.

    Raises:
        InvalidValue: A param that the estimator does not have.
    """
    from sklearn.pipeline import Pipeline

    name, own = split(target, params)
    if name == "boosting" and table.categories:
        first = len(table.numbers)
        own = {"categorical_features": list(range(first, first + len(table.categories))), **own}  # type: ignore[dict-item]
    estimator = build(name, own, table.task, seed=seed, probabilities=target.metric in PROBABILITIES)
    return Pipeline([("columns", _columns(name, table)), ("estimator", estimator)])


def _columns(name: str, table: Table) -> Any:
    from sklearn.compose import ColumnTransformer

    parts: list[tuple[str, Any, list[str]]] = []
    if table.numbers:
        parts.append(("numbers", _numbers(name), list(table.numbers)))
    if table.categories:
        parts.append(("categories", _categories(name), list(table.categories)))
    return ColumnTransformer(parts, remainder="drop", sparse_threshold=0)


def _numbers(name: str) -> Any:
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import StandardScaler

    if name == "boosting":
        # Changes nothing, but what pandas has for missing values becomes NaN.
        return StandardScaler(with_mean=False, with_std=False)
    # Also where no value is missing now: another fold, or the data to come, may miss some.
    fill = SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)
    return fill if name == "forest" else Pipeline([("fill", fill), ("scale", StandardScaler())])


def _categories(name: str) -> Any:
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder

    if name in ("forest", "boosting"):
        encode = OrdinalEncoder(
            handle_unknown="use_encoded_value",
            unknown_value=-1,
            max_categories=BINS if name == "boosting" else None,
        )
    else:
        encode = OneHotEncoder(
            handle_unknown="infrequent_if_exist",
            min_frequency=RARE,
            max_categories=MOST_CATEGORIES,
            sparse_output=False,
        )
    fill = SimpleImputer(strategy="constant", fill_value=MISSING, keep_empty_features=True)
    return Pipeline([("fill", fill), ("encode", encode)])
