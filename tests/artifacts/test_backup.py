"""A backup comes back as it was; one that was tampered with makes nothing."""

from __future__ import annotations

import json
import sqlite3
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from subprocess import Popen
from typing import Any

import pytest

import tracking
from tracking.artifacts import backup

StartScript = Callable[..., "Popen[str]"]


@pytest.fixture
def run_id(tmp_path: Path, store_folder: Path) -> str:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a.txt").write_text("the bytes of a file")
    with tracking.start_run(store=store_folder, capture=False, params={"lr": 0.1}) as run:
        run.log({"loss": float("nan")}, step=1)
        run.log_artifact(tmp_path / "data")
        assert run._session.writer is not None
        (store_folder / "logs").mkdir(exist_ok=True)
        (store_folder / "logs" / f"{run._session.writer.files.spool_id}.console").write_text("printed")
    return run.id


@pytest.fixture
def file(run_id: str, store: tracking.Store, tmp_path: Path) -> Path:
    return store.backup(tmp_path / "backup.zip")


def rows(folder: Path) -> dict[str, list[Any]]:
    connection = sqlite3.connect(f"file:{folder / 'tracking.db'}?mode=ro", uri=True)
    names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    found = {name: connection.execute(f"SELECT * FROM {name}").fetchall() for name in names}
    connection.close()
    return found


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for place in ("objects", "logs")
        for path in (folder / place).rglob("*")
        if path.is_file() and not path.name.startswith(".")
    }


def test_a_store_comes_back_as_it_was(file: Path, run_id: str, store_folder: Path, tmp_path: Path) -> None:
    back = tmp_path / "back"
    assert tracking.restore_backup(file, back) == back
    assert rows(back) == rows(store_folder)
    assert files(back) == files(store_folder)
    with tracking.open_store(back) as store:
        assert store.verify() == []
        assert store.open_artifact(run_id, "data", path="a.txt").read() == b"the bytes of a file"
        assert store._engines.readers.connect().exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
    with tracking.start_run(store=back, capture=False) as run:
        run.log({"loss": 1.0})
    assert (back.stat().st_mode & 0o777, (back / "tracking.db").stat().st_mode & 0o777) == (0o700, 0o600)
    assert {path.name for path in tmp_path.iterdir()} == {"backup.zip", "back", "data", "store"}
    assert not [path for path in store_folder.iterdir() if path.name.startswith(".backup")]


def test_a_store_is_backed_up_while_runs_log(
    store: tracking.Store, store_folder: Path, tmp_path: Path, start_script: StartScript
) -> None:
    processes = [
        start_script(
            """
            import sys, tracking
            run = tracking.start_run(store=sys.argv[1], capture=False)
            for step in range(100_000):
                open("file", "w").write(f"{run.id} {step}")
                run.log_artifact("file", step=step)
                run.log({"step": step}, step=step)
                if step == 3:
                    print(run.id, flush=True)
            """,
            str(store_folder),
            cwd=place,
        )
        for place in (tmp_path / "1", tmp_path / "2")
        if not place.mkdir()  # type: ignore[func-returns-value]
    ]
    ids = [process.stdout.readline().strip() for process in processes if process.stdout is not None]
    for number in range(3):
        made = store.backup(tmp_path / f"{number}.zip")
        back = tmp_path / f"back{number}"
        tracking.restore_backup(made, back)
        with tracking.open_store(back) as other:
            assert other.verify() == []
            for record in other.runs([one for one in ids if one in set(other.search()["run"])]):
                assert record.status == "lost" and "backup" in (record.error or "")
    assert all(process.poll() is None for process in processes)


def test_nothing_is_overwritten(
    file: Path, store: tracking.Store, store_folder: Path, tmp_path: Path
) -> None:
    before = file.read_bytes()
    with pytest.raises(tracking.InvalidValue, match="already"):
        store.backup(file)
    with pytest.raises(tracking.InvalidValue, match="in the store"):
        store.backup(store_folder / "logs" / "backup.zip")
    assert file.read_bytes() == before
    with pytest.raises(tracking.InvalidValue, match="not empty"):
        tracking.restore_backup(file, store_folder)
    (tmp_path / "empty").mkdir()
    assert tracking.restore_backup(file, tmp_path / "empty") == tmp_path / "empty"
    with pytest.raises(tracking.InvalidValue, match="no file"):
        tracking.restore_backup(tmp_path / "absent.zip", tmp_path / "new")


