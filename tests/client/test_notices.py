"""A warning names a line of the user's own, whoever says it."""

from __future__ import annotations

import sqlite3
import threading
import time
import warnings
from pathlib import Path

import pytest

import tracking

LINE = 24
"""Of the `start_run` below."""


def test_a_thread_of_ours_names_the_line_that_started_the_run(store_folder: Path) -> None:
    tracking.open_store(store_folder).close()
    holder = sqlite3.connect(store_folder / "tracking.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.warns(tracking.TrackingWarning, match="is locked by another process") as told:
        run = tracking.start_run("locked", store=store_folder, capture=False)
        deadline = time.monotonic() + 20
        while not told.list and time.monotonic() < deadline:
            time.sleep(0.05)
        holder.execute("COMMIT")
        holder.close()
        run.finish()
    assert [(one.filename, one.lineno) for one in told] == [(__file__, LINE)]


def test_a_thread_of_the_user_names_the_line_that_runs(store_folder: Path) -> None:
    lines: list[int] = []

    def work() -> None:
        lines.append(work.__code__.co_firstlineno + 2)
        run.log({"loss": "high"})

    with pytest.warns(tracking.TrackingWarning, match="'loss' got a str") as told:
        with tracking.start_run("thread", store=store_folder, capture=False) as run:
            worker = threading.Thread(target=work)
            worker.start()
            worker.join()
    assert [(one.filename, one.lineno) for one in told] == [(__file__, lines[0])]


def test_where_warnings_are_errors_it_is_printed(
    store_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with tracking.start_run("errors", store=store_folder, capture=False) as run:
            run.log({"loss": "high"})
    assert "Podium: metric 'loss' got a str" in capsys.readouterr().err
