"""What is printed while a run is active is kept with it, and the streams behave as they did."""

from __future__ import annotations

import contextlib
import io
import logging
import os
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

import tracking
from tracking.client import active
from tracking.spool.console import HEAD_BYTES, PART_BYTES, ConsoleWriter, console_files, read_console


def printed(folder: Path, run: tracking.Run) -> str:
    with tracking.open_store(folder) as store:
        return "".join(text.text for text in store.console(run.id))


def test_both_streams_are_kept_in_order_and_reach_the_screen(
    store_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with tracking.start_run(store=store_folder, capture=["console"]) as run:
        print("one")
        print("two", file=sys.stderr)
        sys.stdout.writelines(["three\n", "ré\n"])
    print("after the end")
    assert printed(store_folder, run) == "one\ntwo\nthree\nré\n"
    shown = capsys.readouterr()
    assert shown.out.startswith("one\nthree\nré")
    assert shown.out.endswith("after the end\n")
    assert shown.err == "two\n"


def test_the_streams_stay_what_they_are(store_folder: Path) -> None:
    before = sys.stdout, sys.stderr
    writes = dict(vars(sys.stdout)), dict(vars(sys.stderr))
    run = tracking.start_run(store=store_folder, capture=["console"])
    assert (sys.stdout, sys.stderr) == before
    assert isinstance(sys.stdout, io.TextIOBase)
    assert sys.stdout.isatty() is False
    assert sys.stdout.write("four") == 4
    with pytest.raises(TypeError):
        sys.stdout.write(4)  # type: ignore[arg-type]
    run.finish()
    assert (dict(vars(sys.stdout)), dict(vars(sys.stderr))) == writes


def test_a_handler_of_logging_that_was_there_before(store_folder: Path) -> None:
    handler = logging.StreamHandler(sys.stderr)
    logger = logging.getLogger("test of the console")
    logger.addHandler(handler)
    try:
        with tracking.start_run(store=store_folder, capture=["console"]) as run:
            logger.error("from a logger")
    finally:
        logger.removeHandler(handler)
    assert printed(store_folder, run) == "from a logger\n"


def test_a_run_gets_what_is_printed_while_it_is_the_active_one(store_folder: Path) -> None:
    inside: list[tracking.Run] = []

    def train(number: int) -> None:
        with tracking.start_run(store=store_folder, capture=["console"]) as own:
            for _ in range(50):
                print(f"thread {number}")
        inside.append(own)

    with tracking.start_run(store=store_folder, capture=["console"]) as outer:
        print("outer")
        with tracking.start_run(store=store_folder, capture=["console"], parent=outer) as inner:
            print("inner")
        print("outer again")
        with tracking.start_run(store=store_folder, capture=False):
            print("nobody's")
        threads = [threading.Thread(target=train, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert printed(store_folder, outer) == "outer\nouter again\n"
    assert printed(store_folder, inner) == "inner\n"
    for run in inside:
        text = printed(store_folder, run)
        assert text.replace("\n", "").count("thread") == 50
        assert len(set(text.replace("\n", "").split("thread "))) == 2


def test_a_stream_that_fails_fails_as_before_and_one_of_ours_never_does(
    store_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError("theirs")

    monkeypatch.setattr(sys, "stdout", Broken())
    with tracking.start_run(store=store_folder, capture=["console"]) as run:
        with pytest.raises(BrokenPipeError, match="theirs"):
            print("lost")
        monkeypatch.setattr(active, "current", lambda: 1 / 0)
        print("ours is broken", file=sys.stderr)
        monkeypatch.undo()
    assert printed(store_folder, run) == ""


def test_streams_that_cannot_be_listened_to(store_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Slots:
        __slots__ = ()

        def write(self, text: str) -> int:
            return len(text)

        def flush(self) -> None: ...

    monkeypatch.setattr(sys, "stdout", Slots())
    monkeypatch.setattr(sys, "stderr", None)
    with tracking.start_run(store=store_folder, capture=["console"]) as run:
        print("somewhere")
    assert run.status == "finished"


def test_who_wraps_the_stream_meanwhile_keeps_his_wrapping(store_folder: Path) -> None:
    stream = io.StringIO()
    with contextlib.redirect_stdout(stream):
        run = tracking.start_run(store=store_folder, capture=["console"])
        ours: Any = stream.write
        stream.write = lambda text: ours(text.upper())  # type: ignore[method-assign]
        print("a")
        run.finish()
        print("b")
        stream.write = ours  # type: ignore[method-assign]
        with tracking.start_run(store=store_folder, capture=["console"]) as second:
            print("c")
    assert stream.getvalue() == "A\nB\nc\n"
    assert printed(store_folder, run) == "A\n"
    assert printed(store_folder, second) == "c\n"


def test_own_warnings_are_in_the_console(store_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("always")
        monkeypatch.setattr(warnings, "showwarning", lambda message, *rest: print(message, file=sys.stderr))
        with tracking.start_run(store=store_folder, capture=["console"]) as run:
            run.log({"loss": "high"})
    assert "metric 'loss' got a str" in printed(store_folder, run)


def test_a_forked_child_is_heard_on_the_screen_only(store_folder: Path) -> None:
    with tracking.start_run(store=store_folder, capture=["console"]) as run:
        print("parent")
        child = os.fork()
        if child == 0:
            print("child")
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        print("parent again")
    assert printed(store_folder, run) == "parent\nparent again\n"


def test_of_a_long_output_head_and_tail_are_kept(tmp_path: Path) -> None:
    writer = ConsoleWriter(tmp_path / "logs", "run.0123456789ab")
    lines = [f"{number:>9} é\n" for number in range(1_500_000)]
    for at in range(0, len(lines), 1000):
        writer.write("".join(lines[at : at + 1000]))
    writer.close()
    writer.write("after the end")
    total = sum(len(line.encode()) for line in lines[:1]) * len(lines)
    files = console_files(tmp_path / "logs", "run.0123456789ab")
    assert sum(file.stat().st_size for file in files) <= HEAD_BYTES + 2 * PART_BYTES
    found = read_console(tmp_path / "logs", "run.0123456789ab")
    assert found is not None
    text, cut = found
    head, note, tail = text.partition(f"\n[… {cut:,} bytes were left out here …]\n")
    assert note
    assert "".join(lines).startswith(head)
    assert "".join(lines).endswith(tail)
    assert len(head.encode()) + cut + len(tail.encode()) == total
    assert len(tail.encode()) >= PART_BYTES
    assert "\ufffd" not in text


def test_an_output_that_just_passes_the_head_is_whole(tmp_path: Path) -> None:
    writer = ConsoleWriter(tmp_path, "run.0123456789ab")
    writer.write("x" * HEAD_BYTES)
    writer.write("y" * PART_BYTES)
    writer.write("z")
    assert read_console(tmp_path, "run.0123456789ab") == ("x" * HEAD_BYTES + "y" * PART_BYTES + "z", 0)


def test_a_store_from_elsewhere_leads_nowhere(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("hunter2")
    head, part, newest = console_files(tmp_path, "run.0123456789ab")
    head.symlink_to(tmp_path / "secret")
    assert read_console(tmp_path, "run.0123456789ab") is None
    head.unlink()
    os.mkfifo(head)
    part.write_bytes(b"no number")
    newest.write_bytes(b"")
    assert read_console(tmp_path, "run.0123456789ab") == ("", 0)


def test_a_full_disk_ends_the_console_and_nothing_else(
    store_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = os.write

    def refusing(descriptor: int, data: bytes) -> int:
        if b"no room" in data:
            raise OSError(28, "No space left on device")
        return write(descriptor, data)

    with tracking.start_run(store=store_folder, capture=["console"]) as run:
        print("kept")
        monkeypatch.setattr(os, "write", refusing)
        print("no room")
        monkeypatch.undo()
        print("too late")
        run.log({"loss": 1.0})
    assert printed(store_folder, run) == "kept\n"
