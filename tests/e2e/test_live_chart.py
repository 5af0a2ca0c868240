"""The live chart in a real browser: node, zoom and hidden traces stay while points arrive."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

ROOT = Path(__file__).parents[2]
SCRIPT = Path(__file__).with_name("chart_script.py")
# The guarded server with this script in the place of app.py, and Streamlit's own command.
SERVERS = {
    "guarded": [
        "-c",
        "import sys; from pathlib import Path; from tracking.ui import server\n"
        "server.APP = Path(sys.argv[1]); server.serve(port=0, open_browser=False)",
        str(SCRIPT),
    ],
    "streamlit run": ["-m", "streamlit", "run", str(SCRIPT), "--server.port=0", "--server.headless=true"],
}


@pytest.fixture(params=["guarded", pytest.param("streamlit run", marks=pytest.mark.soak)])
def address(request: pytest.FixtureRequest) -> Iterator[str]:
    with subprocess.Popen(
        [sys.executable, *SERVERS[request.param]],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as server:
        assert server.stdout is not None
        try:
            found = (re.search(r"http://127\.0\.0\.1:\d+", line) for line in server.stdout)
            printed = next((match[0] for match in found if match), None)
            assert printed is not None, "the server did not start"
            yield printed
        finally:
            server.kill()  # Streamlit's own command waits for pages that are still open


def status(page: Page) -> dict[str, Any]:
    text = page.get_by_text(re.compile(r"^tick=")).inner_text()
    match = re.fullmatch(r"tick=(\d+) points=(\d+) loss=(.*) log=(.*) date=(.*)", text)
    assert match, text
    names = ("tick", "points", "loss", "log", "date")
    return {name: eval_range(value) for name, value in zip(names, match.groups(), strict=True)}


def eval_range(text: str) -> Any:
    numbers = [float(number) for number in re.findall(r"-?\d+(?:\.\d+)?(?:e[+-]?\d+)?", text)]
    return None if text == "None" else tuple(numbers) if text.startswith("(") else int(text)


def wait_ticks(page: Page, ticks: int) -> None:
    wanted = status(page)["tick"] + ticks
    page.wait_for_function(
        "wanted => [...document.querySelectorAll('*')].some(node => node.childElementCount === 0 &&"
        " /^tick=/.test(node.textContent) && parseInt(node.textContent.slice(5)) >= wanted)",
        arg=wanted,
    )


def chart(page: Page, alt: str) -> Locator:
    node = page.get_by_role("img", name=alt)
    expect(node.locator("svg.main-svg").first).to_be_visible(timeout=60_000)
    return node


def zoom(page: Page, node: Locator, left: float, right: float) -> None:
    """Drag over a part of the plot, given as shares of its width."""
    plot = node.locator(".nsewdrag").first
    plot.scroll_into_view_if_needed()
    box = plot.bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + left * box["width"], middle)
    page.mouse.down()
    page.mouse.move(box["x"] + right * box["width"], middle, steps=5)
    page.mouse.up()


def x_range(node: Locator) -> list[Any]:
    return list(node.evaluate("node => node.layout.xaxis.range"))


def points(node: Locator) -> int:
    return int(node.evaluate("node => node._fullData[0].x.length"))


def test_node_zoom_and_hidden_traces_survive_live_updates(page: Page, address: str) -> None:
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.goto(address)
    node = chart(page, "Loss of two runs by step")
    node.evaluate("node => { node.mark = 'the same node'; }")
    expect(node.get_by_text("run <b>one</b>")).to_be_visible()  # shown, not interpreted

    zoom(page, node, 0.25, 0.5)
    page.wait_for_function("!/ loss=None/.test(document.body.innerText)")
    # The legend is switched by hand: the second trace hides.
    node.locator(".legendtoggle").nth(1).click()
    page.wait_for_function(
        "document.querySelector('.podium-chart-plot')._fullData[1].visible === 'legendonly'"
    )
    zoomed, before = x_range(node), points(node)
    assert status(page)["loss"] == pytest.approx(zoomed)
    still = chart(page, "The same at every tick")
    still.evaluate("node => { node.plots = 0; node.on('plotly_afterplot', () => { node.plots += 1; }); }")

    wait_ticks(page, 3)

    assert (
        still.evaluate("node => node.plots") == 0
    )  # the same figure is not drawn again, but in other colours
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(
        "alt => document.querySelector(`[aria-label='${alt}']`).plots > 0", arg="The same at every tick"
    )
    assert node.evaluate("node => node.mark") == "the same node"
    assert x_range(node) == zoomed
    assert status(page)["loss"] == pytest.approx(zoomed)
    assert points(node) > before
    assert node.evaluate("node => node._fullData[1].visible") == "legendonly"

    node.locator(".nsewdrag").first.dblclick()
    page.wait_for_function("/ loss=None/.test(document.body.innerText)")
    assert all(url.startswith((address, "blob:", "data:")) for url in requests)


def test_the_chart_offers_nothing_that_leaves_the_machine(page: Page, address: str) -> None:
    page.goto(address)
    node = chart(page, "Loss of two runs by step")
    node.hover()
    titles = node.locator(".modebar-btn").evaluate_all(
        "buttons => buttons.map(button => button.dataset.title ?? button.getAttribute('aria-label'))"
    )
    assert len(titles) >= 4
    assert not [title for title in titles if "Share" in title or "cloud" in title.lower() or "Edit" in title]
    assert node.evaluate("node => node._context.plotlyServerURL") == ""


@pytest.mark.parametrize("address", SERVERS, indirect=True)
def test_a_log_axis_reports_values_and_a_date_axis_microseconds(page: Page, address: str) -> None:
    page.goto(address)
    node = chart(page, "The same on a logarithmic axis")
    zoom(page, node, 0.3, 0.6)
    page.wait_for_function("!/ log=None/.test(document.body.innerText)")
    low, high = x_range(node)
    assert status(page)["log"] == pytest.approx((10**low, 10**high))

    dated = chart(page, "The same by time")
    zoom(page, dated, 0.3, 0.6)
    page.wait_for_function("!/ date=None/.test(document.body.innerText)")
    shown = [datetime.fromisoformat(end).replace(tzinfo=UTC).timestamp() for end in x_range(dated)]
    reported = [end / 1e6 for end in status(page)["date"]]
    assert reported == pytest.approx(shown, abs=0.01)


def test_the_chart_follows_the_theme(page: Page, address: str) -> None:
    page.emulate_media(color_scheme="dark")
    page.goto(address)
    node = chart(page, "Loss of two runs by step")
    text = node.evaluate("node => node._fullLayout.font.color")
    assert text == node.evaluate("node => getComputedStyle(node).getPropertyValue('--st-text-color').trim()")
    assert text == "#e4e8ec"  # of .streamlit/config.toml
