"""The graphics cards, through NVML where its package is installed, else through `nvidia-smi`.

NVML's calls go into the driver, which may hang and cannot be stopped. They are made on a thread of their own,
whose answers are waited for a moment and no longer; when it hangs, there are no numbers of the cards, and
nothing else notices.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import shutil
import threading
from collections.abc import Callable
from typing import Any

from tracking.client.capture.commands import Command
from tracking.spool.forking import working

ANSWER_SECONDS = 1.0
SMI_SECONDS = 5.0
_QUERY = ["nvidia-smi", "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader,nounits"]
_MIB = 1 << 20


class _Nvml:
    """Asks NVML on a thread of its own; one per process."""

    def __init__(self) -> None:
        self._wanted = threading.Event()
        self._answered = threading.Event()
        self._mutex = threading.Lock()
        self._question: Callable[[Any], Any] = lambda nvml: None
        self._answer: Any = None
        self._busy = False
        self._thread: threading.Thread | None = None

    def ask(self, question: Callable[[Any], Any], seconds: float) -> Any:
        """Return `question(pynvml)`, or None when it fails or takes longer than `seconds`."""
        with self._mutex:
            if self._busy:
                return None  # still on an earlier one: it hangs
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="podium-gpu", daemon=True)
                self._thread.start()
            self._question, self._answer, self._busy = question, None, True
            self._answered.clear()
            self._wanted.set()
            return self._answer if self._answered.wait(seconds) else None

    def _work(self) -> None:
        nvml: Any = None
        while True:
            self._wanted.wait()
            self._wanted.clear()
            try:
                if nvml is None:
                    with working():
                        found = importlib.import_module("pynvml")
                    found.nvmlInit()
                    nvml = found
                self._answer = self._question(nvml)
            except BaseException:
                self._answer = None  # no card, no driver, or lost from the bus
            self._busy = False
            self._answered.set()


_nvml: _Nvml | None = None


def _asked(question: Callable[[Any], Any], seconds: float = ANSWER_SECONDS) -> Any:
    global _nvml
    if _nvml is None:
        with working():
            if importlib.util.find_spec("pynvml") is None:
                return None
        _nvml = _Nvml()
    return _nvml.ask(question, seconds)


_known: list[list[dict[str, Any]]] = []


def known_gpus(deadline: Callable[[], float]) -> list[dict[str, Any]]:
    """Return name, memory in bytes and driver of each card; asked once in a process.

    Raises:
        CommandFailed: `nvidia-smi` fails or hangs.
    """
    if not _known:
        _known.append(_asked(_cards) or _cards_by_smi(deadline))
    return _known[0]


def _cards_by_smi(deadline: Callable[[], float]) -> list[dict[str, Any]]:
    if shutil.which(_QUERY[0]) is None:
        return []
    lines = Command(_QUERY).finish(deadline).data.decode("utf-8", "replace").splitlines()
    cards = [[part.strip() for part in line.split(",")] for line in lines if line.count(",") >= 2]
    return [
        {
            "name": ", ".join(parts[:-2]),
            "memory_bytes": int(parts[-2]) * _MIB if parts[-2].isdigit() else None,
            "driver": parts[-1],
        }
        for parts in cards
    ]


def gpu_metrics() -> dict[str, float]:
    """Return utilisation, memory, temperature and power by metric name; empty without NVML or cards."""
    return _asked(_measure) or {}


def _cards(nvml: Any) -> list[dict[str, Any]]:
    driver = _text(nvml.nvmlSystemGetDriverVersion())
    cards = []
    for number in range(nvml.nvmlDeviceGetCount()):
        handle = nvml.nvmlDeviceGetHandleByIndex(number)
        memory = int(nvml.nvmlDeviceGetMemoryInfo(handle).total)
        cards.append(
            {"name": _text(nvml.nvmlDeviceGetName(handle)), "memory_bytes": memory, "driver": driver}
        )
    return cards


def _measure(nvml: Any) -> dict[str, float]:
    values: dict[str, float] = {}
    for number in range(nvml.nvmlDeviceGetCount()):
        handle = nvml.nvmlDeviceGetHandleByIndex(number)
        measures: dict[str, Callable[[Any], float]] = {
            "percent": lambda card: nvml.nvmlDeviceGetUtilizationRates(card).gpu,
            "memory_percent": lambda card: _share(nvml.nvmlDeviceGetMemoryInfo(card)),
            "temperature": lambda card: nvml.nvmlDeviceGetTemperature(card, 0),
            "power_watts": lambda card: nvml.nvmlDeviceGetPowerUsage(card) / 1000,
        }
        for name, measure in measures.items():
            try:
                values[f"gpu{number}_{name}"] = float(measure(handle))
            except Exception:
                continue  # not every card knows its power
    return values


def _share(memory: Any) -> float:
    return 100.0 * float(memory.used) / float(memory.total)


def _text(value: str | bytes) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def _forked() -> None:
    global _nvml
    _nvml = None


os.register_at_fork(after_in_child=_forked)
