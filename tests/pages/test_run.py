"""The page of one run."""

from __future__ import annotations

from urllib.parse import parse_qs

import pytest
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Multiselect

from tests.pages.contents import OpenPage, figures, run_id, start, texts
from tracking.store import Store
from tracking.ui.markdown import escape


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({}, "The address names no run"),
        ({"run": ""}, "The address names no run"),
        ({"run": "nope"}, "There is no run nope in this store"),
        ({"run": "'; drop table runs"}, "“'; drop table runs” is not the id of a run"),
        ({"run": "x" * 5000}, "” is not the id of a run"),
    ],
)
def test_no_such_run_leads_back(open_page: OpenPage, seeded: Store, query: dict[str, str], said: str) -> None:
    app = open_page("run", **query)
    assert not app.exception and not app.error
    assert escape(said) in texts(app)
    assert len(texts(app)) < 500
    assert app.page_link[-1].label == "All runs"
    assert len(figures(app)) == 0


def test_a_run_shows_status_and_a_chart_per_metric(open_page: OpenPage, seeded: Store) -> None:
    app = open_page("run", run=run_id(seeded, "run-0"))
    assert not app.exception and not app.error
    assert app.title[0].value == "run\\-0"
    assert "✓ finished" in texts(app)
    assert len(figures(app)) == 2
    assert "20 points" in texts(app)


def test_a_link_carries_axis_smoothing_and_metrics(open_page: OpenPage, seeded: Store) -> None:
    app = open_page(
        "run", run=run_id(seeded, "run-0"), metrics="acc", x="relative", smoothing="0.6", logy="true"
    )
    (figure,) = figures(app)
    assert figure["layout"]["yaxis"]["type"] == "log"
    assert "since the start" in figure["layout"]["xaxis"]["title"]["text"]
    assert len(figure["data"]) == 2  # the faint raw line under the smoothed one


def test_a_link_carries_the_zoom_of_a_chart(open_page: OpenPage, store: Store) -> None:
    with start("digits", "long", {}, store) as run:
        for step in range(5000):
            run.log({"a/loss:x": float(step % 7)}, step=step)
    app = open_page("run", run=run.id, zoom="1000:1099.5:step:a/loss:x")
    assert "102 points in view" in texts(app)
    other = open_page("run", run=run.id, x="relative", zoom="1000:1099.5:step:a/loss:x")
    assert "in view" not in texts(other)


@pytest.mark.parametrize(
    "zoom", ["", ":::", "1:2", "a:b:step:acc", "2:1:step:acc", "0:inf:step:acc", "nan:1:step:acc"]
)
def test_a_zoom_nobody_knows_shows_everything(open_page: OpenPage, seeded: Store, zoom: str) -> None:
    app = open_page("run", run=run_id(seeded, "run-0"), zoom=zoom)
    assert not app.exception and not app.error
    assert "in view" not in texts(app)


def test_wall_time_is_never_logarithmic_and_says_why(open_page: OpenPage, seeded: Store) -> None:
    target = run_id(seeded, "run-0")
    for axis, disabled in (("step", False), ("relative", False), ("wall", True)):
        app = open_page("run", run=target, x=axis, logx="true")
        (toggle,) = (toggle for toggle in app.toggle if toggle.label == "Log x")
        assert toggle.disabled is disabled
        assert ("no zero" in toggle.help) is disabled
        assert figures(app)[0]["layout"]["xaxis"]["type"] == ("date" if disabled else "log")


def test_a_long_name_is_cut_and_whole_in_the_help(open_page: OpenPage, store: Store) -> None:
    name = "n" * 150 + "*b*" + "n" * 140 + "trial-7"
    with start("digits", name, {}, store) as run:
        pass
    (title,) = open_page("run", run=run.id).title
    shown = title.value.replace("\\", "")
    assert len(shown) < 100 and "…" in shown and shown.endswith("trial-7")
    assert title.proto.help == escape(name)


