"""The form of a new sweep: what it is filled with, what it refuses, and that it starts one sweep."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.errors import AppTestError

import tracking
from tests.pages.contents import OpenPage, texts
from tests.ui.launch_project import definition_text, make_project
from tracking.store import Store
from tracking.sweep_records import SweepRecord
from tracking.tuning.definition import ParamKind, SweepDefinition, TableTarget
from tracking.tuning.definition_file import read_definition
from tracking.ui import launch_state

OpenForm = Callable[..., AppTest]
FORM = "0123456789abcdef" * 2


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    made = make_project(tmp_path / "project")
    monkeypatch.chdir(made)
    return made


@pytest.fixture
def spawned(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the sweeps whose processes would have been started: what they do is not the form's concern."""
    names: list[str] = []
    monkeypatch.setattr("tracking.tuning.sweep_start.spawn", lambda *given: names.append(given[2]))
    return names


@pytest.fixture
def open_form(open_page: OpenPage, project: Path, spawned: list[str]) -> OpenForm:
    def opened(new: str, *, may_act: bool = True, **query: str) -> AppTest:
        app = open_page("sweeps", may_act=may_act, new=new, **query)
        assert not app.exception
        return app

    return opened


@pytest.fixture
def logged(store_folder: Path) -> None:
    """An earlier run, so that there are metrics to choose from."""
    with tracking.start_run("digits", store=store_folder, capture=False) as run:
        tracking.define_metric("accuracy", goal="maximize")
        run.log({"accuracy": 0.5, "loss": 1.0}, step=0)


def sweeps(store_folder: Path) -> list[SweepRecord]:
    with tracking.open_store(store_folder) as store:
        return store.sweeps()


def only(store_folder: Path) -> SweepDefinition:
    (record,) = sweeps(store_folder)
    return read_definition(record.text)


def edit(app: AppTest, **edits: object) -> None:
    """Edit the table of params as the browser does."""
    name = launch_state.space_key(app.session_state["launch.form"])
    app.session_state[name] = {"edited_rows": {}, "added_rows": [], "deleted_rows": [], **edits}


def test_the_list_has_every_target_with_its_line(open_form: OpenForm) -> None:
    app = open_form("target")
    code, tables = (each.value for each in app.dataframe)
    assert [name.strip() for name in code["name"]] == [
        "train.py",
        "functions.py:train",
        "functions.py:objective",
        "dynamic.py",
    ]
    assert code["about"].tolist()[0] == "Train *a lot* of [things](http://x.y)."
    assert code["logs"].tolist() == ["✓", "✓", "✓", ""]
    assert "data/people.csv" in [name.strip() for name in tables["name"]]
    assert "broken.py" in texts(app)


def test_the_form_is_filled_from_the_script_and_starts_it(
    open_form: OpenForm, store_folder: Path, spawned: list[str], logged: None
) -> None:
    app = open_form("script:train.py")
    assert app.selectbox(key="launch.objective.0").options == ["accuracy", "loss"]
    app.selectbox(key="launch.objective.0").select("accuracy").run()
    assert app.button_group(key="launch.goal.0.accuracy").value == "maximize"
    app.number_input(key="launch.trials").set_value(5)
    app.selectbox(key="launch.vary").select("seed").run()
    app.text_input(key="launch.repeats").set_value("0, 1")
    edit(app, edited_rows={0: {"high": "0.5"}}, deleted_rows=[1])
    app.run()
    assert "5 trials of train" in texts(app) and "2 values of seed each" in texts(app)
    app.button(key="launch.start").click().run()
    assert not app.exception and not app.error
    assert spawned == ["train"]
    found = only(store_folder)
    assert [param.name for param in found.space] == ["lr", "optimizer", "epochs"]
    assert (found.space[0].low, found.space[0].high, found.space[0].log) == (0.001, 0.5, True)
    assert found.repeats is not None and found.repeats.values == (0, 1)
    assert found.budget.trials == 5
    assert [(each.metric, str(each.goal)) for each in found.objectives] == [("accuracy", "maximize")]
    (link,) = app.get("page_link")
    assert link.proto.query_string == "sweep=train"


