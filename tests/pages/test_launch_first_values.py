"""What the fields of a new sweep begin with, and that they keep it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import optuna
import pytest
import streamlit as st
from optuna.samplers import RandomSampler

import tracking
from tests.pages.contents import OpenPage
from tests.ui.launch_project import definition_text, make_project
from tracking.tuning import sweep_start
from tracking.tuning.definition_file import read_definition
from tracking.ui import launch_fields


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(make_project(tmp_path / "project"))
    monkeypatch.setattr(sweep_start, "spawn", lambda *_: 0)


def test_a_form_that_is_used_before_it_is_drawn_to_its_end_keeps_all_of_its_fields(
    open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The browser has then not seen the fields that follow, and begins them with what the page sends, not with
    # what the session holds.
    app = open_page("sweeps", new="target")
    search, calls = launch_fields.search, iter("a")

    def interrupted(*given: Any) -> None:
        if next(calls, None):
            st.stop()
        search(*given)

    monkeypatch.setattr(launch_fields, "search", interrupted)
    app.query_params["new"] = "dataset:iris"
    app.run()
    assert not app.exception and next(calls, None) is None
    app.text_input(key="launch.name").set_value("flowers").run()
    folds = app.number_input(key="launch.folds")
    assert (folds.proto.set_value, folds.proto.value) == (True, 5.0)
    assert app.text_input(key="launch.name").value == "flowers"
    app.run()
    assert not app.number_input(key="launch.folds").proto.set_value  # what is being typed is left alone
    assert (app.text_input(key="launch.name").value, app.number_input(key="launch.folds").value) == (
        "flowers",
        5,
    )


def test_the_objective_of_the_last_sweep_of_a_target_comes_first(
    open_page: OpenPage, store_folder: Path
) -> None:
    with tracking.open_store(store_folder) as store:
        definition = read_definition(definition_text())
        begun = sweep_start.start(store.location, definition, project=Path.cwd())
        study = optuna.load_study(
            study_name=begun.name, storage=tracking.study_storage(store_folder), sampler=RandomSampler(seed=1)
        )
        trial = study.ask()
        trial.suggest_float("lr", 0.001, 0.1)
        trial.report(0.5, 0)
        study.tell(trial, 0.5)
        assert {"value", "intermediate_value"} <= set(store.keys(begun.experiment).metrics)
    app = open_page("sweeps", new="script:train.py")
    metric = app.selectbox(key="launch.objective.0")
    assert metric.value == "accuracy" and metric.options == ["accuracy"]
    assert app.session_state["launch.goal.0.accuracy"] == "maximize"
