"""What is recorded beside a run, and that nothing of it can hurt the run."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

import tracking
from tracking.client.capture import gpu, packages
from tracking.records import CaptureRecord
from tracking.store import Store

RunScript = Callable[..., "subprocess.CompletedProcess[str]"]


def captures(folder: Path, run: tracking.Run | str) -> dict[str, CaptureRecord]:
    with tracking.open_store(folder) as store:
        return {one.section: one for one in store.captures(run if isinstance(run, str) else run.id)}


def wait_for_metric(folder: Path, run: tracking.Run, key: str, seconds: float = 60) -> None:
    """Wait until the store has a value of the metric, on a machine that may be busy with other things."""
    deadline = time.monotonic() + seconds
    with tracking.open_store(folder) as store:
        while key not in store.run(run.id).metrics:
            assert time.monotonic() < deadline, f"{key} was not measured within {seconds} s"
            time.sleep(0.05)


def body(folder: Path, record: CaptureRecord) -> str:
    assert record.digest is not None
    with tracking.open_store(folder) as store, store.open_object(record.digest) as file:
        return file.read().decode()


def test_interpreter_packages_and_host(store_folder: Path) -> None:
    import pytest as installed

    with tracking.start_run(store=store_folder, capture=["python", "packages", "host"]) as run:
        run.log({"loss": 1.0})
    found = captures(store_folder, run)
    assert set(found) == {"python", "packages", "host"}
    assert found["python"].data["version"].startswith(f"{sys.version_info[0]}.{sys.version_info[1]}")
    assert found["python"].data["executable"] == sys.executable
    assert found["packages"].data["packages"]["pytest"] == installed.__version__
    assert found["packages"].data["packages"]["scikit-learn"]
    host = found["host"].data
    assert host["memory_bytes"] == psutil.virtual_memory().total
    assert host["cores"] == os.cpu_count()
    assert all(host[name] for name in ("hostname", "os", "cpu"))
    assert host["gpus"] == []


def test_packages_agree_with_the_standard_library() -> None:
    from importlib.metadata import distributions

    known = {
        packages._normalised(name): one.version for one in distributions() if (name := one.metadata["Name"])
    }
    found = packages.installed_packages()
    assert found.keys() == known.keys()
    assert found["numpy"] == known["numpy"]


def test_how_a_program_was_started(run_script: RunScript, store: Store, tmp_path: Path) -> None:
    folder = str(store.location.root)
    text = (
        "import sys, tracking\nwith tracking.start_run(store=sys.argv[1]) as run:\n    pass\nprint(run.id)\n"
    )
    package = tmp_path / "trainer"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "__main__.py").write_text(text)
    (tmp_path / "train.py").write_text(text)
    root = str(Path(__file__).parents[3])

    def started(*command: str, given: str | None = None) -> dict[str, CaptureRecord]:
        done = subprocess.run(
            [sys.executable, *command, folder, "--password", "hunter2"],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": root},
            input=given,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        found = {one.section: one for one in store.captures(done.stdout.split()[-1])}
        assert found["script"].data["arguments"] == [folder, "--password", "***"]
        return found

    module = started("-m", "trainer")
    assert (module["script"].data["entry"], module["script"].data["module"]) == ("module", "trainer")
    assert module["script"].data["path"] == str(package / "__main__.py")
    assert body(store.location.root, module["source"]) == text
    file = started("train.py")
    assert (file["script"].data["entry"], file["script"].data["path"]) == ("file", str(tmp_path / "train.py"))
    command = started("-c", text + "# api_key='hunter2'\n")
    assert command["script"].data["entry"] == "command"
    assert body(store.location.root, command["source"]) == text + "# api_key='***'\n"
    stdin = started("-", given=text)
    assert stdin["script"].data["entry"] == "stdin"
    assert "source" not in stdin


def test_the_cells_of_a_notebook(store_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class ZMQInteractiveShell:
        user_ns: dict[str, Any] = {}
        history_manager = types.SimpleNamespace(input_hist_raw=["", "import tracking", "token = 'hunter2'"])

    shell = ZMQInteractiveShell()
    module = types.ModuleType("IPython")
    module.get_ipython = lambda: shell  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "IPython", module)
    monkeypatch.setenv("JPY_SESSION_NAME", "/work/a.ipynb")
    with tracking.start_run(store=store_folder, capture=["script", "notebook"]) as run:
        shell.history_manager.input_hist_raw.append("run.log({'loss': 1.0})")
    found = captures(store_folder, run)
    assert found["script"].data == {
        "path": "/work/a.ipynb",
        "arguments": [],
        "entry": "notebook",
        "notebook": "/work/a.ipynb",
    }
    assert found["notebook"].data == {"cells": 3}
    assert body(store_folder, found["notebook"]) == (
        "# %% In [1]\nimport tracking\n\n# %% In [2]\ntoken = '***'\n\n# %% In [3]\nrun.log({'loss': 1.0})\n"
    )
    shell.history_manager.input_hist_raw[1:] = ["x = 1  " + "#" * 700_000] * 3
    with tracking.start_run(store=store_folder, capture=["notebook"]) as run:
        pass
    found = captures(store_folder, run)
    assert found["notebook"].data == {"cells": 3, "left_out": 2}
    assert body(store_folder, found["notebook"]).startswith("# %% In [3]\n")


def test_machine_and_process_are_measured_under_system(store_folder: Path) -> None:
    with tracking.start_run(store=store_folder, capture=["system"]) as run:
        run.log({"loss": 1.0})
        wait_for_metric(store_folder, run, "system/cpu_percent")
        run.log({"loss": 0.5})
    with tracking.open_store(store_folder) as store:
        record = store.run(run.id)
        measured = {key for key in record.metrics if key.startswith("system/")}
        assert measured == {
            f"system/{name}"
            for name in "cpu_percent memory_percent disk_percent process_cpu_percent process_memory_mb".split()
        }
        memory = record.metrics["system/process_memory_mb"]
        assert memory.last == pytest.approx(psutil.Process().memory_info().rss / 1e6, rel=0.5)
        assert memory.first_step >= 1
        assert store.history(run.id, "loss")["step"].tolist() == [0, 1]
        assert store.history(run.id, "loss")["value"].tolist() == [1.0, 0.5]
        assert not [name for name in store.search().columns if "system/" in name]
        named = store.search('metrics["system/cpu_percent"] >= 0', columns=["metrics.system/cpu_percent"])
        assert named["metrics.system/cpu_percent"].tolist() == [record.metrics["system/cpu_percent"].last]
    assert not [thread for thread in threading.enumerate() if thread.name == "podium-capture"]


def test_a_resumed_run_counts_on_from_its_own_steps(store_folder: Path) -> None:
    run = tracking.start_run(store=store_folder, capture=["system"])
    run.log({"loss": 1.0})
    wait_for_metric(store_folder, run, "system/cpu_percent")
    run.finish()
    with tracking.start_run(resume=run.id, store=store_folder, capture=["system"]) as resumed:
        resumed.log({"loss": 0.5})
    with tracking.open_store(store_folder) as store:
        assert store.run(run.id).metrics["system/cpu_percent"].last_step >= 1
        assert store.history(run.id, "loss")["step"].tolist() == [0, 1]


class Cards:
    """What pynvml offers, for two cards, one of which does not tell its power."""

    def __init__(self) -> None:
        self.hangs = threading.Event()
        self.hangs.set()

    def nvmlInit(self) -> None:
        self.hangs.wait()

    def nvmlSystemGetDriverVersion(self) -> bytes:
        return b"999.1"

    def nvmlDeviceGetCount(self) -> int:
        return 2

    def nvmlDeviceGetHandleByIndex(self, number: int) -> int:
        return number

    def nvmlDeviceGetName(self, card: int) -> str:
        return f"Card {card}"

    def nvmlDeviceGetMemoryInfo(self, card: int) -> Any:
        return types.SimpleNamespace(total=1000, used=250)

    def nvmlDeviceGetUtilizationRates(self, card: int) -> Any:
        return types.SimpleNamespace(gpu=50 + card)

    def nvmlDeviceGetTemperature(self, card: int, sensor: int) -> int:
        return 60

    def nvmlDeviceGetPowerUsage(self, card: int) -> int:
        if card:
            raise RuntimeError("not supported")
        return 120_000


@pytest.fixture
def cards(monkeypatch: pytest.MonkeyPatch) -> Cards:
    found = Cards()
    module = types.ModuleType("pynvml")
    module.__spec__ = types.SimpleNamespace(name="pynvml")  # type: ignore[assignment]
    for name in dir(found):
        if name.startswith("nvml"):
            setattr(module, name, getattr(found, name))
    monkeypatch.setitem(sys.modules, "pynvml", module)
    monkeypatch.setattr(gpu, "_nvml", None)
    monkeypatch.setattr(gpu, "_known", [])
    return found


def test_graphics_cards(cards: Cards, store_folder: Path) -> None:
    with tracking.start_run(store=store_folder, capture=["host", "system"]) as run:
        wait_for_metric(store_folder, run, "system/gpu0_percent")
    assert captures(store_folder, run)["host"].data["gpus"] == [
        {"name": f"Card {number}", "memory_bytes": 1000, "driver": "999.1"} for number in range(2)
    ]
    with tracking.open_store(store_folder) as store:
        metrics = store.run(run.id).metrics
    assert {key: metrics[key].last for key in metrics if "gpu" in key} == {
        "system/gpu0_percent": 50.0,
        "system/gpu0_memory_percent": 25.0,
        "system/gpu0_temperature": 60.0,
        "system/gpu0_power_watts": 120.0,
        "system/gpu1_percent": 51.0,
        "system/gpu1_memory_percent": 25.0,
        "system/gpu1_temperature": 60.0,
    }


def test_a_driver_that_hangs_costs_its_own_numbers_only(cards: Cards, store_folder: Path) -> None:
    cards.hangs.clear()
    try:
        run = tracking.start_run(store=store_folder, capture=["host", "system"])
        wait_for_metric(store_folder, run, "system/cpu_percent")
        run.finish()  # and does not hang: the driver answers nobody before the line below
    finally:
        cards.hangs.set()
    assert captures(store_folder, run)["host"].data["cores"] == os.cpu_count()
    with tracking.open_store(store_folder) as store:
        metrics = store.run(run.id).metrics
    assert "system/cpu_percent" in metrics
    assert "system/gpu0_percent" not in metrics


def test_a_collector_that_fails_says_so_and_the_others_go_on(
    store_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packages, "installed_packages", lambda: 1 / 0)
    with tracking.start_run(store=store_folder, capture=["packages", "host", "python"]) as run:
        pass
    found = captures(store_folder, run)
    assert found["packages"].data == {"error": "ZeroDivisionError: division by zero"}
    assert found["host"].data["cores"]


def test_the_sessions_of_a_run_stand_side_by_side(store_folder: Path) -> None:
    run = tracking.start_run(store=store_folder, capture=["python", "console"])
    print("first")
    run.log_text("first", "notes.txt")
    run.finish()
    with tracking.start_run(resume=run.id, store=store_folder, capture=["python", "console"]) as resumed:
        print("second")
        resumed.log_text("second", "notes.txt")
    with tracking.open_store(store_folder) as store:
        found = [one for one in store.captures(run.id) if one.section == "python"]
        assert len({one.spool for one in found}) == 2
        assert [one.owner for one in found] == [True, True]
        assert [text.text for text in store.console(run.id)] == ["first\n", "second\n"]
        shown, older = store.artifacts(run.id, superseded=True)[::-1]
        assert (shown.superseded, older.superseded) == (False, True)
        assert store.open_artifact(run.id, "notes.txt").read() == b"second"
        assert store.open_object(older.digest).read() == b"first"


def test_what_the_end_cuts_off_says_so(store_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "installed_packages", lambda: time.sleep(5))
    with tracking.start_run(store=store_folder, capture=["packages"]) as run:
        time.sleep(0.3)
    with tracking.open_store(store_folder) as store:
        (record,) = store.captures(run.id)
        assert "ended before" in record.data["error"]
