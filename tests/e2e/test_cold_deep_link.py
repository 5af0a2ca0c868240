"""The first request to a fresh server may be a deep link: it shows that page inside the whole dashboard.

Streamlit runs a page of a folder named `pages/` without app.py as long as no
session has declared the navigation, so every test here has a server of its own.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

import tracking

from .conftest import StartDashboard

MENU = ["Overview", "Runs", "Compare", "Sweeps", "Models"]


def expect_menu(page: Page) -> None:
    """Wait for the menu as app.py declares it; the server sends the one of the folder first."""
    links = page.get_by_test_id("stTopNavLink")
    expect(links).to_have_text(MENU)


def test_a_link_to_a_run_shows_that_run(page: Page, start_dashboard: StartDashboard, tmp_path: Path) -> None:
    store = tmp_path / "store"
    with tracking.start_run("digits", name="the linked run", store=store) as run:
        run.log({"loss": 0.5}, step=1)
    dashboard = start_dashboard(store)

    page.goto(f"{dashboard.base}/run?run={run.id}")

    expect(page.get_by_text("the linked run").first).to_be_visible(timeout=60_000)
    expect(page).to_have_title("Run · Podium")
    expect_menu(page)  # the page of a run is reached by links, not from the menu
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page).to_have_url(f"{dashboard.base}/run?run={run.id}")


@pytest.mark.parametrize(
    ("path", "title"),
    [("/", "Overview"), ("/runs", "Runs"), ("/models", "Models"), ("/run?run=none", "Run")],
)
def test_every_page_can_be_the_first_one(
    page: Page, start_dashboard: StartDashboard, tmp_path: Path, path: str, title: str
) -> None:
    dashboard = start_dashboard(tmp_path / "store")
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))

    page.goto(dashboard.base + path)

    expect(page.get_by_role("heading", name=title).first).to_be_visible(timeout=60_000)
    expect(page).to_have_title(f"{title} · Podium")
    expect_menu(page)
    # No request leaves the machine.
    assert all(url.startswith((f"{dashboard.base}/", "data:", "blob:")) for url in requests)


def test_the_address_with_the_key_keeps_its_target_and_loses_the_key(
    page: Page, start_dashboard: StartDashboard, tmp_path: Path
) -> None:
    dashboard = start_dashboard(tmp_path / "store")

    page.goto(f"{dashboard.base}/run?run=none&key={dashboard.key}")

    expect(page).to_have_title("Run · Podium", timeout=60_000)
    expect(page).to_have_url(f"{dashboard.base}/run?run=none")
    assert dashboard.key not in page.content()
