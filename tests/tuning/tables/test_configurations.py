"""Search spaces of estimators: every draw is one the estimator takes, and scikit-learn's defaults are among them."""

from __future__ import annotations

import random
import warnings
from collections.abc import Callable
from dataclasses import replace
from subprocess import CompletedProcess

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import get_scorer_names

from tests.tuning.tables.mixed_table import draw
from tracking.errors import InvalidValue
from tracking.tuning import tables
from tracking.tuning.definition import OnlyIf, ParamKind, TableTarget
from tracking.tuning.tables.configurations import split
from tracking.tuning.tables.estimators import build
from tracking.tuning.tables.pipelines import make_pipeline
from tracking.tuning.tables.table import Table
from tracking.tuning.tables.task import CLASSIFICATION, REGRESSION, Task

IRIS = TableTarget(column="target", metric="accuracy", dataset="iris", estimators=tables.NAMES)
DIABETES = TableTarget(column="target", metric="r2", dataset="diabetes", estimators=tables.NAMES)
BOTH = pytest.mark.parametrize("target", [IRIS, DIABETES], ids=["classes", "numbers"])


def small_table(task: Task) -> Table:
    rng = np.random.default_rng(0)
    features = pd.DataFrame({"a": rng.normal(size=60), "b": rng.normal(size=60)})
    features["c"] = rng.choice(["x", "y", "z"], 60).astype(object)
    number = features.a + (features.c == "x") + rng.normal(0, 0.1, 60)
    values = number.to_numpy() if task is Task.REGRESSION else np.where(number > 0.3, "yes", "no")
    return Table("made", task, features, values, ("a", "b"), ("c",), "y")


@BOTH
def test_several_estimators_give_a_space_with_conditions(target: TableTarget) -> None:
    space = tables.default_space(target)
    assert (space[0].name, space[0].kind) == ("estimator", ParamKind.CATEGORICAL)
    assert space[0].choices == tables.NAMES
    for param in space[1:]:
        owner = param.name.partition(".")[0]
        assert param.only_if[0] == OnlyIf("estimator", (owner,))
    gamma = next(param for param in space if param.name == "svm.gamma")
    assert gamma.only_if[1] == OnlyIf("svm.kernel", ("rbf",))


def test_one_estimator_names_its_params_as_several_do() -> None:
    alone = tables.default_space(replace(IRIS, estimators=("forest",)))
    among = [param for param in tables.default_space(IRIS) if param.name.startswith("forest.")]
    assert (alone[0].name, alone[0].kind, alone[0].value) == ("estimator", ParamKind.FIXED, "forest")
    assert [replace(param, only_if=()) for param in among] == list(alone[1:])
    assert {param.name.partition(".")[0] for param in tables.default_space(replace(IRIS, estimators=()))} == {
        "estimator",
        "linear",
        "forest",
        "boosting",
    }


@BOTH
@pytest.mark.parametrize("name", tables.NAMES)
def test_every_draw_is_accepted_by_its_estimator(target: TableTarget, name: str) -> None:
    task = tables.task_of(target.metric)
    table = small_table(task)
    one = replace(target, estimators=(name,))
    space, rng = tables.default_space(one), random.Random(7)
    assert {key for _ in range(100) for key in draw(space, rng)} == {param.name for param in space}
    for _ in range(6):
        pipeline = make_pipeline(table, one, draw(space, rng), seed=0)
        # The draw is checked all the same when the fit is short.
        short = {
            key: 3
            for key in pipeline.get_params()
            if key.startswith("estimator__")
            and key.endswith(("__n_estimators", "__max_iter"))
            and name != "svm"
        }
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            predicted = pipeline.set_params(**short).fit(table.features, table.values).predict(table.features)
        assert len(predicted) == 60


@BOTH
def test_the_defaults_are_scikit_learns_and_lie_in_the_space(target: TableTarget) -> None:
    space = {param.name: param for param in tables.default_space(target)}
    defaults = tables.default_configurations(target)
    assert [each["estimator"] for each in defaults] == list(tables.NAMES)
    task = tables.task_of(target.metric)
    for configuration in defaults:
        name, own = split(target, configuration)
        built = build(name, own, task, seed=0)
        inner = getattr(built, "regressor", built)
        plain = type(inner)()
        for key, value in own.items():
            usual = plain.get_params()[key]
            # One layer of 100 is a number or a tuple of one.
            assert inner.get_params()[key] == (100 if usual == (100,) else usual), f"{name}.{key}"
            param = space[f"{name}.{key}"]
            if param.kind is ParamKind.CATEGORICAL:
                assert value in param.choices
            else:
                assert param.low is not None and param.high is not None
                assert isinstance(value, int | float) and param.low <= value <= param.high
        assert {f"{name}.{key}" for key in own} == {each for each in space if each.startswith(f"{name}.")}


def test_params_of_other_estimators_are_left_out_and_unknown_ones_named() -> None:
    assert split(IRIS, {"estimator": "knn", "knn.p": 1, "forest.max_depth": 3}) == ("knn", {"p": 1})
    alone = replace(IRIS, estimators=("forest",))
    assert split(alone, {"forest.max_depth": 3}) == ("forest", {"max_depth": 3})
    for target, params, message in (
        (IRIS, {"forest.max_depth": 3}, "'estimator' is missing"),
        (IRIS, {"estimator": "tree"}, "none of linear, forest"),
        (alone, {"max_depth": 3}, "'forest.max_depth'"),
        (replace(IRIS, estimators=("forst",)), {}, "Did you mean 'forest'"),
    ):
        with pytest.raises(InvalidValue, match=message):
            split(target, params)  # type: ignore[arg-type]
    with pytest.raises(InvalidValue, match=r"forest.max_dept is no param.*Did you mean forest.max_depth"):
        build("forest", {"max_dept": 3}, Task.CLASSIFICATION, seed=0)


def test_the_metrics_are_scikit_learns_but_for_clusterings_and_several_labels() -> None:
    known = set(get_scorer_names())
    assert set(tables.METRICS) <= known
    assert not CLASSIFICATION & REGRESSION
    others = known - set(tables.METRICS)
    assert all(name.endswith(("_samples", "_score")) for name in others), others
    with pytest.raises(InvalidValue, match="Did you mean 'neg_root_mean_squared_error'"):
        tables.task_of("root_mean_squared_error")
    with pytest.raises(InvalidValue, match="accuracy"):
        tables.task_of("acuracy")


def test_a_search_space_is_known_without_loading_scikit_learn(
    run_script: Callable[..., CompletedProcess[str]],
) -> None:
    done = run_script(
        """
        import sys
        from tracking.tuning import tables
        from tracking.tuning.definition import TableTarget
        target = TableTarget(column="y", metric="r2", file="x.csv")
        assert tables.default_space(target) and tables.default_configurations(target)
        print(*{m.partition('.')[0] for m in sys.modules})
        """
    )
    assert done.returncode == 0, done.stderr
    assert {"sklearn", "pandas", "scipy", "skops"} & set(done.stdout.split()) == set()
