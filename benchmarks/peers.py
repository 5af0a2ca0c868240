"""Other trackers, asked in an interpreter of their own (`make bench-peers` makes it)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
INTERPRETER = ROOT / ".bench-peers" / "bin" / "python"
LIMIT_SECONDS = 600


@dataclass(frozen=True)
class Peer:
    """One tracker; `peer_workloads` has its workloads."""

    name: str

    def measure(self, workload: str, folder: Path, options: dict[str, float]) -> dict[str, float] | None:
        """Return what the workload measured, or None where the peer has no such workload or failed."""
        command = [str(INTERPRETER), "-m", "benchmarks.peer_workloads", self.name, workload, str(folder)]
        settings = {**os.environ, "PYTHONPATH": str(ROOT)}
        try:
            done = subprocess.run(
                [*command, json.dumps(options)],
                cwd=folder,
                env=settings,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=LIMIT_SECONDS,
            )
        except subprocess.TimeoutExpired:
            print(f"{self.name}: {workload} took more than {LIMIT_SECONDS} s", file=sys.stderr)
            return None
        if done.returncode:
            print(f"{self.name}: {workload} failed: {done.stderr.strip()[-300:]}", file=sys.stderr)
            return None
        answer: dict[str, float] | None = json.loads(done.stdout.strip().splitlines()[-1])
        return answer


def installed() -> list[Peer]:
    """Return the peers that `make bench-peers` has installed."""
    if not INTERPRETER.exists():
        return []
    known = []
    for name in ("trackio", "mlflow"):
        probe = f"import importlib.util, sys; sys.exit(importlib.util.find_spec({name!r}) is None)"
        if subprocess.run([str(INTERPRETER), "-c", probe], capture_output=True).returncode == 0:
            known.append(Peer(name))
    return known
