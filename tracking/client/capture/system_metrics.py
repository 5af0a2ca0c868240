"""Metrics of machine and process every few seconds, logged under `system/`.

    system/cpu_percent             of all processors of the machine
    system/memory_percent          of the machine's memory
    system/disk_percent            of the disk that the store is on
    system/process_cpu_percent     of this process; 100 is one processor
    system/process_memory_mb       resident memory of this process, 10^6 bytes
    system/gpu0_percent            busy, with NVML; also gpu0_memory_percent, gpu0_temperature (°C) and
                                   gpu0_power_watts

The step is the whole seconds since the run's start. In a distributed run rank 1 says `system/rank1/cpu_percent`, and
the cards and the disk of a machine are measured by one of its ranks.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import psutil

from tracking.client.capture.gpu import gpu_metrics
from tracking.records import SYSTEM_METRICS
from tracking.spool.format import points_packer

if TYPE_CHECKING:
    from tracking.client.session import Session

FIRST_SECONDS = 1.0
INTERVAL = 5.0
_FIRST_SHAPE = 1 << 31
"""The shapes of the run's own metrics count from 0; these must never meet them."""


class SystemMetrics:
    """Measures and logs for one session of a run.

    Args:
        session: Of the run in this process.
        rank: In a distributed run.
        machine: Whether this process speaks for its machine's disk and cards too.
    """

    def __init__(self, session: Session, *, rank: int | None, machine: bool) -> None:
        self._session = session
        self._prefix = SYSTEM_METRICS if rank is None else f"{SYSTEM_METRICS}rank{rank}/"
        self._machine = machine
        self._process = psutil.Process()
        self._shapes: dict[tuple[str, ...], int] = {}
        # Both measure since the call before; the first answers nothing.
        psutil.cpu_percent()
        self._process.cpu_percent()

    def log(self) -> None:
        """Measure once, unless the disk is full: what room there is belongs to the run's own points."""
        if self._session.writer is not None and self._session.writer.is_behind:
            return
        values = self._measure()
        keys = tuple(self._prefix + name for name in values)
        shape = self._shapes.get(keys)
        if shape is None:
            shape = self._shapes[keys] = _FIRST_SHAPE + len(self._shapes)
            self._session.say({"t": "shape", "id": shape, "keys": keys})
        pack = points_packer(shape, len(keys))
        record = pack(int(self._session.seconds), time.time_ns() // 1000, *values.values())
        self._session.append(record, len(keys))

    def _measure(self) -> dict[str, float]:
        with self._process.oneshot():
            values = {
                "cpu_percent": float(psutil.cpu_percent()),
                "memory_percent": float(psutil.virtual_memory().percent),
                "process_cpu_percent": float(self._process.cpu_percent()),
                "process_memory_mb": self._process.memory_info().rss / 1e6,
            }
        if self._machine:
            values["disk_percent"] = float(
                psutil.disk_usage(str(self._session.description.location.root)).percent
            )
            values |= gpu_metrics()
        return values
