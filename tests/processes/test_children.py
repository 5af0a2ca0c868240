"""fork, spawn, forkserver, pools, joblib, threads: no deadlock, and a child never ends its parent's run."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import tracking
from tracking.records import RunStatus

RunScript = Callable[..., "subprocess.CompletedProcess[str]"]


def test_two_hundred_forks_do_not_hang(run_script: RunScript, store_folder: Path) -> None:
    done = run_script(
        """
        import faulthandler, os, sys, threading, time, tracking
        faulthandler.dump_traceback_later(100, exit=True)
        run = tracking.start_run("forks", store=sys.argv[1])
        go = True
        def train():
            step = 0
            while go:
                run.log({"parent": float(step)}, step=step)
                step += 1
        thread = threading.Thread(target=train)
        thread.start()
        for number in range(200):
            child = os.fork()
            if child == 0:
                run.log({"child": float(number)}, step=number)
                run.finish()
                os._exit(0)
            assert os.waitpid(child, 0)[1] == 0
        go = False
        thread.join()
        assert run.status == "running", "a child must not end the parent's run"
        run.finish()
        print(run.id)
        """,
        str(store_folder),
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert "Podium" not in done.stderr
    run_id = done.stdout.strip()
    with tracking.open_store(store_folder) as store:
        store.recover()
        assert store.run(run_id).status is RunStatus.FINISHED
        assert store.history(run_id, "child")["step"].tolist() == list(range(200))
        parent = store.history(run_id, "parent")["step"].tolist()
        assert parent == list(range(len(parent)))
    assert list((store_folder / "spool").iterdir()) == []


SCRIPT = """
import multiprocessing, sys, tracking

def work(given):
    run, number = given
    run.log({"child": float(number)}, step=number)
    return number

def main():
    with tracking.start_run("children", store=sys.argv[1]) as run:
        run.log({"loss": 1.0})
        context = multiprocessing.get_context(sys.argv[2])
        with context.Pool(2) as pool:
            assert pool.map(work, [(run, number) for number in range(20)]) == list(range(20))
            pool.close()
            pool.join()
        run.log({"loss": 0.5})
    print(run.id)

if __name__ == "__main__":
    main()
"""


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_a_pool_logs_into_the_parents_run(method: str, store_folder: Path, tmp_path: Path) -> None:
    script = tmp_path / "train.py"
    script.write_text(SCRIPT)
    root = str(Path(__file__).parents[2])
    done = subprocess.run(
        [sys.executable, str(script), str(store_folder), method],
        env={**os.environ, "PYTHONPATH": root},
        capture_output=True,
        text=True,
        timeout=90,
    )
    assert done.returncode == 0, done.stderr
    run_id = done.stdout.strip()
    with tracking.open_store(store_folder) as store:
        store.recover()
        record = store.run(run_id)
        assert record.status is RunStatus.FINISHED
        assert record.metrics["loss"].count == 2
        assert sorted(store.history(run_id, "child")["step"]) == list(range(20))


TRIES = """
import faulthandler, multiprocessing, sys, threading, time, tracking

def work(run, number):
    run.log({"child": float(number)}, step=number)
    run.finish()

def main(folder, method, tries, at_least, seconds):
    context = multiprocessing.get_context(method)
    if method == "forkserver":
        context.set_forkserver_preload(["tracking"])
    with tracking.start_run("children", store=folder, capture=False) as run:
        go = True
        def train():
            step = 0
            while go:
                run.log({"parent": float(step)}, step=step)
                step += 1
                time.sleep(0.0002)  # it holds the locks of log() often, and the children get a processor, too
        thread = threading.Thread(target=train)
        thread.start()
        began, done = time.monotonic(), 0
        while done < tries and (done < at_least or time.monotonic() - began < seconds):
            children = [context.Process(target=work, args=(run, done + number)) for number in range(2)]
            for child in children:
                child.start()
            for child in children:
                child.join(30)
                assert child.exitcode == 0, f"child {done} hangs or failed: {child.exitcode}"
            done += 2
        go = False
        thread.join()
        assert run.status == "running", "a child must not end the parent's run"
    print(run.id, done)

