"""Promotions by several processes at once, and killed at random moments: a whole journal."""

from __future__ import annotations

import random
import shutil
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

import tracking
from tests.conftest import SOAK
from tests.registry.making import logged
from tracking.registry_records import JournalEntry, JournalKind

StartScript = Callable[..., "subprocess.Popen[str]"]
HOLDING = (JournalKind.PROMOTE, JournalKind.ROLLBACK, JournalKind.RETIRE)

PROCESSES = 5
TRIES = 40 if SOAK else 4


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of a model with six versions; the accuracy of the first one is below its gate."""
    folder = tmp_path_factory.mktemp("promotions") / "store"
    runs = [
        logged(folder, number % 4, accuracy=0.8 + 0.02 * number, seed=number)
        for number in range(PROCESSES + 1)
    ]
    with tracking.open_store(folder) as store:
        for run in runs:
            store.register("digits", run)
        store.set_gates("digits", ["accuracy >= 0.81"])
    return folder


@pytest.fixture
def store_folder(original: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copytree(original, tmp_path / "store"))


def check_chain(entries: list[JournalEntry]) -> int | None:
    """Every row that changes a holder names the one that the row before left; returns the last one."""
    holder = None
    for entry in entries:
        if entry.kind in (*HOLDING, JournalKind.REFUSE) and entry.alias == "champion":
            assert entry.previous == holder, f"row {entry.position} did not see what it replaced"
        if entry.kind in HOLDING and entry.alias == "champion":
            holder = entry.version
    return holder


PROMOTER = """
import sys, tracking
folder, own, tries = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
with tracking.open_store(folder) as store:
    print("ready", flush=True)
    sys.stdin.readline()
    for number in range(tries):
        try:
            # Every fourth asks for the one that its gate keeps out.
            version = 1 if number % 4 == own % 4 else own
            store.promote("digits", version, reason=f"{own}.{number}")
        except tracking.PromotionRefused:
            pass
        print(f"{own}.{number}", flush=True)
"""


def test_five_processes_promote_at_once(start_script: StartScript, store_folder: Path) -> None:
    promoters = [
        start_script(PROMOTER, str(store_folder), str(number), str(TRIES))
        for number in range(2, PROCESSES + 2)
    ]
    for promoter in promoters:
        assert promoter.stdout is not None and promoter.stdout.readline() == "ready\n", promoter.communicate()
    # A run that logs meanwhile loses nothing and sees no error.
    with tracking.start_run("beside", store=store_folder, capture=False, strict=True) as run:
        for promoter in promoters:
            assert promoter.stdin is not None
            promoter.stdin.write("go\n")
            promoter.stdin.flush()
        step = 0
        while any(promoter.poll() is None for promoter in promoters):
            run.log({"loss": float(step)}, step=step)
            step += 1
            time.sleep(0.002)
    said: list[str] = []
    for promoter in promoters:
        out, errors = promoter.communicate(timeout=120)
        assert promoter.returncode == 0, errors
        said += out.split()
    with tracking.open_store(store_folder) as store:
        entries = store.journal("digits")
        tried = [entry for entry in entries if entry.kind in (JournalKind.PROMOTE, JournalKind.REFUSE)]
        assert Counter(entry.reason for entry in tried) == Counter(said)
        assert len(said) == PROCESSES * TRIES
        refused = [entry for entry in tried if entry.kind is JournalKind.REFUSE]
        # Of so many at once one may give up, as what it read never stayed the same; the journal says so.
        assert {entry.version for entry in refused if "problem" not in entry.details} == {1}
        assert store.resolve("digits@champion").number == check_chain(entries)
        assert store.verify_registry().problems == ()
        assert store.history(run.id, "loss")["step"].tolist() == list(range(step))


ENDLESS = """
import os, sys, tracking
store = tracking.open_store(sys.argv[1])
print("promoting", flush=True)
number = 0
while True:
    if number % 4 == 3:
        store.rollback("digits", reason=str(number))
    else:
        store.promote("digits", 2 + number % 2, reason=str(number))
    number += 1
    os.write(1, b"%d\\n" % number)
"""


def test_kills_at_random_moments_leave_a_whole_journal(start_script: StartScript, store_folder: Path) -> None:
    chance = random.Random(5)
    with tracking.open_store(store_folder) as store:
        rows = len(store.journal())
    for _ in range(60 if SOAK else 4):
        process = start_script(ENDLESS, str(store_folder))
        assert process.stdout is not None and process.stdout.readline() == "promoting\n", (
            process.communicate()
        )
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(timeout=chance.uniform(0.005, 0.3))
        process.send_signal(signal.SIGKILL)
        returned = len(process.communicate()[0].split())
        with tracking.open_store(store_folder) as store:
            entries = store.journal()
            # All that were acknowledged, and perhaps the one that had not returned.
            assert returned <= len(entries) - rows <= returned + 1
            rows = len(entries)
            holder = check_chain(entries)
            assert store.verify_registry().problems == ()
            if holder is not None:
                assert store.resolve("digits@champion").number == holder
