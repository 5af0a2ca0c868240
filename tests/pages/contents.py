"""What the tests of pages read and write: runs in the store, elements on the page."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from streamlit.testing.v1 import AppTest

import tracking
from tracking.store import Store

OpenPage = Callable[..., AppTest]


def start(
    experiment: str, name: str, params: dict[str, object], store: Store, **more: object
) -> tracking.Run:
    return tracking.start_run(
        experiment, name=name, params=params, store=store.location.root, capture=False, **more
    )


def run_id(store: Store, name: str) -> str:
    frame = store.search(limit=None, columns=[])
    return str(frame.loc[frame["name"] == name, "run"].item())


def texts(app: AppTest) -> str:
    """Return everything the page says, one element a line."""
    return "\n".join(
        str(element.value) for element in app.main if getattr(element, "value", None) is not None
    )


def figures(app: AppTest) -> list[dict[str, Any]]:
    """Return the figures of the live charts on the page."""
    charts = [part for part in app.get("bidi_component") if part.proto.component_name == "podium_live_chart"]
    return [json.loads(json.loads(chart.proto.json)["figure"]) for chart in charts]
