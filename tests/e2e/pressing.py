"""Pressing the rows of tables, which are drawn on a canvas."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, Page

from tracking.ui.grid import HEADER_HEIGHT, ROW_HEIGHT


def press_row(page: Page, table: Locator, *, row: int, until: str) -> None:
    """Press the name in a row of a table until the address changes: a table is drawn a while after it is there."""
    for _ in range(60):
        table.scroll_into_view_if_needed()
        box = table.bounding_box()
        assert box is not None
        page.mouse.click(box["x"] + 20, box["y"] + HEADER_HEIGHT + ROW_HEIGHT * (row + 0.5))
        page.wait_for_timeout(1_000)
        if re.search(until, page.url):
            return
    raise AssertionError(f"nothing came of pressing row {row}")
