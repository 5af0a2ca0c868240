"""The files that keep what a process printed, as one text with a head and a tail.

    <session>.console      the first `HEAD_BYTES`
    <session>.console.1    the part before the newest; while there is one
    <session>.console.2    the newest part

The two parts begin with a line of 15 digits: the place of their first byte in the whole output. When the newest
is full it takes the place of the one before, so that between `PART_BYTES` and twice as much of the end is there.
Every write is in the kernel when it returns and survives the process.
"""

from __future__ import annotations

import contextlib
import os
import threading
from pathlib import Path

HEAD_BYTES = 5_000_000
PART_BYTES = 2_500_000
_PLACE = 16


class ConsoleWriter:
    """Writes one session's console; made with the first text. Never raises.

    Args:
        folder: Made when absent, private to the user.
        session: Name of the session's spool.
    """

    def __init__(self, folder: Path, session: str) -> None:
        self._folder = folder
        self._session = session
        # Re-entrant: a signal handler may print in the middle of a print.
        self._mutex = threading.RLock()
        self._descriptor = -1
        self._room = 0
        self._written = 0
        self._closed = False

    def write(self, text: str) -> None:
        """Append text."""
        data = text.encode("utf-8", "backslashreplace")
        with self._mutex:
            try:
                while data and not self._closed:
                    if not self._room:
                        self._next_file()
                    part = data[: self._room]
                    # A character is not torn in two at the end of a file.
                    while len(part) < len(data) and part and data[len(part)] & 0xC0 == 0x80:
                        part = part[:-1]
                    if not part:
                        self._room = 0
                        continue
                    count = os.write(self._descriptor, part)
                    self._room -= count
                    self._written += count
                    data = data[count:]
            except OSError:
                # A full disk: what was printed is on the screen, and the points need the room more.
                self.close()

    def close(self) -> None:
        """Write nothing any more."""
        with self._mutex:
            self._closed = True
            self._close_file()

    def forget(self) -> None:
        """In a forked child: let the inherited file go, whoever held the mutex."""
        self._mutex = threading.RLock()
        self.close()

    def _close_file(self) -> None:
        if self._descriptor >= 0:
            with contextlib.suppress(OSError):
                os.close(self._descriptor)
        self._descriptor = -1

    def _next_file(self) -> None:
        if self._descriptor < 0:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._open(console_files(self._folder, self._session)[0])
            self._room = HEAD_BYTES
            return
        _, before, newest = console_files(self._folder, self._session)
        self._close_file()
        with contextlib.suppress(FileNotFoundError):
            os.replace(newest, before)
        self._open(newest)
        os.write(self._descriptor, b"%015d\n" % self._written)
        self._room = PART_BYTES

    def _open(self, path: Path) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_CLOEXEC
        self._descriptor = os.open(path, flags, 0o600)


def console_files(folder: Path, session: str) -> tuple[Path, Path, Path]:
    """Return the names of a session's files: the head, the part before the newest, the newest."""
    return tuple(folder / f"{session}.console{suffix}" for suffix in ("", ".1", ".2"))  # type: ignore[return-value]


def read_console(folder: Path, session: str) -> tuple[str, int] | None:
    """Return what a session printed and how many bytes are missing from its middle; None when nothing is there.

    Where bytes are missing, a line in the text says so. May be called while the process prints.
    """
    head_file, *part_files = console_files(folder, session)
    parts: list[tuple[int, bytes]] = []
    for _ in range(10):
        parts = [part for file in part_files if (part := _part_of(file)) is not None]
        if len(parts) < 2 or parts[0][0] + len(parts[0][1]) == parts[1][0]:
            break  # else the parts moved on between the two looks
    # Last: where there are parts, the head is full by now.
    head = _bytes_of(head_file)
    if head is None:
        return None
    cut = parts[0][0] - len(head) if parts else 0
    tail = b"".join(data for _, data in parts)
    if cut <= 0:
        return (head + tail).decode("utf-8", "replace"), 0
    note = f"\n[… {cut:,} bytes were left out here …]\n"
    return head.decode("utf-8", "replace") + note + tail.decode("utf-8", "replace"), cut


def _part_of(path: Path) -> tuple[int, bytes] | None:
    data = _bytes_of(path)
    if data is None or not data[: _PLACE - 1].isdigit():
        return None
    return int(data[: _PLACE - 1]), data[_PLACE:]


def _bytes_of(path: Path) -> bytes | None:
    try:
        # NOFOLLOW, NONBLOCK: a store from elsewhere may hold links and FIFOs under these names.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    with os.fdopen(descriptor, "rb") as file:
        return file.read(HEAD_BYTES + PART_BYTES)
