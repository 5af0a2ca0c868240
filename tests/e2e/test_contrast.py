"""Text on the accent is legible on the light and the dark page."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Page, expect

import tracking

from .conftest import StartDashboard


def luminance(colour: str) -> float:
    """Return WCAG 2 relative luminance of a CSS colour such as `rgb(0, 0, 0)`."""
    parts = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_on_the_accent_is_legible(
    page: Page, start_dashboard: StartDashboard, tmp_path: Path, scheme: Literal["light", "dark"]
) -> None:
    page.emulate_media(color_scheme=scheme)
    with tracking.start_run("digits", name="one", tags=["a"], store=tmp_path / "store", capture=False) as run:
        pass
    dashboard = start_dashboard(tmp_path / "store")
    page.goto(f"{dashboard.base}/run?run={run.id}&tab=Tags+and+notes&key={dashboard.key}")
    for node in (page.get_by_role("button", name="Save"), page.locator("[data-tag]")):
        expect(node).to_be_visible(timeout=60_000)
        text, ground = node.evaluate(
            "node => [getComputedStyle(node).color, getComputedStyle(node).backgroundColor]"
        )
        darker, lighter = sorted((luminance(text), luminance(ground)))
        assert (lighter + 0.05) / (darker + 0.05) >= 4.5, (text, ground)
