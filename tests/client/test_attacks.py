"""What a hard look found: each of these lost data, misfiled it or hung before."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import tracking
from tracking.database import engine
from tracking.records import RunStatus
from tracking.spool.files import SpoolFiles
from tracking.spool.writer import SpoolWriter

RunScript = Callable[..., "subprocess.CompletedProcess[str]"]
StartScript = Callable[..., "subprocess.Popen[str]"]


def eventually(check: Callable[[], bool], seconds: float = 5) -> bool:
    deadline = time.monotonic() + seconds
    while not check() and time.monotonic() < deadline:
        time.sleep(0.02)
    return check()


def test_the_second_run_of_a_process_is_live_too(start_script: StartScript, store_folder: Path) -> None:
    process = start_script(
        """
        import sys, tracking
        with tracking.start_run("live", store=sys.argv[1]) as run:
            run.log({"loss": 1.0})
        second = tracking.start_run("live", store=sys.argv[1])
        second.log({"loss": 2.0})
        print(second.id, flush=True)
        sys.stdin.readline()
        """,
        str(store_folder),
    )
    assert process.stdout is not None
    run_id = process.stdout.readline().strip()
    with tracking.open_store(store_folder) as store:
        assert eventually(lambda: run_id in store.search()["run"].tolist(), 2)


def test_a_store_deleted_between_two_runs_is_made_anew(store_folder: Path) -> None:
    with tracking.start_run("gone", store=store_folder) as first:
        first.log({"loss": 1.0})
    shutil.rmtree(store_folder)
    with tracking.start_run("gone", store=store_folder) as second:
        second.log({"loss": 2.0})
    with tracking.open_store(store_folder) as store:
        assert store.search()["run"].tolist() == [second.id]
        assert store.run(second.id).metrics["loss"].last == 2.0


def test_a_store_deleted_under_a_run_is_told(store_folder: Path) -> None:
    with pytest.warns(tracking.TrackingWarning, match="deleted or moved"):
        with tracking.start_run("gone", store=store_folder, capture=False) as run:
            run.log({"loss": 1.0})
            tracking.open_store(store_folder).close()
            shutil.rmtree(store_folder)
            assert eventually(lambda: run._session.writer is not None and run._session.writer._closed)
            run.log({"loss": 2.0})


@pytest.mark.parametrize("kind", ["flipped", "zeros"])
def test_damage_in_a_spool_costs_the_damaged_part_alone(
    kind: str, run_script: RunScript, store_folder: Path
) -> None:
    done = run_script(
        """
        import os, signal, sys, tracking
        from tracking.client.ingester import Ingester
        Ingester._look_after = lambda self, followed: None
        run = tracking.start_run("damage", store=sys.argv[1])
        for step in range(1000):
            run.log({"loss": float(step)}, step=step)
        print(run.id, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
        """,
        str(store_folder),
    )
    (spool,) = (store_folder / "spool").glob("*.spool")
    data = bytearray(spool.read_bytes())
    if kind == "flipped":
        data[len(data) // 2] ^= 0xFF
    else:
        data[len(data) // 2 : len(data) // 2 + 400] = bytes(400)
    spool.write_bytes(data)
    with tracking.open_store(store_folder) as store:
        steps = store.history(done.stdout.strip(), "loss")["step"].tolist()
        assert len(steps) >= (999 if kind == "flipped" else 988)
        assert len(set(steps)) == len(steps) and steps[-1] == 999
        assert store.run(done.stdout.strip()).status is RunStatus.LOST
    assert [path.read_bytes() for path in (store_folder / "spool").glob("*.damaged")] == [data]


def test_a_spool_whose_beginning_is_damaged_is_left_there(run_script: RunScript, store_folder: Path) -> None:
    done = run_script(
        """
        import os, signal, sys, tracking
        from tracking.client.ingester import Ingester
        Ingester._look_after = lambda self, followed: None
        run = tracking.start_run("damage", store=sys.argv[1])
        run.log({"loss": 1.0})
        os.kill(os.getpid(), signal.SIGKILL)
        """,
        str(store_folder),
    )
    assert done.returncode == -9
    (spool,) = (store_folder / "spool").glob("*.spool")
    data = bytearray(spool.read_bytes())
    data[30] ^= 0xFF
    spool.write_bytes(data)
    with tracking.open_store(store_folder) as store, tracking.start_run("next", store=store_folder) as run:
        run.log({"loss": 1.0})
        assert store.count() == 1
    assert spool.read_bytes() == data


def test_a_run_handed_to_a_pool_task_by_task_has_one_session_there(store_folder: Path) -> None:
    import pickle

    with tracking.start_run("pool", store=store_folder) as run:
        copies = [pickle.loads(pickle.dumps(run)) for _ in range(50)]
        for number, copy in enumerate(copies):
            copy.log({"child": float(number)}, step=number)
        assert len(list((store_folder / "spool").glob(f"{run.id}.*.spool"))) == 2
        copies[0].finish()
    with tracking.open_store(store_folder) as store:
        assert len(store.history(run.id, "child")) == 50


def test_finish_takes_an_exception_and_refuses_other_statuses(store_folder: Path) -> None:
    run = tracking.start_run("finish", store=store_folder)
    for status in ("running", "lost", "done", "waiting"):
        with pytest.raises(tracking.InvalidValue, match="a run ends as"):
            run.finish(status)
    run.finish("failed", error=ValueError("bad \udcff name"))
    with tracking.open_store(store_folder) as store:
        record = store.run(run.id)
        assert record.status is RunStatus.FAILED
        assert record.error is not None and "bad" in record.error


def test_a_traceback_with_half_a_character_is_kept(store_folder: Path) -> None:
    with pytest.raises(ValueError), tracking.start_run("finish", store=store_folder) as run:
        raise ValueError("bad \udcff.png")
    with tracking.open_store(store_folder) as store:
        assert "ValueError" in (store.run(run.id).error or "")


def test_the_last_word_finds_the_reserve_when_only_it_has_no_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import os

    from tracking.database.stretch import last_words

    files = SpoolFiles.new(tmp_path, "run")
    writer = SpoolWriter(files, [{"t": "begin"}], lambda error: None)
    real = os.write

    def full(descriptor: int, data: bytes) -> int:
        if descriptor == writer._descriptor:
            raise OSError(28, "No space left on device")
        return real(descriptor, data)

    monkeypatch.setattr(os, "write", full)
    writer.close([{"t": "final", "status": "finished"}])
    assert [event["t"] for event in last_words(files)] == ["dropped", "final"]


def test_one_process_alone_goes_on_with_a_run(start_script: StartScript, store_folder: Path) -> None:
    with tracking.start_run("resume", store=store_folder) as run:
        run.log({"loss": 0.0})
    script = """
        import sys, tracking
        sys.stdin.readline()
        try:
            run = tracking.start_run(resume=sys.argv[2], store=sys.argv[1])
        except tracking.RunStateError:
            print("refused", flush=True)
        else:
            print("owner", flush=True)
            sys.stdin.readline()
            run.finish()
        """
    processes = [start_script(script, str(store_folder), run.id) for _ in range(3)]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    said = sorted(process.stdout.readline().strip() for process in processes if process.stdout is not None)
    assert said == ["owner", "refused", "refused"]


def test_a_thread_without_a_run_never_speaks_to_another_threads(store_folder: Path) -> None:
    opened, done = threading.Event(), threading.Event()
    ids: list[str] = []

    def other() -> None:
        with tracking.start_run("threads", store=store_folder) as run:
            ids.append(run.id)
            opened.set()
            done.wait(10)

    thread = threading.Thread(target=other)
    thread.start()
    opened.wait(10)
    assert tracking.active_run() is None
    done.set()
    thread.join()


def test_tasks_speak_to_their_own_runs(store_folder: Path) -> None:
    async def train(number: int) -> str:
        with tracking.start_run("tasks", store=store_folder) as run:
            for _ in range(3):
                await asyncio.sleep(0.001)
                tracking.log({"loss": float(number)})
        return run.id

    async def main() -> list[str]:
        return await asyncio.gather(*(train(number) for number in range(3)))

    ids = asyncio.run(main())
    with tracking.open_store(store_folder) as store:
        assert [(record.metrics["loss"].min, record.metrics["loss"].count) for record in store.runs(ids)] == [
            (0.0, 3), (1.0, 3), (2.0, 3),
        ]  # fmt: skip


def test_a_rolled_back_beginning_leaves_nothing_behind(
    store_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tracking.database import ingest

    real, failures = ingest.write_changes, []

    def failing(*given: object) -> None:
        if not failures:
            failures.append(1)
            raise engine.StoreFull("no room, once")
        real(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(ingest, "write_changes", failing)
    with pytest.warns(tracking.TrackingWarning, match="no room"):
        with tracking.start_run("first", store=store_folder) as first:
            first.log({"loss": 1.0})
            assert eventually(lambda: bool(failures))
            with tracking.start_run("second", store=store_folder) as second:
                second.log({"loss": 2.0})
            time.sleep(2.1)  # the pause after a failure
    with tracking.open_store(store_folder) as store:
        assert [store.run(run.id).metrics["loss"].last for run in (first, second)] == [1.0, 2.0]
        assert [store.run(run.id).experiment for run in (first, second)] == ["first", "second"]


def test_exit_is_bounded_however_many_runs_are_open(run_script: RunScript, store_folder: Path) -> None:
    import sqlite3

    tracking.open_store(store_folder).close()
    holder = sqlite3.connect(store_folder / "tracking.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    begin = time.monotonic()
    done = run_script(
        """
        import os, signal, sys, tracking
        runs = [tracking.start_run("many", store=sys.argv[1]) for _ in range(4)]
        for run in runs:
            run.log({"loss": 1.0})
        os.kill(os.getpid(), signal.SIGTERM)
        """,
        str(store_folder),
    )
    assert done.returncode == -15
    # One after the other they would take four times ten seconds.
    assert time.monotonic() - begin < 25
    holder.execute("ROLLBACK")
    holder.close()
    with tracking.open_store(store_folder) as store:
        assert set(store.search()["status"]) == {"interrupted"}
        assert store.count() == 4


def test_resuming_over_old_steps_does_not_hold_the_database(store_folder: Path) -> None:
    with tracking.start_run("long", store=store_folder) as first:
        for step in range(20_000):
            first.log({"loss": float(step)}, step=step)
    with tracking.start_run(resume=first.id, store=store_folder) as second:
        for step in range(10_000, 10_300):
            second.log({"loss": -1.0}, step=step)
            if step % 50 == 0:
                time.sleep(0.05)
    with tracking.open_store(store_folder) as store:
        summary = store.run(first.id).metrics["loss"]
        assert (summary.count, summary.min, summary.last) == (20_000, -1.0, -1.0)
        values = store.series(first.id, "loss")[first.id, "loss"].values
        assert summary.mean == pytest.approx(values.mean())


@pytest.mark.parametrize("name", ["what?x", "per%20cent", "a b", "größe 😀", "x#y", "it's"])
def test_store_folders_of_any_name(name: str, tmp_path: Path) -> None:
    with tracking.start_run("names", store=tmp_path / name) as run:
        run.log({"loss": 1.0})
    with tracking.open_store(tmp_path / name) as store:
        assert store.run(run.id).metrics["loss"].count == 1
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_folder_instead_of_a_database_is_an_error_of_ours(store_folder: Path) -> None:
    (store_folder / "tracking.db").mkdir(parents=True)
    with pytest.raises(tracking.StoreError, match="cannot be opened"):
        tracking.open_store(store_folder)


def test_a_damaged_block_is_an_error_of_ours(store_folder: Path) -> None:
    import sqlite3

    with tracking.start_run("block", store=store_folder) as run:
        run.log({"loss": 1.0})
    connection = sqlite3.connect(store_folder / "tracking.db")
    connection.execute("UPDATE metric_blocks SET data = zeroblob(40)")
    connection.commit()
    connection.close()
    with tracking.open_store(store_folder) as store, pytest.raises(tracking.StoreDamaged, match="damaged"):
        store.history(run.id, "loss")


def test_turned_off_a_resumed_script_runs_as_it_is(
    store_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRACKING_OFF", "1")
    with tracking.start_run(resume="0123456789abcdefghjk", store=store_folder) as run:
        run.log({"loss": 1.0})
    assert not store_folder.exists()


def test_steps_and_values_that_do_not_fit_leave_no_trace(store_folder: Path) -> None:
    with pytest.warns(tracking.TrackingWarning), tracking.start_run("odd", store=store_folder) as run:
        run.log({"loss": 1.0})
        run.log({"loss": 2.0}, step=2**70)
        run.log({"loss": 3.0})
        run.log({"loss": np.complex128(3 + 4j)})
        run.log({"loss": np.ma.masked})
        run.log({"loss": np.datetime64("2026-01-01", "ns")})
        run.log({"loss": np.complex128(3 + 4j)})
    with tracking.open_store(store_folder) as store:
        frame = store.history(run.id, "loss")
        assert frame["value"].tolist() == [1.0, 2.0, 3.0]
        assert frame["step"].tolist() == [0, 1, 2]


def test_a_clock_that_jumps_does_not_change_the_duration(
    store_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = time.time_ns
    with tracking.start_run("clock", store=store_folder) as run:
        run.log({"loss": 1.0})
        monkeypatch.setattr(time, "time_ns", lambda: real() + 86_400 * 10**9)
        run.log({"loss": 2.0})
    with tracking.open_store(store_folder) as store:
        assert store.run(run.id).duration < 60


def test_keys_are_found_in_either_normal_form(store_folder: Path) -> None:
    with tracking.start_run("nfc", store=store_folder) as run:
        run.log({"cafe\u0301": 1.0})
    with tracking.open_store(store_folder) as store:
        assert len(store.history(run.id, "cafe\u0301")) == len(store.history(run.id, "caf\u00e9")) == 1
        assert len(store.history(run.id, "\ud800")) == 0
        with pytest.raises(tracking.InvalidValue):
            store.search(after=5)  # type: ignore[arg-type]
        with pytest.raises(tracking.InvalidValue):
            store.define_repeat("nfc", "seed")


def test_huge_integers_in_params_are_whole(store_folder: Path) -> None:
    with tracking.start_run("params", params={"huge": 10**400}, store=store_folder) as run:
        pass
    with tracking.open_store(store_folder) as store:
        assert store.run(run.id).params == {"huge": 10**400}
