"""The Runs page."""

from __future__ import annotations

import math
from urllib.parse import parse_qs

import pytest
from streamlit.testing.v1 import AppTest

from tests.pages.contents import OpenPage, run_id, start, texts
from tracking.store import Store
from tracking.ui import cache, frame, runs_table, state
from tracking.ui.markdown import escape


def rows(app: AppTest) -> list[str]:
    return list(app.dataframe[0].value["name"])


def followed(app: AppTest) -> tuple[str, dict[str, list[str]]]:
    """Return the page and the parameters of the link that the browser presses."""
    link = app.page_link[-1].proto
    assert app.get("bidi_component")
    return link.page, parse_qs(link.query_string)


def tick(app: AppTest, key: str, places: list[int]) -> AppTest:
    app.session_state[key] = {"selection": {"rows": places, "columns": [], "cells": []}}
    return app.run()


def table_key(**query: str) -> str:
    """Return the key of the table's first page, in a session that has cleared no ticks."""
    return runs_table.table_key(cache.RunsQuery(**query), generation=0)


def test_an_empty_store_says_what_to_do(open_page: OpenPage) -> None:
    app = open_page("runs")
    assert not app.exception and not app.error
    assert "No runs yet" in texts(app)
    assert "start_run" in app.code[0].value


def test_all_runs_newest_first(open_page: OpenPage, seeded: Store) -> None:
    app = open_page("runs")
    assert not app.exception and not app.error
    assert rows(app)[-1] == "run-0" and len(rows(app)) == 6
    assert "Showing 6 of 6 runs" in texts(app)


def test_a_link_carries_experiment_filter_sort_and_columns(open_page: OpenPage, seeded: Store) -> None:
    app = open_page(
        "runs",
        experiment="digits",
        where="params.lr < 1",
        sort="metrics.acc",
        order=runs_table.LOWEST_FIRST,
        columns="params.lr",
    )
    assert rows(app) == ["run-2", "run-1", "run-0"]
    assert app.dataframe[0].value["params.lr"].tolist() == [0.001, 0.01, 0.1]
    assert "metrics.acc" not in app.dataframe[0].value


def test_the_columns_chosen_by_itself_tell_runs_apart(open_page: OpenPage, seeded: Store) -> None:
    table = open_page("runs", experiment="digits").dataframe[0].value
    assert "metrics.acc" in table and "params.lr" in table
    assert "params.seed" not in table
    by_name = table.set_index("name")
    assert by_name.loc["diverged", "metrics.acc"] == -math.inf  # NaN, the worst of a metric to maximize
    assert math.isnan(by_name.loc["broken", "metrics.train/loss"])  # absent
    assert by_name.loc["diverged", "metrics.train/loss"] == math.inf


@pytest.mark.parametrize("where", ["metrics.acc >", "1 +", "metrics.val/acc > 1", "(" * 5000, "import os"])
def test_an_error_of_the_filter_is_shown_at_its_place(open_page: OpenPage, seeded: Store, where: str) -> None:
    app = open_page("runs", where=where)
    assert not app.exception
    assert len(app.error) == 1
    assert app.code[0].value.splitlines()[-1].strip() == "^"
    assert app.text_input(key=state.WHERE).value == where
    assert sorted(rows(app)) == sorted(rows(open_page("runs")))  # as while it is typed
    assert "not filtered until the filter can be read" in texts(app)


def test_a_filter_that_is_being_mended_leaves_the_table_in_place(open_page: OpenPage, seeded: Store) -> None:
    app = open_page("runs", where="metrics.acc > 2")
    assert rows(app) == ["run-0"]
    app.text_input(key=state.WHERE).set_value("metrics.acc > 2 and").run()
    assert len(app.error) == 1 and rows(app) == ["run-0"]
    assert "last filter that could be read" in texts(app)
    app.text_input(key=state.WHERE).set_value("metrics.acc < 2 and params.lr < 0.005").run()
    assert not app.error and rows(app) == ["run-2"]


def test_a_very_long_filter_is_not_echoed_whole(open_page: OpenPage, seeded: Store) -> None:
    app = open_page("runs", where="metrics.acc > 1 and " * 500)
    shown = app.error[0].value + app.code[0].value
    assert "characters" in shown
    assert len(shown) < 500


