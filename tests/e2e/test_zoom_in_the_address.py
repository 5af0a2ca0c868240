"""The zoom of a chart in the address: written as it changes, shown again by a pasted link, kept while points arrive."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Locator, Page, expect

import tracking

from .conftest import Dashboard


def chart(page: Page, metric: str) -> Locator:
    node = page.get_by_role("img", name=f"{metric} by ")
    expect(node.locator("svg.main-svg").first).to_be_visible(timeout=60_000)
    return node


def drag(page: Page, node: Locator, left: float, right: float, top: float = 0.5, bottom: float = 0.5) -> None:
    plot = node.locator(".nsewdrag").first
    plot.scroll_into_view_if_needed()
    box = plot.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + left * box["width"], box["y"] + top * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + right * box["width"], box["y"] + bottom * box["height"], steps=5)
    page.mouse.up()


def zooms(page: Page) -> dict[str, tuple[float, float]]:
    entries = [entry.split(":", 2) for entry in parse_qs(urlsplit(page.url).query).get("zoom", [])]
    return {name: (float(low), float(high)) for low, high, name in entries}


def x_range(node: Locator) -> list[Any]:
    return list(node.evaluate("node => node.layout.xaxis.range"))


def y_range(node: Locator) -> list[float]:
    return list(node.evaluate("node => node._fullLayout.yaxis.range"))


@pytest.mark.parametrize(
    ("axis", "log_x"),
    [
        ("step", True),
        pytest.param("wall", False, marks=pytest.mark.soak),
        pytest.param("step", False, marks=pytest.mark.soak),
        pytest.param("relative", False, marks=pytest.mark.soak),
    ],
)
def test_a_pasted_link_shows_the_same_part(
    page: Page, shared_dashboard: Dashboard, axis: str, log_x: bool
) -> None:
    with tracking.start_run("digits", name="one", store=shared_dashboard.store, capture=False) as run:
        for step in range(3000):
            run.log({"loss": 1 / (step + 1), "a/b:c": float(step)}, step=step)
    page.goto(f"{shared_dashboard.base}/run?run={run.id}&x={axis}" + ("&logx=true" if log_x else ""))
    loss = chart(page, "loss")
    steps = page.evaluate("history.length")
    drag(page, loss, 0.4, 0.6)
    expect(page.get_by_text("in view")).to_have_count(1, timeout=10_000)
    drag(page, chart(page, "a/b:c"), 0.2, 0.9)
    expect(page.get_by_text("in view")).to_have_count(2, timeout=10_000)
    along = {"relative": "seconds"}.get(axis, axis)
    assert zooms(page).keys() == {f"{along}:loss", f"{along}:a/b:c"}
    assert page.evaluate("history.length") == steps  # no step back for each zoom
    kept = x_range(loss)

    link = page.url
    page.goto("about:blank")
    page.goto(link)
    loss = chart(page, "loss")
    expect(page.get_by_text("in view")).to_have_count(2, timeout=10_000)
    if axis != "wall":
        low, high = kept
        assert x_range(loss) == pytest.approx(kept, abs=(high - low) / 100)
    else:
        assert [end[:19] for end in x_range(loss)] == [end[:19] for end in kept]
    assert page.url == link

    loss.locator(".nsewdrag").first.dblclick()
    expect(page.get_by_text("in view")).to_have_count(1, timeout=10_000)
    assert zooms(page).keys() == {f"{along}:a/b:c"}
    loss_range = x_range(loss)
    page.wait_for_timeout(300)
    assert x_range(loss) == loss_range


def test_the_zoom_of_a_link_stays_while_points_arrive(page: Page, shared_dashboard: Dashboard) -> None:
    with tracking.start_run("digits", name="live", store=shared_dashboard.store, capture=False) as run:
        for step in range(500):
            run.log({"loss": 1 / (step + 1)}, step=step)
        page.goto(f"{shared_dashboard.base}/run?run={run.id}&zoom=100:200:step:loss")
        loss = chart(page, "loss")
        last = 500

        def more() -> None:
            nonlocal last
            before = loss.evaluate("node => node._fullData[0].x.at(-1)")
            for step in range(last, last + 100):
                run.log({"loss": 0.1}, step=step)
            last += 100
            page.wait_for_function(
                "before => document.querySelector('.podium-chart-plot')._fullData[0].x.at(-1) > before",
                arg=before,
            )

        more()
        assert x_range(loss) == [100, 200]
        drag(page, loss, 0.25, 0.75)
        page.wait_for_function("!decodeURIComponent(location.search).includes('=100:200')")
        inner = x_range(loss)
        assert 110 < inner[0] < 140 and 160 < inner[1] < 190
        more()
        assert x_range(loss) == inner
        loss.locator(".nsewdrag").first.dblclick()
        page.wait_for_function("!location.search.includes('zoom')")
        more()
        low, high = x_range(loss)
        assert low < 20 and high > 600  # follows the run again


def test_another_run_in_a_comparison_leaves_the_zoom_in_the_address(
    page: Page, shared_dashboard: Dashboard
) -> None:
    ids = []
    for name in ("one", "two", "three"):
        with tracking.start_run("digits", name=name, store=shared_dashboard.store, capture=False) as run:
            for step in range(300):
                run.log({"loss": 1 / (step + 1)}, step=step)
        ids.append(run.id)
    page.goto(f"{shared_dashboard.base}/compare?runs={','.join(ids)}&zoom=100:200:step:loss")
    loss = chart(page, "loss")
    assert x_range(loss) == [100, 200]
    drag(page, loss, 0.25, 0.75)
    page.wait_for_function("!decodeURIComponent(location.search).includes('=100:200')")
    zoomed = parse_qs(urlsplit(page.url).query)["zoom"]

    page.get_by_role("button", name="Remove three").or_(
        page.locator('[aria-label*="three"] svg')
    ).first.click()
    page.wait_for_function("id => !location.search.includes(id)", arg=ids[2])
    # The server writes the address as it knew it; the chart puts its own zoom back.
    page.wait_for_function(
        "zoom => new URLSearchParams(location.search).getAll('zoom').join() === zoom", arg=zoomed[0]
    )


def falling(store: Path, points: int = 300) -> str:
    with tracking.start_run("digits", name="one", store=store, capture=False) as run:
        for step in range(points):
            run.log({"loss": 1 / (step + 1)}, step=step)
    return run.id


@pytest.mark.parametrize("log_y", [False, True])
def test_y_fits_what_a_zoom_along_x_shows(page: Page, shared_dashboard: Dashboard, log_y: bool) -> None:
    run_id = falling(shared_dashboard.store)
    page.goto(f"{shared_dashboard.base}/run?run={run_id}" + ("&logy=true" if log_y else ""))
    loss = chart(page, "loss")
    whole = y_range(loss)
    drag(page, loss, 0.5, 0.9)
    expect(page.get_by_text("in view")).to_have_count(1, timeout=10_000)
    page.wait_for_function("document.querySelector('.podium-chart-plot')._fullLayout.yaxis.range[1] < 0.05")
    low, high = (10**end for end in y_range(loss)) if log_y else y_range(loss)
    left, right = x_range(loss)
    assert low == pytest.approx(1 / (right + 1), rel=0.1) and high == pytest.approx(1 / (left + 1), rel=0.1)
    loss.locator(".nsewdrag").first.dblclick()
    expect(page.get_by_text("in view")).to_have_count(0, timeout=10_000)
    page.wait_for_function(
        "top => Math.abs(document.querySelector('.podium-chart-plot')._fullLayout.yaxis.range[1] - top) < 1e-6",
        arg=whole[1],
    )
    assert y_range(loss) == pytest.approx(whole)


def test_a_zoom_of_y_travels_and_survives(page: Page, shared_dashboard: Dashboard) -> None:
    run_id = falling(shared_dashboard.store)
    page.goto(f"{shared_dashboard.base}/run?run={run_id}")
    loss = chart(page, "loss")
    drag(page, loss, 0.2, 0.7, 0.2, 0.8)
    expect(page.get_by_text("in view")).to_have_count(1, timeout=10_000)
    page.wait_for_function("location.search.split('zoom=')[1].split('%3A').length === 6")
    kept = x_range(loss), y_range(loss)
    link = page.url

    page.goto("about:blank")
    page.goto(link)
    loss = chart(page, "loss")
    assert x_range(loss) == pytest.approx(kept[0], abs=0.5)
    assert y_range(loss) == pytest.approx(kept[1], abs=0.005)
    assert page.url == link

    for log_y in (True, False):
        page.get_by_text("Log y", exact=True).click()
        page.wait_for_function(
            "type => document.querySelector('.podium-chart-plot')?._fullLayout?.yaxis.type === type",
            arg="log" if log_y else "linear",
        )
    assert y_range(chart(page, "loss")) == pytest.approx(kept[1], abs=0.005)

    loss = chart(page, "loss")
    loss.locator(".nsewdrag").first.dblclick()
    page.wait_for_function("!location.search.includes('zoom')")
    drag(page, loss, 0.5, 0.5, 0.3, 0.7)  # along y alone
    page.wait_for_function("location.search.includes('zoom')")
    assert parse_qs(urlsplit(page.url).query)["zoom"][0].startswith("::")
    kept = x_range(loss), y_range(loss)
    page.reload()
    loss = chart(page, "loss")
    assert y_range(loss) == pytest.approx(kept[1], abs=0.005)
    assert x_range(loss) == pytest.approx(kept[0])


@pytest.mark.parametrize("log_y", [pytest.param(False, marks=pytest.mark.soak), True])
@pytest.mark.parametrize(
    "values",
    [
        [1e308 * (n / 100) for n in range(100)],
        pytest.param([5e-324 * n for n in range(1, 100)], marks=pytest.mark.soak),
    ],
)
def test_values_at_the_ends_of_a_float_are_drawn_or_marked(
    page: Page, shared_dashboard: Dashboard, values: list[float], log_y: bool
) -> None:
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda message: wrong.append(message.text) if "path" in message.text else None)
    with tracking.start_run("digits", name="one", store=shared_dashboard.store, capture=False) as run:
        for step, value in enumerate(values):
            run.log({"loss": value}, step=step)
    page.goto(f"{shared_dashboard.base}/run?run={run.id}" + ("&logy=true" if log_y else ""))
    loss = chart(page, "loss")
    if values[-1] > 1 and not log_y:
        expect(page.get_by_text("99 too large for a linear axis")).to_be_visible()
        assert loss.locator(".scatterlayer path.point").count() >= 99
    elif not log_y:
        expect(page.get_by_text("99 within 1e-285 of 0 drawn as 0")).to_be_visible()
    else:
        low, high = y_range(loss)
        ends = loss.evaluate(
            "node => node._fullData[0].y.filter(y => y > 0).map(y => node._fullLayout.yaxis.d2l(y))"
        )
        assert low <= min(ends) and max(ends) <= high
    assert not wrong
