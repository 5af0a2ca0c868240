"""What a run says can be read while it runs: at once in its process, within a second in another."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import tracking
from tracking.client import ingester

StartScript = Callable[..., "subprocess.Popen[str]"]
RunScript = Callable[..., "subprocess.CompletedProcess[str]"]


def test_a_query_in_the_owning_process_sees_everything(store_folder: Path) -> None:
    with tracking.start_run("fresh", store=store_folder) as run, tracking.open_store(store_folder) as store:
        for step in range(20):
            run.log({"loss": float(step)}, step=step)
            assert len(store.history(run.id, "loss")) == step + 1
            assert store.run(run.id).metrics["loss"].last == step


def test_another_process_sees_a_point_within_a_second(start_script: StartScript, store_folder: Path) -> None:
    process = start_script(
        """
        import sys, time, tracking
        with tracking.start_run("fresh", store=sys.argv[1]) as run:
            run.log({"loss": -1.0})
            tracking.open_store(sys.argv[1]).run(run.id)
            print(run.id, flush=True)
            for step in range(100):
                run.log({"loss": time.time()}, step=step)
                time.sleep(0.05)
        """,
        str(store_folder),
    )
    assert process.stdout is not None
    run_id = process.stdout.readline().strip()
    delays = []
    with tracking.open_store(store_folder) as store:
        seen = -1
        while not store.run(run_id).status.is_final:
            last = store.run(run_id).metrics["loss"]
            if last.last_step > seen and last.last > 0:
                seen = last.last_step
                delays.append(time.time() - last.last)
            time.sleep(0.02)
    assert len(delays) >= 10
    assert sorted(delays)[int(len(delays) * 0.99) - 1] < 1.0


def test_logging_while_numpy_is_being_imported_loses_nothing(
    run_script: RunScript, store_folder: Path
) -> None:
    done = run_script(
        """
        import sys, time, types, tracking
        with tracking.start_run("import", store=sys.argv[1]) as run:
            sys.modules["numpy"] = types.ModuleType("numpy")  # as it is at the beginning of its import
            for step in range(10):
                run.log({"loss": step}, step=step)
            del sys.modules["numpy"]
        print(run.id)
        """,
        str(store_folder),
    )
    assert done.returncode == 0, done.stderr
    with tracking.open_store(store_folder) as store:
        store.recover()
        assert len(store.history(done.stdout.strip(), "loss")) == 10


def test_a_long_live_series_has_few_blocks(store_folder: Path) -> None:
    import sqlite3

    with tracking.start_run("blocks", store=store_folder, capture=False) as run:
        for step in range(300):
            run.log({"loss": float(step)}, step=step)
            if step % 3 == 0:
                ingester.drain_store(run._description.location)
        connection = sqlite3.connect(store_folder / "tracking.db")
        live = connection.execute("SELECT count(*), sum(count) FROM metric_blocks").fetchone()
    ended = connection.execute("SELECT count(*), sum(count) FROM metric_blocks").fetchone()
    connection.close()
    assert live[0] <= 10
    assert ended == (1, 300)


def test_a_resumed_run_shows_the_later_value_and_keeps_the_older(store_folder: Path) -> None:
    with tracking.start_run("resume", params={"lr": 0.1}, store=store_folder) as first:
        for step in range(10):
            first.log({"loss": float(step), "only first": 1.0}, step=step)
    with tracking.start_run(resume=first.id, store=store_folder) as second:
        assert second.id == first.id
        for step in range(5, 12):
            second.log({"loss": -float(step)}, step=step)
        second.log({"loss": -12.0})
    with tracking.open_store(store_folder) as store:
        assert store.history(first.id, "loss")["value"].tolist() == [
            0,
            1,
            2,
            3,
            4,
            -5,
            -6,
            -7,
            -8,
            -9,
            -10,
            -11,
            -12,
        ]
        everything = store.history(first.id, "loss", superseded=True)
        assert len(everything) == 18
        summary = store.run(first.id).metrics["loss"]
        assert (summary.count, summary.min, summary.max, summary.last, summary.last_step) == (
            13,
            -12,
            4,
            -12,
            12,
        )
        assert summary.mean == sum([0, 1, 2, 3, 4, -5, -6, -7, -8, -9, -10, -11, -12]) / 13
        assert store.run(first.id).metrics["only first"].count == 10
