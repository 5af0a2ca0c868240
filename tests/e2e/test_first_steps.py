"""The newcomer's way: an empty store, the button, live runs, two of them compared, the link given to somebody else."""

from __future__ import annotations

import time
from collections.abc import Iterator

import psutil
import pytest
from playwright.sync_api import Browser, Page, expect

import tracking

from .conftest import Dashboard
from .pressing import tick_rows

PATIENCE = 60_000


@pytest.fixture
def sample_ends_with_the_test(dashboard: Dashboard) -> Iterator[None]:
    """The sample is a process of its own that outlives the dashboard, so somebody must end it."""
    yield
    for process in psutil.process_iter(["cmdline"]):
        if str(dashboard.store) in (process.info["cmdline"] or []) and process.pid != dashboard.process.pid:
            process.kill()
            process.wait(10)


def lines_of(page: Page) -> dict[str, list[str]]:
    """Return the names of the curves of every drawn chart by its label."""
    return page.evaluate(
        """() => Object.fromEntries([...document.querySelectorAll('.js-plotly-plot')].map(chart => [
            chart.closest('[aria-label]')?.getAttribute('aria-label') ?? chart.layout.title?.text ?? '',
            chart.data.filter(line => line.name).map(line => line.name)]))"""
    )


def settings_of(page: Page) -> list[str]:
    """Return the y axis type of every drawn chart."""
    return page.evaluate(
        "() => [...document.querySelectorAll('.js-plotly-plot')].map(c => c._fullLayout.yaxis.type)"
    )


def test_from_an_empty_store_to_a_shared_comparison(
    page: Page, browser: Browser, dashboard: Dashboard, sample_ends_with_the_test: None
) -> None:
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto(dashboard.address)
    expect(page.get_by_text("No runs yet")).to_be_visible(timeout=PATIENCE)
    page.get_by_role("button", name="Run the sample experiment").click()

    # Live: the first run shows by itself, then the second.
    expect(page.locator("canvas td", has_text="mlp-0").first).to_be_attached(timeout=PATIENCE)
    expect(page.locator("canvas td", has_text="linear-0").first).to_be_attached(timeout=PATIENCE)

    page.get_by_role("link", name="Runs", exact=True).click()
    table = page.get_by_test_id("stDataFrame").first
    expect(table).to_be_visible(timeout=PATIENCE)
    expect(page.locator("canvas td", has_text="mlp-0").first).to_be_attached(timeout=PATIENCE)
    tick_rows(page, table, 0, 1)
    compare = page.get_by_role("button", name="Compare 2 runs")
    expect(compare).to_be_enabled(timeout=PATIENCE)
    compare.click()

    page.wait_for_url("**/compare?*", timeout=PATIENCE)
    page.wait_for_function(
        "() => document.querySelectorAll('.js-plotly-plot .scatterlayer .trace').length >= 4"
    )
    page.get_by_text("Log y").click()
    page.wait_for_function(  # they are drawn one after the other
        "() => [...document.querySelectorAll('.podium-chart-plot')].every(c => c._fullLayout?.yaxis.type === 'log')",
        timeout=PATIENCE,
    )
    here = lines_of(page)
    assert all(len(set(names)) == 2 for names in here.values())
    with tracking.open_store(dashboard.store) as store:
        chosen = page.url.partition("runs=")[2].partition("&")[0].replace("%2C", ",").split(",")
        assert {record.name for record in store.runs(chosen)} == set(next(iter(here.values())))

    # Somebody else, another browser, no key: the same view.
    other = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
    other.goto(page.url)
    other.wait_for_function(
        f"() => document.querySelectorAll('.js-plotly-plot .scatterlayer').length >= {len(here)}",
        timeout=PATIENCE,
    )
    deadline = time.monotonic() + 20
    while (lines_of(other), settings_of(other)) != (here, settings_of(page)) and time.monotonic() < deadline:
        other.wait_for_timeout(200)
    assert lines_of(other) == here
    assert settings_of(other) == settings_of(page) == ["log"] * len(here)
    assert dashboard.key not in page.url
