"""The machine: name, system, processor, memory."""

from __future__ import annotations

import os
import socket
import sys
from functools import cache
from typing import Any

import psutil


@cache
def host_section() -> dict[str, Any]:
    """Return the "host" section without its cards, which take longer."""
    return {
        "hostname": socket.gethostname(),
        "os": _system(),
        "cpu": _processor(),
        "cores": os.cpu_count(),
        "cores_usable": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_bytes": int(psutil.virtual_memory().total),
    }


def _system() -> str:
    system = os.uname()
    release = f"{system.sysname} {system.release}"
    for line in _lines("/etc/os-release"):
        name, _, value = line.partition("=")
        if name == "PRETTY_NAME":
            return f"{value.strip().strip(chr(34))}, {release}"
    return release


def _processor() -> str:
    for line in _lines("/proc/cpuinfo"):
        name, _, value = line.partition(":")
        if name.strip() in ("model name", "Model", "cpu model"):
            return value.strip()
    return os.uname().machine if sys.platform != "darwin" else f"Apple {os.uname().machine}"


def _lines(path: str) -> list[str]:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read(1 << 16).splitlines()
    except OSError:
        return []
