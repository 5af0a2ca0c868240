"""Artifacts when processes die, fork, or do the same at once."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

import tracking

RunScript = Callable[..., "subprocess.CompletedProcess[str]"]
StartScript = Callable[..., "subprocess.Popen[str]"]


def objects_of(store_folder: Path) -> list[Path]:
    return list((store_folder / "objects").glob("??/*"))


def drafts_of(store_folder: Path) -> list[Path]:
    return list((store_folder / "objects").glob(".new-*"))


def test_kill_during_a_large_artifact_leaves_nothing_of_it(
    start_script: StartScript, store_folder: Path, tmp_path: Path
) -> None:
    size = 200 << 20
    with open(tmp_path / "large.bin", "wb") as large:
        large.truncate(size)
    process = start_script(
        """
        import os, sys, time, tracking
        from tracking.artifacts import objects
        run = tracking.start_run(store=sys.argv[1], capture=False)
        run.log({"loss": 1.0})
        real = os.pread
        def slowly(descriptor, size, at):
            if at == 150 << 20:
                print(run.id, flush=True)
                time.sleep(60)
            return real(descriptor, size, at)
        os.pread = slowly
        run.log_artifact("large.bin")
        """,
        str(store_folder),
    )
    assert process.stdout is not None
    run_id = process.stdout.readline().strip()
    (draft,) = drafts_of(store_folder)
    assert draft.stat().st_size > 100 << 20
    # Who opens the store while the writer lives leaves the draft alone.
    tracking.open_store(store_folder).close()
    assert draft.exists() and objects_of(store_folder) == []
    process.send_signal(signal.SIGKILL)
    process.wait()
    with tracking.open_store(store_folder) as store:
        assert drafts_of(store_folder) == []
        assert objects_of(store_folder) == []
        assert store.run(run_id).status == "lost"
        assert store.artifacts(run_id) == []
        assert store.run(run_id).metrics["loss"].count == 1


POINTS = {
    "before the bytes are settled": "objects.settle = lambda file: die()",
    "before the object has its name": "os.replace = lambda *given, **named: die()",
    "after the object has its name": "objects.sync_paths = lambda paths: die()",
    "when many small files are written, before they are settled": "drafts.sync_paths = lambda paths: die()",
    "before the word is in the spool": "session.Session.say = lambda self, event: die()",
    "after the word is in the spool": """
        then = session.Session.say
        def say(self, event):
            then(self, event)
            die()
        session.Session.say = say
        """,
    "in the middle of a folder": """
        then, calls = objects.Objects.place, []
        def place(self, drafts):
            calls.append(1)
            placed = then(self, drafts)
            if len(calls) == 2:
                die()
            return placed
        objects.Objects.place = place
        """,
}


@pytest.mark.parametrize("point", POINTS)
def test_kill_at_named_points_leaves_no_row_without_its_bytes(
    point: str, run_script: RunScript, store_folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "data").mkdir()
    for number in range(600):
        (tmp_path / "data" / f"{number}.txt").write_text(f"file {number}")
    done = run_script(
        "import os, signal, sys, time, tracking\n"
        "from tracking.artifacts import drafts, objects\n"
        "from tracking.client import session\n"
        "def die():\n    os.kill(os.getpid(), signal.SIGKILL)\n    time.sleep(60)\n"
        "run = tracking.start_run(store=sys.argv[1], capture=False)\nprint(run.id, flush=True)\n"
        + textwrap.dedent(POINTS[point])
        + '\nrun.log_artifact("data")\n',
        str(store_folder),
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    run_id = done.stdout.strip()
    with tracking.open_store(store_folder) as store:
        assert drafts_of(store_folder) == []
        names = [record.name for record in store.artifacts(run_id)]
        assert names == (["data"] if point == "after the word is in the spool" else [])
        assert store.verify() == []
        for path in objects_of(store_folder):
            os.utime(path, (1, 1))
        store.gc()
        assert len(objects_of(store_folder)) == (601 if names else 0)
        assert store.verify() == []


def test_many_processes_log_the_same_bytes_once(
    start_script: StartScript, store_folder: Path, tmp_path: Path
) -> None:
    content = os.urandom(100_000)
    (tmp_path / "same.bin").write_bytes(content)
    processes = [
        start_script(
            """
            import sys, warnings, tracking
            warnings.simplefilter("error")
            run = tracking.start_run("same", store=sys.argv[1], capture=False, strict=True)
            sys.stdin.readline()
            for step in range(100):
                run.log_artifact("same.bin", step=step)
            run.finish()
            print(run.id, flush=True)
            """,
            str(store_folder),
        )
        for _ in range(16)
    ]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    ended = [process.communicate(timeout=200) for process in processes]
    assert [process.returncode for process in processes] == [0] * 16, ended[0][1]
    (stored,) = objects_of(store_folder)
    assert stored.parent.name + stored.name == hashlib.sha256(content).hexdigest()
    assert drafts_of(store_folder) == []
    with tracking.open_store(store_folder) as store:
        for out, errors in ended:
            assert "log_artifact" not in errors
            assert len(store.artifacts(out.strip())) == 100
        assert store.verify() == []


def test_clean_ups_beside_writers_take_nothing_that_is_logged(
    start_script: StartScript, store_folder: Path, tmp_path: Path
) -> None:
    """Four processes log, again and again, a few contents that are old and in nobody's use; four clean up."""
    writers = [
        start_script(
            """
            import os, sys, time, warnings, tracking
            warnings.simplefilter("error")
            place = os.getpid()
            os.mkdir(f"{place}")
            store = tracking.open_store(sys.argv[1])
            ids, until = [], time.monotonic() + 6
            while time.monotonic() < until:
                with tracking.start_run("beside", store=sys.argv[1], capture=False, strict=True) as run:
                    for number in range(5):
                        with open(f"{place}/{number}.txt", "w") as file:
                            file.write(f"content {number}")
                    with open(f"{place}/own.txt", "w") as file:
                        file.write(run.id)
                    run.log_artifact(f"{place}", "folder")
                    run.log_artifact(f"{place}/0.txt", "file")
                if len(ids) % 2:
                    store.delete_run(ids.pop())
                ids.append(run.id)
            store.close()
            print(*ids, flush=True)
            """,
            str(store_folder),
        )
        for _ in range(4)
    ]
    cleaners = [
        start_script(
            """
            import glob, os, sys, time, tracking
            store = tracking.open_store(sys.argv[1])
            removed, until = 0, time.monotonic() + 6
            while time.monotonic() < until:
                for path in glob.glob(sys.argv[1] + "/objects/??/*"):
                    try:
                        # Old, unless somebody has used it since the look before.
                        found = os.stat(path)
                        if found.st_mtime < time.time() - 0.2:
                            os.utime(path, (1, 1))
                    except FileNotFoundError:
                        pass
                removed += store.gc().objects
            store.close()
            print(removed, flush=True)
            """,
            str(store_folder),
        )
        for _ in range(2)
    ]
    ids = []
    for process in writers:
        out, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
        ids += out.split()
    removed = 0
    for process in cleaners:
        out, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
        removed += int(out)
    with tracking.open_store(store_folder) as store:
        assert store.verify() == []
        for run_id in ids:
            assert {record.name for record in store.artifacts(run_id)} == {"file", "folder"}
    assert ids and removed