def test_a_second_press_starts_no_second_sweep(
    open_form: OpenForm, store_folder: Path, spawned: list[str], logged: None
) -> None:
    app = open_form("script:train.py")
    app.selectbox(key="launch.objective.0").select("loss").run()
    for _ in range(3):
        app.button(key="launch.start").click().run()
        assert not app.error
        assert "has started" in texts(app)
    assert spawned == ["train"] and len(sweeps(store_folder)) == 1


def test_the_same_form_in_two_tabs_starts_one_sweep(
    open_form: OpenForm, store_folder: Path, spawned: list[str], logged: None
) -> None:
    tabs = [open_form("script:train.py", form=FORM) for _ in range(2)]
    for tab in tabs:
        tab.selectbox(key="launch.objective.0").select("loss").run()
    for tab in tabs:
        tab.button(key="launch.start").click().run()
        assert not tab.error
    assert spawned == ["train"] and len(sweeps(store_folder)) == 1


def test_another_form_of_the_same_name_is_told_and_keeps_what_was_typed(
    open_form: OpenForm, spawned: list[str], logged: None
) -> None:
    tabs = [open_form("script:train.py") for _ in range(2)]
    for tab in tabs:
        tab.selectbox(key="launch.objective.0").select("loss").run()
    tabs[0].button(key="launch.start").click().run()
    edit(tabs[1], edited_rows={0: {"high": "0.7"}})
    tabs[1].text_input(key="launch.notes").set_value("the second")
    tabs[1].button(key="launch.start").click().run()
    assert spawned == ["train"]
    assert "There is a study" in tabs[1].error[0].value and "train\\-2" in texts(tabs[1])
    assert tabs[1].text_input(key="launch.notes").value == "the second"
    tabs[1].text_input(key="launch.name").set_value("train-2").run()
    tabs[1].button(key="launch.start").click().run()
    assert spawned == ["train", "train-2"]


def test_without_the_key_nothing_starts(open_form: OpenForm, store_folder: Path, spawned: list[str]) -> None:
    app = open_form("objective:functions.py:objective", may_act=False)
    assert app.button(key="launch.start").disabled
    with pytest.raises(AppTestError, match="disabled"):
        app.button(key="launch.start").click()
    app = open_form("script:dynamic.py", may_act=False)
    assert app.button(key="launch.probe").disabled


@pytest.mark.parametrize(
    "new",
    [
        "script:other.py",
        "script:../outside.py",
        "script:/etc/passwd",
        "script:-c",
        "script:train.py; touch ran-on",
        "script:train.py --exec=x",
        "function:functions.py:os.system",
        "function:os:system",
        "file:/etc/passwd",
        "file:train.py",
        "dataset:../digits",
        "artifact:run/table.csv",
        "<script>alert(1)</script>",
        "x" * 5000,
    ],
)
def test_an_address_can_only_name_what_is_listed(
    new: str, open_form: OpenForm, project: Path, spawned: list[str]
) -> None:
    app = open_form(new)
    assert "none of the targets" in app.warning[0].value
    assert "launch.start" not in [button.key for button in app.button]
    assert spawned == [] and not (project / "ran-on").exists()


@pytest.mark.parametrize(
    ("name", "value", "part"),
    [
        ("launch.arguments", "--exec='touch ran-on'", "exec"),
        ("launch.arguments", "-c 'import os'", "\\-c"),
        ("launch.sampler_options", "x = 1 }\n[target]\nscript = 'other.py'\ny = {", "cannot be read"),
        ("launch.environment", "LD_PRELOAD=/tmp/x.so", "without its value"),
        ("launch.environment", "TRACKING_STORE", "cannot be"),
        ("launch.limit_time", "$(touch ran-on)", "must be a time"),
        ("launch.prior_filter", "__import__('os')", "filter"),
    ],
)
def test_fields_are_no_way_around_the_list(
    name: str, value: str, part: str, open_form: OpenForm, project: Path, spawned: list[str], logged: None
) -> None:
    app = open_form("script:train.py")
    app.selectbox(key="launch.objective.0").select("loss")
    app.selectbox(key="launch.prior").select("digits")
    app.text_input(key=name).set_value(value).run()
    app.button(key="launch.start").click().run()
    assert spawned == [] and not (project / "ran-on").exists()
    assert "Nothing was started" in texts(app)
    assert any(part in line for line in texts(app).splitlines() if line.startswith(":red["))


