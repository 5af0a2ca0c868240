"""Merges that are killed, and merges beside writers."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import tracking
from tests.conftest import script_environment
from tests.database.stores import contents, log_run

KILLED = """
import os, sys
import tracking
from tracking.database.engine import Engines

target, source, left = sys.argv[1], sys.argv[2], int(sys.argv[3])
with tracking.open_store(target) as store:
    write = Engines.write

    def counted(self, work, **more):
        global left
        left -= 1
        if left == 0:
            # In the middle of the transaction: what it wrote must not stay.
            write(self, lambda connection: (work(connection), os.kill(os.getpid(), 9)))
        return write(self, work, **more)

    Engines.write = counted
    store.merge(source)
print("done")
"""


def test_a_merge_killed_at_any_transaction_is_made_good_by_the_next(tmp_path: Path) -> None:
    there = tmp_path / "there"
    for seed in range(2):
        log_run(there, seed)
    wanted = contents(there)
    for killed_at in range(1, 100):
        here = tmp_path / f"here-{killed_at}"
        tracking.open_store(here).close()
        done = subprocess.run(
            [sys.executable, "-c", KILLED, str(here), str(there), str(killed_at)],
            env=script_environment(),
            capture_output=True,
            text=True,
            timeout=60,
        )
        if done.returncode == 0:
            break
        assert done.returncode == -9, done.stderr
        with tracking.open_store(here) as store:
            for record in store.runs(store.search()["run"].tolist()):
                assert record.status.is_final
            report = store.merge(there)
            assert report.refused == report.missing == ()
        assert contents(here) == wanted
        assert list(here.glob(".merge-*")) == []
    else:
        raise AssertionError("the merge never came to its end")
    assert killed_at > 4


WRITER = """
import sys
import tracking
with tracking.start_run("exp", name="writer", store=sys.argv[1], capture=False) as run:
    print(run.id, flush=True)
    for step in range(4_000):
        run.log({"loss": float(step), "acc": step / 2}, step=step)
        if step % 400 == 0:
            run.log_params({f"p{step}": step})
"""


def test_a_merge_beside_writers_loses_nothing_of_either(
    tmp_path: Path, start_script: Callable[..., subprocess.Popen[str]]
) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    for seed in range(4):
        log_run(there, seed)
    tracking.open_store(here).close()
    # Two write where the merge writes, one writes where it reads.
    writers = [start_script(WRITER, str(folder)) for folder in (here, here, there)]
    ids = [writer.stdout.readline().strip() for writer in writers if writer.stdout]
    with tracking.open_store(here) as store:
        while any(writer.poll() is None for writer in writers):
            assert store.merge(there).refused == ()
    for writer in writers:
        assert writer.wait() == 0, writer.stderr.read() if writer.stderr else ""
    with tracking.open_store(here) as store:
        store.merge(there)
        for run in ids:
            assert store.run(run).status == "finished"
            assert store.history(run, "loss")["value"].tolist() == [float(step) for step in range(4_000)]
    assert contents(there)["runs"].items() <= contents(here)["runs"].items()
