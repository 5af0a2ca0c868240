"""Files for the user: whole or not at all, and never over something that is there unless told to."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from tracking.errors import InvalidValue


@contextmanager
def new_file(path: Path, *, force: bool = False) -> Iterator[BinaryIO]:
    """Give a file to write, which gets its name when the block ends well.

    Args:
        path: Its name; its folder must exist.
        force: Replace a file of that name.

    Raises:
        InvalidValue: There is such a file and `force` is not set, or the folder is missing or no folder.
        OSError: The disk refuses; nothing of that name has changed then.
    """
    _check(path, force)
    draft = path.with_name(f".{path.name[:100]}.{os.urandom(6).hex()}.part")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        _name(draft, path, force)
    finally:
        draft.unlink(missing_ok=True)


def _check(path: Path, force: bool) -> None:
    if not path.parent.is_dir():
        raise InvalidValue(f"There is no folder {path.parent}. Make it first.")
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        return
    if stat.S_ISDIR(found.st_mode):
        raise InvalidValue(f"{path} is a folder. Give the name of a file.")
    if not force:
        raise _exists(path)


def _name(draft: Path, path: Path, force: bool) -> None:
    if not force:
        try:
            os.link(draft, path)  # unlike a rename it never replaces what appeared meanwhile
            return
        except FileExistsError:
            raise _exists(path) from None
        except OSError as error:
            if error.errno not in (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK):
                raise
            if path.exists():  # a file system without links: as close as it gets
                raise _exists(path) from None
    os.replace(draft, path)
    with contextlib.suppress(OSError):
        descriptor = os.open(path.parent, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _exists(path: Path) -> InvalidValue:
    return InvalidValue(f"{path} exists. Name another file, or replace it with --force.")
