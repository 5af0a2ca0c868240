"""What is no plain file, what changes while it is read, and the store itself, are refused or recorded by rule."""

from __future__ import annotations

import os
import socket
import tempfile
import threading
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

import tracking
from tracking.artifacts.copying import CHUNK


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "data"
    made.mkdir()
    (made / "plain.txt").write_text("plain")
    return made


def logged(store_folder: Path, path: Path) -> tuple[dict[str, bytes], dict[str, str]]:
    """Log a folder; return its files' bytes and what was skipped of it."""
    from tracking.artifacts.reading import manifest_of

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", tracking.TrackingWarning)
        with tracking.start_run(store=store_folder, capture=False) as run:
            begun = time.monotonic()
            run.log_artifact(path, "x")
            assert time.monotonic() - begun < 5
    with tracking.open_store(store_folder) as store:
        assert store.run(run.id).status == "finished"
        (record,) = store.artifacts(run.id)
        files = {
            file.path: store.open_artifact(run.id, "x", path=file.path).read()
            for file in store.artifact_files(run.id, "x")
        }
        skipped = dict(manifest_of(store._objects, record).skipped)
        assert record.details.get("skipped", 0) == len(skipped)
        return files, skipped


def make_socket(path: Path) -> None:
    here = os.getcwd()
    os.chdir(path.parent)  # a socket's path may have 108 characters only
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(path.name)
    finally:
        os.chdir(here)


def test_what_is_no_plain_file_is_skipped_and_the_rest_is_logged(folder: Path, store_folder: Path) -> None:
    secret = folder.parent / "secret"
    secret.write_text("secret")
    os.mkfifo(folder / "fifo")
    make_socket(folder / "socket")
    (folder / "inner").mkdir()
    (folder / "inner" / "deep.txt").write_text("deep")
    (folder / "to file").symlink_to("inner/deep.txt")
    (folder / "to link").symlink_to("to file")
    (folder / "out").symlink_to(secret)
    (folder / "sideways").symlink_to("../secret")
    (folder / "dangling").symlink_to("nowhere")
    (folder / "loop a").symlink_to("loop b")
    (folder / "loop b").symlink_to("loop a")
    (folder / "self").symlink_to(".")
    (folder / "to folder").symlink_to("inner")
    (folder / "through out").symlink_to("../data/inner/deep.txt")
    (folder / "device").symlink_to("/dev/zero")
    os.link(folder / "plain.txt", folder / "hard link")
    (folder / "back\\slash").write_text("no")
    (folder / "new\nline").write_text("no")
    (Path(os.fsdecode(os.fsencode(folder) + b"/not-utf8-\xff"))).write_text("no")
    files, skipped = logged(store_folder, folder)
    assert files == {
        "plain.txt": b"plain",
        "hard link": b"plain",
        "inner/deep.txt": b"deep",
        "to file": b"deep",
        "to link": b"deep",
        "through out": b"deep",
    }
    assert {path: why for path, why in skipped.items() if "\\" not in path and "\n" not in path} == {
        "fifo": "a FIFO",
        "socket": "a socket",
        "out": "a link that leads out of the folder",
        "sideways": "a link that leads out of the folder",
        "device": "a link that leads out of the folder",
        "dangling": "a link that leads nowhere",
        "loop a": "a link that leads nowhere",
        "loop b": "a link that leads nowhere",
        "self": "a link to no regular file",
        "to folder": "a link to no regular file",
    }
    assert len(skipped) == 13


@pytest.mark.parametrize("kind", ["fifo", "socket", "device", "loop", "dangling"])
def test_such_a_thing_alone_is_refused_at_once(kind: str, folder: Path, store_folder: Path) -> None:
    path = folder / kind
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "socket":
        make_socket(path)
    else:
        path.symlink_to({"device": "/dev/zero", "loop": "loop", "dangling": "absent"}[kind])
    with tracking.start_run(store=store_folder, capture=False, strict=True) as run:
        begun = time.monotonic()
        with pytest.raises(tracking.InvalidValue):
            run.log_artifact(path)
        assert time.monotonic() - begun < 1
    with tracking.open_store(store_folder) as store:
        assert store.artifacts(run.id) == []


