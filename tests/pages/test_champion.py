"""Runs held against the champion, on every page that shows a run; no process is started."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qs

import pytest
from streamlit.testing.v1 import AppTest

from tests.pages.contents import OpenPage, start, texts
from tests.pages.sweeps_made import SCRIPT, make
from tests.registry.making import X, fitted
from tests.tuning.confirmed import end, give
from tracking.registry_records import Gate, GateKind
from tracking.store import Store
from tracking.tuning import sweep_start
from tracking.tuning.sweeps import confirm

HOSTILE = "*run* [x](y) <b>$x$</b>"


@pytest.fixture(autouse=True)
def no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweep_start, "spawn", lambda *_: 0)


def log(
    store: Store,
    accuracy: float,
    *,
    name: str = HOSTILE,
    experiment: str = HOSTILE,
    metric: str = "accuracy",
    model: bool = True,
    **params: Any,
) -> str:
    """Log a run; returns its id."""
    with start(experiment, name, params, store) as run:
        run.define_metric(metric, goal="maximize")
        run.log({metric: accuracy})
        if model:
            run.log_model(fitted(0), "model", input_example=X[:3])
    return run.id


def champion(store: Store, values: Sequence[float] = (0.5, 0.52, 0.51, 0.49, 0.5), **more: Any) -> str:
    """Log runs of one configuration and make the first one champion of `m`; returns its id."""
    runs = [
        log(store, value, name="before", model=not seed, lr=0.1, seed=seed, **more)
        for seed, value in enumerate(values)
    ]
    store.register("m", runs[0])
    store.promote("m", 1)
    return runs[0]


def said(app: AppTest) -> str:
    """Return what the page says, without the marks that keep names from being Markdown."""
    return texts(app).replace("\\", "")


def buttons(app: AppTest) -> list[str]:
    return [str(button.key) for button in app.button]


def links(app: AppTest) -> dict[str, dict[str, list[str]]]:
    """Return the query of each link by what it is called."""
    return {link.label.replace("\\", ""): parse_qs(link.proto.query_string) for link in app.page_link}


def badges(app: AppTest) -> str:
    return "\n".join(str(element.value) for element in app.markdown if "-badge[" in str(element.value))


def test_a_run_is_held_against_the_champion_with_key_and_without(open_page: OpenPage, store: Store) -> None:
    holder = champion(store)
    one = log(store, 0.9, lr=0.2, seed=0)
    app = open_page("run", run=one)
    assert not app.exception and not app.error
    assert "Against the champion of m, version 1 (before)" in said(app)
    assert "noise unknown" in said(app)
    assert links(app)["Compare with champion m/1 →"] == {"runs": [f"{one},{holder}"]}
    assert not {"run.champion.promote", "run.champion.repeat"} & set(buttons(app))
    assert "To promote a model, paste the key" in said(app)

    app = open_page("run", run=one, may_act=True)
    app.button(key="run.champion.repeat").click().run()
    assert not app.exception and "nothing was captured with it" in app.error[0].value
    assert store.sweeps() == []
    app.button(key="run.champion.promote").click().run()
    assert not app.exception and "Name of the model" in [box.label for box in app.selectbox]

    app = open_page("run", run=holder, may_act=True)
    assert "Against the champion" not in said(app)
    assert "champion of m, version 1" in badges(app)
    assert links(app)["Open m/1 →"] == {"model": ["m"], "version": ["1"]}
    app = open_page("run", run=holder, tab="Artifacts", artifact="model")
    assert links(app)["registered as m/1, champion"] == {"model": ["m"], "version": ["1"]}


def test_what_speaks_against_a_comparison_is_told(open_page: OpenPage, store: Store) -> None:
    champion(store)
    diverged = log(store, math.nan, lr=0.3, model=False, seed=0)
    app = open_page("run", run=diverged, may_act=True)
    assert not app.exception and not app.error
    assert "Against the champion" in said(app) and "run.champion.promote" not in buttons(app)
    other = log(store, 1.0, metric="another", lr=0.3, seed=1)
    assert "Nothing to compare" in said(open_page("run", run=other))
    with start(HOSTILE, "bare", {}, store) as bare:
        bare.log({"odd": 1.0})
    app = open_page("run", run=bare.id)
    assert not app.exception and "nothing says which one decides" in said(app)
    elsewhere = log(store, 1.0, experiment="elsewhere")
    app = open_page("run", run=elsewhere, may_act=True)
    assert not app.exception and "Against the champion" not in said(app)
    assert "run.champion.promote" in buttons(app)
    with start(HOSTILE, "live", {}, store) as live:
        live.log({"accuracy": 1.0})
        app = open_page("run", run=live.id, may_act=True)
        assert not app.exception and "Against the champion" not in said(app)


def test_no_more_runs_are_asked_for_where_both_sides_are_the_same_ones(
    open_page: OpenPage, store: Store
) -> None:
    champion(store, values=(0.5, 0.6))
    again = log(store, 0.7, name="before", lr=0.1, seed=2)
    app = open_page("run", run=again, may_act=True)
    assert "nothing to tell apart" in said(app)
    assert "to repeat it" not in "".join(links(app))


def test_an_overridden_champion_is_marked_on_every_page(open_page: OpenPage, store: Store) -> None:
    run = champion(store, values=(0.5,))
    second = log(store, 0.4, lr=0.2)
    store.register("m", second)
    store.set_gates("m", [Gate(GateKind.METRIC, metric="accuracy", op=">=", bound=0.45)])
    store.promote("m", 2, override=True, reason=HOSTILE)
    app = open_page("run", run=second)
    assert not app.exception and "champion of m, version 2, overridden" in badges(app)
    assert "m, version 1" in badges(open_page("run", run=run))
    table = open_page("runs").dataframe[0].value
    marked = dict(zip(table["name"].str.strip(), table["champion"], strict=True))
    assert marked[HOSTILE] == "★ m (overridden)" and marked["before"] == ""
    app = open_page("overview")
    assert not app.exception and "Champions" in [heading.value for heading in app.subheader]
    found = app.dataframe[0].value.iloc[0]
    assert (found["name"].strip(), found["version"], found["gates"]) == ("m", 2, "overridden")
    assert found["run"].strip() == HOSTILE
    # For ever: also once it has lost the alias, or holds another one as its gates ask.
    store.rollback("m")
    assert "m, version 2, overridden" in badges(open_page("run", run=second))
    assert "m, version 2, overridden" in badges(open_page("compare", runs=f"{second},{run}"))
    store.set_gates("m", [])
    store.promote("m", 2, alias="staging")
    assert "staging of m, version 2, overridden for champion" in badges(open_page("run", run=second))
    app = open_page("run", run=second, tab="Artifacts", artifact="model")
    assert "registered as m/2, staging, overridden" in links(app)
    store.retire("m")
    app = open_page("overview")
    assert "Champions" not in [heading.value for heading in app.subheader]


def test_a_comparison_adds_the_champion_and_holds_each_run_against_it(
    open_page: OpenPage, store: Store
) -> None:
    holder = champion(store)
    runs = [log(store, 0.9 + seed / 100, lr=0.2, seed=seed, model=not seed) for seed in range(5)]
    app = open_page("compare", runs=runs[0], may_act=True)
    assert "Against the champion of m, version 1 (before)" in [
        heading.value.replace("\\", "") for heading in app.subheader
    ]
    assert said(app).count("Against the champion") == 1
    assert f"compare.{runs[0]}.promote" in buttons(app)
    assert "Better" in said(app)
    app.button(key="compare.champion.m").click().run()
    assert not app.exception and app.query_params["runs"] in (f"{runs[0]},{holder}", [f"{runs[0]},{holder}"])
    assert "compare.champion.m" not in buttons(app)
    app = open_page("compare", runs=",".join([log(store, 0.1, experiment="none", model=False)]))
    assert not app.exception and "Against the champion" not in said(app)


def test_the_winner_of_a_sweep_is_held_against_the_champion_on_its_page(
    open_page: OpenPage, store: Store
) -> None:
    make(store, trials=4)
    (store.location.root / "train.py").write_text(
        SCRIPT.replace("args = parser", 'parser.add_argument("--seed", type=int, default=0)\nargs = parser')
    )
    champion(store, experiment="s", metric="value", values=(0.1, 0.2))
    best = store.sweep("s").best[0]
    app = open_page("sweep", sweep="s", may_act=True)
    assert not app.exception and not app.error
    assert f"**The winner, trial {best.number}**" in said(app)
    assert "Against the champion of m, version 1 (before)" in said(app)
    assert "only runs made after it count" in said(app) and "Not counted: The candidate: " in said(app)
    assert "sweep.winner.promote" not in buttons(app)  # it has logged no model
    assert "sweep.winner.repeat" in buttons(app)  # what the evidence lacks, where it says so
    app.number_input(key="sweep.confirm.top").set_value(1)
    app.number_input(key="sweep.confirm.repeats").set_value(3).run()
    app.button(key="sweep.confirm.do").click().run()
    assert not app.exception and not app.error
    (made,) = store.confirmations("s")
    assert [each.trial for each in made.trials] == [best.number] and len(made.values) == 3

    # Where another one does better on fresh runs, that is held against the champion as well.
    end(store.location, "s confirmed")
    others = [each.number for each in store.sweep_trials("s") if each.number != best.number]
    confirm(store.location, "s", trials=[best.number, others[0]], repeats=2)
    give(store.location, "s confirmed-2", [[0.1, 0.2], [0.8, 0.9]])
    end(store.location, "s confirmed-2")
    app = open_page("sweep", sweep="s", may_act=True)
    assert not app.exception and f"Best on fresh runs, trial {others[0]}" in said(app)
    (again,) = [key for key in buttons(app) if key.startswith("sweep.confirmed.") and key.endswith(".repeat")]
    assert "Fresh runs: s confirmed-2 →" not in links(app)  # it stands in that one
    # The champion has two runs: it is what would have to be repeated for certainty.
    assert "Open champion m/1 to repeat it →" in links(app)