@pytest.mark.parametrize(
    "row",
    [
        {"param": "exec", "type": "fixed", "value": "touch ran-on"},
        {"param": "--exec", "type": "fixed", "value": "1"},
        {"param": "lr", "type": "fixed", "value": "1"},
        {"param": "x", "type": "__import__", "value": "1"},
    ],
)
def test_the_table_of_params_is_no_way_around_the_script(
    row: dict[str, str], open_form: OpenForm, spawned: list[str], logged: None
) -> None:
    app = open_form("script:train.py")
    app.selectbox(key="launch.objective.0").select("loss").run()
    edit(app, added_rows=[row])
    app.button(key="launch.start").click().run()
    assert spawned == []
    assert any(row["param"].strip("-") in error.value for error in app.error)


def test_names_are_names_and_nothing_else(
    open_form: OpenForm, project: Path, store_folder: Path, spawned: list[str], logged: None
) -> None:
    app = open_form("script:train.py")
    app.selectbox(key="launch.objective.0").select("loss")
    app.text_input(key="launch.name").set_value("x; touch ran-on $(touch ran-on) --help").run()
    app.button(key="launch.start").click().run()
    assert spawned == ["x; touch ran-on $(touch ran-on) --help"]
    assert not (project / "ran-on").exists()


def fill_from(app: AppTest, text: str) -> AppTest:
    app.text_area(key="launch.pasted").set_value(text)
    app.button(key="launch.fill").click().run()
    if "launch.form" in app.session_state:  # the address is the browser's to keep
        app.query_params["new"] = app.session_state["launch.form"].target
    return app


def test_a_definition_fills_the_form(open_form: OpenForm, store_folder: Path, spawned: list[str]) -> None:
    text = definition_text()
    app = fill_from(open_form("target"), text)
    assert not app.exception and not app.error
    assert app.text_input(key="launch.name").value == "from-file"
    app.button(key="launch.start").click().run()
    assert spawned == ["from-file"]
    assert only(store_folder) == read_definition(text)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        (definition_text('script = "other.py"'), "not in the list"),
        (definition_text('script = "/etc/passwd.py"'), "absolute"),
        (definition_text('script = "../outside.py"'), "leads out"),
        (definition_text('function = "os.py:system"'), "not in the list"),
        (
            definition_text('file = "/etc/x.csv"\ncolumn = "a"\nmetric = "accuracy"').replace("goal", "at"),
            "absolute",
        ),
        (definition_text() + "\n[command]\nrun = 'touch ran-on'", "is no field here"),
        ("!!python/object/apply:os.system ['touch ran-on']", "no TOML"),
        (definition_text() + "\x00", "no TOML"),
        ("a = 1\n" * 100_000, "bytes"),
        ("", "is missing"),
    ],
)
def test_a_definition_of_something_else_is_refused(
    text: str, part: str, open_form: OpenForm, project: Path, spawned: list[str]
) -> None:
    app = fill_from(open_form("target"), text)
    assert not app.exception
    assert any(part in error.value.replace("\\", "") for error in app.error)
    assert "launch.start" not in [button.key for button in app.button]
    assert spawned == [] and not (project / "ran-on").exists()


def test_a_definition_with_a_strange_argument_starts_nothing(open_form: OpenForm, spawned: list[str]) -> None:
    text = definition_text('script = "train.py"\narguments = ["--exec=touch ran-on"]')
    app = fill_from(open_form("target"), text)
    app.button(key="launch.start").click().run()
    assert spawned == []
    assert any("exec" in line for line in texts(app).splitlines() if line.startswith(":red["))


def test_a_sweep_is_begun_anew_from_its_definition(
    open_form: OpenForm, store_folder: Path, spawned: list[str]
) -> None:
    fill_from(open_form("target"), definition_text()).button(key="launch.start").click().run()
    app = open_form("", like="from-file")
    assert app.text_input(key="launch.name").value == "from-file-2"
    app.button(key="launch.start").click().run()
    assert spawned == ["from-file", "from-file-2"]
    assert "nonsense" in open_form("", like="nonsense").warning[0].value


