"""Trials give way to other programs, unless somebody says otherwise."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

import tracking
from tests.tuning.sweeping import TEXT, project
from tracking.config import StoreLocation
from tracking.tuning import sweeps
from tracking.tuning.definition_file import read_definition
from tracking.tuning.execution.launching import Launch, Launched

SAYS = """
import os, pathlib
group = pathlib.Path("/proc/self/autogroup")
print(os.nice(0), group.read_text().split()[-1] if group.exists() else "none")
"""


def said(folder: Path) -> list[str]:
    """Return the niceness of an evaluation, and that of its session where Linux has one."""
    log = folder / "log"
    launched = Launched(Launch([sys.executable, "-c", SAYS], folder, dict(os.environ), log))
    until = time.monotonic() + 60
    while not launched.is_over() and time.monotonic() < until:
        time.sleep(0.02)
    assert launched.end(1.0) == 0
    return log.read_text().split()[-2:]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="of Linux")
def test_an_evaluation_is_as_nice_as_the_setting_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = os.nice(0)
    monkeypatch.setenv("TRACKING_NICE", "0")
    assert said(tmp_path)[0] == str(here)
    monkeypatch.delenv("TRACKING_NICE")
    own, session = said(tmp_path)
    assert own == str(min(19, here + 10)) and session in (
        "10",
        "none",
        "0",
    )  # the kernel may be asked too often
    monkeypatch.setenv("TRACKING_NICE", "19")
    assert said(tmp_path)[0] == "19"


@pytest.mark.parametrize("setting", ["-5", "20", "low"])
def test_a_setting_that_is_no_niceness_starts_no_sweep(
    tmp_path: Path, store_folder: Path, monkeypatch: pytest.MonkeyPatch, setting: str
) -> None:
    monkeypatch.setenv("TRACKING_NICE", setting)
    with pytest.raises(tracking.InvalidValue, match="TRACKING_NICE"):
        sweeps.start(
            StoreLocation(store_folder, named=True), read_definition(TEXT), project=project(tmp_path)
        )
    with tracking.open_store(store_folder) as store:
        assert store.sweeps() == []
