"""Confirming the winners on the page of a sweep; no process is started."""

from __future__ import annotations

from urllib.parse import parse_qs

import pytest
from streamlit.testing.v1 import AppTest

from tests.pages.contents import OpenPage, figures, texts
from tests.pages.sweeps_made import SCRIPT, make
from tests.tuning.confirmed import end, give
from tracking.store import Store
from tracking.tuning import sweep_start
from tracking.tuning.sweeps import confirm
from tracking.ui import sweep_confirmation

SEEDED = SCRIPT.replace("args = parser", 'parser.add_argument("--seed", type=int, default=0)\nargs = parser')


@pytest.fixture(autouse=True)
def no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweep_start, "spawn", lambda *_: 0)


def seeded(store: Store) -> None:
    (store.location.root / "train.py").write_text(SEEDED)


def chart(app: AppTest) -> dict[str, object]:
    """Return the figure of the confirmation."""
    (found,) = [
        each for each in figures(app) if "fresh runs" in str(each["layout"].get("yaxis", {}).get("title"))
    ]
    return found


def said(app: AppTest) -> str:
    """Return what the page says, without the marks that keep names from being Markdown."""
    return texts(app).replace("\\", "")


def buttons(app: AppTest) -> list[str]:
    return [str(button.key) for button in app.button]


def test_nothing_is_offered_before_a_trial_is_complete(open_page: OpenPage, store: Store) -> None:
    make(store, trials=2, fails=[0, 1])
    app = open_page("sweep", sweep="s", may_act=True)
    assert not app.exception and "Confirm the winner" not in said(app)
    assert "sweep.confirm.do" not in buttons(app)


def test_a_press_starts_one_confirmation_and_the_next_finds_no_button(
    open_page: OpenPage, store: Store
) -> None:
    make(store, trials=4, fails=[0])
    seeded(store)
    assert "sweep.confirm.do" not in buttons(open_page("sweep", sweep="s"))  # read only
    app = open_page("sweep", sweep="s", may_act=True)
    other = open_page("sweep", sweep="s", may_act=True)
    app.number_input(key="sweep.confirm.top").set_value(2).run()
    app.button(key="sweep.confirm.do").click().run()
    assert not app.exception and not app.error
    (record,) = store.confirmations("s")
    assert (len(record.trials), record.values) == (2, (1, 2, 3, 4, 5))
    assert "sweep.confirm.do" not in buttons(app)
    told = said(app)
    assert "2 configurations, 5 fresh runs each, with seed 1, 2, 3, 4, 5, which no trial has used" in told
    assert "nothing is confirmed" in told
    # Another tab that still shows the form of before starts nothing else.
    other.number_input(key="sweep.confirm.top").set_value(2)
    other.button(key="sweep.confirm.do").click().run()
    assert not other.exception and len(store.confirmations("s")) == 1


def test_two_tabs_that_see_the_same_name_the_same_start(store: Store) -> None:
    make(store, trials=3)
    record = store.sweep("s")
    key = sweep_confirmation.start_key(record, [], 2, 3)
    assert key == sweep_confirmation.start_key(store.sweep("s"), [], 2, 3)
    first = confirm(store.location, "s", top=2, repeats=3, key=key)
    assert confirm(store.location, "s", top=2, repeats=3, key=key).name == first.name
    there = store.confirmations("s")
    assert len(there) == 1 and sweep_confirmation.start_key(record, there, 2, 3) != key


def test_scores_against_fresh_runs_and_how_much_was_luck(open_page: OpenPage, store: Store) -> None:
    make(store, trials=4)
    seeded(store)
    confirm(store.location, "s", top=3, repeats=3)
    give(store.location, "s confirmed", [[0.5, 0.51, 0.52], [0.6, 0.61, 0.62], [0.1, 0.11, 0.12]])
    end(store.location, "s confirmed")
    app = open_page("sweep", sweep="s", may_act=True)
    assert not app.exception and not app.error
    assert "which was luck" in said(app) and "comes out in place 2" in said(app)
    diagonal, best, others = chart(app)["data"]  # type: ignore[misc]
    assert diagonal["x"] == diagonal["y"]
    trials = [each.trial for each in store.confirmations("s")[0].trials]
    assert (best["text"], others["text"]) == ([str(trials[1])], [str(trials[0]), str(trials[2])])
    assert best["y"] == [pytest.approx(0.61)] and best["error_y"]["array"][0] > 0.02
    table = next(each.value for each in app.dataframe if "chance" in each.value)
    assert list(table["name"]) == [f"trial {trials[place]}" for place in (1, 0, 2)]
    assert list(table["state"]) == ["✓ complete 3 of 3"] * 3
    # It is over: the next one may be started.
    assert "sweep.confirm.do" in buttons(app)


