"""Parquet is read by a process of its own: a file may end that one, take its time or its memory, and no more."""

from __future__ import annotations

import io
import json
import os
import sys
import textwrap
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tracking
from tracking.artifacts.parquet_reader import MEMORY_BYTES
from tracking.artifacts.preview_process import ReaderFailed, ReaderTooSlow, ask_reader
from tracking.artifacts.previews import BinaryPreview, TablePreview, preview
from tracking.artifacts.table_previews import table_of_answer
from tracking.records import ArtifactKind, ArtifactRecord

# A column of one number. Byte 81, in the footer, says how long a histogram of definition levels is: 2 items.
ONE_NUMBER = bytes.fromhex(
    "504152311500151415142c15021500150615061c18040100000018040100000016002804010000001804010000001111000000020000"
    "000201010000001504192c35001806736368656d6115020015022502180178001602191c191c26001c15021925060019180178150016"
    "021672167226083c1804010000001804010000001600280401000000180401000000111100191c150015001502003c29061926000200"
    "00001672160226081672002820706172717565742d6370702d6172726f772076657273696f6e2032362e302e31191c1c000000980000"
    "0050415231"
)
HISTOGRAM = 81


def look(data: bytes) -> Any:
    about = ("r", "t.parquet", ArtifactKind.FILE, None, "0" * 64, 0, 1, "", datetime.now(UTC))
    return preview(io.BytesIO(data), ArtifactRecord(*about))


def parquet(table: pa.Table, **options: Any) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink, **options)
    return sink.getvalue()


def ask(program: str, *, seconds: float = 20, file: Any = None) -> Any:
    """Let another program of Python be the reader."""
    command = [sys.executable, "-c", textwrap.dedent(program)]
    return ask_reader(file or io.BytesIO(b"data"), "", command=command, seconds=seconds)


# Files


def test_the_file_that_aborts_its_reader_is_said_to_be_damaged() -> None:
    assert look(ONE_NUMBER).frame["x"].tolist() == [1]
    broken = bytearray(ONE_NUMBER)
    assert broken[HISTOGRAM] == 2
    broken[HISTOGRAM] = 3
    found = look(bytes(broken))
    assert isinstance(found, BinaryPreview) and found.hex.startswith("00000000  50 41 52 31")
    assert found.note == "This Parquet file is damaged and cannot be shown; it can be downloaded."


@settings(deadline=None, max_examples=10)
@given(st.data())
def test_a_damaged_file_raises_nothing(data: st.DataObject) -> None:
    table = pa.Table.from_pandas(pd.DataFrame({"x": range(50), "s": ["ab"] * 50}))
    whole = bytearray(parquet(table, compression="gzip"))
    for _ in range(data.draw(st.integers(1, 8))):
        # Between the marks at its ends: without them nobody reads it.
        whole[data.draw(st.integers(4, len(whole) - 5))] = data.draw(st.integers(0, 255))
    found = look(bytes(whole))
    assert isinstance(found, TablePreview) or "Parquet" in found.note


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems do not bound address space")
def test_a_page_that_says_it_unpacks_to_two_gigabytes() -> None:
    def varint(number: int) -> bytes:
        number, found = number << 1, bytearray()  # as Thrift writes numbers: with the sign as the last bit
        while number > 127:
            found.append(number & 127 | 128)
            number >>= 7
        return bytes((*found, number))

    data = bytearray(parquet(pa.table({"x": np.arange(1_000)}), compression="gzip", use_dictionary=False))
    chunk = pq.ParquetFile(io.BytesIO(data)).metadata.row_group(0).column(0)
    begin, end = chunk.data_page_offset, chunk.data_page_offset + chunk.total_compressed_size
    # A header without the statistics that pyarrow writes, so that there is room for a larger number.
    values = b"\x2c\x15" + varint(1_000) + b"\x15\x00\x15\x06\x15\x06\x00\x00"
    sizes = varint(MEMORY_BYTES - 1), varint(end - begin - 30)
    header = b"\x15\x00\x15" + sizes[0] + b"\x15" + sizes[1] + values
    assert len(header) <= 30
    data[begin : begin + len(header)] = header
    found = look(bytes(data))
    assert isinstance(found, BinaryPreview) and "more memory" in found.note


