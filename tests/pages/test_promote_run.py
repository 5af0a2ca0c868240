"""Promote… for a run with several models, or with one that it has logged anew: none is taken without a word."""

from __future__ import annotations

from dataclasses import replace

from streamlit.testing.v1 import AppTest

import tracking
from tests.pages.contents import OpenPage, start
from tests.registry.making import fitted, logged
from tracking.store import Store
from tracking.ui import model_candidates


def opened(open_page: OpenPage, run: str) -> AppTest:
    app = open_page("run", run=run, may_act=True)
    app.button(key="run.champion.promote").click().run()
    assert not app.exception and not app.error
    return app


def said(app: AppTest) -> str:
    """Return what the page and the dialog say, without the marks that keep names from being Markdown."""
    lists = (app.markdown, app.caption)
    return "\n".join(str(each.value) for found in lists for each in found).replace("\\", "")


def box(app: AppTest, label: str) -> object:
    return next(each for each in app.selectbox if each.label == label)


def typed(app: AppTest, name: str) -> AppTest:
    """Type a name that is none of those offered, which the test's own picture of the field refuses."""
    field = box(app, "Name of the model")
    field.options.append(name)
    field.set_value(name)
    return app


def go_on(app: AppTest) -> AppTest:
    key = next(str(each.key) for each in app.button if str(each.key).startswith("promote.register."))
    app.button(key=key).click().run()
    assert not app.exception and not app.error
    return app


def steps_logged(store: Store) -> str:
    """Log a run with a model at four steps; return its id."""
    with start("digits", "steps", {"lr": 0.1}, store) as run:
        run.define_metric("accuracy", goal="maximize")
        for step in range(4):
            run.log({"accuracy": 0.5 + step / 10}, step=step)
            run.log_model(fitted(step), "model", step=step)
    return run.id


def test_a_model_at_each_step_is_chosen_and_what_is_registered_is_said(
    open_page: OpenPage, store: Store
) -> None:
    run = steps_logged(store)
    store.register("digits", run, step=0)
    app = opened(open_page, run)
    chosen = box(app, "Model of the run")
    assert [", registered as digits v1" in each for each in chosen.options] == [True, False, False, False]
    assert chosen.value == 3 and "It becomes version 2 of digits." in said(app)
    go_on(app)
    assert [(each.number, each.step) for each in store.versions("digits")] == [(2, 3), (1, 0)]
    # One that is registered is gone on with.
    again = opened(open_page, run)
    box(again, "Model of the run").select_index(0).run()
    assert "This model is registered already: digits v1." in said(again)
    assert "It is version 1 of digits: nothing is registered anew." in said(again)
    go_on(again)
    assert "Nobody holds **champion** of digits now" in said(again)
    assert len(store.versions("digits")) == 2


def test_the_same_bytes_at_another_step_are_another_version(store: Store) -> None:
    run = store.run(steps_logged(store))
    versions = [store.register("digits", run.id, step=0)]
    first, second, *_ = model_candidates.models_of(run)
    assert model_candidates.made_of(first, versions) == versions
    assert model_candidates.made_of(replace(second, digest=first.digest), versions) == []
    assert model_candidates.made_of(replace(first, digest=second.digest), versions) == []
    both = [*versions, store.register("other", run.id, step=0)]
    assert model_candidates.label(first, both).endswith(", registered as digits v1, other v1")
    assert model_candidates.only_version(replace(run, artifacts=(first,)), versions) == versions[0]
    assert model_candidates.only_version(replace(run, artifacts=(first,)), both) is None
    assert model_candidates.only_version(run, versions) is None


def test_a_model_that_was_logged_anew_is_not_the_version_of_before(open_page: OpenPage, store: Store) -> None:
    with start("digits", "resumed", {"lr": 0.1}, store) as run:
        run.log({"accuracy": 0.5})
        run.log_model(fitted(0), "model")
    store.register("digits", run.id)
    # As long as it is the run's model the dialog opens for it at once.
    assert "Nobody holds **champion** of digits now" in said(opened(open_page, run.id))
    with tracking.start_run(resume=run.id, store=store.location.root, capture=False) as resumed:
        resumed.log_model(fitted(1), "model")
    app = opened(open_page, run.id)
    assert "The run has logged its model anew since digits v1 was registered." in said(app)
    go_on(app)
    (second, first) = store.versions("digits")
    assert second.digest != first.digest
    assert "Nobody holds **champion** of digits now" in said(opened(open_page, run.id))


def test_a_name_that_looks_like_a_models_is_that_model(open_page: OpenPage, store: Store) -> None:
    for seed in range(2):
        store.register("d", logged(store.location.root, seed, experiment="d", seed=seed))
    run = logged(store.location.root, 2, experiment="D.")
    tabs = [opened(open_page, run) for _ in range(2)]
    for app in tabs:
        name = box(app, "Name of the model")
        assert name.options == ["d"]  # and no name that only looks like another one
        typed(app, "D_").run()
        assert not app.exception
        assert "It becomes version 3 of d." in said(app) and "the new model" not in said(app)
    for app in tabs:  # the second tab shows the state of before
        typed(app, "D_")
        go_on(app)
    assert [each.name for each in store.versions("d")] == ["d/3", "d/2", "d/1"]
    assert "Nobody holds **champion** of d now" in said(opened(open_page, run))
    assert not model_candidates.alike("d", "a/b") and not model_candidates.alike("d", "")