def refused(file: Path, tmp_path: Path) -> None:
    before = set(tmp_path.rglob("*"))
    with pytest.raises(tracking.StoreDamaged, match="Nothing was made"):
        tracking.restore_backup(file, tmp_path / "new")
    assert set(tmp_path.rglob("*")) == before


def test_a_flipped_byte_anywhere_is_found(file: Path, tmp_path: Path) -> None:
    whole = file.read_bytes()
    at = whole.index(b"the bytes of a file")
    database = whole.index(b"SQLite format 3") + 5000
    listed = whole.index(b'{"format": 1') + 80
    for place in (at, database, listed, len(whole) - 10):
        file.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        refused(file, tmp_path)
    for length in (0, 10, len(whole) // 2, len(whole) - 1):
        file.write_bytes(whole[:length])
        refused(file, tmp_path)


def rewritten(file: Path, change: Callable[[dict[str, bytes]], None], *, listed: bool = True) -> None:
    """Write the backup anew with other entries, its list made to fit them as a forger would."""
    import hashlib

    with zipfile.ZipFile(file) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    change(entries)
    content = json.loads(entries.pop(backup.LIST))
    if listed:
        content["files"] = {
            name: (len(data), hashlib.sha256(data).hexdigest()) for name, data in entries.items()
        }
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
        archive.writestr(backup.LIST, json.dumps(content))


@pytest.mark.parametrize(
    "name",
    [
        "../stolen",
        "/tmp/stolen",
        "objects/../../stolen",
        "objects/ab/../../x",
        "spool/x.0123456789ab.spool",
        "logs/../x",
        "logs/run.0123456789ab/../../x",
        "tracking.db-wal",
        ".gitignore",
        "objects/ab/" + "0" * 62,
    ],
)
def test_other_entries_are_refused(name: str, file: Path, tmp_path: Path) -> None:
    rewritten(file, lambda entries: entries.update({name: b"stolen"}))
    refused(file, tmp_path)


def test_bytes_under_another_name_are_refused(file: Path, tmp_path: Path) -> None:
    def swap(entries: dict[str, bytes]) -> None:
        first, second = [name for name in entries if name.startswith("objects/")]
        entries[first], entries[second] = entries[second], entries[first]

    rewritten(file, swap)
    refused(file, tmp_path)


def test_what_is_missing_or_unlisted_is_refused(file: Path, tmp_path: Path) -> None:
    whole = file.read_bytes()
    for change in (
        lambda entries: entries.pop("tracking.db"),
        lambda entries: entries.pop(next(name for name in entries if name.startswith("objects/"))),
        lambda entries: entries.update({"objects/ab/" + "0" * 62: b"x"}),
    ):
        file.write_bytes(whole)
        rewritten(file, change, listed=False)  # type: ignore[arg-type]
        refused(file, tmp_path)


def test_a_bomb_and_a_double_are_refused(file: Path, tmp_path: Path) -> None:
    whole = file.read_bytes()
    with zipfile.ZipFile(file, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("objects/ab/" + "0" * 62, bytes(50 << 20))
    refused(file, tmp_path)
    file.write_bytes(whole)
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(file, "a") as archive:
        archive.writestr("tracking.db", b"another one")
    refused(file, tmp_path)
    # An entry that says it is larger than the whole file.
    at = whole.rindex(b"PK\x01\x02")
    large = struct.pack("<II", 0xFFFFFF00, 0xFFFFFF00)
    file.write_bytes(whole[: at + 20] + large + whole[at + 28 :])
    refused(file, tmp_path)


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TRIGGER evil AFTER UPDATE ON runs BEGIN DELETE FROM runs; END",
        "CREATE VIEW evil AS SELECT 1",
        "PRAGMA application_id=7",
        "DROP TABLE podium_schema",
    ],
)
def test_a_database_that_is_no_stores_is_refused(statement: str, file: Path, tmp_path: Path) -> None:
    def change(entries: dict[str, bytes]) -> None:
        path = tmp_path / "forged.db"
        path.write_bytes(entries["tracking.db"])
        connection = sqlite3.connect(path)
        connection.execute(statement)
        connection.commit()
        connection.close()
        entries["tracking.db"] = path.read_bytes()

    rewritten(file, change)
    refused(file, tmp_path)


def test_no_room_is_said_and_nothing_made(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = backup.shutil._ntuple_diskusage(100, 90, 10)  # type: ignore[attr-defined]
    monkeypatch.setattr(backup.shutil, "disk_usage", lambda path: usage)
    with pytest.raises(tracking.StoreError, match="do not fit"):
        tracking.restore_backup(file, tmp_path / "new")
    assert not (tmp_path / "new").exists()
