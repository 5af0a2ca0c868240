"""The page of one model: versions, holders, journal, gates, and promoting from it."""

from __future__ import annotations

import math

import pytest
from streamlit.testing.v1 import AppTest

import tracking
from tests.pages.contents import OpenPage, figures, start, texts
from tests.pages.models_made import HOSTILE, add_version
from tests.registry.grouping import Place
from tests.registry.making import fitted, logged
from tracking.records import Goal
from tracking.registry import gate_text
from tracking.store import Store
from tracking.ui import access, gate_results, model_picks, model_versions, promote_dialog
from tracking.ui.model_metrics import Shown

FIVE_LOW = (0.80, 0.81, 0.82, 0.83, 0.84)
FIVE_HIGH = (0.90, 0.915, 0.92, 0.935, 0.94)


def said(app: AppTest) -> str:
    """Return what the page and its dialog say, without the marks that keep names from being Markdown."""
    lists = (app.markdown, app.caption, app.error, app.warning, app.info, app.success, app.text)
    return "\n".join(str(each.value) for found in lists for each in found).replace("\\", "")


def keys(app: AppTest) -> list[str]:
    return [str(button.key) for button in app.button]


def field(app: AppTest, kind: str, begin: str) -> str:
    """Return the key of the one element of a kind that begins so."""
    (found,) = [str(each.key) for each in app.get(kind) if str(each.key).startswith(begin)]
    return found


def press(app: AppTest, begin: str) -> AppTest:
    app.button(key=field(app, "button", begin)).click().run()
    assert not app.exception
    return app


def open_dialog(open_page: OpenPage, version: int, **query: str) -> AppTest:
    app = open_page("model", model="digits", version=str(version), may_act=True, **query)
    return press(app, f"model.promote.{version}")


def kinds(store: Store) -> list[str]:
    return [entry.kind.value for entry in store.journal("digits")]


@pytest.mark.parametrize("name", ["", "nothing", "x" * 300, "a/b", "<b>"])
def test_no_such_model(open_page: OpenPage, store: Store, name: str) -> None:
    app = open_page("model", model=name)
    assert not app.exception and not app.error
    assert "no model" in texts(app)


def test_one_version_without_holder_read_only(open_page: OpenPage, store: Store) -> None:
    add_version(store, name=HOSTILE, accuracy=math.nan, description=HOSTILE * 100)
    store.describe_model("digits", description=HOSTILE, tags=["a_b", "<i>"])
    app = open_page("model", model="DIGITS")  # a look-alike is the same model
    assert not app.exception and not app.error
    table = app.dataframe[0].value
    assert list(table["name"]) == ["v1"] and list(table["holds"]) == ["–"]
    assert list(table["health"]) == ["! accuracy NaN"]
    assert "nobody" in texts(app) and "is NaN" in said(app)
    assert not [key for key in keys(app) if key.startswith(("model.promote", "model.r", "version."))]
    for element in app.markdown:
        assert "[x](http" not in element.value and "<img" not in element.value.replace("\\<", "")
    assert kinds(store) == ["register"]


def test_promote_over_a_champion_with_evidence_drawn_and_once(open_page: OpenPage, store: Store) -> None:
    add_version(store, accuracy=FIVE_LOW, lr=0.1)
    add_version(store, accuracy=FIVE_HIGH, lr=0.2)
    store.promote("digits", 1)
    store.set_gates("digits", ["better(accuracy, margin=0.01)", "repeats >= 5"])
    app, other = open_dialog(open_page, 2), open_dialog(open_page, 2)
    assert "2 of 2 passed" in said(app) and "Better: accuracy" in said(app)
    (drawn,) = [figure for figure in figures(app) if "xaxis2" in figure["layout"]]
    assert next(each for each in drawn["data"] if each["name"] == "v2")["x"] == list(FIVE_HIGH)
    assert next(each for each in drawn["data"] if each["name"] == "pairs")["x"][:2] == [0.90, 0.80]
    assert kinds(store)[-1] == "gates"  # to look writes nothing
    app.text_area(key=field(app, "text_area", "promote.reason")).set_value("five seeds")
    press(app, "promote.do.")
    assert store.model("digits").holders == {"champion": 2}
    assert "promote.do" not in " ".join(keys(app)) and "v2 is champion of digits now" in app.toast[
        0
    ].value.replace("\\", "")
    # The second tab, or the second half of a double click, shows the state of before.
    press(other, "promote.do.")
    assert kinds(store).count("promote") == 2
    assert "holds champion already" in said(other) or "changed hands" in said(other)
    assert store.journal("digits")[-1].reason == "five seeds"


