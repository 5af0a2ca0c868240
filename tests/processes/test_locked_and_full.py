"""A locked database and a full disk do not reach the training loop, and what is missing is counted."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

import tracking
from tracking.records import RunStatus

RunScript = Callable[..., "subprocess.CompletedProcess[str]"]
StartScript = Callable[..., "subprocess.Popen[str]"]

SECONDS = 30.0


def test_training_goes_on_while_another_process_holds_the_write_lock(
    start_script: StartScript, store_folder: Path
) -> None:
    tracking.open_store(store_folder).close()
    holder = sqlite3.connect(store_folder / "tracking.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    process = start_script(
        """
        import json, sys, time, warnings
        import tracking
        warnings.simplefilter("error")
        begin = time.perf_counter()
        run = tracking.start_run("locked", params={"lr": 0.1}, store=sys.argv[1])
        started = time.perf_counter() - begin
        print("started", flush=True)
        slow, calls, begin = [], 0, time.perf_counter()
        while time.perf_counter() - begin < float(sys.argv[2]) - 2:
            now = time.perf_counter()
            run.log({"loss": calls * 1.0}, step=calls)
            slow.append(time.perf_counter() - now)
            calls += 1
            time.sleep(0.001)
        now = time.perf_counter()
        run.log_params({"late": 1})
        params = time.perf_counter() - now
        print("logged", flush=True)
        sys.stdin.readline()
        run.finish()
        slow.sort()
        said = {"id": run.id, "calls": calls, "started": started, "params": params, "longest": slow[-1]}
        print(json.dumps(said | {"p99": slow[int(len(slow) * 0.99)]}))
        """,
        str(store_folder),
        str(SECONDS),
    )
    assert process.stdout is not None and process.stdin is not None
    assert process.stdout.readline() == "started\n"
    assert process.stdout.readline() == "logged\n"
    holder.execute("COMMIT")
    holder.close()
    out, err = process.communicate("\n", timeout=60)
    said = json.loads(out)
    assert process.returncode == 0, err
    assert err.count("Podium:") == 1 and "is locked by another process" in err
    assert said["started"] < 1, "start_run waited for the lock"
    assert said["params"] < 0.1, "log_params waited for the lock"
    assert said["p99"] < 0.002 and said["longest"] < 1
    assert said["calls"] > 1_000
    with tracking.open_store(store_folder) as store:
        record = store.run(said["id"])
        assert record.status is RunStatus.FINISHED
        assert record.params == {"lr": 0.1, "late": 1}
        assert store.history(said["id"], "loss")["step"].tolist() == list(range(said["calls"]))


def test_finish_is_bounded_and_the_next_opener_takes_the_rest(
    run_script: RunScript, store_folder: Path
) -> None:
    tracking.open_store(store_folder).close()
    holder = sqlite3.connect(store_folder / "tracking.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    done = run_script(
        """
        import sys, time, tracking
        with tracking.start_run("locked", store=sys.argv[1]) as run:
            run.log({"loss": 1.0})
            begin = time.perf_counter()
        assert time.perf_counter() - begin < 10.5, "finish() waited too long"
        print(run.id)
        """,
        str(store_folder),
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("Podium:") == 1 and "will be brought in later" in done.stderr
    holder.execute("ROLLBACK")
    with tracking.open_store(store_folder) as store:
        assert store.recover() == []
        assert store.run(done.stdout.strip()).status is RunStatus.FINISHED


FILL = """
import json, os, sys, time
import tracking
run = tracking.start_run("full", store=sys.argv[1])
kept = 0
for step in range(50):
    run.log({"loss": float(step)}, step=step)
tracking.open_store(sys.argv[1]).close()
{limit}
for step in range(50, 30_000):
    run.log({"loss": float(step)}, step=step)
{release}
for step in range(30_000, 30_050):
    run.log({"loss": float(step)}, step=step)
run.finish()
print(json.dumps({"id": run.id, "status": run.status}))
"""


def filled(run_script: RunScript, folder: Path, limit: str, release: str) -> tuple[str, str]:
    script = FILL.replace("{limit}", limit).replace("{release}", release)
    done = run_script(script, str(folder))
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["id"], done.stderr


LIMIT = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, resource.RLIM_INFINITY))"
RELEASE = "resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2); time.sleep(0.3)"


def test_after_room_returned_nothing_is_missing(run_script: RunScript, store_folder: Path) -> None:
    run_id, err = filled(run_script, store_folder, LIMIT, RELEASE)
    assert err.count("Podium:") == 1, err
    with tracking.open_store(store_folder) as store:
        store.recover()
        record = store.run(run_id)
        assert record.status is RunStatus.FINISHED
        assert record.dropped_points == 0
        assert store.history(run_id, "loss")["step"].tolist() == list(range(30_050))


def test_what_never_found_room_is_counted_exactly(run_script: RunScript, store_folder: Path) -> None:
    run_id, err = filled(run_script, store_folder, LIMIT, "")
    assert "disk" in err
    with tracking.open_store(store_folder) as store:
        store.recover()
        record = store.run(run_id)
        kept = len(store.history(run_id, "loss"))
        assert record.status is RunStatus.FINISHED
        assert kept >= 50
        assert store.history(run_id, "loss")["step"].tolist() == list(range(kept))
        assert kept + record.dropped_points == 30_050


def test_what_does_not_fit_the_memory_is_counted_and_the_rest_comes_after(
    run_script: RunScript, store_folder: Path
) -> None:
    limit = LIMIT + "; import tracking.spool.writer as writer; writer.MEMORY_LIMIT = 200_000"
    run_id, err = filled(run_script, store_folder, limit, RELEASE)
    with tracking.open_store(store_folder) as store:
        store.recover()
        steps = store.history(run_id, "loss")["step"].tolist()
        assert store.run(run_id).dropped_points == 30_050 - len(steps) > 0
        assert steps[-50:] == list(range(30_000, 30_050)), "what came after space returned is there"
        assert len(set(steps)) == len(steps)


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk needs root")
def test_a_small_disk_that_fills_up(run_script: RunScript, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1200k", "tmpfs", str(disk)], capture_output=True
    )
    if mounted.returncode:
        pytest.skip("no right to mount a tmpfs here")
    try:
        run_id, err = filled(run_script, disk / "store", "", "")
        with tracking.open_store(disk / "store") as store:
            subprocess.run(["mount", "-o", "remount,size=64m", str(disk)], check=True)
            store.recover()
            record = store.run(run_id)
            kept = len(store.history(run_id, "loss"))
            assert record.status is RunStatus.FINISHED
            assert kept + record.dropped_points == 30_050
            assert kept >= 50
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=False)
