"""The address of a comparison opened in a second browser shows what the first one shows."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

import tracking

from .conftest import StartDashboard

PATIENCE = 60_000
METRICS = ("loss", "acc")
ALL_PARAMS = "Show params that are the same, too"

# What the charts draw, the controls say and the tables hold.
VIEW = """() => {
    const charts = [...document.querySelectorAll('.js-plotly-plot')].filter(chart => chart._fullLayout);
    return {
        charts: charts.map(chart => ({
            label: chart.closest('[aria-label]')?.getAttribute('aria-label'),
            axes: [chart._fullLayout.xaxis.type, chart._fullLayout.yaxis.type],
            lines: chart.data.map(line => [
                line.name ?? null, line.line?.color ?? null, line.line?.dash ?? null, line.opacity ?? null,
                line.visible ?? null,
            ]),
        })),
        pressed: [...document.querySelectorAll('main [aria-checked="true"], section [aria-checked="true"]')]
            .map(node => node.innerText),
        toggles: [...document.querySelectorAll('input[type="checkbox"]')]
            .map(node => [node.getAttribute('aria-label'), node.checked]),
        tables: [...document.querySelectorAll('canvas')]
            .map(table => [...table.querySelectorAll('tr')].map(row => [...row.children].map(cell => cell.innerText)))
            .filter(rows => rows.length),
    };
}"""
# Of the axes; the address rounds those of a zoom.
RANGES = """() => [...document.querySelectorAll('.js-plotly-plot')].filter(chart => chart._fullLayout)
    .flatMap(chart => [chart._fullLayout.xaxis.range, chart._fullLayout.yaxis.range])"""
# How many points a line has and the value of the one in the middle: another smoothing has another one.
# Not of the first chart, which is zoomed: the address rounds where its points end.
MIDDLES = """() => [...document.querySelectorAll('.js-plotly-plot')].filter(chart => chart._fullLayout)
    .slice(1).map(chart => chart._fullData.map(line => [line.y.length, line.y[line.y.length >> 1]]))"""


def put_runs(folder: Path) -> list[str]:
    ids = []
    for number, name in enumerate(("one", "two", "three")):
        params = {"lr": 0.1 / (number + 1), "batch": 32}
        with tracking.start_run("digits", name=name, params=params, store=folder, capture=False) as run:
            tracking.define_metric("acc", goal="maximize")
            for step in range(400):
                noise = 0.2 if step % 7 == number else 0.0
                run.log({"loss": 1 / (step + 1) + noise, "acc": step / 400 - noise}, step=step)
        ids.append(run.id)
    return ids


def wait_drawn(page: Page, curves: int) -> None:
    page.wait_for_function(
        "([charts, curves]) => { const all = [...document.querySelectorAll('.js-plotly-plot')];"
        " return all.length === charts && all.every(chart => chart._fullData?.length === curves); }",
        arg=[len(METRICS), curves],
        timeout=PATIENCE,
    )


def settled(page: Page, read: str) -> Any:
    """Return what the page shows once it has shown the same for a second."""
    before, since, deadline = page.evaluate(read), time.monotonic(), time.monotonic() + PATIENCE / 1000
    while time.monotonic() - since < 1:
        assert time.monotonic() < deadline, "the page does not come to rest"
        page.wait_for_timeout(100)
        now = page.evaluate(read)
        if now != before:
            before, since = now, time.monotonic()
    return before


def test_a_second_browser_shows_the_same_view(
    page: Page, browser: Browser, start_dashboard: StartDashboard, tmp_path: Path
) -> None:
    ids = put_runs(tmp_path / "store")
    dashboard = start_dashboard(tmp_path / "store")
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto(f"{dashboard.base}/compare?runs={','.join(ids)}")
    wait_drawn(page, 3)
    plain = settled(page, VIEW)

    page.get_by_role("radio", name="Relative").click()
    slider = page.get_by_role("slider").first
    slider.focus()
    for _ in range(10):
        slider.press("ArrowRight")
    page.get_by_text("Log y").click()
    page.get_by_role("radio", name="last", exact=True).click()
    page.get_by_text(ALL_PARAMS).click()
    wait_drawn(page, 6)  # the raw values stay, faintly
    page.wait_for_function(
        "() => [...document.querySelectorAll('.podium-chart-plot')].every(c => c._fullLayout?.yaxis.type === 'log')",
        timeout=PATIENCE,
    )
    expect(page.locator("canvas td", has_text="batch")).to_be_attached(timeout=PATIENCE)
    expect(page.locator("canvas th", has_text="loss (last)")).to_have_count(0, timeout=PATIENCE)
    settled(page, VIEW)
    plot = page.locator(".js-plotly-plot .nsewdrag").first
    plot.scroll_into_view_if_needed()
    box = plot.bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 0.3 * box["width"], middle)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.7 * box["width"], middle, steps=5)
    page.mouse.up()
    page.wait_for_url("**zoom=**", timeout=PATIENCE)

    here, ranges, middles = settled(page, VIEW), settled(page, RANGES), settled(page, MIDDLES)
    assert here["charts"] != plain["charts"] and here["tables"] != plain["tables"]
    assert {chart["axes"][1] for chart in here["charts"]} == {"log"}
    assert here["pressed"] == ["Relative", "last"]
    assert dict(here["toggles"]) == {"Log y": True, "Log x": False, ALL_PARAMS: True}
    assert [len(table) for table in here["tables"]] == [4, 3], "the tables are read, with their headings"

    context = browser.new_context(viewport={"width": 1440, "height": 900})
    other = context.new_page()
    other.goto(page.url)
    wait_drawn(other, 6)
    there = settled(other, VIEW)
    assert there["charts"] == here["charts"]
    assert (there["pressed"], there["toggles"]) == (here["pressed"], here["toggles"])
    assert there["tables"] == here["tables"]
    expect(other.get_by_role("slider").first).to_have_value("0.1")
    assert settled(other, MIDDLES) == middles
    for mine, theirs in zip(ranges, settled(other, RANGES), strict=True):
        low, high = mine
        assert theirs == pytest.approx(mine, abs=(high - low) / 100)
    context.close()