def test_a_refusal_an_override_with_its_reason_and_the_way_back(open_page: OpenPage, store: Store) -> None:
    add_version(store, accuracy=0.9, lr=0.1)
    add_version(store, accuracy=0.7, lr=0.2)
    store.set_gates("digits", ["accuracy >= 0.85"])
    store.promote("digits", 1)
    before = kinds(store)
    app = open_dialog(open_page, 2)
    assert "0 of 1 passed" in said(app) and ":red[**✗**] **refused**" in said(app)
    assert not [key for key in keys(app) if key.startswith("promote.do.")]
    press(app, "promote.override.")
    assert "Say why" in app.error[0].value.replace("\\", "") and kinds(store) == before
    reason = (HOSTILE * 100)[:10_000]
    app.text_area(key=field(app, "text_area", "promote.reason")).set_value(reason)
    press(app, "promote.override.")
    assert store.model("digits").overridden == ("champion",)
    assert store.journal("digits")[-1].reason == reason.strip()
    # Marked wherever it shows: the holder, the table, the version itself, the timeline, the journal.
    assert list(app.dataframe[0].value["holds"]) == ["champion (overridden)", "–"]
    assert [each.value for each in app.text].count(
        reason.strip()
    ) == 2  # whole, beside the holder and the version
    assert said(app).count("overridden") >= 2
    assert [trace["name"] for trace in figures(app)[0]["data"]] == ["as its gates ask", "against its gates"]
    for element in app.markdown:
        assert "](http" not in element.value
    journal = open_page("model", model="digits", tab="Journal").dataframe[0].value
    assert "promoted, overridden" in journal["what"][0] and journal["change"][0] == "v1 → v2"
    app.session_state["access.unlocked"] = True
    press(app, "model.rollback.champion")
    assert store.model("digits").holders == {"champion": 1}
    assert "Version 1" in [each.value for each in app.subheader]  # and not the one that was just turned down
    opened = open_page("model", model="digits")
    assert "Version 1" in [each.value for each in opened.subheader]
    assert list(opened.dataframe[0].value["holds"]) == ["before: champion (overridden)", "champion"]
    assert "Roll back" not in " ".join(button.label for button in app.button)
    press(app, "model.retire.champion")
    assert store.model("digits").holders == {} and kinds(store)[-2:] == ["rollback", "retire"]
    press(app, "model.rollback.champion")
    assert store.model("digits").holders == {"champion": 1}


def test_another_holder_meanwhile_stops_rollback_and_promotion(open_page: OpenPage, store: Store) -> None:
    for lr in (0.1, 0.2, 0.3):
        add_version(store, lr=lr)
    store.promote("digits", 1)
    store.promote("digits", 2)
    page = open_page("model", model="digits", may_act=True)
    dialog = open_dialog(open_page, 3)
    button = field(page, "button", "model.rollback.champion")
    store.promote("digits", 1)
    before = kinds(store)
    page.button(key=button).click().run()
    press(dialog, "promote.do.")
    assert not page.exception and kinds(store) == before
    assert "changed hands meanwhile: v1 holds it now" in said(dialog)


def test_without_the_key_nothing_is_written(open_page: OpenPage, store: Store) -> None:
    add_version(store, lr=0.1)
    add_version(store, lr=0.2)
    store.promote("digits", 1)
    before = kinds(store)
    app = open_dialog(open_page, 2)
    app.session_state[access.UNLOCKED] = False  # the key was there when the button was drawn
    press(app, "promote.do.")
    assert "Read only" in said(app) and kinds(store) == before
    gates = open_page("model", model="digits", tab="Gates")
    assert not gates.exception and not gates.get("text_area")


def test_gates_are_read_while_they_are_written(open_page: OpenPage, store: Store) -> None:
    add_version(store)
    app = open_page("model", model="digits", tab="Gates", may_act=True)
    box = field(app, "text_area", "gates.text")
    app.text_area(key=box).set_value("accuracy >= 0.9\nrepeats => five").run()
    assert "Line 2" in app.error[0].value and app.button(key=field(app, "button", "gates.save")).disabled
    app.text_area(key=box).set_value("accuracy >= 0.9\nrepeats >= 5").run()
    assert not app.error and "at least 5 runs of the configuration" in said(app)
    press(app, "gates.save")
    assert len(store.model("digits").gates) == 2 and kinds(store)[-1] == "gates"
    app.run()
    box = field(app, "text_area", "gates.text")
    app.text_area(key=box).set_value("loads").run()
    store.set_gates("digits", ["clean git"])
    app.run()
    assert app.text_area(key=box).value == "loads" and "changed elsewhere since you began" in said(app)
    press(app, "gates.take")
    assert app.text_area(key=field(app, "text_area", "gates.text")).value == "clean git"