def test_a_filter_that_fits_nothing_says_so(open_page: OpenPage, seeded: Store) -> None:
    app = open_page("runs", where="metrics.acc > 1000")
    assert "No run fits" in texts(app)
    app.text_input(key=state.WHERE).set_value("metrics.acc > 2").run()
    assert rows(app) == ["run-0"]


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("metrics.ac > 0.5", "No run has a metric ac; did you mean metrics.acc?"),
        ('metrics["train/los"] > 0.5', 'metric train/los; did you mean metrics["train/loss"]?'),
        ('params.learning_rate < 1 and name == "metrics.none"', "No run has a param learning_rate."),
    ],
)
def test_a_name_that_no_run_has_is_told(open_page: OpenPage, seeded: Store, where: str, said: str) -> None:
    shown = texts(open_page("runs", where=where))
    assert escape(said) in shown
    assert shown.count("No run has") == 1
    assert "No run has" not in texts(open_page("runs", where="metrics.acc > 1000 and params.lr > 0"))


def test_what_a_filter_error_suggests_can_be_pasted(open_page: OpenPage, seeded: Store) -> None:
    app = open_page("runs", where='created >= "yesterday"')
    assert '`an ISO date, for example created >= "2026-01-31" or "2026-01-31T18:00"`' in app.error[0].value
    assert "`>=`" in open_page("runs", where="metrics.acc ≥ 1").error[0].value.replace("'", "").replace(
        '"', ""
    )


def test_an_unknown_experiment_leads_back(open_page: OpenPage, seeded: Store) -> None:
    app = open_page("runs", experiment="no *such* one")
    assert not app.exception
    assert "No experiment named" in texts(app)
    assert app.page_link[-1].label == "All runs"


@pytest.mark.parametrize(
    "query",
    [{"sort": "metrics.nope"}, {"order": "sideways"}, {"columns": "params.nope"}, {"after": "no-such-run"}],
)
def test_values_nobody_knows_fall_back(open_page: OpenPage, seeded: Store, query: dict[str, str]) -> None:
    app = open_page("runs", **query)
    assert not app.exception and not app.error
    assert len(rows(app)) == 6


def test_ticked_runs_are_compared(open_page: OpenPage, seeded: Store) -> None:
    app = open_page("runs", experiment="digits")
    tick(app, table_key(experiment="digits"), [2, 4])
    assert app.button(key="runs.compare").label == "Compare 2 runs"
    app.button(key="runs.compare").click().run()
    wanted = [run_id(seeded, "run-2"), run_id(seeded, "run-0")]
    assert followed(app) == ("compare", {"runs": [",".join(wanted)]})


def test_one_ticked_run_is_opened(open_page: OpenPage, seeded: Store) -> None:
    app = open_page("runs", experiment="digits")
    tick(app, table_key(experiment="digits"), [4])
    assert app.button(key="runs.compare").disabled
    app.button(key="runs.open").click().run()
    assert followed(app) == ("run", {"run": [run_id(seeded, "run-0")]})
    app.run()
    assert not app.page_link  # asked for once, followed once


def test_ticks_stay_on_their_runs_while_new_ones_arrive(open_page: OpenPage, seeded: Store) -> None:
    app = open_page("runs", experiment="digits")
    before = rows(app)
    tick(app, table_key(experiment="digits"), [2, 4])
    with start("digits", "newcomer", {"lr": 1.0}, seeded) as run:
        run.log({"acc": 0.9})
    app.run()
    assert rows(app) == before
    assert "1 new run on this page" in texts(app)
    app.button(key="runs.clear").click().run()
    assert rows(app) == ["newcomer", *before]


def test_pages_of_a_long_table(open_page: OpenPage, seeded: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs_table, "PAGE_SIZE", 4)
    app = open_page("runs")
    first = rows(app)
    assert "Showing 1–4 of 6 runs" in texts(app)
    app.button(key="runs.next").click().run()
    second = rows(app)
    assert "Showing 5–6 of 6 runs" in texts(app)
    assert len(second) == 2 and not set(first) & set(second)
    assert app.query_params["after"] == run_id(seeded, first[-1])
    app.button(key="runs.previous").click().run()
    assert rows(app) == first
    app.button(key="runs.next").click().run()
    app.text_input(key=state.WHERE).set_value("metrics.acc > 0").run()
    assert "after" not in app.query_params


