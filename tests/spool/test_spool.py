"""The spool's bytes: torn and damaged ends, locks, names."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tracking.spool.files import SpoolFiles, is_run_id, leftover_spools, new_run_id
from tracking.spool.format import MAGIC, frames, pack_event, points_packer
from tracking.spool.lock import try_lock
from tracking.spool.reading import read_batch
from tracking.spool.writer import SpoolWriter


def spool_of(records: int) -> bytes:
    pack = points_packer(0, 2)
    return (
        MAGIC
        + pack_event({"t": "begin"})
        + pack_event({"t": "shape", "id": 0, "keys": ["a", "b"]})
        + b"".join(pack(step, step * 10, step * 0.5, -step) for step in range(records))
    )


def test_runs_of_records_come_back_as_arrays() -> None:
    batch = read_batch(spool_of(1000), {}, start=len(MAGIC))
    order, steps, times, values = batch.points[0]
    assert steps.tolist() == list(range(1000))
    assert times.tolist() == [step * 10 for step in range(1000)]
    assert values[:, 1].tolist() == [-step for step in range(1000)]
    assert order.tolist() == list(range(2, 1002))
    assert (batch.records, batch.end) == (1002, len(spool_of(1000)))


@pytest.mark.parametrize("cut", range(1, 48))
def test_a_torn_end_is_left_out(cut: int) -> None:
    data = spool_of(100)
    batch = read_batch(data[:-cut], {}, start=len(MAGIC))
    assert batch.points[0][1].tolist() == list(range(99))
    assert batch.end == len(spool_of(99))


@pytest.mark.parametrize("record", [0, 1, 5, 50, 99])
def test_reading_stops_at_a_flipped_bit(record: int) -> None:
    data = bytearray(spool_of(100))
    begin = len(spool_of(record))
    data[begin + 20] ^= 1
    batch = read_batch(bytes(data), {}, start=len(MAGIC))
    found = batch.points[0][1].tolist() if batch.points else []
    assert found == list(range(record))
    assert batch.end == begin


def test_shapes_in_turn_keep_the_order_of_writing() -> None:
    one, two = points_packer(0, 1), points_packer(1, 2)
    data = MAGIC + pack_event({"t": "shape", "id": 0, "keys": ["a"]})
    data += pack_event({"t": "shape", "id": 1, "keys": ["a", "b"]})
    for step in range(0, 300, 2):
        data += one(step, 0, step) + two(step + 1, 0, step + 1, 0.0)
    batch = read_batch(data, {}, start=len(MAGIC))
    assert batch.points[0][0].tolist() == list(range(2, 302, 2))
    assert batch.points[1][0].tolist() == list(range(3, 302, 2))
    assert sum(1 for _ in frames(data, len(MAGIC))) == 302


def test_a_lock_is_held_until_released(tmp_path: Path) -> None:
    lock = try_lock(tmp_path / "x.lock")
    assert lock is not None
    assert try_lock(tmp_path / "x.lock") is None
    lock.release()
    assert not (tmp_path / "x.lock").exists()
    again = try_lock(tmp_path / "x.lock")
    assert again is not None
    again.close()


def test_ids_sort_by_time_and_are_safe_names() -> None:
    ids = [new_run_id(moment * 1000) for moment in (1, 2, 10**9, 1_800_000_000_000)]
    assert ids == sorted(ids)
    assert all(is_run_id(one) and len(one) == 20 for one in ids)
    assert len({new_run_id(5000) for _ in range(1000)}) == 1000
    for bad in ("../x", "A", "", "a/b", "x" * 65, "a.b", "a\n"):
        assert not is_run_id(bad)


def test_only_our_names_are_read(tmp_path: Path) -> None:
    for name in (
        "x.spool",
        "..spool",
        "abc.0123456789ab.spool",
        "abc.0123456789ab.lock",
        "abc.0123456789ab.txt",
    ):
        (tmp_path / name).touch()
    assert [files.spool_id for files in leftover_spools(tmp_path)] == ["abc.0123456789ab"]


def test_a_record_that_was_half_written_is_cut_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    troubles: list[OSError] = []
    files = SpoolFiles.new(tmp_path, "run")
    writer = SpoolWriter(files, [{"t": "begin"}], troubles.append)
    pack = points_packer(0, 1)
    writer.append(pack(0, 0, 1.0), 1)
    whole = files.records.stat().st_size
    real = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: real(fd, data[:7]))
    writer.append(pack(1, 0, 2.0), 1)
    assert files.records.stat().st_size == whole, "cut back to the last whole record"
    assert len(troubles) == 1
    monkeypatch.setattr(os, "write", real)
    assert writer.write_waiting()
    writer.append(pack(2, 0, 3.0), 1)
    writer.close([])
    shapes = {0: ("a",)}
    batch = read_batch(files.records.read_bytes(), shapes, start=len(MAGIC))
    assert batch.points[0][1].tolist() == [0, 1, 2]
    writer.remove()
    assert list(tmp_path.iterdir()) == []
