"""A click on the header of a column sorts the rows by what the column means, and cells keep what they say."""

from __future__ import annotations

import math
from pathlib import Path

from playwright.sync_api import Page, expect

import tracking

from .conftest import StartDashboard

PATIENCE = 60_000
LOSSES = {"a": 10.0, "b": 9.0, "c": 1000.0, "d": math.nan, "e": 0.5, "f": 1e299}
BEFORE_METRICS = 34 + 10 + 124 + 112
"""Pixels of the boxes to tick, the stripe of colour, the name and the status."""


def column(page: Page, number: int) -> list[str]:
    """Return what one column is sorted by; a blank is an absent value, infinity also stands for NaN."""
    return page.evaluate(
        """number => [...document.querySelectorAll('canvas tbody tr')].map(
            row => row.querySelectorAll('td')[number]?.textContent)""",
        number,
    )


def test_numbers_are_sorted_as_numbers(page: Page, start_dashboard: StartDashboard, tmp_path: Path) -> None:
    store = tmp_path / "store"
    with tracking.start_run("digits", name="none", store=store) as run:
        run.log({"other-metric-0": 1.0}, step=1)
    for name, loss in LOSSES.items():
        with tracking.start_run("digits", name=name, store=store) as run:
            run.log({"loss": loss} | {f"other-metric-{n}": 1.0 for n in range(12)}, step=1)
    dashboard = start_dashboard(store)
    page.set_viewport_size({"width": 900, "height": 900})
    others = "&".join(f"columns=metrics.other-metric-{n}" for n in range(12))
    page.goto(f"{dashboard.base}/runs?experiment=digits&columns=metrics.loss&{others}")
    expect(page.locator("canvas td", has_text="9").first).to_be_attached(timeout=PATIENCE)
    headings = page.locator("canvas th").all_inner_texts()
    place = headings.index("loss")
    assert column(page, place) == ["Infinity", "0.5", "Infinity", "1000", "9", "10", ""]

    table = page.get_by_test_id("stDataFrame").first
    table.click(position={"x": BEFORE_METRICS + 20, "y": 16})
    expect(page.locator("canvas tbody tr").nth(2).locator("td").nth(place)).to_have_text("9")
    assert column(page, place) == ["", "0.5", "9", "10", "1000", "Infinity", "Infinity"]
    table.click(position={"x": BEFORE_METRICS + 20, "y": 16})
    expect(page.locator("canvas tbody tr").nth(2).locator("td").nth(place)).to_have_text("1000")
    assert column(page, place)[2:] == ["1000", "10", "9", "0.5", ""]
