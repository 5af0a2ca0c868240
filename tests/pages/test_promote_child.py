"""Promote… for a run whose child runs logged the models: the dialog asks which one, and says which one it takes."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest

import tracking
from tests.pages.contents import OpenPage
from tests.pages.sweeps_made import make
from tests.registry.making import X, fitted
from tracking.store import Store

HOSTILE = "*seeds* [x](y) <b>$x$</b>"


def log(store: Store, name: str, choice: int | None = None, parent: str | None = None, **params: int) -> str:
    """Log a run, with a model where `choice` says one; returns its id."""
    with tracking.start_run(
        "digits",
        name=name,
        params=params,
        parent=parent,
        store=store.location.root,
        capture=False,
        strict=True,
    ) as run:
        run.define_metric("accuracy", goal="maximize")
        run.log({"accuracy": 0.9 + 0.01 * params.get("seed", 0)})
        if choice is not None:
            run.log_model(fitted(choice), "model", input_example=X[:3])
    return run.id


def opened(open_page: OpenPage, run: str) -> AppTest:
    app = open_page("run", run=run, may_act=True)
    app.button(key="run.champion.promote").click().run()
    assert not app.exception and not app.error
    return app


def said(app: AppTest) -> str:
    """Return what the page and the dialog say, without the marks that keep names from being Markdown."""
    return "\n".join(str(element.value) for element in app.markdown).replace("\\", "")


def box(app: AppTest, label: str) -> object:
    return next(each for each in app.selectbox if each.label == label)


def make_version(app: AppTest) -> AppTest:
    key = next(str(each.key) for each in app.button if str(each.key).startswith("promote.register."))
    app.button(key=key).click().run()
    assert not app.exception and not app.error
    return app


def test_the_child_that_is_chosen_becomes_the_version(open_page: OpenPage, store: Store) -> None:
    parent = log(store, HOSTILE)
    children = [log(store, f"seed {seed}", seed, parent, seed=seed) for seed in (0, 1, 2)]
    app = opened(open_page, parent)
    assert f"**{HOSTILE}** logged no model itself; 3 of its child runs did." in said(app)
    asked = box(app, "Child run whose model it is")
    assert asked.options == [
        "1 of 3: seed 0, seed=0, accuracy 0.9",
        "2 of 3: seed 1, seed=1, accuracy 0.91",
        "3 of 3: seed 2, seed=2, accuracy 0.92",
    ]
    assert "The model of **seed 0** becomes a version" in said(app)
    asked.select_index(1).run()
    assert "The model of **seed 1** becomes a version" in said(app)
    make_version(app)
    assert [(version.run, version.model) for version in store.versions("digits")] == [(children[1], "digits")]
    # The same once more is the same version: it goes on to its gates.
    again = opened(open_page, parent)
    box(again, "Child run whose model it is").select_index(1).run()
    make_version(again)
    assert [version.name for version in store.versions("digits")] == ["digits/1"]


def test_an_only_child_is_named_and_a_run_without_any_offers_nothing(
    open_page: OpenPage, store: Store
) -> None:
    parent = log(store, "whole")
    log(store, "fold 0", None, parent)
    assert "run.champion.promote" not in [
        each.key for each in open_page("run", run=parent, may_act=True).button
    ]
    child = log(store, "fold 1", 1, parent)
    app = opened(open_page, parent)
    assert "Child run whose model it is" not in [each.label for each in app.selectbox]
    assert "**whole** logged no model itself; its child run did." in said(app)
    assert "The model of **fold 1** becomes a version" in said(app)
    make_version(app)
    assert store.version("digits/1").run == child


def test_a_run_with_a_model_of_its_own_is_not_asked(open_page: OpenPage, store: Store) -> None:
    parent = log(store, "whole", 0)
    log(store, "fold", 1, parent)
    app = opened(open_page, parent)
    assert "Child run whose model it is" not in [each.label for each in app.selectbox]
    assert "The model of **whole** becomes a version" in said(app)


def test_the_winner_of_a_sweep_has_the_models_of_its_repeats(open_page: OpenPage, store: Store) -> None:
    make(store, trials=4)
    winner = store.sweep("s").best[0].run
    assert winner is not None
    log(store, "repeat 0", 0, winner, seed=0)
    log(store, "repeat 1", 1, winner, seed=1)
    app = open_page("sweep", sweep="s", may_act=True)
    app.button(key="sweep.winner.promote").click().run()
    assert not app.exception and not app.error
    assert len(box(app, "Child run whose model it is").options) == 2
