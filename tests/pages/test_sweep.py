"""The page of one sweep."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from streamlit.testing.v1 import AppTest

from tests.pages.contents import OpenPage, figures, texts
from tests.pages.sweeps_made import make
from tracking.store import Store
from tracking.sweep_records import OUTCOME, SweepState
from tracking.ui import sweep_head, sweep_panels, sweep_trial_table
from tracking.ui.live_chart import ChartView
from tracking.ui.markdown import escape

THREE = (("accuracy", "maximize"), ("cost", "minimize"), ("size", "minimize"))
NAMES = ["*second* <b>$x$", "a/b:c", "x" * 300, "ünï 测试"]


def names(app: AppTest) -> list[str]:
    return list(app.dataframe[0].value["name"])


def escaped(app: AppTest) -> str:
    """Return what the page says, without the backslashes of Markdown."""
    return texts(app).replace("\\", "")


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


def test_what_waits_was_created_and_has_not_started(store: Store) -> None:
    make(store)
    record = store.sweep("s")
    assert " · started " in sweep_head._about(record)
    assert " · created " in sweep_head._about(replace(record, state=SweepState.WAITING))


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
    app.button_group(key="states").set_value(["fail"]).run()
    assert names(app) == ["trial 1"]
    assert "Showing 1 of 1 trial; 5 in the sweep" in texts(app)


def test_a_link_shows_the_same_states_page_objective_and_brush(
    open_page: OpenPage, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweep_trial_table, "PAGE_SIZE", 2)
    make(store, trials=7, fails=[1], objectives=THREE)
    app = open_page("sweep", sweep="s", states="complete", page="2", objective="cost")
    assert not app.exception and not app.error
    assert names(app) == ["trial 4", "trial 3"]
    assert app.button_group(key="objective").value == "cost"
    assert any(title.value.startswith("**Best so far** · cost") for title in app.markdown)
    cost = min(each.values[1] for each in store.sweep_trials("s") if each.values)
    app = open_page("sweep", sweep="s", brush=f"{cost - 1e-9}:{cost + 1e-9}:values.cost")
    assert list(app.dataframe[0].value["values.cost"]) == [cost]
    axis = next(
        axis
        for figure in figures(app)
        for trace in figure["data"]
        if trace["type"] == "parcoords"
        for axis in trace["dimensions"]
        if axis["name"] == "values.cost"
    )
    assert axis["range"][0] <= cost <= axis["range"][1]


@pytest.mark.parametrize(
    "query",
    [
        {"page": "-1", "brush": "nan:1:values.accuracy", "states": "<b>", "objective": "cost"},
        {"page": "9" * 400, "brush": "0:1:no.axis", "states": "", "objective": ""},
    ],
)
def test_nonsense_in_the_address_shows_every_trial(
    open_page: OpenPage, store: Store, query: dict[str, str]
) -> None:
    make(store, trials=3)
    app = open_page("sweep", sweep="s", **query)
    assert not app.exception and not app.error
    assert names(app) == ["trial 2", "trial 1", "trial 0"]


def test_what_breaks_a_constraint_is_not_on_the_front_and_never_the_best(
    open_page: OpenPage, store: Store
) -> None:
    study = make(store, objectives=THREE[:2])
    for accuracy, size in ((0.5, -1.0), (0.9, 2.0), (0.7, 0.0)):
        trial = study.ask()
        trial.suggest_float("lr", 0.01, 0.3)
        trial.set_constraint("size", size)
        study.tell(trial, [accuracy, 1.0])
    assert [each.number for each in store.sweep("s").best] == [2]
    app = open_page("sweep", sweep="s", order="best first")
    assert not app.exception and not app.error
    (front,) = [each for each in figures(app) if each["data"][-1].get("name") == "on the front"]
    there = {trace["name"]: trace["customdata"] for trace in front["data"]}
    assert set(there) == {"other trials", "breaks a constraint", "on the front"}
    assert names(app) == ["trial 2", "trial 0", "trial 1"]
    assert list(app.dataframe[0].value["why"]) == ["", "", "breaks a constraint"]
    assert "1 of them break a constraint" in texts(app)


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


def test_a_sweep_that_is_about_to_start_says_that_it_waits(open_page: OpenPage, store: Store) -> None:
    make(store, attributes={OUTCOME: None})
    app = open_page("sweep", sweep="s", may_act=True)
    assert not app.exception and not app.error
    assert "○ waiting" in texts(app) and "as soon as its workers have started" in escaped(app)
    assert app.button(key="sweep.pause") and app.button(key="sweep.drain")


def test_while_the_first_trials_run_charts_are_announced(open_page: OpenPage, store: Store) -> None:
    make(store, trials=2, unfinished=[0, 1], attributes={OUTCOME: None})
    app = open_page("sweep", sweep="s")
    assert not app.exception and not app.error
    assert "2 trials running" in escaped(app)
    assert len(figures(app)) == 1  # which worker runs what


def test_where_every_trial_failed_the_causes_are_told(open_page: OpenPage, store: Store) -> None:
    make(store, trials=3, fails=[0, 1, 2])
    app = open_page("sweep", sweep="s", may_act=True)
    assert not app.exception and not app.error
    assert "Every trial failed" in texts(app) and "Failures (3)" in texts(app)
    assert [box.label for box in app.expander][0] == escape("3 × ended with an error · trials 0, 1, 2")
    app.session_state["sweep.failure.error"] = True
    app.run()
    assert escape("It ended with exit code 1: ValueError: too <b>large</b>") in texts(app)
    assert any("ValueError: too <b>large</b>" in block.value for block in app.code)
    assert "printed nothing that was kept" in texts(app)


def test_one_trial_is_enough_for_the_charts(open_page: OpenPage, store: Store) -> None:
    make(store, trials=1)
    app = open_page("sweep", sweep="s")
    assert not app.exception and not app.error
    drawn = figures(app)
    assert any(trace.get("name") == "best so far" for figure in drawn for trace in figure["data"])
    assert "Not enough trials to tell" in escaped(app)
    assert not any(trace["type"] == "parcoords" for figure in drawn for trace in figure["data"])


def test_three_objectives_have_their_names_on_every_axis(open_page: OpenPage, store: Store) -> None:
    make(store, trials=12, objectives=THREE)
    app = open_page("sweep", sweep="s")
    assert not app.exception and not app.error
    fronts = [
        figure["layout"]
        for figure in figures(app)
        if any(trace.get("name") == "on the front" for trace in figure["data"])
    ]
    axes = [(layout["xaxis"]["title"]["text"], layout["yaxis"]["title"]["text"]) for layout in fronts]
    more, less = "accuracy (more is better)", "(less is better)"
    assert axes == [(more, f"cost {less}"), (more, f"size {less}"), (f"cost {less}", f"size {less}")]
    parallel = next(
        trace for figure in figures(app) for trace in figure["data"] if trace["type"] == "parcoords"
    )
    assert [axis["label"] for axis in parallel["dimensions"]][-3:] == ["accuracy", "cost", "size"]


def test_a_brush_on_parallel_coordinates_narrows_the_table(
    open_page: OpenPage, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(store, trials=8)
    best = max(each.values[0] for each in store.sweep_trials("s") if each.values)
    brush = {"values.accuracy": [[best - 1e-9, best]], "no.axis": [[0, 1]], "params.lr": "nonsense"}
    drawn = sweep_panels.live_chart

    def brushed(figure: dict[str, object], **more: object) -> ChartView:
        view = drawn(figure, **more)
        return ChartView(None, brush) if str(more["key"]).startswith("sweep.parallel") else view

    monkeypatch.setattr(sweep_panels, "live_chart", brushed)
    app = open_page("sweep", sweep="s")
    assert not app.exception and not app.error
    assert list(app.dataframe[0].value["values.accuracy"]) == [best]
    assert "8 in the sweep, brushed by accuracy" in texts(app)


def test_trials_whose_runs_were_deleted_stay(open_page: OpenPage, store: Store) -> None:
    make(store, trials=3)
    for record in store.sweep_trials("s"):
        store.delete_run(str(record.run))
    store.gc(older_than=timedelta(0))
    app = open_page("sweep", sweep="s")
    assert not app.exception and not app.error
    assert names(app) == ["trial 2 (deleted)", "trial 1 (deleted)", "trial 0 (deleted)"]


def test_changes_are_marked_on_the_history(open_page: OpenPage, store: Store) -> None:
    make(store, trials=3)
    app = open_page("sweep", sweep="s", may_act=True)
    app.selectbox(key="sweep.change.param").select("lr").run()
    app.text_input(key="sweep.change.1.lr.high").set_value("0.5")
    press(app, "sweep.change.1.lr.do")
    marks = [trace for figure in figures(app) for trace in figure["data"] if trace.get("name") == "changed"]
    assert marks[0]["x"] == [2.5] and "lr" in marks[0]["text"][0]
    assert "Changes (1)" in [box.label for box in app.expander]


def test_the_page_of_a_run_leads_to_its_sweep_and_the_trials_beside(
    open_page: OpenPage, store: Store
) -> None:
    make(store, "*s*", trials=3)
    runs = [record.run for record in store.sweep_trials("*s*")]
    app = open_page("run", run=str(runs[1]))
    assert not app.exception
    links = {link.proto.label: link.proto.query_string for link in app.page_link}
    assert links[f"Trial 1 of sweep {escape('*s*')}"] == "sweep=%2As%2A"
    assert links["← trial 0"] == f"run={runs[0]}" and links["trial 2 →"] == f"run={runs[2]}"


def test_the_overview_shows_sweeps_that_go_on(open_page: OpenPage, store: Store) -> None:
    make(store, "ended", trials=1)
    make(store, "going", trials=1, attributes={OUTCOME: None})
    app = open_page("overview")
    assert not app.exception
    labels = [link.proto.label for link in app.page_link]
    assert "going" in labels and "ended" not in labels


def test_charts_of_many_trials_say_how_many_they_draw(open_page: OpenPage, store: Store) -> None:
    make(store, trials=30)
    app = open_page("sweep", sweep="s")
    importance = [figure for figure in figures(app) if figure["data"][0].get("error_x")]
    assert len(importance) == 1 and "lr" in importance[0]["layout"]["yaxis"]["ticktext"]
    assert "30 complete trials" in texts(app)
