"""Pressing the rows of tables, which are drawn on a canvas."""

from __future__ import annotations

import re
from contextlib import suppress

from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import Locator, Page
from playwright.sync_api import TimeoutError as PlaywrightTimeoutError

from tracking.ui.grid import HEADER_HEIGHT, ROW_HEIGHT


def press_row(page: Page, table: Locator, *, row: int, until: str) -> None:
    """Press the name in a row of a table until the address changes: a table is drawn a while after it is there."""
    for _ in range(60):
        with suppress(PlaywrightError):  # drawn anew at this very moment
            table.scroll_into_view_if_needed()
        if (box := table.bounding_box()) is None:
            continue
        page.mouse.click(box["x"] + 20, box["y"] + HEADER_HEIGHT + ROW_HEIGHT * (row + 0.5))
        page.wait_for_timeout(1_000)
        if re.search(until, page.url):
            return
    raise AssertionError(f"nothing came of pressing row {row}")


def tick_rows(page: Page, table: Locator, *rows: int) -> None:
    """Tick rows of a table of runs, each once the page has said that it knows of those before."""
    for count, row in enumerate(rows, start=1):
        said = page.get_by_text(f"{count} run{'s' if count > 1 else ''} ticked")
        for _ in range(4):
            # Cells are drawn on a canvas: the box of a row is pressed by its place.
            table.click(position={"x": 16, "y": HEADER_HEIGHT + ROW_HEIGHT * (row + 0.5)})
            with suppress(PlaywrightTimeoutError):
                said.first.wait_for(timeout=20_000)
                break
        else:
            raise AssertionError(f"nothing came of ticking row {row}")
