"""One evaluation is started, watched, ended and cleaned up after, whatever its program does."""

from __future__ import annotations

import os
import resource
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from tracking.config import StoreLocation
from tracking.tuning.execution import logs
from tracking.tuning.execution.launching import Launch, environment
from tracking.tuning.execution.logs import EvaluationLog, read_log
from tracking.tuning.execution.outcomes import Ended, Ending
from tracking.tuning.execution.watching import Watch, evaluate

Evaluate = Callable[..., Ended]


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Evaluate]:
    """Evaluate a program's text; after the test none of its processes is there."""
    mark = f"mark-{os.urandom(6).hex()}"

    def run(text: str, *, stop: threading.Event | None = None, **watch: object) -> Ended:
        script = tmp_path / "program.py"
        script.write_text(textwrap.dedent(text))
        launch = Launch(
            [sys.executable, str(script), mark],
            tmp_path,
            environment(StoreLocation(tmp_path / "store", named=True), "somerun"),
            tmp_path / "logs" / "trial-0.log",
        )
        limits = Watch(**{"grace": 1.0, **watch})  # type: ignore[arg-type]
        return evaluate(launch, limits, stop=stop or threading.Event())

    yield run
    left = [each for each in psutil.process_iter(["cmdline"]) if mark in (each.info["cmdline"] or [])]
    assert [each for each in left if each.status() != psutil.STATUS_ZOMBIE] == []


def test_a_program_runs_in_a_session_of_its_own_without_input(program: Evaluate, tmp_path: Path) -> None:
    ended = program(
        """
        import os, sys
        print(os.getsid(0) == os.getpid(), os.getcwd(), repr(sys.stdin.read()), file=sys.stderr)
        sys.exit(7)
        """
    )
    assert (ended.ending, ended.code) == (Ending.ITSELF, 7)
    assert ended.printed == f"True {tmp_path} ''\n"
    log = tmp_path / "logs" / "trial-0.log"
    assert log.read_text() == ended.printed
    assert log.stat().st_mode & 0o777 == 0o600


def test_the_environment_is_chosen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in (
        "TRACKING_KEY",
        "RANK",
        "WORLD_SIZE",
        "AWS_SECRET_ACCESS_KEY",
        "CUDA_VISIBLE_DEVICES",
        "MINE",
    ):
        monkeypatch.setenv(name, "1")
    location = StoreLocation(tmp_path, named=True)
    found = environment(location, "somerun", 2, ["MINE", "TRACKING_KEY"])
    assert {"MINE", "CUDA_VISIBLE_DEVICES", "PATH", "HOME"} <= found.keys()
    assert not {"TRACKING_KEY", "RANK", "WORLD_SIZE", "AWS_SECRET_ACCESS_KEY"} & found.keys()
    ours = {name: value for name, value in found.items() if name.startswith("TRACKING_")}
    assert ours.pop("TRACKING_NICE") == "0"  # what a sweep that a trial starts is held to as well
    assert ours == {
        "TRACKING_STORE": str(tmp_path),
        "TRACKING_TRIAL": "somerun",
        "TRACKING_ATTENDED": "1",
        "TRACKING_REPEAT": "2",
    }
    assert found["PYTHONUNBUFFERED"] == "1"


def test_a_program_that_hangs_is_ended_at_its_time_limit(program: Evaluate) -> None:
    ended = program("import time\nprint('on')\ntime.sleep(600)", seconds=1.0)
    assert ended.ending is Ending.TIME
    assert 1.0 <= ended.seconds < 60
    assert ended.printed == "on\n"


def test_a_program_deaf_to_sigterm_is_killed(program: Evaluate) -> None:
    ended = program(
        "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nprint('on')\ntime.sleep(600)",
        seconds=2.0,
        grace=0.3,
    )
    assert (ended.ending, ended.code) == (Ending.TIME, -9)


def test_children_are_ended_also_those_with_a_session_of_their_own(program: Evaluate, tmp_path: Path) -> None:
    ended = program(
        """
        import os, sys, time
        if os.fork() == 0:
            os.setsid()
            open("child", "w").write(str(os.getpid()))
            time.sleep(600)
        while not os.path.exists("child"):
            time.sleep(0.01)
        time.sleep(600)
        """,
        seconds=2.0,
    )
    assert ended.ending is Ending.TIME
    assert not _lives(int((tmp_path / "child").read_text()))