def test_a_model_and_a_version_are_described(open_page: OpenPage, store: Store) -> None:
    add_version(store, accuracy=(0.9,), lr=0.1)
    app = open_page("model", model="digits", version="1", may_act=True)
    for place, text in (("model.describe", "reads digits"), ("version.1", "the <first> one")):
        app.text_area(key=field(app, "text_area", f"{place}.description")).set_value(text)
        press(app, f"{place}.do.")
    assert store.model("digits").description == "reads digits"
    assert store.version("digits", 1).description == "the <first> one"
    assert app.text_area(key=field(app, "text_area", "version.1.description")).value == "the <first> one"
    store.describe_version("digits", 1, description="x" * 100, tags=["kept"])
    app.run()  # what was saved elsewhere begins another form
    assert app.text_area(key=field(app, "text_area", "version.1.description")).value == "x" * 100
    assert app.multiselect(key=field(app, "multiselect", "version.1.tags")).value == ["kept"]


def test_a_row_of_the_journal_shows_what_decided_it(open_page: OpenPage, store: Store) -> None:
    add_version(store, accuracy=FIVE_LOW, lr=0.1)
    add_version(store, accuracy=FIVE_HIGH, lr=0.2)
    store.promote("digits", 1)
    store.set_gates("digits", ["better(accuracy)", "repeats >= 2"])
    entry = store.promote("digits", 2, reason="<b>why</b>")
    app = open_page("model", model="digits", tab="Journal")
    assert "Row" not in said(app)
    app = open_page("model", model="digits", tab="Journal", row=str(entry.position))
    assert not app.exception and not app.error
    assert f"Row {entry.position}" in said(app) and entry.digest[:24] in said(app)
    assert any("xaxis2" in figure["layout"] for figure in figures(app))
    app.query_params["row"] = str(entry.position - 1)
    app.run()
    assert "better(accuracy, confidence=0.95)\nrepeats >= 2" in [each.value for each in app.code]
    rows = app.dataframe[0].value.set_index("name")
    assert rows["gates"][f"#{entry.position - 1}"] == "2 set: better(accuracy, confide…"
    gone = entry.evidence_runs[1]
    store.delete_run(gone)
    store.gc()
    app = open_page("model", model="digits", tab="Journal", row=str(entry.position))
    assert (
        f"1 of the 10 runs of this evidence was deleted for good since; what they had logged stands here: {gone}"
        in (said(app))
    )
    for nonsense in ("0", "x", "-1", "9" * 30):
        nothing = open_page("model", model="digits", tab="Journal", row=nonsense)
        assert not nothing.exception and not nothing.error and "Row" not in said(nothing)


def test_a_number_of_many_digits_is_rounded_but_never_onto_its_bound(
    open_page: OpenPage, store: Store
) -> None:
    add_version(store, accuracy=0.899704774649055)
    store.set_gates("digits", ["accuracy >= 0.95"])
    assert "found: 0.899705\n" in said(open_dialog(open_page, 1))
    add_version(store, accuracy=0.949999999999, lr=0.2)
    assert "found: 0.949999999999" in said(open_dialog(open_page, 2))


def test_while_the_gates_are_asked_it_is_said_what_takes_its_time() -> None:
    gates = [gate_text.parse_gate(line) for line in ("accuracy >= 0.9", "loads for champion")]
    assert "loads v3 in a process of its own" in gate_results.asking(gates, "champion", 3)
    assert gate_results.asking(gates, "staging", 3) == "Asking 1 gate and comparing the runs…"
    assert gate_results.asking(gates[1:], "staging", 3) == "Comparing the runs…"


def test_the_first_candidate_is_drawn_though_nobody_is_champion(open_page: OpenPage, store: Store) -> None:
    add_version(store, accuracy=FIVE_HIGH)
    app = open_dialog(open_page, 1)
    assert "No champion to compare with" in said(app)
    (drawn,) = [figure for figure in figures(app) if "v1" in [each.get("name") for each in figure["data"]]]
    assert drawn["data"][0]["x"] == list(FIVE_HIGH)


