"""Who registers, promotes or rolls back is killed at every point of it: before or after, never between."""

from __future__ import annotations

import json
import random
import shutil
import signal
import subprocess
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import tracking
from tests.conftest import SOAK
from tests.registry.making import fitted, logged, predicts
from tracking.registry_records import JournalEntry, JournalKind
from tracking.store import Store

RunScript = Callable[..., "subprocess.CompletedProcess[str]"]
StartScript = Callable[..., "subprocess.Popen[str]"]

AFTER = "after the commit"
WRITING = {
    "inside the transaction, before the row": "registry_writes.append = lambda *given, **named: die()",
    "inside the transaction, after the row": "registry_writes.append = then_die(registry_writes.append)",
    "at the commit": """
        from sqlalchemy import event
        event.listen(store._engines.writers, "commit", lambda connection: die())
        """,
    AFTER: "Engines.write_durably = then_die(Engines.write_durably)",
}
PROMOTING = {
    "before the snapshot": "promotion.evaluate = lambda *given: die()",
    "after the gates": "promotion.evaluate = then_die(promotion.evaluate)",
    **WRITING,
}
ROLLING_BACK = {
    "before the snapshot": "registry_queries.holdings = lambda *given: die()",
    "after its bytes were read": "moves.verify_version = then_die(moves.verify_version)",
    **WRITING,
}
REGISTERING = {
    "before the snapshot": "registering.lineage_of = lambda *given: die()",
    "while its bytes are read": "objects.hash_of = lambda file: (file.read(10), die())",
    "after its bytes were read": "registering.verify_bytes = then_die(registering.verify_bytes)",
    "inside the transaction, before the model": "registry_writes.add_model = lambda *given: die()",
    "inside the transaction, after the model": "registry_writes.add_model = then_die(registry_writes.add_model)",
    **WRITING,
}

# One process for all points: it forks one for each, which is killed in a store of its own.
KILLED = """
import json, os, signal, sys, time, tracking
from tracking.artifacts import objects
from tracking.database import registry_queries, registry_writes
from tracking.database.engine import Engines
from tracking.registry import evidence, gates, moves, promotion, registering
def die():
    os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(60)
def then_die(then):
    def done(*given, **named):
        then(*given, **named)
        die()
    return done
act = sys.argv[1]
for folder, point in json.loads(sys.argv[2]):
    child = os.fork()
    if not child:
        try:
            store = tracking.open_store(folder)
            exec(point)
            exec(act)
        finally:
            os._exit(1)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of a model with three versions, the second one is the champion, before it the first one was."""
    folder = tmp_path_factory.mktemp("kills") / "store"
    runs = [logged(folder, choice, accuracy=0.9 + 0.01 * choice, seed=choice) for choice in range(3)]
    with tracking.open_store(folder) as store:
        for run in runs:
            store.register("digits", run)
        store.set_gates("digits", ["accuracy >= 0.81"])
        store.promote("digits", 1, reason="the first")
        store.promote("digits", 2, reason="the second")
    return folder


def check_killed(
    act: str,
    points: dict[str, str],
    original: Path,
    tmp_path: Path,
    run_script: RunScript,
    check: Callable[[Store, list[JournalEntry], str], None],
) -> None:
    """Kill `act` at each point in a copy of the store; `check` gets the store and what came to its journal."""
    folders = {point: tmp_path / point for point in points}
    for folder in folders.values():
        shutil.copytree(original, folder)
    said = [(str(folders[point]), textwrap.dedent(text)) for point, text in points.items()]
    done = run_script(KILLED, act, json.dumps(said))
    assert done.stdout.split() == [str(-signal.SIGKILL)] * len(points), done.stderr
    with tracking.open_store(original) as store:
        before = store.journal()
    bytes_before = objects_in(original)
    for point, folder in folders.items():
        with tracking.open_store(folder) as store:
            entries = store.journal()
            assert entries[: len(before)] == before, point
            assert len(entries) == len(before) + (point == AFTER), point
            assert store.verify_registry().problems == (), point
            assert store.verify() == [], point
            check(store, entries[len(before) :], point)
            assert store.verify_registry().problems == (), point
        assert objects_in(folder) == bytes_before, point


def objects_in(folder: Path) -> dict[str, bytes]:
    """Return every file among the objects that says something, by its path."""
    root = folder / "objects"
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() and path.name not in (".lock", ".gate")
    }


