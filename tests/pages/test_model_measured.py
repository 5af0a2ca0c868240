"""The page of a model shows what a version had measured when it was registered, whatever its run logged later."""

from __future__ import annotations

import math
from dataclasses import replace

from streamlit.testing.v1 import AppTest

import tracking
from tests.pages.contents import OpenPage, start
from tests.registry.making import fitted
from tracking.records import Goal
from tracking.store import Store
from tracking.ui import model_health, model_metrics
from tracking.ui.model_metrics import Shown

ACCURACIES = (0.2, 0.5, 0.9, 0.95)


def checkpoints(store: Store) -> str:
    """Log a run with a model at each step, and make a version of each."""
    with start("digits", "checkpoints", {"lr": 0.1}, store) as run:
        run.define_metric("accuracy", goal="maximize")
        for step, accuracy in enumerate(ACCURACIES):
            run.log({"accuracy": accuracy}, step=step)
            run.log_model(fitted(step), "model", step=step)
    for step in range(len(ACCURACIES)):
        store.register("digits", run.id, step=step)
    return run.id


def said(app: AppTest) -> list[str]:
    """Return the lines that the page says."""
    lists = (app.markdown, app.caption, app.text, app.warning, app.error)
    return [str(each.value).replace("\\", "") for found in lists for each in found]


def test_each_version_of_a_run_has_the_metrics_and_the_step_of_its_own(
    open_page: OpenPage, store: Store
) -> None:
    checkpoints(store)
    app = open_page("model", model="digits", version="2")
    assert not app.exception and not app.error
    table = app.dataframe[0].value
    assert list(table["name"]) == ["v4", "v3", "v2", "v1"]
    assert list(table["metric.last.accuracy"]) == [0.95, 0.9, 0.5, 0.2]
    assert list(table["step"]) == [3, 2, 1, 0]
    lines = said(app)
    assert "0.5" in lines and "0.95" not in lines
    assert any(line.split("\n")[0].strip("*: ") == "step" for line in lines) and "1" in lines
    # The same number as a gate finds.
    store.set_gates("digits", ["accuracy >= 0.4"])
    assert store.check_promotion("digits", 2).gates[0].found.startswith("0.5 ")
    assert "| 0.5 |" in store.model_card("digits", 2)


def test_what_a_run_logs_after_registration_is_not_the_versions(open_page: OpenPage, store: Store) -> None:
    with start("digits", "goes on", {"lr": 0.1}, store) as run:
        run.define_metric("accuracy", goal="maximize")
        run.log({"accuracy": 0.2})
        run.log_model(fitted(0), "model")
    store.register("digits", run.id)
    with tracking.start_run(resume=run.id, store=store.location.root, capture=False) as resumed:
        resumed.log({"accuracy": math.nan})
    table = open_page("model", model="digits").dataframe[0].value
    assert list(table["metric.last.accuracy"]) == [0.2] and "step" not in table
    assert list(table["health"]) == ["✓ bytes there"]
    store.register("digits", run.id)
    app = open_page("model", model="digits", version="2")
    assert list(app.dataframe[0].value["health"]) == ["! accuracy NaN", "✓ bytes there"]
    assert "The last accuracy of v2 is NaN." in said(app)


def test_the_best_point_is_that_up_to_the_step_and_older_versions_are_read_from_their_run(
    store: Store,
) -> None:
    run = store.run(checkpoints(store))
    second = store.version("digits", 2)
    best = Shown("accuracy", "best", Goal.MAXIMIZE)
    assert model_metrics.version_value(second, run, best) == 0.5
    assert model_metrics.version_value(second, None, Shown("accuracy", "min")) == 0.2
    assert model_metrics.version_value(second, run, Shown("loss")) is None
    old = {key: each for key, each in second.lineage.items() if key not in ("logged", "summaries")}
    older = replace(second, lineage=old, step=None)
    assert model_metrics.version_value(older, run, Shown("accuracy")) == 0.5  # as a gate takes the last value
    assert model_metrics.version_value(older, run, Shown("accuracy", "max")) == 0.95
    assert [each.short for each in model_health.problems(store, second, run, [best])] == []
