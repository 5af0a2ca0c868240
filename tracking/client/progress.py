"""A line on a terminal about files that take long to copy or to read."""

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

    def __init__(self, doing: str = "storing") -> None:
        self._doing = doing
        self._next = time.monotonic() + PATIENCE
        self._shown = False
        self._before = ""

    def of(self, name: str) -> Callable[[int, int], None]:
        """Return what is to be told of the bytes of one file."""
        label = "".join(letter if letter.isprintable() else "?" for letter in name)[-60:]

        def tell(done: int, whole: int) -> None:
            if self._is_due():
                part = f"{min(100, 100 * done // whole)} %" if whole else "…"
                self._say(f"{self._before}{label}: {part} of {whole / 1e6:,.0f} MB")

        return tell

    def files(self, count: int, size: int, whole: int | None = None) -> None:
        """Take note of how many files of a folder are done, of `size` bytes together, and of `whole` bytes in all."""
        done = f"{count:,} files, {size / 1e6:,.0f} MB"
        self._before = f"{done}; "
        if self._is_due():
            self._say(done + ("" if whole is None else f" of {whole / 1e6:,.0f} MB"))

    def end(self) -> None:
        """Take the line away."""
        if self._shown:
            self._write("\r\x1b[2K")

    def _is_due(self) -> bool:
        now = time.monotonic()
        if now < self._next:
            return False
        self._next = now + INTERVAL
        return True

    def _say(self, what: str) -> None:
        self._write(f"\r\x1b[2KPodium: {self._doing} {what}")

    def _write(self, text: str) -> None:
        with contextlib.suppress(Exception):
            if sys.stderr.isatty():
                self._shown = True
                sys.stderr.write(text)
                sys.stderr.flush()
