"""Code changed under a running server, or a package gone: a plain message, the traceback in the log."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

import tracking.ui
from tracking.ui import frame

ROOT = Path(__file__).parents[2]
BROKEN = {
    "a missing package": ("import a_package_that_is_not_installed", "a_package_that_is_not_installed"),
    "a name that is gone": ("from tracking.ui import a_module_that_is_gone", "a_module_that_is_gone"),
    "a syntax error": ("def half(", "was never closed"),
    "an error outside the page's block": ("1 / 0", "division"),
}


def expect_message(app: AppTest, caplog: pytest.LogCaptureFixture, named: str) -> None:
    assert not app.exception
    (message,) = app.error
    assert "could not be loaded" in message.value and "make run" in message.value
    (record,) = (record for record in caplog.records if record.name == "tracking.ui")
    assert record.exc_info is not None and named in str(record.exc_info[1])
    assert named not in message.value


@pytest.mark.parametrize(("code", "named"), BROKEN.values(), ids=BROKEN)
def test_a_page_that_cannot_run_says_so(
    code: str, named: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for page in (path.name for path in (ROOT / "pages").glob("*.py")):
        (tmp_path / page).write_text(code, encoding="utf-8")
    monkeypatch.setattr(frame, "PAGES", tmp_path)
    expect_message(AppTest.from_file(str(ROOT / "app.py")).run(), caplog, named)


def test_the_dashboards_own_code_may_be_what_is_missing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delattr(tracking.ui, "frame")
    monkeypatch.setitem(sys.modules, "tracking.ui.frame", None)
    expect_message(AppTest.from_file(str(ROOT / "app.py")).run(), caplog, "frame")
