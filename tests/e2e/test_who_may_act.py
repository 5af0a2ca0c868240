"""In the browser: without the key the dashboard is read only; with it, it acts."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from .conftest import ROOT, Dashboard

LOST_WITHIN_S = 10.0
BUTTON = "Run the sample experiment"


def test_without_the_key_nothing_can_be_started(page: Page, dashboard: Dashboard) -> None:
    page.goto(dashboard.base)
    expect(page.get_by_role("button", name=BUTTON)).to_be_disabled(timeout=60_000)
    expect(page.get_by_text("Read only.")).to_be_visible()

    field = page.get_by_placeholder("Key, or the whole address")
    field.fill("wrong")
    field.press("Enter")
    expect(page.get_by_text("That is not the key of this server")).to_be_visible()
    expect(page.get_by_role("button", name=BUTTON)).to_be_disabled()

    field.fill(dashboard.key)
    field.press("Enter")
    expect(page.get_by_role("button", name=BUTTON)).to_be_enabled()
    expect(page.get_by_text("Read only.")).to_have_count(0)
    assert dashboard.key not in page.url


def test_the_printed_address_may_act(page: Page, dashboard: Dashboard) -> None:
    page.goto(dashboard.address)
    expect(page.get_by_role("button", name=BUTTON)).to_be_enabled(timeout=60_000)
    assert page.url == f"{dashboard.base}/"


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs kill -9")
def test_a_killed_run_shows_as_lost_while_somebody_looks(page: Page, dashboard: Dashboard) -> None:
    script = (
        "import sys, time, tracking\n"
        "run = tracking.start_run('digits', name='doomed', store=sys.argv[1])\n"
        "run.log({'loss': 1.0}, step=1)\n"
        "tracking.open_store(sys.argv[1]).run(run.id)  # a query of its own process: it is in the database\n"
        "print(run.id, flush=True)\n"
        "time.sleep(600)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(Path(dashboard.store))],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    ) as training:
        try:
            assert training.stdout is not None
            run_id = training.stdout.readline().strip()
            page.goto(f"{dashboard.base}/run?run={run_id}")
            # The badge beside the heading, not whatever else on the page may say so.
            badge = page.locator(".stMarkdownBadge").first
            expect(badge).to_have_text(re.compile("running$"), timeout=60_000)
        finally:
            os.kill(training.pid, signal.SIGKILL)
            killed = time.monotonic()
    expect(badge).to_have_text(re.compile("lost$"), timeout=LOST_WITHIN_S * 2_000)
    assert time.monotonic() - killed < LOST_WITHIN_S