def test_a_link_into_the_middle_of_a_long_table(
    open_page: OpenPage, seeded: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs_table, "PAGE_SIZE", 2)
    first = rows(open_page("runs"))
    app = open_page("runs", after=run_id(seeded, first[-1]))
    assert "Showing 2 of 6 runs" in texts(app)
    assert [
        button.label for button in app.button if button.label in ("Previous", "First page", "Next 2")
    ] == [
        "First page",
        "Next 2",
    ]
    app.button(key="runs.next").click().run()
    app.button(key="runs.first").click().run()
    assert rows(app) == first


def test_ticks_survive_other_pages_and_filters(
    open_page: OpenPage, seeded: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs_table, "PAGE_SIZE", 3)
    app = open_page("runs")
    first = rows(app)
    tick(app, runs_table.table_key(cache.RunsQuery(), generation=0), [1, 2])
    app.button(key="runs.next").click().run()
    assert "2 runs ticked, 2 not on this page." in texts(app)
    after = run_id(seeded, first[-1])
    tick(app, runs_table.table_key(cache.RunsQuery(after=after), generation=0), [0])
    assert "3 runs ticked, 2 not on this page." in texts(app)
    wanted = [run_id(seeded, name) for name in (first[1], first[2], rows(app)[0])]
    app.button(key="runs.previous").click().run()
    assert "3 runs ticked, 1 not on this page." in texts(app)
    app.button(key="runs.compare").click().run()
    assert followed(app) == ("compare", {"runs": [",".join(wanted)]})
    app.button(key="runs.clear").click().run()
    assert "Click a name to open a run" in texts(app)


def test_a_ticked_run_that_comes_to_the_page_shown_is_ticked_there(
    open_page: OpenPage, seeded: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs_table, "PAGE_SIZE", 2)
    with start("digits", "climber", {}, seeded) as run:
        run.log({"acc": 0.0}, step=0)
        app = open_page("runs", experiment="digits", sort="metrics.acc")
        app.session_state[state.TICKED] = [run.id]
        app.run()
        assert "climber" not in rows(app)
        assert "1 run ticked, 1 not on this page." in texts(app)
        run.log({"acc": 99.0}, step=1)
        seeded.count()  # a query waits until what this process logged is in the database
        app.run()
        assert rows(app)[0] == "climber"
        assert "1 run ticked." in texts(app)
        app.run()
        assert app.button(key="runs.open")


def test_a_tick_can_be_taken_back(open_page: OpenPage, seeded: Store) -> None:
    app = open_page("runs")
    key = runs_table.table_key(cache.RunsQuery(), generation=0)
    tick(app, key, [1, 2])
    tick(app, key, [2])
    assert "1 run ticked." in texts(app)
    tick(app, key, [])
    assert "Click a name to open a run" in texts(app)


def test_stored_text_is_never_markup(open_page: OpenPage, seeded: Store) -> None:
    app = open_page("runs", experiment="*bold* [x](y)")
    assert rows(app) == ["<script>alert(1)</script>"]
    assert [node.proto.body for node in app.get("html")] == [frame.STYLE]  # ours, the same on every page


def test_more_than_fit_a_comparison_are_compared_in_part(open_page: OpenPage, store: Store) -> None:
    for number in range(state.MAX_RUNS + 2):
        with start("digits", f"run-{number}", {}, store) as run:
            run.log({"acc": 0.5}, step=1)
    app = open_page("runs")
    ids = app.dataframe[0].value["name"].index.tolist()
    app.session_state[state.TICKED] = [run_id(store, f"run-{number}") for number in range(len(ids))]
    app.session_state[state.TABLE_GENERATION] = 1
    app.run()
    (first,) = (button for button in app.button if button.label == f"Compare the first {state.MAX_RUNS}")
    assert next(button for button in app.button if button.key == "runs.compare").disabled
    assert not first.disabled


def test_the_table_says_which_value_of_a_metric_it_shows(open_page: OpenPage, seeded: Store) -> None:
    assert "metrics with their last value" in texts(open_page("runs"))
    assert "their last value" not in texts(open_page("runs", columns="params.lr"))
