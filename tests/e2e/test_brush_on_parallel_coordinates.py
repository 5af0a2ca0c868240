"""A brush on parallel coordinates narrows the table of trials, stands in the address, and is let go by a click."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Locator, Page, expect

import tracking
from tests.pages.sweeps_made import make

from .conftest import StartDashboard

TRIALS = 8


def brushes(page: Page) -> dict[str, tuple[float, float]]:
    """Return the ranges in the address by their column."""
    entries = [entry.split(":", 2) for entry in parse_qs(urlsplit(page.url).query).get("brush", [])]
    return {column: (float(low), float(high)) for low, high, column in entries}


def axis_of(page: Page, name: str) -> Locator:
    """Return what of an axis takes a brush, once it is drawn."""
    chart = page.get_by_role("img", name="A line for each of")
    chart.scroll_into_view_if_needed()  # a chart below the screen is not drawn yet
    axis = chart.locator(".y-axis").filter(has=page.locator(".axis-title", has_text=name))
    brush = axis.locator(".axis-brush .background")
    brush.scroll_into_view_if_needed()
    return brush


def test_a_brush_narrows_the_table_until_it_is_let_go(
    page: Page, start_dashboard: StartDashboard, tmp_path: Path
) -> None:
    with tracking.open_store(tmp_path / "store") as store:
        make(store, trials=TRIALS)
        values = [each.values[0] for each in store.sweep_trials("s") if each.values]
    dashboard = start_dashboard(tmp_path / "store")
    page.goto(f"{dashboard.base}/sweep?sweep=s")
    expect(page.get_by_text(f"Showing {TRIALS} of {TRIALS} trials")).to_be_visible()

    box = axis_of(page, "accuracy").bounding_box()
    assert box is not None
    middle = box["x"] + box["width"] / 2
    page.mouse.move(middle, box["y"] + 0.1 * box["height"])
    page.mouse.down()
    page.mouse.move(middle, box["y"] + 0.45 * box["height"], steps=8)
    page.mouse.up()
    said = page.get_by_text(f"{TRIALS} in the sweep, brushed by accuracy")
    expect(said).to_be_visible()
    low, high = brushes(page)["values.accuracy"]
    kept = sum(low <= value <= high for value in values)
    assert 0 < kept < TRIALS and min(values) < low < high < max(values)
    expect(said).to_contain_text(f"Showing {kept} of {kept} trial")

    # The redraw may have moved it.
    box = axis_of(page, "accuracy").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + 0.9 * box["height"])
    expect(page.get_by_text(f"Showing {TRIALS} of {TRIALS} trials")).to_be_visible()
    assert brushes(page) == {}