def test_files_without_read_right_are_skipped(run_script: Callable[..., CompletedProcess[str]]) -> None:
    script = """
        import os, sys, tempfile, tracking
        with tracking.start_run(capture=False, store="warm") as run:
            # Another user may not be able to import what is used.
            run.log_artifact(tempfile.gettempdir() + "/absent")
            run.log_artifact(os.__file__)
        tracking.open_store("warm").close()
        os.chdir(sys.argv[1])
        if os.geteuid() == 0:
            os.chown(".", 65534, 65534)
            os.seteuid(65534)
        os.makedirs("data/closed")
        open("data/open.txt", "w").write("open")
        open("data/secret.txt", "w").write("secret")
        os.chmod("data/secret.txt", 0)
        os.chmod("data/closed", 0)
        with tracking.start_run(capture=False, store="store") as run:
            run.log_artifact("data")
            run.log_artifact("data/secret.txt")
        store = tracking.open_store("store")
        print([file.path for file in store.artifact_files(run.id, "data")], len(store.artifacts(run.id)))
        store.close()
        """
    # Where another user may go, which no folder of the test's own is.
    with tempfile.TemporaryDirectory() as folder:
        done = run_script(script, folder)
    assert done.stdout.strip() == "['open.txt'] 1", done.stderr
    assert "secret.txt (Permission denied)" in done.stderr
    assert "closed (Permission denied)" in done.stderr
    late = done.stderr.count("could not be brought into the database")  # on a busy machine
    assert done.stderr.count("TrackingWarning") - late == 3


def test_a_folder_around_the_store_is_logged_without_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Opening the database's files here and closing them would drop the locks of this very process."""
    monkeypatch.chdir(tmp_path)
    store_folder = tmp_path / "results" / "store"
    (tmp_path / "train.py").write_text("import tracking")
    with tracking.start_run(store=store_folder, capture=False) as first:
        first.log({"loss": 1.0})
    os.link(store_folder / "tracking.db", tmp_path / "copy.db")
    (tmp_path / "linked.db").symlink_to("results/store/tracking.db")
    (tmp_path / "linked folder").symlink_to("results/store")
    opened: list[tuple[int, int]] = []
    own = {(found.st_dev, found.st_ino) for found in map(os.stat, store_folder.glob("tracking.db*"))}
    real = os.open

    def watching(path: object, flags: int, *arguments: int, **others: int) -> int:
        descriptor = real(path, flags, *arguments, **others)  # type: ignore[arg-type]
        found = os.fstat(descriptor)
        opened.append((found.st_dev, found.st_ino))
        return descriptor

    monkeypatch.setattr(os, "open", watching)
    files, skipped = logged(store_folder, Path("."))
    assert files == {"train.py": b"import tracking"}
    assert skipped == {
        "results/store": "the store's own",
        "copy.db": "the store's own",
        "linked.db": "a link to the store's own",
        "linked folder": "a link to no regular file",
    }
    assert opened and not own & set(opened)
    with tracking.open_store(store_folder) as store:
        store._engines.check()
        assert store.run(first.id).metrics["loss"].last == 1.0


@pytest.mark.parametrize("inside", ["", "tracking.db", "spool", "objects"])
def test_the_store_itself_is_refused(inside: str, tmp_path: Path, store_folder: Path) -> None:
    with tracking.start_run(store=store_folder, capture=False):
        pass
    (store_folder / "objects").mkdir(exist_ok=True)
    (tmp_path / "other name").symlink_to(store_folder)
    with tracking.start_run(store=store_folder, capture=False, strict=True) as run:
        for path in (store_folder / inside, tmp_path / "other name" / inside):
            with pytest.raises(tracking.InvalidValue, match="belongs to a store"):
                run.log_artifact(path, "x")


