"""Who takes turns when several promote at once: a promotion that had to begin again has the others wait.

Nothing depends on it but how long a promotion takes: that it saw what it replaced is checked in its transaction.
"""

from __future__ import annotations

import contextlib
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from tracking.database.engine import Engines
from tracking.spool.lock import FileLock, try_lock

NAME = "registry.lock"
"""A file beside the database, there only while somebody has it."""
_STEP = 0.01


class Turn:
    """A promotion's place among others; as a context it ends with its block."""

    def __init__(self, engines: Engines, patience: float) -> None:
        """Take no place yet.

        Args:
            engines: On the store's database.
            patience: Seconds to wait for others, all in all; afterwards it goes on beside them.
        """
        self._path = Path(str(engines.writers.url.database)).with_name(NAME)
        self._give_up = time.monotonic() + patience
        self._lock: FileLock | None = None

    def let_others(self) -> None:
        """Wait while somebody who had to begin again is at it."""
        with contextlib.suppress(OSError):
            while self._path.exists() and time.monotonic() < self._give_up:
                seen = try_lock(self._path, create=False, shared=True)
                if seen is not None:
                    # Left behind by a process that was killed.
                    seen.close()
                    return
                time.sleep(_STEP)

    def take(self) -> None:
        """Have others wait, from now to the end of the block."""
        with contextlib.suppress(OSError):
            while self._lock is None and time.monotonic() < self._give_up:
                self._lock = try_lock(self._path)
                if self._lock is None:
                    time.sleep(_STEP)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._lock is not None:
            self._lock.release()
