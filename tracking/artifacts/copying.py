"""Copying bytes in constant memory, hashed on the way, so that they survive a loss of power."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

CHUNK = 1 << 20

Progress = Callable[[int, int], None]
"""Called with the bytes copied so far and the size at the beginning."""


def hash_of(file: BinaryIO) -> str:
    """Return the sha256 of the rest of a file, in hexadecimal."""
    digest = hashlib.sha256()
    while chunk := file.read(CHUNK):
        digest.update(chunk)
    return digest.hexdigest()


def copy_hashed(descriptor: int, file: BinaryIO, expected: int, progress: Progress | None) -> tuple[str, int]:
    """Copy an open file from its beginning; returns the sha256 and the number of the bytes that were read."""
    digest, at = hashlib.sha256(), 0
    while chunk := os.pread(descriptor, CHUNK, at):
        digest.update(chunk)
        file.write(chunk)
        at += len(chunk)
        if progress is not None:
            progress(at, expected)
    return digest.hexdigest(), at


def settle(file: BinaryIO) -> None:
    """Make sure that a file's bytes survive a loss of power."""
    file.flush()
    os.fsync(file.fileno())


def sync_folder(path: Path) -> None:
    """Make sure that a folder's names survive a loss of power."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def stamp(found: os.stat_result) -> tuple[int, int, int, int]:
    """Return what tells a file that changed from one that did not."""
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns
