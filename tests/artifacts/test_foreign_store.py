"""A store from somebody else: its rows are refused by the rules for writing, and nothing outside is touched."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from pathlib import Path
from typing import Any

import pytest

import tracking

HOSTILE = [
    "../../stolen",
    "/tmp/stolen",
    "a/../../stolen",
    "%2e%2e/stolen",
    "..\\stolen",
    "C:\\stolen",
    "CON",
    "a\0b",
]


@pytest.fixture
def run_id(tmp_path: Path, store_folder: Path) -> str:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a.txt").write_text("bytes")
    with tracking.start_run(store=store_folder, capture=False) as run:
        run.log_artifact(tmp_path / "data" / "a.txt", "file")
        run.log_artifact(tmp_path / "data", "folder")
    return run.id


def change(store_folder: Path, statement: str, *values: Any) -> None:
    connection = sqlite3.connect(store_folder / "tracking.db")
    connection.execute(statement, values)
    connection.commit()
    connection.close()


def put(store_folder: Path, data: bytes) -> str:
    digest = hashlib.sha256(data).hexdigest()
    path = store_folder / "objects" / digest[:2] / digest[2:]
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)
    return digest


def everything(folder: Path, store_folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if not path.is_relative_to(store_folder)}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_in_rows_are_listed_and_lead_nowhere(
    name: str, run_id: str, tmp_path: Path, store_folder: Path
) -> None:
    change(store_folder, "UPDATE artifacts SET name = ?", name)
    change(store_folder, "UPDATE artifacts SET details = ?", json.dumps({"extension": "/../../../stolen"}))
    target = tmp_path / "deep" / "er" / "target"
    target.mkdir(parents=True)
    before = everything(tmp_path, store_folder)
    with tracking.open_store(store_folder) as store:
        assert {record.name for record in store.artifacts(run_id)} == {name}
        for ask in (
            lambda: store.download(run_id, name, target),
            lambda: store.download(run_id, target=target),
        ):
            with pytest.raises(tracking.InvalidValue):
                ask()
        with pytest.raises(tracking.InvalidValue):
            store.open_artifact(run_id, name)
        assert store.verify() == []
    assert everything(tmp_path, store_folder) == before


def test_a_hostile_extension_is_left_out(run_id: str, tmp_path: Path, store_folder: Path) -> None:
    for extension in ("/../../x", "..", ".a/b", ".\0", ".x" * 200, 7):
        change(store_folder, "UPDATE artifacts SET details = ?", json.dumps({"extension": extension}))
        with tracking.open_store(store_folder) as store:
            assert store.download(run_id, "file", tmp_path / "out", force=True) == tmp_path / "out/file"


BAD_LISTS: list[Any] = [
    *[{"files": [{"path": name, "size": 5, "mode": 0o644}]} for name in HOSTILE if name != "CON"],
    {"files": [{"path": "a", "size": 5}, {"path": "a", "size": 5}]},
    {"files": [{"path": "a", "size": 5}, {"path": "a/b", "size": 5}]},
    {"files": [{"path": "a", "size": 5}], "folders": ["a"]},
    {"files": [{"path": "a", "size": 5}], "folders": ["../b"]},
    {"files": [{"path": "a", "size": -1}]},
    {"files": [{"path": "a", "size": 5, "mode": "rwx"}]},
    {"files": [{"path": "a", "size": 5, "digest": "../../etc/passwd"}]},
    {"files": {"path": "a"}},
    {"files": [7]},
    {"format": 2, "files": []},
    ["no", "object"],
]


@pytest.mark.parametrize("content", BAD_LISTS)
def test_hostile_lists_of_files_are_refused_whole(
    content: Any, run_id: str, tmp_path: Path, store_folder: Path
) -> None:
    harmless = hashlib.sha256(b"bytes").hexdigest()
    if isinstance(content, dict):
        files = content["files"]
        if isinstance(files, list):
            files = [{"digest": harmless, **one} if isinstance(one, dict) else one for one in files]
        content = {"format": 1, **content, "files": files}
    digest = put(store_folder, json.dumps(content).encode())
    change(store_folder, "UPDATE artifacts SET digest = ? WHERE kind = 'folder'", digest)
    target = tmp_path / "deep" / "er" / "target"
    target.mkdir(parents=True)
    before = everything(tmp_path, store_folder)
    with tracking.open_store(store_folder) as store:
        for ask in (
            lambda: store.artifact_files(run_id, "folder"),
            lambda: store.download(run_id, "folder", target),
            lambda: store.open_artifact(run_id, "folder", path="a"),
        ):
            with pytest.raises(tracking.ArtifactDamaged, match=f"'folder' of run {run_id}"):
                ask()
        assert [(one.run, one.name) for one in store.verify()] == [(run_id, "folder")]
        for path in (store_folder / "objects").glob("??/*"):
            os.utime(path, (1, 1))
        objects = set((store_folder / "objects").glob("??/*"))
        with pytest.raises(tracking.ArtifactDamaged, match="Nothing was removed"):
            store.gc()
        assert set((store_folder / "objects").glob("??/*")) == objects
    assert everything(tmp_path, store_folder) == before


@pytest.mark.parametrize("digest", ["../../../etc/passwd", "", "0" * 63, "G" * 64, "a" * 64])
def test_a_digest_that_is_none_reads_nothing(
    digest: str, run_id: str, tmp_path: Path, store_folder: Path
) -> None:
    change(store_folder, "UPDATE artifacts SET digest = ? WHERE kind <> 'folder'", digest)
    with tracking.open_store(store_folder) as store:
        with pytest.raises(tracking.TrackingError, match=f"'file' of run {run_id}"):
            store.open_artifact(run_id, "file")
        assert [(one.name, one.digest) for one in store.verify()] == [("file", digest)]


def test_an_object_that_is_a_link_or_a_pipe_is_not_followed(
    run_id: str, tmp_path: Path, store_folder: Path
) -> None:
    digest = hashlib.sha256(b"bytes").hexdigest()
    path = store_folder / "objects" / digest[:2] / digest[2:]
    (tmp_path / "elsewhere").write_bytes(b"bytes")
    for make in (lambda: path.symlink_to(tmp_path / "elsewhere"), lambda: os.mkfifo(path), path.mkdir):
        path.unlink(missing_ok=True)
        make()
        with tracking.open_store(store_folder) as store:
            with pytest.raises(tracking.TrackingError, match=run_id):
                store.open_artifact(run_id, "file")
            assert ("file", "") in {(one.name, one.path) for one in store.verify()}
        if path.is_dir():
            path.rmdir()
