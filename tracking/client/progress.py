"""A line on a terminal about a file that takes long to copy."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable

PATIENCE = 2.0
"""Seconds of silence at the beginning."""
INTERVAL = 0.25


class ProgressLine:
    """Says on stderr how far a copy is, once it has taken a while, and only to a person."""

    def __init__(self) -> None:
        self._next = time.monotonic() + PATIENCE
        self._shown = False

    def of(self, name: str) -> Callable[[int, int], None]:
        """Return what is to be told of the bytes of one file."""
        label = "".join(letter if letter.isprintable() else "?" for letter in name)[-60:]

        def tell(done: int, whole: int) -> None:
            now = time.monotonic()
            if now < self._next:
                return
            self._next = now + INTERVAL
            part = f"{min(100, 100 * done // whole)} %" if whole else "…"
            self._write(f"\r\x1b[2KPodium: storing {label}: {part} of {whole / 1e6:,.0f} MB")

        return tell

    def end(self) -> None:
        """Take the line away."""
        if self._shown:
            self._write("\r\x1b[2K")

    def _write(self, text: str) -> None:
        with contextlib.suppress(Exception):
            if sys.stderr.isatty():
                self._shown = True
                sys.stderr.write(text)
                sys.stderr.flush()
