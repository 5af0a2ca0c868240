"""A backup of a store that is damaged already: what is whole comes back, the rest is named."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import warnings
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import tracking
from tracking.artifacts import backup
from tracking.errors import StoreDamaged
from tracking.records import DamagedFile

CONTENTS = {name: f"the bytes of {name}" for name in ("whole.txt", "flipped.txt", "gone.txt")}


def digest_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def entry_of(name: str) -> str:
    digest = digest_of(CONTENTS[name])
    return f"objects/{digest[:2]}/{digest[2:]}"


def flip(path: Path) -> None:
    whole = path.read_bytes()
    path.chmod(0o644)
    path.write_bytes(whole[:3] + bytes([whole[3] ^ 1]) + whole[4:])


@pytest.fixture
def run_id(tmp_path: Path, store_folder: Path) -> str:
    """A run with three artifacts and a folder of the same files; one object is damaged, one is missing."""
    folder = tmp_path / "data"
    folder.mkdir()
    with tracking.start_run(store=store_folder, capture=False) as run:
        for name, text in CONTENTS.items():
            (folder / name).write_text(text)
            run.log_artifact(folder / name)
        run.log_artifact(folder)
    flip(store_folder / entry_of("flipped.txt"))
    (store_folder / entry_of("gone.txt")).unlink()
    return run.id


@pytest.fixture
def expected(run_id: str) -> list[DamagedFile]:
    """What `verify` says of the store."""
    flipped, gone = digest_of(CONTENTS["flipped.txt"]), digest_of(CONTENTS["gone.txt"])
    return [
        DamagedFile(run_id, "artifact", "data", "flipped.txt", flipped, False),
        DamagedFile(run_id, "artifact", "data", "gone.txt", gone, True),
        DamagedFile(run_id, "artifact", "flipped.txt", "", flipped, False),
        DamagedFile(run_id, "artifact", "gone.txt", "", gone, True),
    ]


@pytest.fixture
def file(run_id: str, store: tracking.Store, tmp_path: Path) -> Path:
    return store.backup(tmp_path / "backup.zip", damaged=lambda one: None)


def back_from(file: Path, back: Path) -> list[DamagedFile]:
    found: list[DamagedFile] = []
    assert tracking.restore_backup(file, back, damaged=found.append) == back
    return found


def test_the_rest_comes_back_and_what_is_damaged_is_named(
    run_id: str, expected: list[DamagedFile], store: tracking.Store, tmp_path: Path
) -> None:
    assert store.verify() == expected
    found: list[DamagedFile] = []
    file = store.backup(tmp_path / "backup.zip", damaged=found.append)
    assert found == expected
    back = tmp_path / "back"
    assert back_from(file, back) == expected
    with tracking.open_store(back) as other:
        assert other.open_artifact(run_id, "whole.txt").read() == CONTENTS["whole.txt"].encode()
        assert other.open_artifact(run_id, "data", path="whole.txt").read() == CONTENTS["whole.txt"].encode()
        # Neither came back, so that damaged bytes are not taken for what was logged.
        assert other.verify() == [replace(one, missing=True) for one in expected]
        # Nor does the next generation forget any of them.
        again = other.backup(tmp_path / "again.zip", damaged=lambda one: None)
    assert back_from(again, tmp_path / "again") == [replace(one, missing=True) for one in expected]


def test_without_anybody_to_call_a_warning_names_them(
    run_id: str, store: tracking.Store, tmp_path: Path
) -> None:
    says = f"(?s)everything else in it.*damaged: .*'flipped.txt' of run '{run_id}'.*missing: .*'gone.txt'"
    with pytest.warns(tracking.TrackingWarning, match=says) as told:
        file = store.backup(tmp_path / "backup.zip")
    assert [one.filename for one in told] == [__file__]
    with pytest.warns(tracking.TrackingWarning, match="(?s)is back.*'flipped.txt'.*'gone.txt'"):
        tracking.restore_backup(file, tmp_path / "back")


def test_where_warnings_are_errors_the_backup_is_made_all_the_same(
    run_id: str, store: tracking.Store, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        file = store.backup(tmp_path / "backup.zip")
        assert tracking.restore_backup(file, tmp_path / "back") == tmp_path / "back"
    assert capfd.readouterr().err.count("'flipped.txt'") == 2


def test_a_long_list_is_cut_in_the_warning(store: tracking.Store, store_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    for number in range(25):
        (tmp_path / "data" / f"{number:02}").write_text(str(number))
    with tracking.start_run(store=store_folder, capture=False) as run:
        run.log_artifact(tmp_path / "data")
    for number in range(25):
        digest = digest_of(str(number))
        (store_folder / "objects" / digest[:2] / digest[2:]).unlink()
    with pytest.warns(tracking.TrackingWarning, match="'data/19'.*\n.*and 5 more") as told:
        store.backup(tmp_path / "backup.zip")
    assert "data/20" not in str(told[0].message)


def test_a_damaged_list_of_files_is_named_and_its_files_come_back(
    store: tracking.Store, store_folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a.txt").write_text("bytes of a file")
    with tracking.start_run(store=store_folder, capture=False) as run:
        run.log_artifact(tmp_path / "data")
    (record,) = store.artifacts(run.id)
    flip(store_folder / "objects" / record.digest[:2] / record.digest[2:])
    found: list[DamagedFile] = []
    file = store.backup(tmp_path / "backup.zip", damaged=found.append)
    assert found == [DamagedFile(run.id, "artifact", "data", "", record.digest, False)]
    assert back_from(file, tmp_path / "back") == found
    digest = digest_of("bytes of a file")
    assert (tmp_path / "back" / "objects" / digest[:2] / digest[2:]).read_text() == "bytes of a file"


def test_what_is_not_even_a_file_does_not_end_the_backup(
    run_id: str, expected: list[DamagedFile], store: tracking.Store, store_folder: Path, tmp_path: Path
) -> None:
    path = store_folder / entry_of("flipped.txt")

    def link() -> None:
        path.symlink_to(tmp_path / "data" / "flipped.txt")

    for number, make in enumerate((path.mkdir, link)):
        path.unlink() if path.is_file() else path.rmdir()
        make()
        found: list[DamagedFile] = []
        file = store.backup(tmp_path / f"{number}.zip", damaged=found.append)
        assert found == expected == store.verify()
        assert back_from(file, tmp_path / f"back{number}") == expected


def test_a_bad_sector_ends_an_object_and_nothing_else() -> None:
    class Source:
        def __init__(self) -> None:
            self.reads: Iterator[bytes] = iter([b"first"])

        def read(self, size: int) -> bytes:
            for chunk in self.reads:
                return chunk
            raise OSError(5, "Input/output error")

    source: Any = Source()
    assert list(backup._chunks(source, 10, fails=True)) == [b"first"]
    with pytest.raises(OSError, match="Input/output"):
        list(backup._chunks(source, 10, fails=False))


def test_damaged_bytes_of_nobody_are_named_by_their_digest(store: tracking.Store, tmp_path: Path) -> None:
    objects = store.location.objects
    (objects / "ab").mkdir(parents=True)
    (objects / "ab" / ("0" * 62)).write_bytes(b"others")
    expected = [DamagedFile("", "object", "", "", "ab" + "0" * 62, False)]
    found: list[DamagedFile] = []
    file = store.backup(tmp_path / "backup.zip", damaged=found.append)
    assert found == expected
    with pytest.warns(tracking.TrackingWarning, match="object 'ab00.*nothing refers to it"):
        tracking.restore_backup(file, tmp_path / "back")
    assert not (tmp_path / "back" / "objects" / "ab").exists()


def test_rows_that_cannot_be_read_leave_the_digests(
    run_id: str, store: tracking.Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*given: object) -> None:
        raise StoreDamaged("A row cannot be read.")

    monkeypatch.setattr(backup, "verify_objects", refuse)
    found: list[DamagedFile] = []
    file = store.backup(tmp_path / "backup.zip", damaged=found.append)
    assert [one.digest for one in found] == [digest_of(CONTENTS["flipped.txt"])]
    assert back_from(file, tmp_path / "back") == found


def test_the_models_and_their_journal_outlast_a_damaged_object(
    run_id: str, store: tracking.Store, tmp_path: Path
) -> None:
    store.register("digits", run_id, artifact="whole.txt")
    store.promote("digits", 1, reason="the first")
    file = store.backup(tmp_path / "backup.zip", damaged=lambda one: None)
    back_from(file, tmp_path / "back")
    with tracking.open_store(tmp_path / "back") as back:
        assert back.verify_registry().problems == ()
        assert [entry.reason for entry in back.journal()][-1] == "the first"


def refused(file: Path, tmp_path: Path) -> None:
    with pytest.raises(tracking.StoreDamaged, match="Nothing was made"):
        tracking.restore_backup(file, tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_a_zip_that_was_changed_since_is_refused(file: Path, tmp_path: Path) -> None:
    whole = file.read_bytes()
    flipped = (CONTENTS["flipped.txt"][:3] + chr(ord(CONTENTS["flipped.txt"][3]) ^ 1)).encode()
    for place in (whole.index(CONTENTS["whole.txt"].encode()), whole.index(flipped) + 12):
        file.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        refused(file, tmp_path)


def listed_anew(file: Path, change: Callable[[dict[str, Any]], object], leave: str = "") -> None:
    with zipfile.ZipFile(file) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    content = json.loads(entries.pop(backup.LIST))
    change(content)
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in entries.items():
            if name != leave:
                archive.writestr(name, data)
        archive.writestr(backup.LIST, json.dumps(content))


@pytest.mark.parametrize(
    "change",
    [
        # Whole bytes as damaged ones, damaged ones as whole, and either in both.
        lambda one: one["damaged"].update({entry_of("whole.txt"): one["files"].pop(entry_of("whole.txt"))}),
        lambda one: one["files"].update(one.pop("damaged")),
        lambda one: one["files"].update(one["damaged"]),
        lambda one: one["damaged"].clear(),
        lambda one: one["damaged"].update({entry_of("flipped.txt"): None}),
        lambda one: one["damaged"].update({"tracking.db": one["files"]["tracking.db"]}),
        lambda one: one["damaged"].update({"../stolen": None}),
        lambda one: one["damaged"].update({entry_of("gone.txt"): [3, digest_of("abc")]}),
        lambda one: one["damaged"].update({entry_of("gone.txt"): 0}),
        lambda one: one.update(damaged=None),
        lambda one: one.update(damaged=[entry_of("flipped.txt")]),
    ],
)
def test_a_list_that_says_otherwise_is_refused(
    change: Callable[[dict[str, Any]], object], file: Path, tmp_path: Path
) -> None:
    listed_anew(file, change)
    refused(file, tmp_path)


def test_damaged_bytes_that_left_the_zip_are_a_change(file: Path, tmp_path: Path) -> None:
    listed_anew(file, lambda content: None, leave=entry_of("flipped.txt"))
    refused(file, tmp_path)


def test_a_backup_from_before_comes_back_and_says_what_it_lacks(
    file: Path, expected: list[DamagedFile], tmp_path: Path
) -> None:
    # It had no list of what was damaged; an object that was missing was not in it, without a word.
    listed_anew(file, lambda content: content.pop("damaged"), leave=entry_of("flipped.txt"))
    assert back_from(file, tmp_path / "back") == [replace(one, missing=True) for one in expected]


def test_the_look_for_what_is_missing_leaves_the_copied_database_alone(
    file: Path, store_folder: Path, tmp_path: Path
) -> None:
    with zipfile.ZipFile(file) as archive:
        data = archive.read(backup.DATABASE)
        assert (
            json.loads(archive.read(backup.LIST))["files"][backup.DATABASE][1]
            == hashlib.sha256(data).hexdigest()
        )
    (tmp_path / "copy.db").write_bytes(data)
    connection = sqlite3.connect(tmp_path / "copy.db")
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)
    connection.close()
    assert not [path for path in store_folder.iterdir() if path.name.startswith(".backup")]
