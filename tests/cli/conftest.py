"""The command line in this process, and a store whose names fight back."""

from __future__ import annotations

import io
import math
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

import tracking

HOSTILE = "\x1b]0;owned\x07\x1b[31mred\x9b1m\x07\u202eevil"


@dataclass(frozen=True)
class Done:
    """What a command did."""

    code: int
    out: str
    err: str


Command = Callable[..., Done]


@pytest.fixture
def command(
    store_folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Command:
    """Run `tracking` with arguments on the test's store."""
    from tracking.cli import run

    monkeypatch.setenv("TRACKING_STORE", str(store_folder))
    monkeypatch.delenv("COLUMNS", raising=False)

    def call(*arguments: str, width: int | None = None, answer: str = "") -> Done:
        monkeypatch.setattr(sys, "argv", ["tracking", *arguments])
        monkeypatch.setattr(sys, "stdin", io.StringIO(answer))
        if width is not None:
            monkeypatch.setenv("COLUMNS", str(width))
        capfd.readouterr()
        try:
            run()
            code = 0
        except SystemExit as stop:
            code = stop.code if isinstance(stop.code, int) else 1
        done = capfd.readouterr()
        return Done(code, done.out, done.err)

    return call


@pytest.fixture
def three_runs(store_folder: Path) -> list[str]:
    """Ids of three runs, the oldest first: `loss` ends at 0, 1 and 2, and the last one also has a NaN."""
    ids = []
    for number in range(3):
        params = {"lr": number / 10, "optimizer": {"name": "=cmd()"}, "depth": number - 1}
        with tracking.start_run(
            "digits", name=f"run {number}", params=params, store=store_folder, capture=False
        ) as run:
            for step in range(50):
                run.log({"loss": 49.0 - step + number}, step=step)
            if number == 2:
                run.log({"val/acc": math.nan}, step=50)
            run.set_tags(["a", "b"])
            run.set_notes("first\n\x1b[31msecond")
        ids.append(run.id)
    return ids


@pytest.fixture
def hostile_store(store_folder: Path, three_runs: list[str]) -> list[str]:
    """The three runs, with names that the client would refuse, as a store from elsewhere may hold them."""
    tracking.open_store(store_folder).close()
    with closing(sqlite3.connect(store_folder / "tracking.db")) as database:
        database.execute("UPDATE runs SET name = ?, notes = ?, error = ?", (HOSTILE, HOSTILE, HOSTILE))
        database.execute("UPDATE experiments SET name = ?", (HOSTILE,))
        database.execute("UPDATE param_keys SET name = name || ?", (HOSTILE,))
        database.execute("UPDATE metric_keys SET name = name || ?", (HOSTILE,))
        database.execute("UPDATE tags SET tag = tag || ?", (HOSTILE,))
        database.commit()
    return three_runs
