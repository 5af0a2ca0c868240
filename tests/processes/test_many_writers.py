"""Many processes on one store: nothing missing, no error, one migrates."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import tracking
from tracking.database.schema import CURRENT, TRIGGERS, VERSION_TABLE
from tracking.records import RunStatus

StartScript = Callable[..., "subprocess.Popen[str]"]
OLD_STORES = Path(__file__).parents[1] / "database" / "stores"


def finished(processes: list[subprocess.Popen[str]], timeout: float = 120) -> list[str]:
    """Wait for processes to end well; returns what each printed."""
    outputs = []
    for process in processes:
        out, err = process.communicate(timeout=timeout)
        assert process.returncode == 0, err
        assert "Error" not in err, err
        outputs.append(out.strip())
    return outputs


def test_sixteen_writers_and_three_readers(start_script: StartScript, store_folder: Path) -> None:
    writer = """
        import sys, tracking
        with tracking.start_run("many", params={"worker": int(sys.argv[2])}, store=sys.argv[1]) as run:
            for step in range(1000):
                run.log({"loss": step + int(sys.argv[2]) / 100}, step=step)
        print(run.id)
        """
    reader = """
        import sys, time, tracking
        with tracking.open_store(sys.argv[1]) as store:
            seen = 0
            while not (len(found := store.search(limit=None)) == 16 and (found["status"] == "finished").all()):
                for run in found["run"]:
                    steps = store.history(run, "loss")["step"].tolist()
                    assert steps == list(range(len(steps)))
                store.recover()
                time.sleep(0.2)  # as often as an eager dashboard
                seen += 1
        print(seen)
        """
    readers = [start_script(reader, str(store_folder)) for _ in range(3)]
    writers = [start_script(writer, str(store_folder), str(worker)) for worker in range(16)]
    run_ids = finished(writers)
    finished(readers)
    with tracking.open_store(store_folder) as store:
        for worker, run_id in enumerate(run_ids):
            series = store.series(run_id, "loss")[run_id, "loss"]
            assert series.values.tolist() == [step + worker / 100 for step in range(1000)]
            assert store.run(run_id).status is RunStatus.FINISHED


OPEN = """
    import os, sys, time, tracking
    # All that opening a store imports is imported before the barrier.
    tracking.open_store(sys.argv[2]).close()
    barrier = open(sys.argv[3])
    print("ready")
    assert barrier.read() == ""  # the end of the file comes to all at once
    began = time.time()
    with tracking.open_store(sys.argv[1]) as store:
        opened = time.time()
        print(store.count(children=True), began, opened)
    """


def opened_by_sixteen(start_script: StartScript, folder: Path, tmp_path: Path) -> list[str]:
    """Open a store by 16 processes that begin at one moment, with everything imported; returns what each counted."""
    barrier = tmp_path / "barrier"
    os.mkfifo(barrier)
    tracking.open_store(tmp_path / "another store").close()
    # For reading too, so that opening it waits for nobody.
    held = os.open(barrier, os.O_RDWR)
    processes = [
        start_script(OPEN, str(folder), str(tmp_path / "another store"), str(barrier)) for _ in range(16)
    ]
    for process in processes:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line == "ready\n", (line, process.stderr and process.stderr.read())
    assert not (folder / "tracking.db-wal").exists() and all(process.poll() is None for process in processes)
    os.close(held)
    said = [line.split() for line in finished(processes)]
    began, opened = max(float(line[1]) for line in said), min(float(line[2]) for line in said)
    assert began < opened, "the last had begun before the first was done"
    return [line[0] for line in said]


def rows(database: Path) -> dict[str, list[dict[str, Any]]]:
    """Return every row of every table that holds data, in the form of the stores' JSON files."""
    connection = sqlite3.connect(database)
    connection.row_factory = sqlite3.Row
    tables = [
        name
        for (name,) in connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY 1"
        )
        if name != VERSION_TABLE
    ]
    found = {
        table: [
            {key: row[key].hex() if isinstance(row[key], bytes) else row[key] for key in row.keys()}
            for row in connection.execute(f"SELECT * FROM {table} ORDER BY 1, 2")
        ]
        for table in tables
    }
    connection.close()
    return found


@pytest.mark.soak
def test_sixteen_processes_make_one_store(
    start_script: StartScript, store_folder: Path, tmp_path: Path
) -> None:
    assert opened_by_sixteen(start_script, store_folder, tmp_path) == ["0"] * 16
    check_schema(store_folder)
    assert not any(rows(store_folder / "tracking.db").values())


@pytest.mark.parametrize("release", ["0001", pytest.param("0002", marks=pytest.mark.soak)])
def test_sixteen_processes_migrate_an_old_store_once(
    release: str, start_script: StartScript, store_folder: Path, tmp_path: Path
) -> None:
    store_folder.mkdir()
    shutil.copy(OLD_STORES / f"{release}.db", store_folder / "tracking.db")
    expected = json.loads((OLD_STORES / f"{release}.json").read_text())
    assert rows(store_folder / "tracking.db") == expected
    assert opened_by_sixteen(start_script, store_folder, tmp_path) == [str(len(expected["runs"]))] * 16
    check_schema(store_folder)
    migrated = rows(store_folder / "tracking.db")
    for table, old in expected.items():
        # A later schema may have added columns; what was there is there, and nothing besides.
        known = (
            [{column: row[column] for column in old[0]} for row in migrated[table]]
            if old
            else migrated[table]
        )
        assert known == old, table
    assert not any(rows_ for table, rows_ in migrated.items() if table not in expected)
    (backup,) = (store_folder / "backups").iterdir()  # one migrated, so there is one
    assert rows(backup) == expected


def check_schema(folder: Path) -> None:
    connection = sqlite3.connect(folder / "tracking.db")
    assert connection.execute("SELECT version_num FROM podium_schema").fetchall() == [(CURRENT,)]
    triggers = {
        name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
    }
    assert triggers == set(TRIGGERS)
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    connection.close()
