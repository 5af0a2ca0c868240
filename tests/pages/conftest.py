"""Pages run from app.py, as the server does it, on a store of their own."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest

import tracking
from tests.pages.contents import OpenPage, start
from tracking.store import Store
from tracking.ui import access

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session", autouse=True)
def installed_components() -> Iterator[None]:
    """Look for components of other packages once: Streamlit does for each app, through all that is installed."""
    found = functools.cache(manifest_scanner.scan_component_manifests)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(manifest_scanner, "scan_component_manifests", found)
        yield


@pytest.fixture
def open_page(store_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenPage]:
    """Open a page on the test's store.

    `open_page("runs", may_act=False, experiment="digits", ...)` returns the page
    after its first run, with the rest as its query parameters.
    """
    monkeypatch.setenv("TRACKING_STORE", str(store_folder))
    st.cache_resource.clear()

    def open_named(name: str, *, may_act: bool = False, **query: str) -> AppTest:
        app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
        app.run()
        app.session_state[access.UNLOCKED] = may_act
        for key, value in query.items():
            app.query_params[key] = value
        app.switch_page(f"pages/{name}.py")
        return app.run()

    yield open_named
    st.cache_resource.clear()  # closes the store that the pages had opened


@pytest.fixture
def seeded(store: Store) -> Store:
    """Two experiments: `digits` with a goal, a diverged and a failed run, and `*bold* [x](y)`."""
    for place, lr in enumerate((0.1, 0.01, 0.001)):
        with start("digits", f"run-{place}", {"lr": lr, "opt": {"name": "adam"}, "seed": 0}, store) as run:
            tracking.define_metric("acc", goal="maximize")
            for step in range(20):
                run.log({"acc": 0.5 + step * lr, "train/loss": 1 / (step + 1)}, step=step)
    with start("digits", "diverged", {"lr": 9.0}, store) as run:
        run.log({"acc": 0.2, "train/loss": 3.0}, step=0)
        run.log({"acc": math.nan, "train/loss": math.inf}, step=1)
    with pytest.raises(ValueError), start("digits", "broken", {}, store) as run:
        run.log({"acc": 0.3}, step=0)
        raise ValueError("<b>the data</b> is gone")
    with start(
        "*bold* [x](y)", "<script>alert(1)</script>", {"text": "x" * 1000}, store, tags=["a_b"]
    ) as run:
        run.set_notes("Some *notes*.")
        run.log({"loss": 1.0})
    return store
