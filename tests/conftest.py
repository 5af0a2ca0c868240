"""Fixtures that every folder of tests shares: a store of one's own, and processes that end with the test."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest

if TYPE_CHECKING:
    from tracking.store import Store

ROOT = Path(__file__).parent.parent
SOAK = os.environ.get("PODIUM_SOAK") == "1"
"""Whether the long variants run too: more kills, more seeds, longer locks."""

# A busy machine is no failure; what hangs is ended by the time limit of the whole test.
hypothesis.settings.register_profile("podium", deadline=None)
hypothesis.settings.load_profile("podium")

# Each of the thousands of stores keeps its database open as long as the process that logged to it lives.
_soft, _hard = resource.getrlimit(resource.RLIMIT_NOFILE)
_wanted = 16_384 if _hard == resource.RLIM_INFINITY else min(16_384, _hard)
if _soft != resource.RLIM_INFINITY and _soft < _wanted:
    resource.setrlimit(resource.RLIMIT_NOFILE, (_wanted, _hard))

RunScript = Callable[..., "subprocess.CompletedProcess[str]"]
StartScript = Callable[..., "subprocess.Popen[str]"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out what takes long, but for `make soak`."""
    if SOAK:
        return
    skip = pytest.mark.skip(reason="takes long: `make soak` runs it")
    for item in items:
        if item.get_closest_marker("soak"):
            item.add_marker(skip)


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of the person who runs the tests reaches them."""
    for name in os.environ:
        if name.startswith("TRACKING_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("TRACKING_NICE", "0")  # the tests are what trials would give way to


@pytest.fixture
def store_folder(tmp_path: Path) -> Path:
    """A folder for a store that does not exist yet."""
    return tmp_path / "store"


@pytest.fixture
def store(store_folder: Path) -> Iterator[Store]:
    """An open, empty store."""
    import tracking

    opened = tracking.open_store(store_folder)
    yield opened
    opened.close()


def script_environment(**extra: str) -> dict[str, str]:
    """Return an environment in which a script anywhere can `import tracking` from this checkout."""
    settings = {name: value for name, value in os.environ.items() if not name.startswith("TRACKING_")}
    paths = [str(ROOT), *filter(None, [settings.get("PYTHONPATH")])]
    return {**settings, "TRACKING_NICE": "0", "PYTHONPATH": os.pathsep.join(paths), **extra}


@pytest.fixture
def run_script(tmp_path: Path) -> RunScript:
    """Run a script's text to its end in a fresh process.

    `run_script(text, *arguments, timeout=60, cwd=tmp_path, env={})` returns the
    completed process with its output as text, whatever its exit code.
    """

    def run(
        text: str,
        *arguments: str,
        timeout: float = 60,
        cwd: Path | None = None,
        env: dict[str, str] | None = None,
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", textwrap.dedent(text), *arguments],
            cwd=cwd or tmp_path,
            env=script_environment(**(env or {})),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
        )

    return run


@pytest.fixture
def start_script(tmp_path: Path) -> Iterator[StartScript]:
    """Start a script's text in a process of its own, which is killed when the test ends.

    `start_script(text, *arguments, cwd=tmp_path, env={})` returns the process with
    pipes as text. Wait for a line of its stdout instead of sleeping.
    """
    started: list[subprocess.Popen[str]] = []

    def start(
        text: str, *arguments: str, cwd: Path | None = None, env: dict[str, str] | None = None
    ) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-u", "-c", textwrap.dedent(text), *arguments],
            cwd=cwd or tmp_path,
            env=script_environment(**(env or {})),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()
