"""From the browser only what was found in the project is started, with options that it declares."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.conftest import RunScript
from tests.ui.launch_project import definition_text, make_project
from tracking.errors import InvalidValue, NotAllowed
from tracking.store import Store
from tracking.tuning.definition import FunctionTarget, ScriptTarget, SweepDefinition, TableTarget, Target
from tracking.tuning.definition_file import read_definition
from tracking.tuning.targets.options import Option
from tracking.ui import access, launch_start, launch_state, launch_targets
from tracking.ui.launch_facts import Facts
from tracking.ui.launch_targets import Offers


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return make_project(tmp_path / "project")


@pytest.fixture
def offers(project: Path) -> Offers:
    return launch_targets.find_offers(project)


def definition(target: Target | None = None) -> SweepDefinition:
    read = read_definition(definition_text())
    return read if target is None else replace(read, target=target)


def test_everything_that_can_be_tuned_is_offered(offers: Offers) -> None:
    ids = list(offers.by_id)
    assert ids[:4] == [
        "script:train.py",
        "function:functions.py:train",
        "objective:functions.py:objective",
        "script:dynamic.py",
    ]
    assert ids[-2:] == ["dataset:diabetes", "file:data/people.csv"]
    assert [offers.by_id[each].logs for each in ids[:4]] == [True, True, True, False]
    assert offers.by_id["function:functions.py:train"].about == "Grow a tree."
    assert len(offers.problems) == 1 and "broken.py" in offers.problems[0]


@pytest.mark.parametrize(
    "target",
    [
        ScriptTarget("other.py"),
        ScriptTarget("/etc/passwd.py"),
        ScriptTarget("../outside.py"),
        ScriptTarget("-c"),
        ScriptTarget("train.py; touch ran-on"),
        ScriptTarget("$(touch ran-on).py"),
        ScriptTarget(""),
        FunctionTarget("functions.py", "os.system"),
        FunctionTarget("functions.py", "objective"),
        FunctionTarget("os.py", "system"),
        TableTarget("label", "accuracy", file="/etc/passwd"),
        TableTarget("label", "accuracy", file="../people.csv"),
        TableTarget("label", "accuracy", file="train.py"),
        TableTarget("label", "accuracy", dataset="../digits"),
        TableTarget("label", "accuracy", artifact="run/people.csv"),
    ],
)
def test_what_is_not_offered_is_refused(target: Target, offers: Offers, project: Path) -> None:
    problems = launch_start.problems_of(definition(target), offers, project)
    assert [each.field for each in problems] == ["target"]
    assert "not in the list" in problems[0].sentence


def test_a_path_in_another_spelling_is_the_same_target(offers: Offers, project: Path) -> None:
    found = definition(ScriptTarget("./train.py"))
    assert launch_start.problems_of(found, offers, project) == []
    assert offers.own(found.target) == ScriptTarget("train.py")


@pytest.mark.parametrize(
    ("arguments", "strange"),
    [
        (("--epochs", "20"), None),
        (("--epochs=20", "-3", "-.5", "words"), None),
        (("--exec=touch ran-on",), "--exec"),
        (("-c", "import os"), "-c"),
        (("--", "x"), "--"),
        (("--epochs", "20", "--lr2"), "--lr2"),
    ],
)
def test_arguments_have_only_options_that_the_script_declares(
    arguments: tuple[str, ...], strange: str | None, offers: Offers, project: Path
) -> None:
    problems = launch_start.problems_of(definition(ScriptTarget("train.py", arguments)), offers, project)
    assert len(problems) == (0 if strange is None else 1)
    if strange is not None:
        assert problems[0].field.startswith("target.arguments")
        assert f"'{strange}'" in problems[0].sentence


def test_also_where_the_source_does_not_say_all_options(offers: Offers, project: Path) -> None:
    found = definition(ScriptTarget("dynamic.py", ("--alpha", "3")))
    (problem,) = launch_start.problems_of(found, offers, project)
    assert "'--alpha'" in problem.sentence
    asked = offers.by_id["script:dynamic.py"].found
    assert asked is not None
    asked = replace(asked, options=(*asked.options, Option("alpha", flag="--alpha")), complete=True)
    assert launch_start.problems_of(found, offers, project, found=asked) == []


def test_a_param_that_the_script_does_not_have_is_refused(offers: Offers, project: Path) -> None:
    found = read_definition(definition_text(space="[space.exec]\nchoices = ['a', 'b']"))
    problems = launch_start.problems_of(found, offers, project)
    assert [each.field for each in problems] == ["space.exec"]


def test_nobody_without_the_key_starts_or_asks(
    offers: Offers, store: Store, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access, "may_act", lambda: False)
    monkeypatch.chdir(project)
    with pytest.raises(NotAllowed):
        launch_start.start(store, offers, definition(), form="f")
    with pytest.raises(NotAllowed):
        launch_start.ask_for_options(offers, "script:dynamic.py", project)
    assert store.sweeps() == []


@pytest.mark.parametrize("target", ["script:other.py", "script:/etc/x.py", "function:functions.py:train", ""])
def test_only_a_script_of_the_list_is_asked_for_its_options(
    target: str, offers: Offers, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access, "may_act", lambda: True)
    with pytest.raises(InvalidValue):
        launch_start.ask_for_options(offers, target, project)
    assert not (project / "ran-on").exists()


def test_calling_twice_starts_one_sweep(
    offers: Offers, store: Store, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spawned: list[str] = []
    monkeypatch.setattr(access, "may_act", lambda: True)
    monkeypatch.setattr("tracking.tuning.sweep_start.spawn", lambda *given: spawned.append(given[2]))
    monkeypatch.chdir(project)
    first = launch_start.start(store, offers, definition(), form="f")
    again = launch_start.start(store, offers, definition(), form="f")
    assert first.name == again.name == "from-file"
    assert spawned == ["from-file"]
    with pytest.raises(InvalidValue, match="There is a study 'from-file'"):
        launch_start.start(store, offers, definition(), form="another form")
    other = replace(definition(), name="other", workers=1)
    assert launch_start.start(store, offers, other, form="f").name == "from-file"
    assert launch_start.is_started_as(first, definition(), offers)
    assert not launch_start.is_started_as(first, other, offers)
    assert [each.name for each in store.sweeps()] == ["from-file"]


def test_a_form_begins_with_what_the_target_says(offers: Offers) -> None:
    offer = offers.by_id["script:train.py"]
    facts = Facts(studies=frozenset({"train", "train-2"}))
    values = launch_state.first_values(offer, facts)
    assert values.name == "train-3"
    assert [row["param"] for row in values.rows] == ["lr", "layers", "optimizer", "epochs"]
    assert values.objectives[0].metric == ""


@pytest.mark.parametrize(
    ("metric", "goal"),
    [("val/accuracy", "maximize"), ("loss", "minimize"), ("rmse", "minimize"), ("test_f1", "maximize")],
)
def test_a_goal_is_guessed_from_the_metric(metric: str, goal: str) -> None:
    assert launch_state.likely_goal(metric, {}) == goal


def test_edits_of_the_table_are_put_on_its_rows() -> None:
    rows = [{"param": name, "low": "0"} for name in "abc"]
    edits = {
        "edited_rows": {0: {"low": "1"}, "2": {"param": "z"}},
        "deleted_rows": [1],
        "added_rows": [{"param": "new"}, "nonsense"],
    }
    found = launch_state.edited(rows, edits)
    assert found == [{"param": "a", "low": "1"}, {"param": "z", "low": "0"}, {"param": "new"}]
    assert launch_state.edited(rows, None) == rows


def test_the_form_costs_the_start_of_the_dashboard_nothing(run_script: RunScript) -> None:
    done = run_script(
        """
        import sys
        import tracking.ui.launch_form
        print([name for name in sys.modules if name.startswith(("optuna", "sklearn", "tracking.tuning"))])
        """
    )
    assert done.stdout == "[]\n", done.stderr
