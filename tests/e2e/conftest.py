"""A real browser on a real server: Debian's Chromium through Playwright, the dashboard as a process."""

from __future__ import annotations

import os
import queue
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import BrowserContext, expect

ROOT = Path(__file__).parents[2]
START_S = 60.0
PATIENCE_MS = 60_000
"""A busy machine is no failure: what is waited for comes at once, or late."""
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# No sandbox inside containers; nothing that talks to the network by itself.
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-quic",
)


expect.set_options(timeout=PATIENCE_MS)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Every test here needs a browser: skip loudly without one, but never on CI.

    A browser on a busy machine may swallow a click: what fails is tried once more, which the last lines of the
    output tell. A fault of ours fails twice.
    """
    here = [item for item in items if Path(__file__).parent in item.path.parents]
    for item in here:
        item.add_marker(pytest.mark.flaky(reruns=1))
    if browser_path() is not None or os.environ.get("CI", "").lower() in ("1", "true"):
        return
    skip = pytest.mark.skip(reason="NO BROWSER FOUND: install chromium to run the browser tests")
    for item in here:
        item.add_marker(skip)


def browser_path() -> str | None:
    return next((path for name in BROWSERS if (path := shutil.which(name))), None)


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """Launch the system's browser; nothing is downloaded."""
    path = browser_path()
    assert path is not None, "CI must have a browser: install chromium"
    return {**browser_type_launch_args, "executable_path": path, "args": list(FLAGS)}


@pytest.fixture
def context(context: BrowserContext) -> BrowserContext:
    """The browser's window, waited for with patience."""
    context.set_default_timeout(PATIENCE_MS)
    return context


@dataclass(frozen=True)
class Dashboard:
    """A running server: `base` without a slash at its end, the launch key, the folder of its store."""

    base: str
    key: str
    store: Path
    process: subprocess.Popen[str]

    @property
    def address(self) -> str:
        """The address that the server printed, with the key."""
        return f"{self.base}/?key={self.key}"


class StartDashboard(Protocol):
    """Starts a server on a store; `project` is the folder that it is started in, and looks for scripts in."""

    def __call__(self, store: Path, *, project: Path = ROOT) -> Dashboard: ...


@contextmanager
def dashboards() -> Iterator[StartDashboard]:
    """Start servers on free ports; all of them are ended in the end."""
    running: list[subprocess.Popen[str]] = []

    def start(store: Path, *, project: Path = ROOT) -> Dashboard:
        process = subprocess.Popen(
            [sys.executable, "-m", "tracking.ui.server", "--port=0", f"--store={store}", "--no-open-browser"],
            cwd=project,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        running.append(process)
        address = _printed_address(process)
        parts = urlsplit(address)
        return Dashboard(f"http://{parts.netloc}", parse_qs(parts.query)["key"][0], store, process)

    try:
        yield start
    finally:
        for process in running:
            process.terminate()
        for process in running:
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@pytest.fixture
def start_dashboard() -> Iterator[StartDashboard]:
    """Start servers on free ports; all of them are ended with the test."""
    with dashboards() as start:
        yield start


@pytest.fixture(scope="module")
def shared_dashboard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dashboard]:
    """One server and its store for the tests of a file that each look at runs of their own."""
    with dashboards() as start:
        yield start(tmp_path_factory.mktemp("shared") / "store")


@pytest.fixture
def dashboard(start_dashboard: StartDashboard, tmp_path: Path) -> Dashboard:
    """A fresh server on an empty store."""
    return start_dashboard(tmp_path / "store")


def _printed_address(process: subprocess.Popen[str]) -> str:
    """Return the address from the server's output, and keep reading so that its pipe never fills."""
    addresses: queue.Queue[str] = queue.Queue()
    seen: list[str] = []

    def read() -> None:
        assert process.stdout is not None
        for line in process.stdout:
            seen.append(line)
            if line.startswith("Podium is at "):
                addresses.put(line.removeprefix("Podium is at ").strip())

    threading.Thread(target=read, daemon=True).start()
    try:
        return addresses.get(timeout=START_S)
    except queue.Empty:
        process.kill()
        raise AssertionError("the dashboard did not start:\n" + "".join(seen)) from None