def test_what_a_program_leaves_behind_in_its_group_is_ended(program: Evaluate, tmp_path: Path) -> None:
    ended = program(
        """
        import os, sys, time
        if os.fork() == 0:
            open("child", "w").write(str(os.getpid()))
            time.sleep(600)
        while not os.path.exists("child"):
            time.sleep(0.01)
        os._exit(0)
        """
    )
    assert (ended.ending, ended.code) == (Ending.ITSELF, 0)
    assert not _lives(int((tmp_path / "child").read_text()))


def test_memory_of_all_its_processes_counts(program: Evaluate) -> None:
    ended = program(
        """
        import os, time
        if os.fork() == 0:
            held = bytearray(os.urandom(1 << 20)) * 150
            time.sleep(600)
        held = bytearray(os.urandom(1 << 20)) * 150
        time.sleep(600)
        """,
        memory=200_000_000,
        seconds=120,
    )
    assert ended.ending is Ending.MEMORY
    assert ended.peak > 200_000_000


def test_pages_that_processes_share_count_once(program: Evaluate) -> None:
    if not sys.platform.startswith("linux"):
        pytest.skip("only Linux says what is shared")
    ended = program(
        """
        import os, time
        held = bytearray(os.urandom(1 << 20)) * 100
        for _ in range(3):
            if os.fork() == 0:
                time.sleep(3)
                os._exit(0)
        time.sleep(3)
        """,
        memory=250_000_000,
    )
    assert (ended.ending, ended.code) == (Ending.ITSELF, 0)
    assert ended.peak < 250_000_000


def test_who_asks_for_the_end_gets_it(program: Evaluate) -> None:
    stop = threading.Event()
    threading.Timer(0.5, stop.set).start()
    ended = program("import time\ntime.sleep(600)", stop=stop)
    assert ended.ending is Ending.STOP
    assert ended.seconds < 60


def test_a_hundred_megabytes_are_printed_and_ten_kept(program: Evaluate, tmp_path: Path) -> None:
    ended = program(
        """
        import sys
        print("the beginning")
        line = "x" * 999 + "\\n"
        for _ in range(100):
            sys.stdout.write(line * 1000)
        print("the end")
        """
    )
    assert (ended.ending, ended.code) == (Ending.ITSELF, 0)
    kept = (tmp_path / "logs" / "trial-0.log").read_bytes()
    assert kept.startswith(b"the beginning\n") and kept.endswith(b"the end\n")
    assert logs.HEAD_BYTES + logs.TAIL_BYTES < len(kept) < logs.HEAD_BYTES + logs.TAIL_BYTES + 100
    left_out = 100_000_000 + len("the beginning\nthe end\n") - logs.HEAD_BYTES - logs.TAIL_BYTES
    assert b"\n[... %d bytes were left out here ...]\n" % left_out in kept
    assert sorted(each.name for each in (tmp_path / "logs").iterdir()) == ["trial-0.log"]


def test_a_log_can_be_read_while_it_grows(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(logs, "HEAD_BYTES", 10)
    monkeypatch.setattr(logs, "TAIL_BYTES", 10)
    log = EvaluationLog(tmp_path / "a.log")
    log.write(b"0123456789")
    assert read_log(log.path) == b"0123456789"
    log.write(b"abcdefghijklmnopqrstuvwxyz")
    assert read_log(log.path) == b"0123456789\n[... some output was left out here ...]\nqrstuvwxyz"
    log.close()
    assert read_log(log.path) == b"0123456789\n[... 16 bytes were left out here ...]\nqrstuvwxyz"


def test_what_cannot_be_started_is_told(tmp_path: Path) -> None:
    launch = Launch([sys.executable], tmp_path / "gone", {}, tmp_path / "a.log")
    ended = evaluate(launch, Watch(), stop=threading.Event())
    assert ended.ending is Ending.NEVER_BEGAN
    assert ended.problem == f"the project's folder {tmp_path / 'gone'} is not there any more."


def _lives(pid: int) -> bool:
    give_up = time.monotonic() + 10
    while time.monotonic() < give_up:
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return False
        time.sleep(0.02)
    return True


def test_output_is_kept_also_in_a_process_with_thousands_of_open_files(
    program: Evaluate, tmp_path: Path
) -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most != resource.RLIM_INFINITY and most < 2_000:
        pytest.skip("the system allows no thousand open files")
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(before[0], 2_000), most))
    held = [os.open(os.devnull, os.O_RDONLY) for _ in range(1_100)]
    try:
        ended = program("print('kept')")
    finally:
        for descriptor in held:
            os.close(descriptor)
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    assert (ended.ending, ended.code) == (Ending.ITSELF, 0)
    assert (tmp_path / "logs" / "trial-0.log").read_text() == "kept\n"
