"""`log_artifact`: a file and a folder come back byte for byte, once stored however often they are logged."""

from __future__ import annotations

import os
import warnings
from pathlib import Path

import pytest

import tracking
from tracking.records import ArtifactKind


def objects_of(store_folder: Path) -> list[Path]:
    return sorted(path for path in (store_folder / "objects").glob("??/*"))


def drafts_of(store_folder: Path) -> list[Path]:
    return list((store_folder / "objects").glob(".new-*"))


def contents(folder: Path) -> dict[str, bytes | None]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
        if path.is_file() or not any(path.iterdir())
    }


def test_a_file_comes_back_under_its_own_name_or_the_one_given(tmp_path: Path, store_folder: Path) -> None:
    source = tmp_path / "report.csv"
    source.write_bytes(b"a,b\n1,2\n")
    with tracking.start_run(store=store_folder, capture=False) as run:
        run.log_artifact(source)
        run.log_artifact(str(source), "reports/final")
        tracking.log_artifact(source, "epoch", step=3)
        source.write_bytes(b"changed later")
    with tracking.open_store(store_folder) as store:
        plain, step, named = sorted(store.artifacts(run.id), key=lambda one: (one.step or 0, one.name))[::-1][
            ::-1
        ]
        by_name = {record.name: record for record in (plain, step, named)}
        assert set(by_name) == {"report.csv", "reports/final", "epoch"}
        assert by_name["epoch"].step == 3
        assert {record.size for record in by_name.values()} == {8}
        assert by_name["reports/final"].details == {"extension": ".csv"}
        assert store.open_artifact(run.id, "report.csv").read() == b"a,b\n1,2\n"
        assert store.open_artifact(run.id, "epoch").read() == b"a,b\n1,2\n"
        assert store.download(run.id, "reports/final", tmp_path / "out") == tmp_path / "out/reports/final.csv"
    assert (tmp_path / "out/reports/final.csv").read_bytes() == b"a,b\n1,2\n"
    assert len(objects_of(store_folder)) == 1
    assert oct(objects_of(store_folder)[0].stat().st_mode & 0o777) == "0o444"


def test_without_a_step_the_plain_one_is_meant_else_the_last(tmp_path: Path, store_folder: Path) -> None:
    source = tmp_path / "a"
    with tracking.start_run(store=store_folder, capture=False) as run:
        for step in (10, 2, 7):
            source.write_text(f"step {step}")
            run.log_artifact(source, step=step)
        with tracking.open_store(store_folder) as store:
            assert store.open_artifact(run.id, "a").read() == b"step 10"
            assert store.open_artifact(run.id, "a", step=2).read() == b"step 2"
            with pytest.raises(tracking.NotFound, match="step 5"):
                store.open_artifact(run.id, "a", step=5)
            source.write_text("plain")
            run.log_artifact(source)
            assert store.open_artifact(run.id, "a").read() == b"plain"


def test_a_folder_comes_back_whole(tmp_path: Path, store_folder: Path) -> None:
    folder = tmp_path / "data"
    deep = folder.joinpath(*[f"level{level}" for level in range(50)])
    deep.mkdir(parents=True)
    (deep / "bottom.txt").write_text("down here")
    (folder / "empty file").touch()
    (folder / "empty" / "folder").mkdir(parents=True)
    (folder / "größe e\u0301 表.txt").write_text("unicode")
    (folder / "Readme").write_text("one")
    (folder / "readme").write_text("two")
    (folder / "2026-01-01T12:00:00.log").write_text("a colon")
    (folder / "big.bin").write_bytes(os.urandom(3 << 20))
    (folder / "run.sh").write_text("#!/bin/sh\n")
    (folder / "run.sh").chmod(0o755)
    with tracking.start_run(store=store_folder, capture=False) as run:
        run.log_artifact(folder)
    with tracking.open_store(store_folder) as store:
        (record,) = store.artifacts(run.id)
        files = store.artifact_files(run.id, "data")
        assert (record.kind, record.name, record.files) == (ArtifactKind.FOLDER, "data", len(files))
        assert record.size == sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        assert record.details["case_clashes"] == 1
        assert store.open_artifact(run.id, "data", path="readme").read() == b"two"
        target = store.download(run.id, "data", tmp_path / "out")
    assert contents(target) == contents(folder)
    assert (target / "run.sh").stat().st_mode & 0o100
    assert not (target / "readme").stat().st_mode & 0o111


