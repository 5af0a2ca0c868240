"""Going back in the browser's history: one step a page, and what was left is as it was."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page, expect

import tracking

from .conftest import Dashboard, StartDashboard
from .pressing import tick_rows

PATIENCE = 60_000
FILTERED = "where=params.lr+%3C+5&sort=params.lr&order=lowest+first&columns=metrics.loss"


def start_with_runs(start_dashboard: StartDashboard, store: Path, count: int = 8) -> Dashboard:
    for place in range(count):
        with tracking.start_run("digits", name=f"run-{place}", params={"lr": place}, store=store) as run:
            run.log({"loss": float(place)}, step=1)
    return start_dashboard(store)


def expect_filtered(page: Page, address: str) -> None:
    expect(page).to_have_url(address, timeout=PATIENCE)
    expect(page.get_by_text("Showing 5 of 5 runs")).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_role("textbox", name="Filter")).to_have_value("params.lr < 5")
    expect(page.locator("canvas td", has_text="run-").first).to_have_text("run-0")


def test_back_from_a_run_or_a_comparison_shows_the_table_as_it_was(
    page: Page, start_dashboard: StartDashboard, tmp_path: Path
) -> None:
    dashboard = start_with_runs(start_dashboard, tmp_path / "store")
    page.set_viewport_size({"width": 1440, "height": 900})
    address = f"{dashboard.base}/runs?{FILTERED}"
    page.goto(address)
    expect_filtered(page, address)
    table = page.get_by_test_id("stDataFrame").first

    table.click(position={"x": 90, "y": 33 * 2 + 16})
    expect(page.get_by_role("heading", name="run-1")).to_be_visible(timeout=PATIENCE)
    page.go_back()
    expect_filtered(page, address)
    page.go_forward()
    expect(page.get_by_role("heading", name="run-1")).to_be_visible(timeout=PATIENCE)
    page.go_back()
    expect_filtered(page, address)

    tick_rows(page, table, 0, 1)
    page.get_by_role("button", name="Compare 2 runs").click(timeout=PATIENCE)
    expect(page.get_by_role("heading", name="Compare")).to_be_visible(timeout=PATIENCE)
    page.go_back()
    expect_filtered(page, address)
    expect(page.get_by_text("2 runs ticked.")).to_be_visible(timeout=PATIENCE)
    # The boxes themselves are ticked, too: a click on the first unticks it.
    table.click(position={"x": 16, "y": 33 + 16})
    expect(page.get_by_text("1 run ticked.")).to_be_visible(timeout=PATIENCE)


def test_the_way_out_of_a_filter_that_fits_nothing(
    page: Page, start_dashboard: StartDashboard, tmp_path: Path
) -> None:
    dashboard = start_with_runs(start_dashboard, tmp_path / "store", count=2)
    for query in ("where=params.lr+%3E+1000", "experiment=gone"):
        page.goto(f"{dashboard.base}/runs?{query}")
        page.get_by_role("link", name="All runs").click(timeout=PATIENCE)
        expect(page.get_by_text("Showing 2 of 2 runs")).to_be_visible(timeout=PATIENCE)
        expect(page).to_have_url(f"{dashboard.base}/runs")
        expect(page.get_by_role("textbox", name="Filter")).to_have_value("")


def test_back_from_the_menu_and_from_a_tab_of_a_run(
    page: Page, start_dashboard: StartDashboard, tmp_path: Path
) -> None:
    dashboard = start_with_runs(start_dashboard, tmp_path / "store", count=1)
    with tracking.open_store(dashboard.store) as store:
        (run_id,) = store.search()["run"]
    address = f"{dashboard.base}/run?run={run_id}&tab=Params"
    page.goto(address)
    expect(page.get_by_role("tab", name="Params", selected=True)).to_be_visible(timeout=PATIENCE)
    page.get_by_role("link", name="Runs", exact=True).click()
    expect(page.get_by_text("Showing 1 of 1 run")).to_be_visible(timeout=PATIENCE)
    assert page.url == f"{dashboard.base}/runs"
    page.go_back()
    expect(page).to_have_url(address)
    expect(page.get_by_role("tab", name="Params", selected=True)).to_be_visible(timeout=PATIENCE)
