"""The form of a new sweep: what it refuses and says, and that each form starts one sweep."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

import tracking
from tests.pages.contents import OpenPage, texts
from tests.ui.launch_project import make_project
from tracking.ui import launch_state

OpenForm = Callable[..., AppTest]
FORM = "0123456789abcdef" * 2


@pytest.fixture
def spawned(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the sweeps whose processes would have been started."""
    names: list[str] = []
    monkeypatch.setattr("tracking.tuning.sweep_start.spawn", lambda *given: names.append(given[2]))
    return names


@pytest.fixture
def open_form(
    open_page: OpenPage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spawned: list[str]
) -> OpenForm:
    monkeypatch.chdir(make_project(tmp_path / "project"))

    def opened(new: str, **query: str) -> AppTest:
        app = open_page("sweeps", may_act=True, new=new, **query)
        assert not app.exception
        return app

    return opened


@pytest.fixture
def logged(store_folder: Path) -> None:
    """An earlier run, so that there are metrics to choose from."""
    with tracking.start_run("digits", store=store_folder, capture=False) as run:
        run.log({"accuracy": 0.5, "loss": 1.0}, step=0)


def names_of(store_folder: Path) -> list[str]:
    with tracking.open_store(store_folder) as store:
        return [each.name for each in store.sweeps()]


def test_the_form_says_why_the_seed_is_not_in_the_table(open_form: OpenForm) -> None:
    app = open_form("script:train.py")
    assert "seed is not proposed, since a lucky one would win" in texts(app)
    table = launch_state.space_key(app.session_state["launch.form"])
    app.session_state[table] = {"edited_rows": {}, "added_rows": [], "deleted_rows": [0]}
    app.run()
    assert "at the default: lr." in texts(app).replace("\\", "")


def test_of_one_form_with_other_fields_in_two_tabs_one_starts_and_the_other_is_led_to_it(
    open_form: OpenForm, store_folder: Path, spawned: list[str], logged: None
) -> None:
    tabs = [open_form("script:train.py", form=FORM) for _ in range(2)]
    for tab, name in zip(tabs, ("first", "second"), strict=True):
        tab.selectbox(key="launch.objective.0").select("loss").run()
        tab.text_input(key="launch.name").set_value(name).run()
        tab.button(key="launch.start").click().run()
        assert not tab.error
    assert spawned == ["first"] and names_of(store_folder) == ["first"]
    assert "has started" in texts(tabs[0]) and "nothing else was started" in texts(tabs[1])
    (link,) = tabs[1].get("page_link")
    assert link.proto.query_string == "sweep=first"


def test_who_comes_back_to_a_form_that_has_started_a_sweep_starts_another_one(
    open_form: OpenForm, spawned: list[str], logged: None
) -> None:
    app = open_form("script:train.py", form=FORM)
    for name in ("first", "second"):
        app.selectbox(key="launch.objective.0").select("loss").run()
        app.text_input(key="launch.name").set_value(name).run()
        app.button(key="launch.start").click().run()
        assert not app.error and "nothing else was started" not in texts(app)
        there = dict(app.query_params)
        app.query_params.clear()
        app.run()  # another page
        app.query_params.update(there)
        app.run()
    assert spawned == ["first", "second"]


@pytest.mark.parametrize(
    ("name", "value", "field"),
    [
        ("trials", 0, "The number of trials"),
        ("workers", -1, "The number of workers"),
        ("failures", 0, "The number of failures"),
        ("retries", -1, "The number of retries"),
        ("seed", -1, "The seed"),
    ],
)
def test_a_number_out_of_its_bounds_is_told_at_its_field_and_starts_nothing(
    name: str, value: int, field: str, open_form: OpenForm, spawned: list[str], logged: None
) -> None:
    app = open_form("script:train.py")
    app.selectbox(key="launch.objective.0").select("loss").run()
    app.number_input(key=f"launch.{name}").set_value(value)
    app.text_input(key="launch.time").set_value("abc").run()
    assert f"{field} must be" in texts(app) and "2 fields above want mending" in texts(app)
    app.text_input(key="launch.time").set_value("").run()
    assert "a field above wants mending" in texts(app)
    app.button(key="launch.start").click().run()
    assert "Nothing was started" in app.error[-1].value and spawned == []


@pytest.mark.parametrize(
    ("name", "value", "field"), [("folds", 1, "The number of folds"), ("table_seed", -1, "The seed")]
)
def test_numbers_of_a_table_out_of_their_bounds_are_told(
    name: str, value: int, field: str, open_form: OpenForm, spawned: list[str]
) -> None:
    app = open_form("dataset:digits")
    app.number_input(key=f"launch.{name}").set_value(value).run()
    assert f"{field} must be" in texts(app)
    app.button(key="launch.start").click().run()
    assert spawned == []