def test_the_same_folder_twice_is_stored_once(tmp_path: Path, store_folder: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    for number in range(200):
        (folder / f"{number}.txt").write_text(f"{number % 50}")
    with tracking.start_run(store=store_folder, capture=False) as run:
        run.log_artifact(folder, "first")
        before = objects_of(store_folder)
        run.log_artifact(folder, "second")
    with tracking.open_store(store_folder) as store:
        first, second = store.artifacts(run.id)
        assert first.digest == second.digest
    assert objects_of(store_folder) == before
    assert len(before) == 51
    assert drafts_of(store_folder) == []


def test_damaged_bytes_are_whole_again_when_the_file_is_logged_again(
    tmp_path: Path, store_folder: Path
) -> None:
    source = tmp_path / "a.txt"
    source.write_text("the bytes")
    with tracking.start_run(store=store_folder, capture=False) as run:
        run.log_artifact(source)
        (stored,) = objects_of(store_folder)
        stored.chmod(0o644)
        stored.write_text("tampered!")
        run.log_artifact(source)
    with tracking.open_store(store_folder) as store:
        assert store.open_artifact(run.id, "a.txt").read() == b"the bytes"
        assert store.verify() == []


@pytest.mark.parametrize(
    ("name", "data", "kind", "media"),
    [
        ("a.png", b"\x89PNG\r\n\x1a\n....", "image", "image/png"),
        ("really.txt", b"\x89PNG\r\n\x1a\n....", "image", "image/png"),
        ("a.jpg", b"\xff\xd8\xff\xe0..", "image", "image/jpeg"),
        ("a.webp", b"RIFF\0\0\0\0WEBPVP8 ", "image", "image/webp"),
        ("fake.png", b"<script>", "text", "text/plain"),
        ("a.wav", b"RIFF\0\0\0\0WAVEfmt ", "audio", "audio/wav"),
        ("a.mp3", b"ID3\x04", "audio", "audio/mpeg"),
        ("a.parquet", b"PAR1....PAR1", "table", "application/vnd.apache.parquet"),
        ("a.csv", b"a,b\n", "text", "text/csv"),
        ("a.json", b'{"a": 1}', "json", "application/json"),
        ("a.md", b"# Title", "text", "text/markdown"),
        ("train.py", b"import os", "text", "text/x-python"),
        ("Makefile", b"all:\n\ttrue\n", "text", "text/plain"),
        ("a.svg", b"<svg/>", "file", "image/svg+xml"),
        ("model.pt", b"\x80\x02\x8a\x00", "file", "application/octet-stream"),
        ("cut.txt", "ä".encode() * 5000, "text", "text/plain"),
        ("lying.txt", b"\0\x01\x02", "file", "application/octet-stream"),
        ("empty.bin", b"", "file", "application/octet-stream"),
        ("empty.txt", b"", "text", "text/plain"),
    ],
)
def test_the_content_decides_what_a_file_is(
    name: str, data: bytes, kind: str, media: str, tmp_path: Path, store_folder: Path
) -> None:
    (tmp_path / name).write_bytes(data)
    with tracking.start_run(store=store_folder, capture=False) as run:
        run.log_artifact(tmp_path / name)
    with tracking.open_store(store_folder) as store:
        (record,) = store.artifacts(run.id)
        assert (record.kind.value, record.media_type) == (kind, media)


def test_a_mistake_warns_once_and_the_run_goes_on(tmp_path: Path, store_folder: Path) -> None:
    with tracking.start_run(store=store_folder, capture=False) as run:
        with pytest.warns(tracking.TrackingWarning, match="no such file"):
            run.log_artifact(tmp_path / "absent")
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            run.log_artifact(tmp_path / "absent")
        (tmp_path / "a").touch()
        for name in ("../x", "CON", "x" * 300, 7):
            with pytest.warns(tracking.TrackingWarning):
                run.log_artifact(tmp_path / "a", name)  # type: ignore[arg-type]
        with pytest.warns(tracking.TrackingWarning, match="whole number"):
            run.log_artifact(tmp_path / "a", step="soon")  # type: ignore[arg-type]
        with pytest.warns(tracking.TrackingWarning, match="path of a file"):
            run.log_artifact(b"x")  # type: ignore[arg-type]
        run.log({"loss": 1.0})
    with tracking.open_store(store_folder) as store:
        assert store.artifacts(run.id) == []
        assert store.run(run.id).metrics["loss"].count == 1
    run_after = tracking.start_run(store=store_folder, capture=False, strict=True)
    with pytest.raises(tracking.InvalidValue, match="no such file"):
        run_after.log_artifact(tmp_path / "absent")
    run_after.finish()
    with pytest.warns(tracking.TrackingWarning, match="after the end"):
        run_after.log_artifact(tmp_path / "a")


def test_a_store_leaves_no_trace_in_git(tmp_path: Path) -> None:
    import subprocess

    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    store_folder = tmp_path / ".tracking"
    (tmp_path / "notes.txt").write_text("tracked")
    subprocess.run(["git", "-C", str(tmp_path), "add", "notes.txt"], check=True)
    before = subprocess.run(
        ["git", "-C", str(tmp_path), "status", "--porcelain"], capture_output=True, text=True
    )
    with tracking.start_run(store=store_folder, capture=False) as run:
        run.log_artifact(tmp_path / "notes.txt")
    with tracking.open_store(store_folder) as store:
        store.delete_run(run.id)
        store.gc()
    after = subprocess.run(
        ["git", "-C", str(tmp_path), "status", "--porcelain"], capture_output=True, text=True
    )
    assert after.stdout == before.stdout == "A  notes.txt\n"
