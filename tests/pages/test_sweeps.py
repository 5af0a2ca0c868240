"""The Sweeps page."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import optuna

import tracking
from tests.pages.contents import OpenPage, texts
from tests.pages.sweeps_made import make
from tracking.store import Store
from tracking.ui import sweep_list


def test_an_empty_store_says_how_to_start_one(open_page: OpenPage) -> None:
    app = open_page("sweeps")
    assert not app.exception and not app.error
    assert "No sweeps yet" in texts(app)
    assert "tracking sweep start sweep.toml" in app.code[0].value


def test_the_newest_first_with_state_progress_and_best(open_page: OpenPage, store: Store) -> None:
    make(store, "first", trials=3)
    make(store, "*second* <b>", trials=1, objectives=(("accuracy", "maximize"), ("cost", "minimize")))
    app = open_page("sweeps")
    assert not app.exception and not app.error
    table = app.dataframe[0].value
    assert list(table["name"]) == ["*second* <b>", "first"]
    assert list(table["state"]) == ["■ stopped", "■ stopped"]
    assert list(table["done"]) == [1, 3]
    assert table["best"][0] == "1 on the front" and float(table["best"][1]) > 0.5
    assert list(table["metric"]) == ["accuracy ↑, cost ↓", "accuracy ↑"]
    assert "rate" not in table  # of none that runs
    assert "Showing 2 of 2 sweeps" in texts(app)


def test_studies_that_are_no_sweeps_are_not_listed(open_page: OpenPage, store: Store) -> None:
    optuna.create_study(study_name="mine", storage=tracking.study_storage(store.location.root))
    assert "No sweeps yet" in texts(open_page("sweeps"))


def test_one_that_is_over_has_its_average_rate_and_age_and_a_long_name_its_end(store: Store) -> None:
    make(store, "a" * 60, trials=3)
    make(store, "a" * 60 + " confirmed-2", trials=1)
    records = [replace(store.sweep(each.name), elapsed=90.0) for each in store.sweeps()]
    table = sweep_list.table(records, datetime.now(UTC))
    assert table.texts["rate"] == ["40/h", "2/min"]
    assert list(table.columns)[:2] == ["name", "state"] and "created" in table.columns
    newest, oldest = (name.strip() for name in table.frame["name"])
    assert newest.endswith("confirmed-2") and newest != oldest and len(newest) <= 40
