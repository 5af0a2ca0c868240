"""Artifacts are verified on read, and a download writes below its target only, whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import tracking


@pytest.fixture
def data(tmp_path: Path) -> Path:
    made = tmp_path / "data"
    (made / "inner").mkdir(parents=True)
    (made / "a.txt").write_text("first")
    (made / "inner" / "b.txt").write_text("second")
    return made


@pytest.fixture
def run_id(data: Path, store_folder: Path) -> str:
    with tracking.start_run(store=store_folder, capture=False) as run:
        run.log_artifact(data)
        run.log_artifact(data / "a.txt", "notes/a.txt")
    return run.id


def damage(store_folder: Path, content: str) -> Path:
    """Flip a byte of the object with this content."""
    for path in (store_folder / "objects").glob("??/*"):
        if path.read_text() == content:
            path.chmod(0o644)
            path.write_text("X" + content[1:])
            return path
    raise AssertionError("no such object")


def test_what_is_not_there_is_said_with_what_is(run_id: str, store: tracking.Store) -> None:
    with pytest.raises(tracking.NotFound, match="notes/a.txt"):
        store.open_artifact(run_id, "absent")
    with pytest.raises(tracking.NotFound, match="no file 'inner/absent'"):
        store.open_artifact(run_id, "data", path="inner/absent")
    with pytest.raises(tracking.NotFound, match="no run"):
        store.open_artifact("absent", "data")
    with pytest.raises(tracking.InvalidValue, match="is a folder"):
        store.open_artifact(run_id, "data")
    with pytest.raises(tracking.InvalidValue, match="is a file"):
        store.open_artifact(run_id, "notes/a.txt", path="x")
    with pytest.raises(tracking.InvalidValue, match="no names"):
        store.open_artifact(run_id, "../notes/a.txt")
    with pytest.raises(tracking.InvalidValue, match="sha256"):
        store.open_object("../../etc/passwd")
    assert [file.path for file in store.artifact_files(run_id, "data")] == ["a.txt", "inner/b.txt"]
    assert [file.path for file in store.artifact_files(run_id, "notes/a.txt")] == ["notes/a.txt"]


def test_a_flipped_byte_is_named_by_run_and_file_and_never_downloaded(
    run_id: str, store: tracking.Store, store_folder: Path, tmp_path: Path
) -> None:
    damage(store_folder, "second")
    with pytest.raises(tracking.ArtifactDamaged, match=f"'inner/b.txt' in 'data' of run {run_id}"):
        store.open_artifact(run_id, "data", path="inner/b.txt")
    with pytest.raises(tracking.ArtifactDamaged, match=f"'inner/b.txt' in 'data' of run {run_id}"):
        store.download(run_id, "data", tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []
    damage(store_folder, "first")
    with pytest.raises(tracking.ArtifactDamaged, match=f"'notes/a.txt' of run {run_id}"):
        store.open_artifact(run_id, "notes/a.txt")
    with pytest.raises(tracking.ArtifactDamaged, match=f"'notes/a.txt' of run {run_id}"):
        store.download(run_id, "notes/a.txt", tmp_path / "out")
    assert list((tmp_path / "out" / "notes").iterdir()) == []
    assert {(one.run, one.name, one.path, one.missing) for one in store.verify()} == {
        (run_id, "data", "a.txt", False),
        (run_id, "data", "inner/b.txt", False),
        (run_id, "notes/a.txt", "", False),
    }


def test_a_missing_object_is_named_too(run_id: str, store: tracking.Store, store_folder: Path) -> None:
    damage(store_folder, "first").unlink()
    with pytest.raises(tracking.NotFound, match=f"'notes/a.txt' of run {run_id}"):
        store.open_artifact(run_id, "notes/a.txt")
    assert {(one.name, one.path, one.missing) for one in store.verify()} == {
        ("data", "a.txt", True),
        ("notes/a.txt", "", True),
    }


def test_nothing_is_overwritten_unasked(run_id: str, store: tracking.Store, tmp_path: Path) -> None:
    target = tmp_path / "out"
    assert store.download(run_id, target=target) == target
    assert (target / "data/inner/b.txt").read_text() == "second"
    (target / "notes/a.txt").write_text("mine")
    (target / "data/a.txt").write_text("mine")
    (target / "data/more.txt").write_text("mine")
    for name in ("notes/a.txt", "data"):
        with pytest.raises(tracking.InvalidValue, match="there already"):
            store.download(run_id, name, target)
    assert (target / "notes/a.txt").read_text() == (target / "data/a.txt").read_text() == "mine"
    store.download(run_id, target=target, force=True)
    assert (target / "notes/a.txt").read_text() == (target / "data/a.txt").read_text() == "first"
    assert (target / "data/more.txt").read_text() == "mine"
    assert not [name for name in os.listdir(target) if name.startswith(".podium")]


def test_a_link_in_the_target_leads_nowhere(run_id: str, store: tracking.Store, tmp_path: Path) -> None:
    outside, target = tmp_path / "outside", tmp_path / "target"
    outside.mkdir()
    target.mkdir()
    (outside / "a.txt").write_text("mine")
    (target / "notes").symlink_to(outside)
    for force in (False, True):
        with pytest.raises(tracking.InvalidValue, match="link"):
            store.download(run_id, "notes/a.txt", target, force=force)
    (target / "data").symlink_to(outside)
    for force in (False, True):
        with pytest.raises(tracking.InvalidValue):
            store.download(run_id, "data", target, force=force)
    (target / "notes").unlink()
    (target / "notes").mkdir()
    (target / "notes/a.txt").symlink_to(outside / "a.txt")
    with pytest.raises(tracking.InvalidValue, match="there already"):
        store.download(run_id, "notes/a.txt", target)
    # The link is replaced, what it led to is not.
    store.download(run_id, "notes/a.txt", target, force=True)
    assert not (target / "notes/a.txt").is_symlink()
    assert {path.name: path.read_text() for path in outside.iterdir()} == {"a.txt": "mine"}


def test_a_target_that_is_a_link_is_followed(run_id: str, store: tracking.Store, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    store.download(run_id, "data", tmp_path / "link")
    assert (tmp_path / "real/data/inner/b.txt").read_text() == "second"


def test_a_full_disk_leaves_no_part_of_a_file(
    run_id: str, store: tracking.Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    for name in ("notes/a.txt", "data"):
        with pytest.raises(tracking.TrackingError, match="No space left"):
            store.download(run_id, name, tmp_path / "out")
    assert [path for path in (tmp_path / "out").rglob("*") if path.is_file()] == []


def test_a_name_logged_at_many_steps_is_listed_once(
    store: tracking.Store, store_folder: Path, data: Path
) -> None:
    with tracking.start_run(store=store_folder, capture=False, strict=True) as run:
        for step in range(20):
            run.log_artifact(data / "a.txt", "a.txt", step=step)
        run.log_artifact(data / "a.txt", "z.txt")
    with pytest.raises(tracking.NotFound, match=r"It has: 'a\.txt', 'z\.txt'\.$"):
        store.open_artifact(run.id, "absent")