def test_a_forked_child_logs_artifacts(run_script: RunScript, store_folder: Path) -> None:
    done = run_script(
        """
        import os, sys, tracking
        run = tracking.start_run(store=sys.argv[1], capture=False)
        run.log({"loss": 1.0})
        for number in range(8):
            child = os.fork()
            if child == 0:
                open(f"{number}.txt", "w").write(f"child {number}")
                run.log_artifact(f"{number}.txt")
                os._exit(0)
            assert os.waitpid(child, 0)[1] == 0
        run.finish()
        store = tracking.open_store(sys.argv[1])
        print(*[store.open_artifact(run.id, record.name).read().decode() for record in store.artifacts(run.id)])
        store.close()
        """,
        str(store_folder),
    )
    assert done.stdout.strip() == " ".join(f"child {number}" for number in range(8)), done.stderr


def test_a_full_disk_costs_the_artifact_and_not_the_run(run_script: RunScript, store_folder: Path) -> None:
    done = run_script(
        """
        import resource, signal, sys, tracking
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        run = tracking.start_run(store=sys.argv[1], capture=False)
        open("large.bin", "wb").write(bytes(2 << 20))
        open("small.txt", "w").write("small")
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, hard))
        run.log_artifact("large.bin")
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        run.log_artifact("small.txt")
        run.finish()
        store = tracking.open_store(sys.argv[1])
        print([record.name for record in store.artifacts(run.id)], store.run(run.id).status)
        store.close()
        """,
        str(store_folder),
    )
    assert done.stdout.strip() == "['small.txt'] finished", done.stderr
    assert "the disk refuses" in done.stderr
    assert drafts_of(store_folder) == []


def test_a_long_copy_is_shown_to_a_person_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import io
    import sys

    from tracking.client import progress

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    for stderr, said in ((Terminal(), True), (io.StringIO(), False)):
        monkeypatch.setattr(sys, "stderr", stderr)
        clock = iter([0.0, 1.0, 2.5, 2.6, 3.0])
        monkeypatch.setattr(progress.time, "monotonic", lambda clock=clock: next(clock))
        line = progress.ProgressLine()
        tell = line.of("large\x1b[31m.bin")
        for done in (10, 20, 30, 40):
            tell(done * 1_000_000, 50_000_000)
        line.end()
        text = stderr.getvalue()
        assert (text.count("storing large?[31m.bin") == 2) is said
        assert ("80 % of 50 MB" in text) is said and "60 %" not in text


def test_a_folder_that_takes_long_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import io
    import sys

    from tracking.client import progress

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setattr(progress, "PATIENCE", -1.0)
    monkeypatch.setattr(progress, "INTERVAL", 0.0)
    for number in range(20):
        (tmp_path / f"{number}.txt").write_text(f"{number}")
    with tracking.start_run(store=tmp_path.parent / "counted", capture=False, strict=True) as run:
        run.log_artifact(tmp_path, "folder")
        run.log_dataset(tmp_path, "folder")
    text = sys.stderr.getvalue()
    assert "Podium: storing 20 files, 0 MB" in text
    assert "Podium: reading 20 files, 0 MB of 0 MB" in text
    assert text.endswith("\r\x1b[2K")


def test_what_a_dead_writer_of_many_files_left_is_removed(store_folder: Path) -> None:
    from tracking.spool.lock import try_lock

    tracking.open_store(store_folder).close()
    root = store_folder / "objects"
    root.mkdir(exist_ok=True)
    for name in (".new-aa", ".new-aa.0", ".new-aa.1", ".new-bb.0", ".new-cc", ".new-cc.0"):
        (root / name).write_text("half")
    living = try_lock(root / ".new-cc")
    assert living is not None
    tracking.open_store(store_folder).close()
    assert {path.name for path in drafts_of(store_folder)} == {".new-cc", ".new-cc.0"}
    living.close()
    tracking.open_store(store_folder).close()
    assert drafts_of(store_folder) == []