def test_what_a_study_was_told_is_no_column_beside_the_metric_itself(
    open_page: OpenPage, store: Store
) -> None:
    runs = []
    for place in range(2):
        with start("digits", f"trial {place}", {"lr": place}, store) as run:
            for key in ("value", "intermediate_value", "accuracy"):
                run.define_metric(key, goal="maximize")
                run.log({key: 0.5 + place})
            run.log_model(fitted(0), "model")
        runs.append(run.id)
    store.register("digits", runs[0])
    app = open_page("model", model="digits")
    assert not app.exception and [name for name in app.dataframe[0].value if "metric." in name] == [
        "metric.last.accuracy"
    ]
    compared = open_page("compare", runs=",".join(runs))
    (table,) = [each.value for each in compared.dataframe if "accuracy" in " ".join(map(str, each.value))]
    assert not [name for name in table if "value" in str(name)]
    assert len(figures(compared)) == 1
    chosen = open_page("compare", runs=",".join(runs), metrics="value")
    assert not chosen.exception and figures(chosen) != figures(compared)
    headings = [each.value for each in compared.subheader]
    assert headings.index("Promote") < headings.index("Metrics")


def test_a_name_that_no_model_can_have_is_refused_while_it_is_typed(
    open_page: OpenPage, store: Store
) -> None:
    run = logged(store.location.root)
    add_version(store)
    for name, usable in (("x" * 500, False), ("a/b", False), ("fine", True)):
        app = open_page("model", model="digits", may_act=True)
        app.session_state["dialog.open"] = promote_dialog.Asked("", 1, run=run)
        app.session_state["promote.name.1"] = name
        app.run()
        assert not app.exception and bool(app.error) is not usable
        assert app.button(key="promote.register.1").disabled is not usable
        assert ("version 1 of the new model fine" in said(app)) is usable


def test_the_model_of_a_run_is_registered_once_and_goes_on_to_its_promotion(
    open_page: OpenPage, store: Store
) -> None:
    add_version(store)
    run = logged(store.location.root)
    tabs = [open_page("model", model="digits", may_act=True) for _ in range(2)]
    for app in tabs:
        app.session_state["dialog.open"] = promote_dialog.Asked("", 1, run=run)
        app.run()
        assert "It becomes version 2 of digits" in said(app)
    for app in tabs:  # the second tab shows the state of before
        press(app, "promote.register.")
        assert not app.error and "Nobody holds **champion** of digits now" in said(app)
    assert kinds(store) == ["register", "register"]
    press(app, "promote.do.")
    assert store.model("digits").holders == {"champion": 2}
    page = open_page("model", model="digits", version="2")
    (signature,) = [each.value for each in page.dataframe if "Column" in each.value]
    assert list(signature[""]) == ["takes", "gives"] and signature["Shape"][0] == "rows × 3"


def test_the_score_of_a_search_is_marked_and_fresh_runs_say_what_it_is_worth(
    open_page: OpenPage, store: Store
) -> None:
    place = Place(store.location.root.parent)
    folder = store.location.root
    winner, other, _ = place.sweep("search", [{"lr": 0.1}, {"lr": 0.2}, {"lr": 0.3}])
    (mean,) = place.confirm("search", [(winner, {"lr": 0.1})], [10, 11])
    fresh = [
        place.child(mean, repeat, 0.7 + repeat / 10, experiment="search confirmed", lr=0.1, seed=10 + repeat)
        for repeat in range(2)
    ]
    for run, accuracy in ((winner, 0.95), (other, 0.94), (fresh[0], 0.7)):
        with tracking.start_run(resume=run, store=folder, capture=False) as resumed:
            resumed.define_metric("accuracy", goal="maximize")
            resumed.log({"accuracy": accuracy})
            resumed.log_text(f"model of {run}", "model")
        store.register("digits", run)
    add_version(store, accuracy=0.5)
    app = open_page("model", model="digits", version="1")
    assert not app.exception and "accuracy ↑, mean of fresh runs\n" in said(app)
    texts_of = [each.value for each in app.text]
    assert "0.75 (n = 2)" in texts_of and "accuracy ↑ (picked: the search's own score)" in said(app)
    shown = [Shown("accuracy", goal=Goal.MAXIMIZE)]
    versions = store.versions("digits")
    found = model_picks.picks(store, versions, shown)
    assert {number: each.count for number, each in found.items()} == {1: 2, 2: 0}
    runs = {run.id: run for run in store.runs([version.run for version in versions])}
    drawn = model_versions.table(versions, runs, shown, [""] * 4, versions[0].created, found)
    assert list(drawn.texts["metric.last.accuracy"]) == [
        "0.5000",
        "0.7000",
        "0.9400 (picked)",
        "0.9500 (picked)",
    ]
    assert [row for row, column in drawn.bold if column == "metric.last.accuracy"] == [1]
    store.set_gates("digits", ["accuracy >= 0.6"])
    assert store.check_promotion("digits", 1).gates[0].found == "0.95 (the search's own score)"
    assert store.check_promotion("digits", 3).gates[0].found == "0.7"
    store.set_gates("digits", ["loss <= 1"])
    assert "own score" not in store.check_promotion("digits", 1).gates[0].found
