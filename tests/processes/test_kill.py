"""kill -9 at any moment: what `log()` returned for is there, once, and the run is lost, not running."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import tracking
from tracking.records import RunStatus

RunScript = Callable[..., "subprocess.CompletedProcess[str]"]
StartScript = Callable[..., "subprocess.Popen[str]"]

LOOP = """
import os, sys, tracking
run = tracking.start_run("kill", params={"lr": 0.1}, store=sys.argv[1])
os.write(1, (run.id + "\\n").encode())
step = 0
while True:
    run.log({"loss": step * 0.5, "accuracy": -step}, step=step)
    os.write(1, b"%d\\n" % step)
    step += 1
"""


def check_whole(store: tracking.Store, run_id: str, at_least: int) -> None:
    """Every acknowledged point is there once, in both metrics, with the value that was logged."""
    for key, factor in (("loss", 0.5), ("accuracy", -1.0)):
        frame = store.history(run_id, key)
        steps = frame["step"].tolist()
        assert steps == list(range(len(steps))), f"{key}: missing or doubled steps"
        # A call that was killed before it returned may have reached the spool.
        assert at_least <= len(steps) <= at_least + 1
        assert frame["value"].tolist() == [step * factor for step in steps]
    summary = store.run(run_id).metrics
    if at_least:
        assert summary["loss"].count == len(store.history(run_id, "loss"))


COUNTED_LOOP = """
import os, sys, tracking
run = tracking.start_run("kill", params={"lr": 0.1}, store=sys.argv[1])
# A file never fills up as a pipe does, at which the loop would wait to be killed.
returned = os.open(sys.argv[2], os.O_CREAT | os.O_WRONLY)
print(run.id, flush=True)
step = 0
while True:
    run.log({"loss": step * 0.5, "accuracy": -step}, step=step)
    step += 1
    os.pwrite(returned, b"%020d" % step, 0)
    if step == 1:
        print("logging", flush=True)
