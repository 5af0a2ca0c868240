"""`log_dataset` through the store: one dataset with many users, files, folders, bytes on demand."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import tracking
from tracking import DatasetRecord
from tracking.client.datasets import files

FRAME = pd.DataFrame({"x": [1.5, 2.5, None], "label": ["a", "b", "a"]})


@pytest.fixture
def data_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    return folder


def log(folder: Path, data: Any, name: str = "train", **options: Any) -> tuple[str, DatasetRecord]:
    with tracking.start_run(store=folder, capture=False, strict=True) as run:
        run.log_dataset(data, name, **options)
    with tracking.open_store(folder) as store:
        (record,) = store.datasets(run.id)
    return run.id, record


def test_ten_runs_use_one_dataset(store_folder: Path, data_folder: Path) -> None:
    FRAME.to_parquet(data_folder / "a.parquet", row_group_size=1)
    FRAME.to_parquet(data_folder / "b.parquet", compression="gzip")
    forms = [FRAME, FRAME.astype({"x": "float32"}), FRAME.astype(object), FRAME.to_dict("list")]
    forms += [data_folder / "a.parquet", str(data_folder / "b.parquet"), FRAME.set_axis([5, 6, 7])]
    forms += [FRAME.assign(label=pd.Categorical(FRAME["label"])), FRAME.copy(), FRAME.to_dict("records")]
    logged = [log(store_folder, form, f"as {at}") for at, form in enumerate(forms)]
    assert len({record.digest for _, record in logged}) == 1
    with tracking.open_store(store_folder) as store:
        assert set(store.dataset_users(logged[0][1].digest)) == {run for run, _ in logged}
        (last,) = store.datasets(logged[-1][0])
        assert (last.runs, last.name, last.rows, last.columns, last.kind) == (10, "as 9", 3, 2, "frame")


def test_what_is_told_of_a_frame(store_folder: Path) -> None:
    _, record = log(store_folder, FRAME, source="warehouse/train")
    assert record.schema == {"x": "float64", "label": "str"}
    assert record.statistics["x"]["mean"] == 2.0 and record.statistics["label"]["top"] == [["a", 2], ["b", 1]]
    assert record.source == "warehouse/train" and record.object is None and record.size


def test_no_password_of_a_source_is_kept(store_folder: Path) -> None:
    source = "postgresql://ada:s3cret-pass@host.example/db"
    assert "s3cret" not in log(store_folder, FRAME, source=source)[1].source
    assert "host.example/db" in log(store_folder, FRAME, "other", source=source)[1].source


def test_with_its_bytes(store_folder: Path, data_folder: Path) -> None:
    array = np.arange(6.0).reshape(2, 3)
    (data_folder / "a.csv").write_text("x\n1\n")
    for data in (FRAME, array, data_folder / "a.csv"):
        _, record = log(store_folder, data, store_bytes=True)
        assert record.object is not None
        with tracking.open_store(store_folder) as store:
            stored = store._objects.open(record.object).read()
        if data is FRAME:
            pd.testing.assert_frame_equal(pd.read_parquet(io.BytesIO(stored)), FRAME)
        elif data is array:
            assert np.array_equal(np.load(io.BytesIO(stored), allow_pickle=False), array)
        else:
            assert stored == b"x\n1\n"
    (data_folder / "b").mkdir()
    _, record = log(store_folder, data_folder, store_bytes=True)
    assert record.kind == "folder" and record.object != record.digest


def test_a_dataset_by_reference_gets_its_bytes_later(store_folder: Path) -> None:
    assert log(store_folder, FRAME)[1].object is None
    kept = log(store_folder, FRAME, store_bytes=True)[1].object
    assert log(store_folder, FRAME)[1].object == kept is not None


def test_an_array_of_objects_has_no_bytes(store_folder: Path) -> None:
    with pytest.raises(tracking.InvalidValue, match="pickle"):
        log(store_folder, np.array([1, "a"], dtype=object), store_bytes=True)


def test_arrays(store_folder: Path) -> None:
    _, record = log(store_folder, np.zeros((5, 8, 8), np.uint8))
    assert (record.kind, record.rows, record.columns) == ("array", 5, None)
    assert record.schema == {"dtype": "uint8", "shape": [5, 8, 8]}


def test_files_count_by_their_bytes(store_folder: Path, data_folder: Path) -> None:
    import hashlib

    path = data_folder / "a.csv"
    path.write_bytes(b"x,y\n1,2\n")
    _, record = log(store_folder, path)
    assert record.digest == hashlib.sha256(b"x,y\n1,2\n").hexdigest()
    assert (record.kind, record.size, record.source) == ("file", 8, str(path))


def test_a_parquet_file_that_is_none_counts_by_its_bytes(store_folder: Path, data_folder: Path) -> None:
    (data_folder / "a.parquet").write_bytes(b"PAR1 no")
    assert log(store_folder, data_folder / "a.parquet")[1].kind == "file"


def test_folders(store_folder: Path, data_folder: Path) -> None:
    for name in ("a.png", "b/c.png", "b/d.txt"):
        (data_folder / name).parent.mkdir(exist_ok=True)
        (data_folder / name).write_text(name)
    first = log(store_folder, data_folder)[1]
    assert first.schema == {"files": 3, "extensions": {".png": 2, ".txt": 1}}
    os.symlink(data_folder, data_folder / "loop")
    os.mkfifo(data_folder / "pipe")
    (data_folder / "empty").mkdir()
    log(data_folder / "store", FRAME)
    assert log(store_folder, data_folder)[1].digest == first.digest
    (data_folder / "b/d.txt").rename(data_folder / "b/e.txt")
    assert log(store_folder, data_folder)[1].digest != first.digest


def test_a_file_is_read_once_until_it_changes(
    data_folder: Path, store_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = data_folder / "a.bin"
    path.write_bytes(b"one")
    reads: list[Path] = []
    read = files._read
    monkeypatch.setattr(
        files, "_read", lambda file, place, size: reads.append(place) or read(file, place, size)
    )  # type: ignore[func-returns-value]
    digests = [log(store_folder, path)[1].digest for _ in range(2)]
    assert len(reads) == 1 and digests[0] == digests[1]
    path.write_bytes(b"two")
    os.utime(path, ns=(1, 1))
    assert log(store_folder, path)[1].digest != digests[0] and len(reads) == 2


def test_a_bad_call_warns_once_and_the_run_goes_on(store_folder: Path, data_folder: Path) -> None:
    os.mkfifo(data_folder / "pipe")
    with tracking.start_run(store=store_folder, capture=False) as run:
        with pytest.warns(tracking.TrackingWarning) as told:
            for _ in range(2):
                run.log_dataset(data_folder / "none.csv", "train")
                run.log_dataset(data_folder / "pipe", "train")
                run.log_dataset(store_folder, "train")
                run.log_dataset(store_folder / "tracking.db", "train")
                run.log_dataset(FRAME, "")
                run.log_dataset(object(), "train")
        tracking.log_dataset(FRAME, "kept")
    assert len(told) == 6, [str(one.message) for one in told]
    with tracking.open_store(store_folder) as store:
        assert [record.name for record in store.datasets(run.id)] == ["kept"]


def test_a_logged_table_is_the_dataset_it_was(store_folder: Path, tmp_path: Path) -> None:
    with tracking.start_run(store=store_folder, capture=False) as run:
        run.log_table(FRAME, "table")
    with tracking.open_store(store_folder) as store:
        path = store.download(run.id, "table", tmp_path)
    assert log(store_folder, path)[1].digest == log(store_folder, FRAME)[1].digest


def test_a_folder_that_is_read_for_minutes_is_announced(
    store_folder: Path, data_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tracking.client import dataset_verbs

    for number in range(3):
        (data_folder / f"{number}.txt").write_bytes(b"x")
    with tracking.start_run(store=store_folder, capture=False) as run:
        run.log_dataset(data_folder, "small")
        monkeypatch.setattr(dataset_verbs, "_MANY_FILES", 3)
        with pytest.warns(tracking.TrackingWarning, match="'large' by its content: 3 files"):
            run.log_dataset(data_folder, "large")
        monkeypatch.setattr(files, "MOST_FILES", 2)
        monkeypatch.setattr(files, "_bytes_digest", None)
        with pytest.warns(tracking.TrackingWarning, match="more than 2 files"):
            run.log_dataset(data_folder, "too large")
    with tracking.open_store(store_folder) as store:
        assert [record.name for record in store.datasets(run.id)] == ["small", "large"]


def test_what_is_no_dataset_is_refused_under_the_verbs_own_name(store_folder: Path) -> None:
    with tracking.start_run("data", store=store_folder, capture=False) as run:
        with pytest.warns(tracking.TrackingWarning, match="log_dataset takes a data frame.* not int"):
            run.log_dataset(5, "train")