def test_another_store_in_the_folder_is_left_out_too(folder: Path, store_folder: Path) -> None:
    with tracking.start_run(store=folder / ".tracking", capture=False):
        pass
    files, skipped = logged(store_folder, folder)
    assert set(files) == {"plain.txt"}
    assert skipped == {".tracking": "a store"}


def test_a_file_too_large_for_the_disk_is_refused_at_once(folder: Path, store_folder: Path) -> None:
    with open(folder / "sparse", "wb") as sparse:
        try:
            sparse.truncate(1 << 40)
        except OSError:
            pytest.skip("the file system has no sparse file of 1 TB")
    with tracking.start_run(store=store_folder, capture=False) as run:
        begun = time.monotonic()
        with pytest.warns(tracking.TrackingWarning, match="do not fit"):
            run.log_artifact(folder / "sparse")
        assert time.monotonic() - begun < 1
    files, skipped = logged(store_folder, folder)
    assert set(files) == {"plain.txt"}
    assert "do not fit" in skipped["sparse"]
    assert list((store_folder / "objects").glob(".new-*")) == []


def test_a_file_that_grows_is_stored_as_read_and_said_to_be_changed(folder: Path, store_folder: Path) -> None:
    path, stop = folder / "growing.log", threading.Event()
    path.write_bytes(b"x" * (8 << 20))

    def grow() -> None:
        with open(path, "ab", buffering=0) as file:
            while not stop.is_set():
                file.write(b"y" * 4096)
                time.sleep(0.0002)

    writer = threading.Thread(target=grow)
    writer.start()
    try:
        with tracking.start_run(store=store_folder, capture=False) as run:
            with pytest.warns(tracking.TrackingWarning, match="changed while"):
                run.log_artifact(path)
    finally:
        stop.set()
        writer.join()
    with tracking.open_store(store_folder) as store:
        (record,) = store.artifacts(run.id)
        assert record.details["changed"] is True
        data = store.open_artifact(run.id, "growing.log").read()
        assert len(data) == record.size >= 8 << 20


def test_a_file_that_is_cut_or_vanishes_while_it_is_copied(
    folder: Path, store_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = folder / "cut.bin"
    path.write_bytes(os.urandom(4 << 20))
    real = os.pread

    def cutting(descriptor: int, size: int, at: int) -> bytes:
        if at == CHUNK and path.exists():
            os.truncate(path, 2 << 20)
            path.unlink()
        return real(descriptor, size, at)

    monkeypatch.setattr(os, "pread", cutting)
    with tracking.start_run(store=store_folder, capture=False) as run:
        # Cut during the first reading, whole and unchanged during the second one.
        run.log_artifact(path)
    with tracking.open_store(store_folder) as store:
        (record,) = store.artifacts(run.id)
        assert record.size == 2 << 20
        assert len(store.open_artifact(run.id, "cut.bin").read()) == 2 << 20


def test_a_file_that_vanishes_from_the_folder_is_told(
    folder: Path, store_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "gone.txt").write_text("gone")
    real = os.open

    def vanishing(path: object, *arguments: object, **others: object) -> int:
        if path == "gone.txt":
            (folder / "gone.txt").unlink(missing_ok=True)
        return real(path, *arguments, **others)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "open", vanishing)
    files, skipped = logged(store_folder, folder)
    assert files == {"plain.txt": b"plain"}
    assert skipped == {"gone.txt": "vanished"}


def test_a_folder_swapped_for_a_link_leads_nowhere(
    folder: Path, store_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outside = folder.parent / "outside"
    outside.mkdir()
    (outside / "secret.txt").write_text("secret")
    (folder / "inner").mkdir()
    real = os.open

    def swapping(path: object, *arguments: object, **others: object) -> int:
        if path == "inner" and not (folder / "inner").is_symlink():
            (folder / "inner").rmdir()
            (folder / "inner").symlink_to(outside)
        return real(path, *arguments, **others)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "open", swapping)
    files, skipped = logged(store_folder, folder)
    assert files == {"plain.txt": b"plain"}
    assert set(skipped) == {"inner"}
