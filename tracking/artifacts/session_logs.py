"""The files that sessions leave under `logs/`, each named after its session's spool."""

from __future__ import annotations

import os
import re
import stat
import time
from collections.abc import Collection
from pathlib import Path

_NAME = re.compile(r"([0-9a-z][0-9a-z_-]{0,63}\.[0-9a-f]{12})\.[a-z0-9_.-]+")
FRESH_SECONDS = 24 * 3600.0


class SessionLogs:
    """The logs of one store."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def remove(
        self, gone: Collection[str], known: Collection[str], spooled: Collection[str], *, dry_run: bool
    ) -> dict[str, int]:
        """Remove the logs of sessions that are gone, and those a day old that no session has.

        Args:
            gone: Sessions whose run was removed.
            known: Sessions of other runs.
            spooled: Sessions that have a spool.
            dry_run: Only count.

        Returns:
            Bytes by session.
        """
        sizes: dict[str, int] = {}
        try:
            names = os.listdir(self._folder)
        except FileNotFoundError:
            return sizes
        for name in names:
            match = _NAME.fullmatch(name)
            if match is None or match.group(1) in known or match.group(1) in spooled:
                continue
            path = self._folder / name
            try:
                found = os.lstat(path)
                old = time.time() - found.st_mtime >= FRESH_SECONDS
                if not stat.S_ISREG(found.st_mode) or not (old or match.group(1) in gone):
                    continue
                if not dry_run:
                    path.unlink()
            except FileNotFoundError:
                continue
            sizes[match.group(1)] = sizes.get(match.group(1), 0) + found.st_size
        return sizes
