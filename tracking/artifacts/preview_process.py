"""Files read by a process of their own, for libraries that a damaged file can make abort the process they are in."""

from __future__ import annotations

import contextlib
import io
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from tracking.config import reader_environment
from tracking.errors import TrackingError
from tracking.spool.forking import working

SECONDS = 20.0
ANSWER_BYTES = 64 << 20
"""200 rows of 100 columns with 500 characters each take 40 MB at most."""
_ENDING = 2.0
"""Seconds that a process may take to be gone when it has closed its output, or was killed."""
_turns = threading.BoundedSemaphore(2)
"""As many at a time, for each may take memory up to its bound."""


class ReaderFailed(Exception):
    """The process died, or answered nothing that can be used: as far as can be told, because of the file."""


class ReaderTooSlow(ReaderFailed):
    """The process was killed because its time was over."""


def ask_reader(file: BinaryIO, module: str, *, command: Sequence[str] = (), seconds: float = SECONDS) -> Any:
    """Return what a module of ours says of a file, as parsed JSON and otherwise unchecked.

    The module is run by this Python in a session of its own, without a shell, and with the environment of
    `tracking.config.reader_environment`. It has the file as standard input, which it is to read without
    moving its position, and bounds its own memory. It is killed with all it started when its time is over.

    Args:
        file: Open for reading; its position stays where it is when it has a descriptor.
        module: The module's whole name.
        command: What to run instead.
        seconds: After which it is killed.

    Raises:
        ReaderFailed: It died or said nothing that is JSON. ReaderTooSlow: Its time was over.
        TrackingError: It cannot be started or ended of itself, or the system killed it; the file says nothing of that.
    """
    if not _turns.acquire(timeout=3 * seconds):
        raise TrackingError("Other files are being read, which takes long. Try again in a minute.")
    try:
        with _descriptor(file) as descriptor:
            data = _output(command or [sys.executable, "-m", module], descriptor, seconds)
    finally:
        _turns.release()
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        raise ReaderFailed("The answer is no JSON.") from None


@contextlib.contextmanager
def _descriptor(file: BinaryIO) -> Iterator[int]:
    try:
        descriptor = file.fileno()
    except (AttributeError, io.UnsupportedOperation):
        with tempfile.TemporaryFile() as copy:
            file.seek(0)
            shutil.copyfileobj(file, copy)
            copy.seek(0)
            yield copy.fileno()
    else:
        yield descriptor


def _output(command: Sequence[str], descriptor: int, seconds: float) -> bytes:
    deadline = time.monotonic() + seconds
    try:
        with working():  # see tracking.spool.forking
            process = subprocess.Popen(
                list(command),
                stdin=descriptor,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=reader_environment(),
                cwd=Path(__file__).resolve().parents[2],  # where `tracking` can be imported, installed or not
                start_new_session=True,
                bufsize=0,
            )
    except (OSError, ValueError) as error:
        raise TrackingError(f"The process that reads the file cannot be started ({error}).") from error
    assert process.stdout is not None
    try:
        data = _read(process.stdout.fileno(), deadline)
        code = process.wait(timeout=max(_ENDING, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        raise ReaderTooSlow(f"It took longer than {seconds:g} s.") from None
    finally:
        process.stdout.close()
        if process.returncode is None:
            with contextlib.suppress(OSError):
                os.killpg(process.pid, signal.SIGKILL)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=_ENDING)
    if code == -signal.SIGKILL:
        raise TrackingError(
            "The system ended the process that reads the file, perhaps for want of memory. Try again, or download it."
        )
    if code in (-signal.SIGXCPU, -signal.SIGALRM):
        raise ReaderTooSlow("Its time was over.")
    if code > 0:
        # Of itself, as a reader does not that has begun to read.
        raise TrackingError(
            f"The process that reads the file ended with code {code} before it read. Download the file."
        )
    if code:
        raise ReaderFailed(f"It ended by signal {-code}.")
    return data


def _read(descriptor: int, deadline: float) -> bytes:
    data = bytearray()
    waiting = select.poll()
    waiting.register(descriptor, select.POLLIN)
    while (left := deadline - time.monotonic()) > 0:
        if not waiting.poll(1000 * left):
            continue
        part = os.read(descriptor, 1 << 20)
        if not part:
            return bytes(data)
        data += part
        if len(data) > ANSWER_BYTES:
            raise ReaderFailed(f"The answer has more than {ANSWER_BYTES:,} bytes.")
    raise ReaderTooSlow("Its time was over.")