def test_a_blank_metric_is_a_mistake_only_once_start_was_pressed(
    open_form: OpenForm, spawned: list[str]
) -> None:
    app = open_form("script:train.py")
    assert ":red[" not in texts(app) and "say which metric" in texts(app)
    app.button(key="launch.start").click().run()
    assert ":red[The metric" in texts(app) and spawned == []


def test_mistakes_stand_at_their_fields(open_form: OpenForm, logged: None) -> None:
    app = open_form("script:train.py")
    app.text_input(key="launch.time").set_value("soon").run()
    assert ":red[The time must be a time" in texts(app)
    edit(app, edited_rows={0: {"low": "1", "high": "0.5"}, 1: {"low": "few"}})
    app.text_input(key="launch.time").set_value("").run()
    (error,) = app.error
    assert "**lr\\.low** is 1" in error.value and "**layers\\.low** must be a number" in error.value


def test_several_objectives(open_form: OpenForm, store_folder: Path, logged: None) -> None:
    app = open_form("script:train.py")
    app.selectbox(key="launch.objective.0").select("accuracy").run()
    app.button(key="launch.add").click().run()
    app.button(key="launch.add").click().run()
    app.selectbox(key="launch.objective.2").select("loss").run()
    app.button(key="launch.remove.1").click().run()
    app.button(key="launch.start").click().run()
    found = [(each.metric, str(each.goal)) for each in only(store_folder).objectives]
    assert found == [("accuracy", "maximize"), ("loss", "minimize")]


def test_models_on_a_table(open_form: OpenForm, store_folder: Path) -> None:
    app = open_form("file:data/people.csv")
    assert app.selectbox(key="launch.column").options == ["age", "height", "label"]
    app.selectbox(key="launch.column").select("label").run()
    app.multiselect(key="launch.estimators").set_value(["knn"]).run()
    app.button(key="launch.start").click().run()
    assert not app.error, app.error
    found = only(store_folder)
    assert isinstance(found.target, TableTarget)
    assert (found.target.file, found.target.column) == ("data/people.csv", "label")
    assert [param.name for param in found.space][:2] == ["estimator", "knn.n_neighbors"]


def test_an_objective_needs_no_table_of_params(open_form: OpenForm, store_folder: Path) -> None:
    app = open_form("objective:functions.py:objective")
    app.button(key="launch.start").click().run()
    assert only(store_folder).space == ()


def test_a_script_is_asked_for_its_options_on_demand(
    open_form: OpenForm, project: Path, store_folder: Path, logged: None
) -> None:
    app = open_form("script:dynamic.py")
    assert "could not all be read" in texts(app)
    app.button(key="launch.probe").click().run()
    assert not app.error, app.error
    assert not (project / "ran-on").exists()
    app.selectbox(key="launch.objective.0").select("loss").run()
    app.button(key="launch.start").click().run()
    found = only(store_folder)
    assert [param.name for param in found.space] == ["lr", "alpha", "beta"]
    assert found.space[1].kind is ParamKind.FLOAT


def test_what_was_typed_is_there_after_a_look_at_another_page(open_form: OpenForm, logged: None) -> None:
    app = open_form("script:train.py")
    app.text_input(key="launch.notes").set_value("half a thought")
    app.selectbox(key="launch.objective.0").select("loss").run()
    edit(app, edited_rows={0: {"high": "0.7"}})
    app.run()
    app.switch_page("pages/runs.py").run()
    app.query_params["new"] = "script:train.py"
    app.switch_page("pages/sweeps.py").run()
    assert app.text_input(key="launch.notes").value == "half a thought"
    assert app.selectbox(key="launch.objective.0").value == "loss"
    assert app.dataframe[0].value["high"].tolist()[0] == "0.7"


def test_hostile_text_is_only_text(open_form: OpenForm, store: Store, project: Path) -> None:
    (project / "train.py").rename(project / "`a` [b](c).py")
    app = open_form("script:`a` [b](c).py")
    assert "**\\`a\\` \\[b\\]\\(c\\)\\.py**" in texts(app)
    assert "Train \\*a lot\\* of \\[things\\]" in texts(app)
