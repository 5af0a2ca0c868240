"""What a run is, as its first event says it and another process needs to know it."""

from __future__ import annotations

import os
import socket
import time
from dataclasses import dataclass
from typing import Any

from tracking.config import StoreLocation


@dataclass(frozen=True, slots=True)
class RunDescription:
    """A run without its data; travels to other processes by pickle.

    `created` is in microseconds since 1970-01-01 UTC.
    """

    location: StoreLocation
    run_id: str
    experiment: str
    name: str
    created: int
    group: str | None = None
    parent: str | None = None
    total_steps: int | None = None
    rank: int | None = None
    """Of this process in a distributed run."""

    def begin(self, spool_id: str, *, owner: bool) -> dict[str, Any]:
        """Return the first event of a session of this run."""
        return {
            "t": "begin",
            "run": self.run_id,
            "spool": spool_id,
            "experiment": self.experiment,
            "name": self.name,
            "created": self.created,
            "group": self.group,
            "parent": self.parent,
            "total_steps": self.total_steps,
            "owner": owner,
            "started": now_us(),
            "host": socket.gethostname(),
            "pid": os.getpid(),
            "rank": self.rank,
        }


def now_us() -> int:
    """Microseconds since 1970-01-01 UTC."""
    return time.time_ns() // 1000
