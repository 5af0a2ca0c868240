"""The Models page."""

from __future__ import annotations

import math

import tracking
from tests.pages.contents import OpenPage, start, texts
from tests.pages.models_made import HOSTILE, add_version
from tests.registry.making import logged
from tracking.store import Store
from tracking.ui import registry_cache


def said(text: str) -> str:
    return text.replace("\\", "")


def test_an_empty_store_says_what_to_do_next(open_page: OpenPage, store: Store) -> None:
    app = open_page("models")
    assert not app.exception and not app.error
    assert "No models yet" in texts(app)
    assert "log_model" in app.code[0].value and ".register(" in app.code[0].value
    run = logged(store.location.root)
    app.run()
    links = {link.label.replace("\\", ""): link.proto.query_string for link in app.page_link}
    assert f"run={run}" in links.values() and "All runs" in links


def test_holders_what_is_newer_and_what_is_wrong(open_page: OpenPage, store: Store) -> None:
    for lr, accuracy in ((0.1, 0.9), (0.2, 0.8), (0.3, 0.95)):
        add_version(store, accuracy=accuracy, lr=lr)
    store.set_gates("digits", ["accuracy >= 0.85"])
    store.promote("digits", 2, override=True, reason="urgent")
    store.promote("digits", 3, alias="staging")
    add_version(store, "churn", experiment="churn", accuracy=math.nan)
    store.promote("churn", 1)
    lost = add_version(store, "lost", experiment="lost", lr=0.7)
    store.describe_model("lost", description=HOSTILE, tags=[HOSTILE[:40]])
    (store.location.root / "objects" / lost.digest[:2] / lost.digest[2:]).unlink()
    short = store.version("digits", 3).digest
    file = store.location.root / "objects" / short[:2] / short[2:]
    file.chmod(0o644)
    file.write_bytes(b"short")
    app = open_page("models")
    assert not app.exception
    table = app.dataframe[0].value.set_index("name")
    assert list(table.index) == ["churn", "digits", "lost"]
    assert list(table["champion"]) == ["v1", "v2, overridden", "nobody"]
    assert table["others"]["digits"] == "staging v3"
    assert table["latest"]["digits"] == "v3: accuracy 0.95, +0.15"
    assert table["latest"]["churn"] == "v1, the champion"
    assert table["health"]["churn"] == "! accuracy NaN"
    assert table["health"]["lost"] == "✕ bytes missing" and table["health"]["digits"] == "✕ bytes damaged"
    assert "**digits**: v3 has 5 B on disk and had" in said(app.error[0].value)
    assert "**lost**: The bytes of v1 are not in the store" in said(app.error[1].value)
    assert "**churn**: The last accuracy of v1 is NaN" in said(app.warning[0].value)
    app.button(key="journal.verify").click().run()
    found = said(app.error[2].value)
    assert "2 problems" in found and "lost/1" in found and "digits/3" in found


def test_the_newest_version_is_shown_as_it_was_registered(open_page: OpenPage, store: Store) -> None:
    add_version(store, accuracy=0.9)
    store.set_gates("digits", ["accuracy >= 0.5"])
    store.promote("digits", 1)
    newer = add_version(store, accuracy=0.95, lr=0.2)
    with tracking.start_run(resume=newer.run, store=store.location.root, capture=False) as run:
        run.log({"accuracy": 0.1})
    table = open_page("models").dataframe[0].value.set_index("name")
    assert table["latest"]["digits"] == "v2: accuracy 0.95, +0.05"


def test_a_registry_that_is_whole_is_verified_and_exported(open_page: OpenPage, store: Store) -> None:
    add_version(store)
    app = open_page("models")
    app.button(key="journal.verify").click().run()
    assert not app.exception and not app.error
    assert "1 row and 1 version are as they were written" in app.success[0].value
    assert store.journal_head()[:24] in app.success[0].value
    add_version(store)  # what was verified is no longer all
    app.run()
    assert not app.success


def test_what_the_pages_watch_moves_with_the_runs_of_the_versions_alone(store: Store) -> None:
    file = store.location.root.parent / "model.bin"
    file.write_bytes(b"model")
    with start("digits", "goes on", {}, store) as run:
        run.log_artifact(file, name="model")
        run.log({"accuracy": 0.1})
        version = store.register("digits", run.id)
        registry, seen = registry_cache.revision(store), registry_cache.runs_seen(store, [version])
        add_version(store, "other", name="beside", experiment="digits")
        assert registry_cache.runs_seen(store, [version]) == seen
        run.log({"accuracy": 0.9})
    assert registry_cache.runs_seen(store, [version]) != seen
    assert (
        registry_cache.versions(store, "digits") == (version,) and registry_cache.revision(store) > registry
    )
