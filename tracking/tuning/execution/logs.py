"""What an evaluation prints, kept in a file with a head and a tail.

While it prints, `trial-7.log` holds the first `HEAD_BYTES`, and what comes after them stands in `trial-7.log.2`;
when that is full it becomes `trial-7.log.1`, and what was there before goes. At the end they are put together into
the one file, with a line that says how much was left out. Where the worker died before, `read_log` does so.
"""

from __future__ import annotations

import contextlib
import os
import select
import threading
from pathlib import Path

HEAD_BYTES = 5_000_000
TAIL_BYTES = 5_000_000
KEPT_IN_MEMORY = 64 << 10
"""Of the end, to find a traceback in."""
_CHUNK = 1 << 16


class EvaluationLog:
    """Writes one evaluation's log; never raises: a full disk must not end a training.

    Args:
        path: Of the file. One that is there is replaced.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.bytes = 0
        """How much was printed."""
        self._end = bytearray()
        self._file: int | None = None
        self._room = HEAD_BYTES
        self._kept = 0
        self._older, self._newer = _parts(path)
        with contextlib.suppress(OSError):
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            for part in (self._older, self._newer):
                part.unlink(missing_ok=True)
            self._file = _open(path)

    def write(self, data: bytes) -> None:
        """Append bytes."""
        self.bytes += len(data)
        self._end += data
        del self._end[:-KEPT_IN_MEMORY]
        with contextlib.suppress(OSError):
            while data and self._file is not None:
                if not self._room:
                    self._next_part()
                written = os.write(self._file, data[: self._room])
                self._room -= written
                self._kept += written
                data = data[written:]

    def tail(self) -> str:
        """Return the end of what was printed, as text."""
        return self._end.decode("utf-8", "replace")

    def close(self) -> None:
        """Put the parts together."""
        if self._file is None:
            return
        os.close(self._file)
        self._file = None
        with contextlib.suppress(OSError):
            if not self._newer.exists():
                return
            tail = _tail(self.path)
            with open(self.path, "ab") as file:
                file.write(_note(self.bytes - HEAD_BYTES - len(tail)) + tail)
            for part in (self._older, self._newer):
                part.unlink(missing_ok=True)

    def _next_part(self) -> None:
        assert self._file is not None
        os.close(self._file)
        self._file = None
        with contextlib.suppress(FileNotFoundError):
            os.replace(self._newer, self._older)
        self._file = _open(self._newer)
        self._room = TAIL_BYTES


def read_log(path: Path) -> bytes:
    """Return what an evaluation printed as far as it was kept, also while it still prints.

    Raises:
        FileNotFoundError: There is no such log.
    """
    head = path.read_bytes()
    if not _parts(path)[1].exists():
        return head
    return head + b"\n[... some output was left out here ...]\n" + _tail(path)


def _note(left_out: int) -> bytes:
    return b"\n[... %d bytes were left out here ...]\n" % left_out if left_out > 0 else b""


def _parts(path: Path) -> tuple[Path, Path]:
    return path.with_name(f"{path.name}.1"), path.with_name(f"{path.name}.2")


def _tail(path: Path) -> bytes:
    found = b""
    for part in _parts(path):
        with contextlib.suppress(OSError):
            found += part.read_bytes()
    return found[-TAIL_BYTES:]


def _open(path: Path) -> int:
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
    return os.open(path, flags, 0o600)


class Pump:
    """A thread that brings what comes out of a pipe into a log.

    Args:
        source: The reading end; the pump closes it.
        log: Where it goes; the pump closes it too.
    """

    def __init__(self, source: int, log: EvaluationLog) -> None:
        self._source, self._log = source, log
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._work, name="podium-log", daemon=True)
        self._thread.start()

    def finish(self, seconds: float = 5.0) -> None:
        """Take what is in the pipe and end, whoever may still hold its other end."""
        self._over.set()
        self._thread.join(seconds)

    def _work(self) -> None:
        # Not `select`, which refuses descriptors from 1024 on: a dashboard may well have so many.
        poll = select.poll()
        poll.register(self._source, select.POLLIN | select.POLLHUP)
        try:
            while True:
                if poll.poll(100):
                    data = os.read(self._source, _CHUNK)
                    if not data:
                        return
                    self._log.write(data)
                elif self._over.is_set():
                    return
        except OSError:
            return
        finally:
            os.close(self._source)
            self._log.close()