def test_texts_that_unpack_to_100_gigabytes_are_shown_within_one() -> None:
    text = pa.DictionaryArray.from_arrays(pa.array(np.zeros(100_000, np.int8)), pa.array(["x" * 1_000_000]))
    program = """
        import resource
        from tracking.artifacts import parquet_reader
        resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
        parquet_reader.main()
    """
    found = table_of_answer(ask(program, file=io.BytesIO(parquet(pa.table({"s": text})))))
    assert found.frame["s"][0] == "x" * 499 + "…" and found.rows == 100_000


def test_every_kind_of_cell_arrives_as_it_was() -> None:
    table = pa.table(
        {
            "whole": pa.array([2**64 - 1, 0], pa.uint64()),
            "gap": pa.array([1, None], pa.int32()),
            "float": pa.array([np.float32(0.1), np.inf], pa.float32()),
            "nan": [np.nan, -0.0],
            "truth": [True, False],
            "unsure": [True, None],
            "day": pa.array([0, None], pa.date32()),
            "time": pa.array([1_500_000_001, None], pa.timestamp("ms")),
            "zone": pa.array([0, None], pa.timestamp("s", "Europe/Berlin")),
            "text": ["é😀\0", None],
            "bytes": [b"\0\xff", None],
            "list": [[1, 2], None],
        }
    )
    frame = look(parquet(table)).frame
    types = [str(kind) for kind in frame.dtypes]
    assert types[:6] == ["uint64", "float64", "float32", "float64", "bool", "str"]
    assert types[6:8] == ["datetime64[us]", "datetime64[us]"]
    assert frame["whole"][0] == 2**64 - 1 and frame["float"][0] == np.float32(0.1)
    assert np.isinf(frame["float"][1]) and np.isnan(frame["nan"][0]) and np.isnan(frame["gap"][1])
    assert frame["unsure"][0] == "True" and pd.isna(frame["unsure"][1])
    assert frame["time"][0] == pd.Timestamp("1970-01-18T08:40:00.001") and pd.isna(frame["day"][1])
    texts = frame[["zone", "text", "bytes", "list"]].iloc[0].tolist()
    assert texts == ["1970-01-01 01:00:00+01:00", "é😀\0", "00ff", "[1, 2]"]


