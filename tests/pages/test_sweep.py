"""The page of one sweep."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from tests.pages.contents import OpenPage, texts
from tests.pages.sweeps_made import make
from tracking.store import Store
from tracking.sweep_records import SweepState

NAMES = ["*second* <b>$x$", "a/b:c", "x" * 300, "ünï 测试"]


def names(app: AppTest) -> list[str]:
    return list(app.dataframe[0].value["name"])


def press(app: AppTest, key: str) -> AppTest:
    return app.button(key=key).click().run()


def test_the_address_may_name_no_sweep_or_an_unknown_one(open_page: OpenPage, store: Store) -> None:
    app = open_page("sweep")
    assert not app.exception and "names no sweep" in texts(app)
    app = open_page("sweep", sweep="*none* <b>")
    assert not app.exception and "There is no sweep" in texts(app)


def test_a_sweep_without_trials_says_so(open_page: OpenPage, store: Store) -> None:
    make(store)
    app = open_page("sweep", sweep="s")
    assert not app.exception and not app.error
    assert "No trial has begun" in texts(app)


def test_trials_newest_first_with_states_values_and_params(open_page: OpenPage, store: Store) -> None:
    make(store, trials=5, fails=[1], prunes=[2], unfinished=[4])
    app = open_page("sweep", sweep="s")
    assert not app.exception and not app.error
    assert names(app) == [f"trial {number}" for number in (4, 3, 2, 1, 0)]
    table = app.dataframe[0].value
    assert list(table["state"]) == ["● running", "✓ complete", "⊘ pruned", "✕ failed", "✓ complete"]
    assert "values.accuracy" in table and "params.lr" in table and "params.momentum" in table


def test_the_best_trials_come_first_when_asked(open_page: OpenPage, store: Store) -> None:
    make(store, trials=6, fails=[0])
    table = open_page("sweep", sweep="s", order="best first").dataframe[0].value
    values = list(table["values.accuracy"])
    assert values[:5] == sorted(values[:5], reverse=True) and table["name"][5] == "trial 0"


def test_trials_of_one_state(open_page: OpenPage, store: Store) -> None:
    make(store, trials=5, fails=[1], prunes=[2])
    app = open_page("sweep", sweep="s")
    app.button_group(key="sweep.trials.states").set_value(["fail"]).run()
    assert names(app) == ["trial 1"]
    assert "Showing 1 of 1 trial; 5 in the sweep" in texts(app)


@pytest.mark.parametrize("name", NAMES)
def test_hostile_names_are_shown_as_they_are(open_page: OpenPage, store: Store, name: str) -> None:
    make(store, name, trials=2)
    app = open_page("sweep", sweep=name)
    assert not app.exception and not app.error
    assert len(names(app)) == 2


def test_without_the_key_nothing_is_changed(open_page: OpenPage, store: Store) -> None:
    make(store, trials=1)
    app = open_page("sweep", sweep="s")
    assert "Read only" in texts(app)
    assert not [button for button in app.button if button.key in ("sweep.resume", "sweep.drain")]


def test_ticked_trials_are_compared(open_page: OpenPage, store: Store) -> None:
    make(store, trials=3)
    app = open_page("sweep", sweep="s")
    key = app.session_state["sweep.trials.held"][0]
    app.session_state[key] = {"selection": {"rows": [0, 2], "columns": [], "cells": []}}
    app.run()
    press(app, "sweep.compare")
    runs = [record.run for record in store.sweep_trials("s")]
    assert app.page_link[-1].proto.query_string == f"runs={runs[2]}%2C{runs[0]}"


def test_bounds_are_moved_and_a_wrong_one_is_told(open_page: OpenPage, store: Store) -> None:
    make(store, trials=2)
    app = open_page("sweep", sweep="s", may_act=True)
    app.selectbox(key="sweep.change.param").select("lr").run()
    app.text_input(key="sweep.change.1.lr.high").set_value("much")
    press(app, "sweep.change.1.lr.do")
    assert "is no number" in app.error[0].value
    app.text_input(key="sweep.change.1.lr.high").set_value("0.5")
    press(app, "sweep.change.1.lr.do")
    assert not app.error and store.sweep("s").edition == 2
    assert store.sweep("s").state is SweepState.STOPPED