def test_the_way_back_keeps_filter_and_order_of_the_table(open_page: OpenPage, seeded: Store) -> None:
    target = run_id(seeded, "run-0")
    app = open_page("run", run=target)
    assert (app.page_link[0].label, app.page_link[0].proto.query_string) == (
        "← runs of digits",
        "experiment=digits",
    )
    app = open_page("runs", experiment="digits", where="params.lr > 0.01", order="asc")
    app.query_params.clear()
    app.query_params["run"] = target
    app.switch_page("pages/run.py").run()
    left = parse_qs(app.page_link[0].proto.query_string)
    assert left["experiment"] == ["digits"] and left["where"] == ["params.lr > 0.01"]


@pytest.mark.parametrize(
    "query", [{"x": "banana"}, {"smoothing": "7"}, {"smoothing": "x"}, {"metrics": "gone"}, {"tab": "?"}]
)
def test_values_nobody_knows_fall_back(open_page: OpenPage, seeded: Store, query: dict[str, str]) -> None:
    app = open_page("run", run=run_id(seeded, "run-0"), **query)
    assert not app.exception and not app.error
    assert len(figures(app)) == 2


def test_what_is_not_finite_is_marked_and_counted(open_page: OpenPage, seeded: Store) -> None:
    app = open_page("run", run=run_id(seeded, "diverged"))
    assert [trace.get("text") for figure in figures(app) for trace in figure["data"]] == [
        None,
        ["NaN"],
        None,
        ["inf"],
    ]
    assert "1 not finite" in texts(app)


def test_a_failed_run_shows_its_traceback_as_text(open_page: OpenPage, seeded: Store) -> None:
    app = open_page("run", run=run_id(seeded, "broken"))
    assert "✕ failed" in texts(app)
    assert "\\<b\\>the data" in app.error[0].value
    assert "ValueError: <b>the data</b> is gone" in app.code[0].value


def test_params_long_ones_whole_below(open_page: OpenPage, seeded: Store) -> None:
    app = open_page("run", run=run_id(seeded, "<script>alert(1)</script>"), tab="Params")
    assert app.dataframe[0].value["param"].tolist() == ["text"]
    assert app.dataframe[0].value["value"].item().endswith("…")
    assert app.code[0].value == "x" * 1000


def test_the_summary_of_metrics(open_page: OpenPage, seeded: Store) -> None:
    app = open_page("run", run=run_id(seeded, "run-0"), tab="Metrics")
    best = app.dataframe[0].value.set_index("metric").loc["acc ↑", ["best", "best_step", "points"]]
    assert best.tolist() == [pytest.approx(2.4), 19, 20]


def tags_field(app: AppTest) -> Multiselect:
    (field,) = (field for field in app.multiselect if field.label == "Tags")
    return field


def press(app: AppTest, label: str) -> AppTest:
    (button,) = (button for button in app.button if button.label == label)
    return button.click().run()


def test_tags_and_notes_are_saved_in_the_store(open_page: OpenPage, seeded: Store) -> None:
    target = run_id(seeded, "run-0")
    app = open_page("run", may_act=True, run=target, tab="Tags and notes")
    app.text_area[0].set_value("It *works*.")
    tags_field(app).set_value(["good", "keep"])
    press(app, "Save")
    assert not app.exception and not app.error
    assert seeded.run(target).notes == "It *works*."
    assert seeded.run(target).tags == ("good", "keep")
    assert "good" in texts(app)
    assert "Changed elsewhere" not in texts(app)


def test_what_is_typed_stays_when_the_run_changes_elsewhere(open_page: OpenPage, seeded: Store) -> None:
    target = run_id(seeded, "run-0")
    app = open_page("run", may_act=True, run=target, tab="Tags and notes")
    before = app.text_area[0].proto.id
    seeded.set_notes(target, "From another tab")
    app.run()
    # The browser keeps what is typed for as long as the field is the same one.
    assert app.text_area[0].proto.id == before
    assert "Changed elsewhere since you began" in texts(app)
    assert "Notes: From another tab" in texts(app)


