"""How a script can go, and what its run says afterwards; its exit code is what it would have been."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

import tracking
from tracking.records import RunStatus

RunScript = Callable[..., "subprocess.CompletedProcess[str]"]
StartScript = Callable[..., "subprocess.Popen[str]"]


def only_run(folder: Path) -> tracking.RunRecord:
    with tracking.open_store(folder) as store:
        store.recover()
        found = store.search(limit=None)
        assert len(found) == 1
        return store.run(found["run"].iloc[0])


BLOCK = """
import os, signal, sys, tracking
with tracking.start_run("end", store=sys.argv[1]) as run:
    run.log({"loss": 1.0})
    BODY
"""
BARE = """
import os, signal, sys, tracking
run = tracking.start_run("end", store=sys.argv[1])
run.log({"loss": 1.0})
BODY
"""


@pytest.mark.parametrize(
    ("form", "body", "code", "status", "error"),
    [
        (BLOCK, "pass", 0, RunStatus.FINISHED, None),
        (BLOCK, "raise ValueError('bad batch')", 1, RunStatus.FAILED, "ValueError: bad batch"),
        (BLOCK, "sys.exit(0)", 0, RunStatus.FINISHED, None),
        (BLOCK, "sys.exit(3)", 3, RunStatus.FAILED, "exit code 3"),
        (BLOCK, "raise MemoryError", 1, RunStatus.FAILED, "MemoryError"),
        (BLOCK, "raise KeyboardInterrupt", -signal.SIGINT, RunStatus.INTERRUPTED, None),
        (BLOCK, "os._exit(3)", 3, RunStatus.LOST, None),
        (BLOCK, "import ctypes; ctypes.string_at(0)", -signal.SIGSEGV, RunStatus.LOST, None),
        (BARE, "", 0, RunStatus.FINISHED, None),
        (BARE, "raise ValueError('bad batch')", 1, RunStatus.FAILED, "ValueError: bad batch"),
        (BARE, "os.kill(os.getpid(), signal.SIGTERM)", -signal.SIGTERM, RunStatus.INTERRUPTED, None),
        (BARE, "os.kill(os.getpid(), signal.SIGINT)", -signal.SIGINT, RunStatus.INTERRUPTED, None),
    ],
)
def test_ways_to_go(
    form: str,
    body: str,
    code: int,
    status: RunStatus,
    error: str | None,
    run_script: RunScript,
    store_folder: Path,
) -> None:
    done = run_script(form.replace("BODY", body), str(store_folder))
    assert done.returncode == code, done.stderr
    record = only_run(store_folder)
    assert record.status is status
    assert record.metrics["loss"].count == 1
    if error is not None:
        assert record.error is not None and error in record.error


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("when", ["before", "after"])
def test_the_users_own_handler_is_called(
    number: signal.Signals, when: str, run_script: RunScript, store_folder: Path
) -> None:
    install = f"signal.signal({int(number)}, stop)"
    done = run_script(
        f"""
        import os, signal, sys, tracking
        def stop(number, frame):
            print("mine", flush=True)
            sys.exit(7)
        {install if when == "before" else ""}
        with tracking.start_run("end", store=sys.argv[1]) as run:
            {install if when == "after" else ""}
            run.log({{"loss": 1.0}})
            os.kill(os.getpid(), {int(number)})
            run.log({{"loss": 2.0}})
        """,
        str(store_folder),
    )
    assert (done.returncode, done.stdout) == (7, "mine\n"), done.stderr
    assert only_run(store_folder).status is RunStatus.INTERRUPTED


def test_a_handler_that_asks_the_loop_to_stop_is_obeyed(run_script: RunScript, store_folder: Path) -> None:
    done = run_script(
        """
        import os, signal, sys, tracking
        stop = []
        signal.signal(signal.SIGTERM, lambda number, frame: stop.append(number))
        with tracking.start_run("end", store=sys.argv[1]) as run:
            for step in range(100):
                run.log({"loss": 1.0})
                if step == 10:
                    os.kill(os.getpid(), signal.SIGTERM)
                if stop:
                    break
            run.log({"loss": 0.0})
        print("saved")
        """,
        str(store_folder),
    )
    assert (done.returncode, done.stdout) == (0, "saved\n"), done.stderr
    record = only_run(store_folder)
    assert record.status is RunStatus.INTERRUPTED
    assert record.metrics["loss"].count == 12


def test_terminated_while_it_sleeps(start_script: StartScript, store_folder: Path) -> None:
    process = start_script(
        """
        import sys, time, tracking
        with tracking.start_run("end", store=sys.argv[1]) as run:
            run.log({"loss": 1.0})
            print("ready", flush=True)
            time.sleep(60)
        """,
        str(store_folder),
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.terminate()
    assert process.wait(timeout=20) == -signal.SIGTERM
    assert only_run(store_folder).status is RunStatus.INTERRUPTED


def test_ended_runs_take_no_more(store_folder: Path) -> None:
    with tracking.start_run("end", store=store_folder) as run:
        run.log({"loss": 1.0})
    with pytest.warns(tracking.TrackingWarning, match="after the end"):
        run.log({"loss": 2.0})
    run.log({"loss": 3.0})
    run.finish("failed")
    assert only_run(store_folder).status is RunStatus.FINISHED


def test_verbs_without_a_run_warn_and_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    from tracking.client import active

    monkeypatch.setattr(active, "_told", set())
    with pytest.warns(tracking.TrackingWarning, match="no run is active"):
        tracking.log({"loss": 1.0})


def test_turned_off_keeps_nothing(store_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACKING_OFF", "1")
    with tracking.start_run("off", store=store_folder) as run:
        run.log({"loss": 1.0})
        run.log_params({"lr": 0.1})
    assert not store_folder.exists()


def test_a_run_that_lives_cannot_be_resumed(start_script: StartScript, store_folder: Path) -> None:
    process = start_script(
        """
        import sys, time, tracking
        run = tracking.start_run("resume", store=sys.argv[1])
        run.log({"loss": 1.0})
        tracking.open_store(sys.argv[1]).run(run.id)
        print(run.id, flush=True)
        time.sleep(60)
        """,
        str(store_folder),
    )
    assert process.stdout is not None
    run_id = process.stdout.readline().strip()
    with pytest.raises(tracking.RunStateError, match="live process"):
        tracking.start_run(resume=run_id, store=store_folder)
    process.kill()
    process.wait()
    with tracking.start_run(resume=run_id, store=store_folder) as run:
        run.log({"loss": 0.5})
    record = only_run(store_folder)
    assert (record.status, record.metrics["loss"].count) == (RunStatus.FINISHED, 2)
