"""What was printed and recorded before a process was killed, or beside its forks, is there."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

import tracking
from tracking.records import RunStatus

RunScript = Callable[..., "subprocess.CompletedProcess[str]"]
StartScript = Callable[..., "subprocess.Popen[str]"]


def test_the_console_of_a_killed_process(start_script: StartScript, store_folder: Path) -> None:
    process = start_script(
        """
        import os, signal, sys, tracking
        run = tracking.start_run("killed", store=sys.argv[1])
        for number in range(5000):
            print("line", number)
        print("error", file=sys.stderr)
        print(run.id, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
        """,
        str(store_folder),
    )
    out, _ = process.communicate(timeout=60)
    run_id = out.split()[-1]
    with tracking.open_store(store_folder) as store:
        store.recover()
        assert store.run(run_id).status is RunStatus.LOST
        (text,) = store.console(run_id)
    expected = "".join(f"line {number}\n" for number in range(5000))
    assert text.text == f"{expected}error\n{run_id}\n"
    assert text.cut_bytes == 0


def test_the_console_of_a_live_run(start_script: StartScript, store_folder: Path) -> None:
    process = start_script(
        """
        import sys, tracking
        run = tracking.start_run("live", store=sys.argv[1])
        print(run.id)
        sys.stdin.readline()
        """,
        str(store_folder),
    )
    assert process.stdout is not None
    run_id = process.stdout.readline().strip()
    import time

    with tracking.open_store(store_folder) as store:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            try:
                texts = store.console(run_id)
                break
            except tracking.NotFound:
                time.sleep(0.1)
    assert [text.text for text in texts] == [f"{run_id}\n"]


@pytest.mark.parametrize("runs", [6, pytest.param(20, marks=pytest.mark.soak)])
def test_ten_forks_of_each_run_with_everything_captured(
    runs: int, run_script: RunScript, store_folder: Path
) -> None:
    done = run_script(
        """
        import os, signal, sys, threading, time, tracking
        sys.stdout = open(os.devnull, "w")
        go = True
        def talk():
            while go:
                print("talking")
                time.sleep(0.0005)
        for _ in range(int(sys.argv[2])):
            # A new run each time: forks meet the collectors at work.
            with tracking.start_run("forks", store=sys.argv[1]) as run:
                go = True
                thread = threading.Thread(target=talk)
                thread.start()
                for number in range(10):
                    child = os.fork()
                    if child == 0:
                        signal.alarm(30)
                        print("child")
                        run.log({"child": float(number)}, step=number)
                        run.finish()
                        os._exit(0)
                    assert os.waitpid(child, 0)[1] == 0
                go = False
                thread.join()
        print(run.id, file=sys.__stdout__)
        """,
        str(store_folder),
        str(runs),
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    run_id = done.stdout.strip()
    with tracking.open_store(store_folder) as store:
        store.recover()
        assert store.count() == runs
        assert sorted(store.history(run_id, "child")["step"]) == list(range(10))
        assert set("".join(text.text for text in store.console(run_id)).split()) == {"talking"}
        assert {one.section for one in store.captures(run_id)} >= {"git", "script", "packages", "host"}


def test_a_forked_child_may_start_a_run_of_its_own(run_script: RunScript, store_folder: Path) -> None:
    done = run_script(
        """
        import os, sys, time, tracking
        outer = tracking.start_run("outer", store=sys.argv[1])
        print("outer")
        time.sleep(1)  # what the child needs is loaded by then
        child = os.fork()
        if child == 0:
            with tracking.start_run("inner", store=sys.argv[1]) as run:
                print("inner")
            sys.stdout.flush()
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        outer.finish()
        """,
        str(store_folder),
    )
    assert done.returncode == 0, done.stderr
    with tracking.open_store(store_folder) as store:
        store.recover()
        found = store.search().set_index("experiment")["run"]
        assert [text.text for text in store.console(found["outer"])] == ["outer\n"]
        assert [text.text for text in store.console(found["inner"])] == ["inner\n"]
        assert "host" in {one.section for one in store.captures(found["inner"])}