if __name__ == "__main__":
    faulthandler.dump_traceback_later(150, exit=True)
    main(sys.argv[1], sys.argv[2], *map(int, sys.argv[3:]))
"""


@pytest.mark.parametrize(
    ("method", "at_least", "seconds"),
    # A spawned child starts an interpreter: as many tries as fit the time.
    [
        ("fork", 200, 0),
        pytest.param("forkserver", 200, 0, marks=pytest.mark.soak),
        pytest.param("spawn", 20, 15, marks=pytest.mark.soak),
    ],
)
def test_two_hundred_children_of_a_run_that_logs(
    method: str, at_least: int, seconds: int, store_folder: Path, tmp_path: Path
) -> None:
    script = tmp_path / "train.py"
    script.write_text(TRIES)
    done = subprocess.run(
        [sys.executable, str(script), str(store_folder), method, "200", str(at_least), str(seconds)],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        timeout=180,
    )
    assert done.returncode == 0, done.stderr
    assert "Podium" not in done.stderr
    run_id, tries = done.stdout.split()
    assert at_least <= int(tries) <= 200
    with tracking.open_store(store_folder) as store:
        store.recover()
        assert store.run(run_id).status is RunStatus.FINISHED
        assert store.history(run_id, "child")["step"].tolist() == list(range(int(tries)))
        parent = store.history(run_id, "parent")["step"].tolist()
        assert parent == list(range(len(parent)))
    assert list((store_folder / "spool").iterdir()) == []


def test_joblib_workers_start_runs_of_their_own(run_script: RunScript, store_folder: Path) -> None:
    pytest.importorskip("joblib")
    done = run_script(
        """
        import sys
        from joblib import Parallel, delayed

        def work(number, folder):
            import tracking
            with tracking.start_run("joblib", params={"number": number}, store=folder) as run:
                run.log({"loss": float(number)})
            return run.id

        print(*Parallel(n_jobs=2)(delayed(work)(number, sys.argv[1]) for number in range(6)))
        """,
        str(store_folder),
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    with tracking.open_store(store_folder) as store:
        records = store.runs(done.stdout.split())
        assert [record.status for record in records] == [RunStatus.FINISHED] * 6
        assert [record.metrics["loss"].last for record in records] == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]


def test_threads_log_to_one_run_and_to_runs_of_their_own(store_folder: Path) -> None:
    import threading

    own: list[str] = []

    def train(number: int) -> None:
        shared.log({f"thread {number}": 1.0})
        with tracking.start_run("threads", store=store_folder) as run:
            for _ in range(100):
                tracking.log({"loss": float(number)})
        own.append(run.id)

    with tracking.start_run("threads", store=store_folder) as shared:
        threads = [threading.Thread(target=train, args=(number,)) for number in range(24)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    with tracking.open_store(store_folder) as store:
        logged = [key for key in store.run(shared.id).metrics if not key.startswith("system/")]
        assert len(logged) == 24
        for record in store.runs(own):
            summary = record.metrics["loss"]
            assert (summary.count, summary.min == summary.max) == (100, True)


def test_a_thousand_runs_leave_no_threads_and_no_files_open(
    run_script: RunScript, store_folder: Path
) -> None:
    done = run_script(
        """
        import os, sys, threading, tracking
        for number in range(300):
            with tracking.start_run("loop", store=sys.argv[1]) as run:
                run.log({"loss": 1.0})
            if number == 20:
                before = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
        after = len(os.listdir("/proc/self/fd")) if before else 0
        print(threading.active_count(), after - before)
        """,
        str(store_folder),
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    threads, files = map(int, done.stdout.split())
    assert threads <= 2
    assert files <= 2
