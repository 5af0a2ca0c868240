"""Many processes on one store: nothing missing, no error, one migrates."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
from collections.abc import Callable
from pathlib import Path

import tracking
from tracking.database.schema import CURRENT, TRIGGERS
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
    import sys, tracking
    sys.stdin.readline()
    with tracking.open_store(sys.argv[1]) as store:
        print(store.count(children=True))
    """


def opened_by_sixteen(start_script: StartScript, folder: Path) -> list[str]:
    processes = [start_script(OPEN, str(folder)) for _ in range(16)]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    return finished(processes)


def test_sixteen_processes_make_one_store(start_script: StartScript, store_folder: Path) -> None:
    assert opened_by_sixteen(start_script, store_folder) == ["0"] * 16
    check_schema(store_folder)


def test_sixteen_processes_migrate_an_old_store_once(start_script: StartScript, store_folder: Path) -> None:
    store_folder.mkdir()
    shutil.copy(OLD_STORES / "0001.db", store_folder / "tracking.db")
    expected = json.loads((OLD_STORES / "0001.json").read_text())
    assert opened_by_sixteen(start_script, store_folder) == [str(len(expected["runs"]))] * 16
    check_schema(store_folder)
    assert len(list((store_folder / "backups").iterdir())) == 1, "one migrated, so there is one backup"


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