def test_fresh_runs_of_one_trial_do_not_take_the_place_of_a_ranking(
    open_page: OpenPage, store: Store
) -> None:
    make(store, trials=4)
    confirm(store.location, "s", top=3, repeats=2)
    give(store.location, "s confirmed", [[0.5, 0.51], [0.6, 0.61], [0.1, 0.11]])
    end(store.location, "s confirmed")
    confirm(store.location, "s", trials=[0], repeats=2)
    give(store.location, "s confirmed-2", [[0.5, 0.51]])
    end(store.location, "s confirmed-2")
    app = open_page("sweep", sweep="s", may_act=True)
    assert not app.exception
    assert list(next(each.value for each in app.dataframe if "chance" in each.value)["rank"]) == [1, 2, 3]
    assert "holds for all 3 together" in said(app)
    (box,) = [each for each in app.expander if "alone" in each.label]
    assert box.label.startswith("Trial 0 alone, 2 fresh runs")


def test_of_one_configuration_there_is_no_chart(open_page: OpenPage, store: Store) -> None:
    make(store, trials=2)
    confirm(store.location, "s", top=1, repeats=2)
    give(store.location, "s confirmed", [[0.5, 0.51]])
    app = open_page("sweep", sweep="s")
    titles = [str(each["layout"].get("yaxis", {}).get("title")) for each in figures(app)]
    assert not app.exception and not any("fresh runs" in title for title in titles)
    assert "alone; the wider one" not in said(app)


def test_what_was_chosen_last_is_kept_for_the_next_confirmation(open_page: OpenPage, store: Store) -> None:
    make(store, trials=4)
    app = open_page("sweep", sweep="s", may_act=True)
    app.number_input(key="sweep.confirm.top").set_value(2)
    app.number_input(key="sweep.confirm.repeats").set_value(7).run()
    app.button(key="sweep.confirm.do").click().run()
    assert "sweep.confirm.do" not in buttons(app)
    end(store.location, "s confirmed")
    app.run()
    assert app.number_input(key="sweep.confirm.top").value == 2
    assert app.number_input(key="sweep.confirm.repeats").value == 7


def test_the_page_of_the_confirmation_draws_what_was_confirmed(open_page: OpenPage, store: Store) -> None:
    make(store, trials=4)
    confirm(store.location, "s", top=3, repeats=2)
    give(store.location, "s confirmed", [[0.5, 0.51], [0.6, 0.61], [0.1, 0.11]])
    end(store.location, "s confirmed")
    app = open_page("sweep", sweep="s confirmed", may_act=True)
    assert not app.exception and not app.error
    assert "which was luck" in said(app) and chart(app)
    assert len(figures(app)) == 1  # none of what only a search has: what it hangs on, parallel coordinates
    assert list(next(each.value for each in app.dataframe if "number" not in each.value)["rank"]) == [1, 2, 3]
    keys = buttons(app)
    assert "sweep.add.do" not in keys and "sweep.duplicate.do" not in keys and "sweep.workers.do" in keys


def test_what_failed_is_not_confirmed_and_says_why(open_page: OpenPage, store: Store) -> None:
    make(store, trials=3)
    confirm(store.location, "s", top=2, repeats=2)
    give(store.location, "s confirmed", [[0.5, None], None])
    app = open_page("sweep", sweep="s")
    assert not app.exception
    assert "is not confirmed. A repeat is missing: no luck." in said(app)
    assert "by the same command, for the target takes no seed" in said(app)


def test_each_of_several_objectives(open_page: OpenPage, store: Store) -> None:
    make(store, trials=5, objectives=[("accuracy", "maximize"), ("cost", "minimize")])
    confirm(store.location, "s", top=2, repeats=2)
    give(store.location, "s confirmed", [[[0.5, 1.0], [0.6, 3.0]], [[0.7, 5.0], [0.9, 5.0]]])
    app = open_page("sweep", sweep="s")
    assert chart(app)["layout"]["xaxis"]["title"]["text"] == "accuracy in the sweep"  # type: ignore[index]
    number = store.confirmations("s")[0].own.studies[0]
    app.selectbox(key=f"sweep.confirm.objective.{number}").select_index(1).run()
    assert not app.exception
    assert chart(app)["layout"]["xaxis"]["title"]["text"] == "cost in the sweep"  # type: ignore[index]
    assert chart(app)["data"][1]["y"] == [2.0]  # type: ignore[index]


@pytest.mark.parametrize("name", ["*second* <b>$x$", "x" * 300])
def test_hostile_names_and_the_way_back(open_page: OpenPage, store: Store, name: str) -> None:
    make(store, name, trials=2)
    made = confirm(store.location, name, top=1, repeats=2)
    app = open_page("sweep", sweep=name)
    assert not app.exception and not app.error
    back = open_page("sweep", sweep=made.name, may_act=True)
    assert not back.exception
    (link,) = [each for each in back.page_link if "see what came of it there" in each.label]
    assert parse_qs(link.proto.query_string) == {"sweep": [name]}
    assert "sweep.confirm.do" not in buttons(back)


def test_a_refusal_is_told_at_the_form(open_page: OpenPage, store: Store) -> None:
    make(store, trials=3)
    (store.location.root / "train.py").unlink()
    app = open_page("sweep", sweep="s", may_act=True)
    app.button(key="sweep.confirm.do").click().run()
    assert not app.exception and "no train" in app.error[0].value
    assert store.confirmations("s") == []