def test_a_promotion_that_is_killed_is_before_or_after(
    original: Path, tmp_path: Path, run_script: RunScript
) -> None:
    def check(store: Store, added: list[JournalEntry], point: str) -> None:
        told = [(entry.kind, entry.version, entry.previous) for entry in added]
        assert told == ([(JournalKind.PROMOTE, 3, 2)] if point == AFTER else []), point
        holder = 3 if point == AFTER else 2
        assert store.resolve("digits@champion").number == holder, point
        # It goes on from there.
        assert store.promote("digits", 3, reason="again").previous == holder, point

    check_killed(
        'store.promote("digits", 3, reason="killed")', PROMOTING, original, tmp_path, run_script, check
    )


def test_a_rollback_that_is_killed_is_before_or_after(
    original: Path, tmp_path: Path, run_script: RunScript
) -> None:
    def check(store: Store, added: list[JournalEntry], point: str) -> None:
        told = [(entry.kind, entry.version, entry.previous) for entry in added]
        assert told == ([(JournalKind.ROLLBACK, 1, 2)] if point == AFTER else []), point
        assert store.resolve("digits@champion").number == (1 if point == AFTER else 2), point
        if point == AFTER:  # once is once: nobody held it before the first one
            with pytest.raises(tracking.NotFound, match="before version 1"):
                store.rollback("digits", reason="again")
        else:
            assert store.rollback("digits", reason="again").version == 1, point

    check_killed(
        'store.rollback("digits", reason="killed")', ROLLING_BACK, original, tmp_path, run_script, check
    )


def test_a_registration_that_is_killed_is_before_or_after(
    original: Path, tmp_path: Path, run_script: RunScript
) -> None:
    with tracking.open_store(original) as store:
        run = store.version("digits", 2).run

    def check(store: Store, added: list[JournalEntry], point: str) -> None:
        told = [(entry.kind, entry.model, entry.version) for entry in added]
        assert told == ([(JournalKind.REGISTER, "letters", 1)] if point == AFTER else []), point
        # No name without a version, no version without its note, and no note without its version.
        there = ["digits", "letters"] if point == AFTER else ["digits"]
        assert [model.name for model in store.models()] == there, point
        made = store.register("letters", run, description="again")
        assert made.number == (2 if point == AFTER else 1), point
        said = ["again", "killed"] if point == AFTER else ["again"]
        found = store.versions("letters")
        assert [version.description for version in found] == said, point
        for version in found:
            model: Any = tracking.load_model(version.name, store=store.location.root)
            assert predicts(model) == predicts(fitted(1)), point

    check_killed(
        f'store.register("letters", {run!r}, description="killed")',
        REGISTERING,
        original,
        tmp_path,
        run_script,
        check,
    )


ENDLESS = """
import os, sys, tracking
store = tracking.open_store(sys.argv[1])
run = tracking.start_run("endless", store=sys.argv[1], capture=False, strict=True)
print(run.id, flush=True)
number = 0
while True:
    run.log_text(f"{run.id} {number} " * 5_000, "model", step=number)
    store.register("endless", run.id, step=number)
    number += 1
    os.write(1, b"%d\\n" % number)
"""


def test_kills_at_random_moments_leave_no_version_without_its_bytes(
    start_script: StartScript, store_folder: Path
) -> None:
    chance = random.Random(7)
    tracking.open_store(store_folder).close()
    versions = 0
    for _ in range(60 if SOAK else 3):
        process = start_script(ENDLESS, str(store_folder))
        assert process.stdout is not None
        run = process.stdout.readline().strip()
        assert run, process.communicate()
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(timeout=chance.uniform(0.005, 0.5))
        process.send_signal(signal.SIGKILL)
        returned = len(process.communicate()[0].split())
        with tracking.open_store(store_folder) as store:
            found = store.run_versions(run)[::-1]
            # All that were acknowledged, and perhaps the one that had not returned.
            assert returned <= len(found) <= returned + 1
            for step, version in enumerate(found):
                assert (version.number, version.step) == (versions + step + 1, step)
                with store.open_object(version.digest) as file:
                    assert file.read() == (f"{run} {step} " * 5_000).encode()
            versions += len(found)
            assert store.verify_registry().problems == ()
            assert store.verify() == []
    assert versions
