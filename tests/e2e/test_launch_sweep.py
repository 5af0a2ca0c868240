"""In the browser: a sweep is set up by clicks and started once, however often Start is pressed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, Page, expect

import tracking
from tests.tuning.sweeping import end_all, processes_of

from .conftest import Dashboard
from .pressing import press_row

SUPERVISOR = "tracking.tuning.execution.supervisor"


@pytest.fixture
def clean_dashboard(dashboard: Dashboard) -> Iterator[Dashboard]:
    yield dashboard
    end_all(dashboard.store)


def fill(page: Page, name: str) -> None:
    """Give the form a name and two trials."""
    page.get_by_role("textbox", name="Name", exact=True).fill(name)
    page.keyboard.press("Tab")
    page.get_by_label("Trials", exact=True).fill("2")
    page.keyboard.press("Tab")
    expect(page.get_by_text("2 trials of")).to_be_visible()


def test_two_tabs_and_a_double_click_start_one_sweep(
    context: BrowserContext, clean_dashboard: Dashboard
) -> None:
    page = context.new_page()
    page.goto(clean_dashboard.address)
    page.goto(f"{clean_dashboard.base}/sweeps")
    page.get_by_role("link", name="New sweep").click()
    expect(page.get_by_text("Models of scikit-learn on a table")).to_be_visible()
    press_row(page, page.get_by_test_id("stDataFrame").last, row=1, until="new=dataset.*iris.*form=")
    fill(page, "flowers")

    other = context.new_page()
    other.goto(page.url)
    fill(other, "flowers")
    page.get_by_role("button", name="Start the sweep").dblclick()
    other.get_by_role("button", name="Start the sweep").click()
    for tab in (page, other):
        tab.wait_for_url("**/sweep?sweep=flowers")
        expect(tab.get_by_role("heading", name="flowers")).to_be_visible()
    with tracking.open_store(clean_dashboard.store) as store:
        assert [sweep.name for sweep in store.sweeps()] == ["flowers"]
    supervisors = [each for each in processes_of(clean_dashboard.store) if SUPERVISOR in each.cmdline()]
    assert len(supervisors) <= 1

    page.go_back()
    expect(page.get_by_role("textbox", name="Name", exact=True)).to_have_value("iris")
    page.go_back()
    expect(page.get_by_text("Models of scikit-learn on a table")).to_be_visible()