def test_a_second_look_reads_nothing(store_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tracking.ui import carried_cache

    with tracking.start_run(store=store_folder, capture=False) as run:
        run.log_table(pd.DataFrame({"x": [1, 2]}), "t")
    with tracking.open_store(store_folder) as store:
        (record,) = store.artifacts(run.id)
        first = carried_cache.preview(store, record, None)
        monkeypatch.setattr(sys, "executable", "/nowhere/python")
        assert carried_cache.preview(store, record, None) is first
        with pytest.raises(tracking.TrackingError, match="cannot be started"):
            store.preview(run.id, "t")


# The process


@pytest.mark.parametrize(
    ("program", "error"),
    [
        ("import os; os.abort()", ReaderFailed),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", ReaderFailed),
        ("raise SystemExit(1)", tracking.TrackingError),
        ("", ReaderFailed),
        ("print('[' * 100_000)", ReaderFailed),
        ("while True: print('x' * 1_000_000)", ReaderFailed),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", tracking.TrackingError),
        ("import os, signal; os.kill(os.getpid(), signal.SIGXCPU)", ReaderTooSlow),
    ],
)
def test_a_reader_that_fails_is_told_of_and_leaves_nothing(program: str, error: type[Exception]) -> None:
    before = {child.pid for child in psutil.Process().children()}
    with pytest.raises(error):
        ask(program)
    assert {child.pid for child in psutil.Process().children()} <= before


@pytest.mark.parametrize("closed", [False, True])
def test_a_reader_that_takes_too_long_is_killed_with_what_it_started(closed: bool, tmp_path: Path) -> None:
    note = tmp_path / "pid"
    program = f"""
        import os, subprocess, sys, time
        sleeper = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], stdout=subprocess.DEVNULL)
        open({str(note)!r}, "w").write(str(sleeper.pid))
        if {closed}:
            os.close(1)
        time.sleep(60)
    """
    began = time.monotonic()
    with pytest.raises(ReaderTooSlow):
        ask(program, seconds=3)
    assert time.monotonic() - began < 15
    sleeper = int(note.read_text())
    give_up = time.monotonic() + 10
    while psutil.pid_exists(sleeper) and psutil.Process(sleeper).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < give_up
        time.sleep(0.05)


def test_a_reader_gets_no_key_and_no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACKING_KEY", "a key of the dashboard")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a key of the user")
    program = "import json, os; print(json.dumps([dict(os.environ), os.getsid(0), os.read(0, 9).decode()]))"
    environment, session, read = ask(program)
    assert "PATH" in environment and read == "data"
    assert not {"TRACKING_KEY", "AWS_SECRET_ACCESS_KEY"} & environment.keys()
    assert session != os.getsid(0)


def test_the_position_in_the_file_stays(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    path.write_bytes(ONE_NUMBER)
    with path.open("rb") as file:
        file.seek(7)
        assert ask_reader(file, "tracking.artifacts.parquet_reader")["table"]["rows"] == 1
        assert file.tell() == os.lseek(file.fileno(), 0, os.SEEK_CUR) == 7


# What it answers


@pytest.mark.parametrize(
    "change",
    [
        {"rows": -1},
        {"rows": True},
        {"counted": None},
        {"note": 1},
        {"schema": {}},
        {"cells": [1] * 201},
        {"cells": ["1"]},
        {"cells": [2**64]},
        {"cells": [[1]]},
        {"kind": "object"},
        {"kind": ["int64"]},
        {"kind": "text", "cells": ["x" * 501]},
        {"kind": "time", "cells": [2**63]},
        {"name": None},
        {"type": "x" * 81},
        {"statistics": {"count": 1, "missing": 0, "odd": 1}},
        {"statistics": {"count": 1, "missing": 0, "top": [["a"]]}},
        {"statistics": {"count": 1}},
    ],
)
def test_what_no_reader_says_is_not_believed(change: dict[str, Any]) -> None:
    def answer(change: dict[str, Any]) -> Any:
        column = {"name": "x", "type": "int64", "kind": "int64", "cells": [1]}
        column["statistics"] = {"count": 1, "missing": 0, "min": 1, "top": [["a", 1]]}
        table = {"rows": 1, "columns": 1, "counted": 1, "note": "", "schema": [column]}
        for name, value in change.items():
            (table if name in table else column)[name] = value
        return json.loads(json.dumps({"table": table}))

    assert table_of_answer(answer({})).frame["x"].tolist() == [1]
    with pytest.raises(ReaderFailed):
        table_of_answer(answer(change))


@pytest.mark.parametrize(
    "answer", [None, [], {}, {"table": []}, {"refused": 1}, {"table": {}, "refused": ""}]
)
def test_what_is_no_answer_at_all(answer: Any) -> None:
    with pytest.raises(ReaderFailed):
        table_of_answer(answer)


def test_the_largest_table_that_is_shown_fits_into_an_answer() -> None:
    table = pa.table({f"c{at}": [f"{row:03}" + "😀" * 600 for row in range(200)] for at in range(100)})
    found = look(parquet(table))
    assert isinstance(found, TablePreview) and found.frame.shape == (200, 100)