def test_a_click_made_before_a_change_could_be_seen_overwrites_nothing(
    open_page: OpenPage, seeded: Store
) -> None:
    target = run_id(seeded, "run-0")
    app = open_page("run", may_act=True, run=target, tab="Tags and notes")
    seeded.set_notes(target, "From another tab")
    app.text_area[0].set_value("Mine")
    press(app, "Save")
    assert seeded.run(target).notes == "From another tab"
    assert app.text_area[0].value == "Mine"
    assert "Notes: From another tab" in texts(app)
    press(app, "Save")  # now it was seen
    assert seeded.run(target).notes == "Mine"
    assert "Changed elsewhere" not in texts(app)


def test_only_what_was_changed_here_is_written(open_page: OpenPage, seeded: Store) -> None:
    target = run_id(seeded, "run-0")
    app = open_page("run", may_act=True, run=target, tab="Tags and notes")
    seeded.set_notes(target, "From another tab")
    app.run()
    tags_field(app).set_value(["mine"])
    press(app, "Save")
    assert seeded.run(target).tags == ("mine",)
    assert seeded.run(target).notes == "From another tab"
    assert app.text_area[0].value == "From another tab"


def test_the_other_version_can_be_taken(open_page: OpenPage, seeded: Store) -> None:
    target = run_id(seeded, "run-0")
    app = open_page("run", may_act=True, run=target, tab="Tags and notes")
    app.text_area[0].set_value("Mine")
    seeded.set_notes(target, "From another tab")
    seeded.set_tags(target, ["theirs"])
    app.run()
    assert "Tags: theirs" in texts(app)
    press(app, "Take the other version")
    assert app.text_area[0].value == "From another tab"
    assert tags_field(app).value == ["theirs"]
    assert "Changed elsewhere" not in texts(app)


def test_without_the_key_tags_and_notes_are_text(open_page: OpenPage, seeded: Store) -> None:
    target = run_id(seeded, "<script>alert(1)</script>")
    app = open_page("run", run=target, tab="Tags and notes")
    assert len(app.text_area) == 0
    assert "Some *notes*." in [text.value for text in app.text]
    assert "a\\_b" in texts(app)


def test_a_live_run_shows_its_progress_and_then_its_end(open_page: OpenPage, store: Store) -> None:
    with start("digits", "live", {}, store, total_steps=4) as run:
        run.log({"loss": 0.5}, step=1)
        app = open_page("run", run=run.id)
        assert "● running" in texts(app) and app.progress[0].value == 25
        run.log({"loss": 0.4}, step=2)
        store.count()  # a query waits until what this process logged is in the database
        app.run()
        assert "2 points" in texts(app)
    app.run()
    assert "✓ finished" in texts(app)


def test_many_metrics_show_the_first_ones(open_page: OpenPage, store: Store) -> None:
    with start("digits", "many", {}, store) as run:
        run.log({f"metric-{n:02d}": float(n) for n in range(30)})
    app = open_page("run", run=run.id)
    assert len(figures(app)) == 12
    more = app.button(key=f"{run.id}.charts.more")
    assert more.label == "Show 18 more charts"
    more.click().run()
    assert len(figures(app)) == 30


def test_a_run_without_anything(open_page: OpenPage, store: Store) -> None:
    with start("digits", "bare", {}, store) as run:
        pass
    for tab in ("Charts", "Params", "Metrics", "Tags and notes"):
        app = open_page("run", run=run.id, tab=tab)
        assert not app.exception and not app.error
    assert "No params" in texts(open_page("run", run=run.id, tab="Params"))
    assert "No metrics" in texts(open_page("run", run=run.id))


def test_a_tag_is_shown_as_it_is(open_page: OpenPage, store: Store) -> None:
    with start("digits", "one", {}, store) as run:
        pass
    store.set_tags(run.id, ["a[b] :red[x]"])
    shown = texts(open_page("run", run=run.id))
    assert "a\\[b\\]" in shown and "\\\\[" not in shown


def test_notes_have_a_label_where_they_cannot_be_edited(open_page: OpenPage, seeded: Store) -> None:
    app = open_page("run", run=run_id(seeded, "run-0"), tab="Tags and notes")
    assert "**Notes**" in texts(app)