"""


@pytest.mark.parametrize("round_", range(10))
def test_random_moments_lose_nothing(
    round_: int, start_script: StartScript, store_folder: Path, tmp_path: Path
) -> None:
    chance = random.Random(round_)
    counters = [tmp_path / f"returned {number}" for number in range(5)]
    processes = [start_script(COUNTED_LOOP, str(store_folder), str(counter)) for counter in counters]
    run_ids = []
    for process in processes:
        assert process.stdout is not None
        run_ids.append(process.stdout.readline().strip())
        assert process.stdout.readline() == "logging\n"
        # Only now: before, it would be the interpreter's start that is killed.
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(timeout=chance.uniform(0.001, 0.4))
        process.send_signal(signal.SIGKILL)
        process.wait()
    counts = [int(counter.read_text()) for counter in counters]
    assert len(set(run_ids)) == 5 and all(run_ids) and min(counts) > 0
    with tracking.open_store(store_folder) as store:
        store.recover()
        assert store.count() == 5
        for run_id, count in zip(run_ids, counts, strict=True):
            assert store.run(run_id).status is RunStatus.LOST
            assert store.run(run_id).params == {"lr": 0.1}
            check_whole(store, run_id, count)
    assert list((store_folder / "spool").iterdir()) == []


LOST_WITHIN_S = 10.0


def seconds_until_lost(store: tracking.Store, run_id: str, since: float) -> float:
    """Look as a dashboard does, without asking for a recovery, until the run is lost or it took too long."""
    while store.run(run_id).status is RunStatus.RUNNING and time.monotonic() - since < 2 * LOST_WITHIN_S:
        time.sleep(0.1)
    seconds = time.monotonic() - since
    assert store.run(run_id).status is RunStatus.LOST
    return seconds


POINTS = {
    "after the spool write, before ingest": """
        from tracking.client.ingester import Ingester
        Ingester._look_after = lambda self, followed: None
        """,
    "inside the transaction": """
        import tracking.database.session_rows as rows
        then = rows.add_summaries
        def add_summaries(*given):
            then(*given)
            die()
        rows.add_summaries = add_summaries
        """,
    "after the commit": """
        from tracking.database.series import SeriesChange
        SeriesChange.done = lambda self: die()
        """,
    "in a later transaction": """
        import tracking.database.ingest as ingest
        then, calls = ingest.write_changes, []
        def write_changes(*given):
            then(*given)
            calls.append(1)
            if len(calls) == 3:
                die()
        ingest.write_changes = write_changes
        """,
    "during finish, before the end is written": """
        from tracking.spool.writer import SpoolWriter
        SpoolWriter.close = lambda self, final: die()
        """,
    "during finish, before the seal": """
        from tracking.database.ingest import SpoolIngest
        SpoolIngest.seal = lambda self, **given: die()
        """,
    "during finish, after the seal": """
        from tracking.spool.writer import SpoolWriter
        SpoolWriter.remove = lambda self: die()
        """,
    "during first open": """
        import tracking.database.schema as schema
        then = schema.make
        def make(connection):
            then(connection)
            die()
        schema.make = make
        """,
}
ENDED = {
    "after the spool write, before ingest",
    "during finish, before the seal",
    "during finish, after the seal",
}


@pytest.mark.parametrize("point", POINTS)
def test_named_points_lose_nothing(point: str, run_script: RunScript, store_folder: Path) -> None:
    import textwrap

    script = (
        "import os, signal, sys, time, tracking\n"
        "def die():\n    os.kill(os.getpid(), signal.SIGKILL)\n    time.sleep(60)\n"
        + textwrap.dedent(POINTS[point])
        + textwrap.dedent("""
            run = tracking.start_run("kill", params={"lr": 0.1}, store=sys.argv[1])
            os.write(1, (run.id + "\\n").encode())
            for step in range(400):
                run.log({"loss": step * 0.5, "accuracy": -step}, step=step)
                os.write(1, b"%d\\n" % step)
                time.sleep(0.005)
            run.finish()
            die()
            """)
    )
    done = run_script(script, str(store_folder))
    assert done.returncode == -signal.SIGKILL, done.stderr
    lines = done.stdout.split("\n")
    run_id, count = lines[0], int(lines[-2]) + 1 if len(lines) > 2 else 0
    with tracking.open_store(store_folder) as store:
        store.recover()
        check_whole(store, run_id, count)
        expected = RunStatus.FINISHED if point in ENDED else RunStatus.LOST
        assert store.run(run_id).status is expected
        with tracking.start_run("kill", store=store_folder) as following:
            following.log({"loss": 1.0})
        assert store.run(following.id).status is RunStatus.FINISHED
    assert list((store_folder / "spool").iterdir()) == []


@pytest.mark.parametrize("opened", ["before", "after"])
def test_a_forked_child_that_sleeps_on_does_not_keep_a_dead_run_running(
    opened: str, start_script: StartScript, store_folder: Path
) -> None:
    process = start_script(
        """
        import os, sys, time, tracking
        run = tracking.start_run("kill", store=sys.argv[1])
        for step in range(100):
            run.log({"loss": step * 0.5, "accuracy": -step}, step=step)
        child = os.fork()
        if child == 0:
            time.sleep(60)
            os._exit(0)
        os.write(1, f"{run.id} {child}\\n".encode())
        time.sleep(60)
        """,
        str(store_folder),
    )
    assert process.stdout is not None
    run_id, child = process.stdout.readline().split()
    try:
        if opened == "before":
            store = tracking.open_store(store_folder)
            assert store.run(run_id).status is RunStatus.RUNNING
        process.kill()
        process.wait()
        killed = time.monotonic()
        if opened == "after":
            store = tracking.open_store(store_folder)
        with store:
            assert seconds_until_lost(store, run_id, killed) < LOST_WITHIN_S
            os.kill(int(child), 0)  # it does sleep on
            check_whole(store, run_id, 100)
    finally:
        os.kill(int(child), signal.SIGKILL)


def test_a_living_run_is_not_lost(start_script: StartScript, store_folder: Path) -> None:
    process = start_script(LOOP, str(store_folder))
    assert process.stdout is not None
    run_id = process.stdout.readline().strip()
    for _ in range(200):
        process.stdout.readline()
    with tracking.open_store(store_folder) as store:
        deadline = time.monotonic() + 10
        while not store.count() and time.monotonic() < deadline:
            time.sleep(0.05)
        assert store.recover() == []
        assert store.run(run_id).status is RunStatus.RUNNING
        process.kill()
        process.wait()
        seconds = seconds_until_lost(store, run_id, time.monotonic())
        assert seconds < LOST_WITHIN_S, "an open store looks by itself"
