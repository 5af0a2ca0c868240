"""The Compare page."""

from __future__ import annotations

import math

import pytest

from tests.pages.contents import OpenPage, figures, run_id, start, texts
from tracking.store import Store
from tracking.ui import comparison, state
from tracking.ui.colours import run_colour


def ids(store: Store, *names: str) -> str:
    return ",".join(run_id(store, name) for name in names)


@pytest.mark.parametrize("query", [{}, {"runs": ""}, {"runs": ",,;drop"}, {"runs": "nope,neither"}])
def test_without_runs_it_says_where_to_choose_them(
    open_page: OpenPage, seeded: Store, query: dict[str, str]
) -> None:
    app = open_page("compare", **query)
    assert not app.exception and not app.error
    assert "No runs to compare" in texts(app)
    assert app.page_link[-1].label == "All runs"


def test_curves_lie_over_each_other_in_the_colours_of_their_runs(open_page: OpenPage, seeded: Store) -> None:
    app = open_page("compare", runs=ids(seeded, "run-0", "run-1", "broken"))
    assert not app.exception and not app.error
    accuracy, loss = figures(app)
    assert [trace["name"] for trace in accuracy["data"]] == ["run-0", "run-1", "broken"]
    assert [trace["line"]["color"] for trace in accuracy["data"]] == [
        run_colour(run_id(seeded, name)) for name in ("run-0", "run-1", "broken")
    ]
    assert len(loss["data"]) == 2
    assert "1 run without it" in texts(app)


def test_a_link_carries_the_whole_view(open_page: OpenPage, seeded: Store) -> None:
    app = open_page(
        "compare",
        runs=ids(seeded, "run-0", "run-1"),
        metrics="acc",
        smoothing="0.5",
        logy="true",
        x="wall",
        summary="last",
        allparams="true",
    )
    (figure,) = figures(app)
    assert figure["layout"]["yaxis"]["type"] == "log" and figure["layout"]["xaxis"]["type"] == "date"
    assert len(figure["data"]) == 4
    metrics, params = (table.value for table in app.dataframe)
    assert metrics["metrics.acc"].tolist() == pytest.approx([2.4, 0.69])
    assert params["param"].tolist() == ["lr", "opt.name", "seed"]


def test_only_differing_params_are_shown_first(open_page: OpenPage, seeded: Store) -> None:
    app = open_page("compare", runs=ids(seeded, "run-0", "run-1"))
    assert app.dataframe[1].value["param"].tolist() == ["lr"]
    app.toggle(key=state.ALL_PARAMS).set_value(True).run()
    assert app.dataframe[1].value["param"].tolist() == ["lr", "opt.name", "seed"]


def test_a_run_that_diverged_after_good_values_has_no_best(open_page: OpenPage, seeded: Store) -> None:
    with start("digits", "late", {}, seeded) as run:
        for value in (0.5, 99.0, math.nan):
            run.log({"acc": value})
    app = open_page("compare", runs=ids(seeded, "late", "run-2"))
    assert not app.exception
    best, other = app.dataframe[0].value["metrics.acc"].tolist()
    assert math.isnan(best) and other == pytest.approx(0.519)
    app = open_page("compare", runs=ids(seeded, "late", "run-2", "run-0"), summary="max")
    assert app.dataframe[0].value["metrics.acc"].tolist() == pytest.approx([99.0, 0.519, 2.4])


def test_a_diverged_run_is_not_the_best(open_page: OpenPage, seeded: Store) -> None:
    app = open_page("compare", runs=ids(seeded, "diverged", "run-2"), summary="last")
    assert app.dataframe[0].value["metrics.acc"].tolist() == [-math.inf, pytest.approx(0.519)]


def test_unknown_runs_are_counted_and_the_others_shown(open_page: OpenPage, seeded: Store) -> None:
    app = open_page("compare", runs=ids(seeded, "run-0") + ",nope,neither")
    assert "2 runs of the 3 in the address" in app.warning[0].value
    assert len(figures(app)) == 2


def test_picking_runs_changes_the_address(open_page: OpenPage, seeded: Store) -> None:
    app = open_page("compare", runs=ids(seeded, "run-0", "run-1"))
    app.multiselect(key=comparison.PICKER).set_value([run_id(seeded, "run-2")]).run()
    assert app.query_params["runs"] == run_id(seeded, "run-2")
    assert [trace["name"] for trace in figures(app)[0]["data"]] == ["run-2"]


def test_a_live_run_grows_and_ends(open_page: OpenPage, seeded: Store) -> None:
    with start("digits", "live", {"lr": 1.0}, seeded) as run:
        run.log({"acc": 0.5}, step=1)
        app = open_page("compare", runs=f"{run.id},{run_id(seeded, 'run-0')}", metrics="acc")
        assert "21 points" in texts(app)
        run.log({"acc": 0.6}, step=2)
        seeded.count()  # a query waits until what this process logged is in the database
        app.run()
        assert "22 points" in texts(app)
    app.run()
    assert "✓ finished" in app.dataframe[0].value["status"].tolist()


def test_more_runs_than_a_comparison_takes_are_cut_and_counted(open_page: OpenPage, seeded: Store) -> None:
    many = ",".join(f"id{n}" for n in range(200))
    app = open_page("compare", runs=f"{run_id(seeded, 'run-0')},{many}")
    unknown, cut = (warning.value for warning in app.warning)
    assert unknown == f"49 runs of the {state.MAX_RUNS} in the address are not in this store."
    assert cut.startswith("Showing 1 of 201 runs: a comparison takes up to 50")
    assert len(app.multiselect(key=comparison.PICKER).value) == 1


def test_a_line_alone_on_its_chart_is_plain(open_page: OpenPage, store: Store) -> None:
    made = []
    for n in range(24):  # more than there are colours, so some need a dash
        with start("digits", f"run-{n}", {}, store) as run:
            run.log({"loss": 0.5, f"only-{n}": 1.0}, step=1)
            run.log({"loss": 0.4, f"only-{n}": 2.0}, step=2)
        made.append(run.id)
    app = open_page("compare", runs=",".join(made))
    together, *alone = [figure["data"] for figure in figures(app)]
    assert len({trace["line"]["dash"] for trace in together}) > 1
    assert len(alone) >= 4
    assert {trace["line"]["dash"] for (trace,) in alone} == {"solid"}


def test_runs_of_one_name_are_told_apart_in_the_picker(open_page: OpenPage, store: Store) -> None:
    twins = []
    for _ in range(3):
        with start("digits", "twin", {}, store) as run:
            run.log({"acc": 0.5})
        twins.append(run.id)
    app = open_page("compare", runs=",".join(twins))
    picker = app.multiselect(key=comparison.PICKER)
    assert len(set(picker.options)) == 3
    picker.set_value(twins[:2]).run()
    assert app.query_params["runs"] == ",".join(twins[:2])


def test_long_names_are_cut_in_the_picker(open_page: OpenPage, store: Store) -> None:
    with start("digits", "n" * 300, {}, store) as run:
        run.log({"acc": 0.5})
    app = open_page("compare", runs=run.id)
    assert all(len(label) < 80 for label in app.multiselect(key=comparison.PICKER).options)
