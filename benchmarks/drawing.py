"""How long a page takes until it stands in a browser: from leaving another page to the last chart that is in sight."""

from __future__ import annotations

import contextlib
import shutil
import statistics
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-quic",
)
SIZE = (1440, 900)
# Asked in every frame of the browser: the heading of the page, and a drawn plot in each chart that is in sight.
STANDS = """(heading) => new Promise((done) => {
  const began = performance.now();
  const inSight = (node) => {
    const box = node.getBoundingClientRect();
    return box.width > 0 && box.top < innerHeight && box.bottom > 0;
  };
  const stands = () => {
    const charts = [...document.querySelectorAll(".podium-chart")].filter(inSight);
    const there = [...document.querySelectorAll("h1")].some((each) => each.textContent.includes(heading));
    const drawn = (chart) => chart.querySelector(".main-svg .xtick, .main-svg .ytick");
    if (there && charts.length > 1 && charts.every(drawn)) {
      requestAnimationFrame(() => setTimeout(() => done((performance.now() - began) / 1e3)));
    } else requestAnimationFrame(stands);
  };
  history.back();
  requestAnimationFrame(stands);
})"""


@contextlib.contextmanager
def browser() -> Iterator[Page | None]:
    """Open a page of the system's Chromium, None where there is none or no Playwright."""
    path = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        path = None
    if path is None:
        yield None
        return
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        try:
            yield opened.new_page(viewport={"width": SIZE[0], "height": SIZE[1]})
        finally:
            opened.close()


def drawn_seconds(page: Page, address: str, heading: str, leave: str, times: int) -> tuple[float, float]:
    """Return how long a page with charts takes to stand when the browser comes back to it.

    Args:
        page: Of the browser.
        address: Of the page.
        heading: What its title has in it.
        leave: The label of the link on it that leads to another page.
        times: How often to come back.

    Returns:
        The median and the longest, in seconds.
    """
    page.goto(address)
    page.locator(".podium-chart .main-svg").first.wait_for()
    found = []
    for _ in range(times):
        page.get_by_role("link", name=leave).first.click()
        page.get_by_role("heading", name=heading).wait_for(state="detached")
        page.wait_for_timeout(1_000)
        found.append(float(page.evaluate(STANDS, heading)))
    return statistics.median(found), max(found)
