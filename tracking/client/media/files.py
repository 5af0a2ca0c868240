"""Reading a file that a user names."""

from __future__ import annotations

import os
import stat

from tracking.errors import InvalidValue


def read_file(path: str | os.PathLike[str], limit: int) -> bytes:
    """Return a regular file's bytes.

    Raises:
        InvalidValue: There is no such file, it is no regular one, or it has more than `limit` bytes.
    """
    from tracking.artifacts.own_files import is_database_of_a_store

    shown = f"{os.fspath(path)!r:.250}"
    if is_database_of_a_store(path):
        raise InvalidValue(f"{shown} belongs to a store: it is never logged into one.")
    try:
        # NONBLOCK: opening a FIFO would wait for its other end for ever.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except (OSError, ValueError) as error:
        raise InvalidValue(f"{shown} cannot be read: {getattr(error, 'strerror', None) or error}.") from None
    with os.fdopen(descriptor, "rb") as file:
        found = os.fstat(file.fileno())
        if not stat.S_ISREG(found.st_mode):
            raise InvalidValue(f"{shown} is no regular file.")
        if found.st_size > limit:
            raise InvalidValue(
                f"{shown} has {found.st_size:,} bytes, more than {limit:,}. log_artifact takes files of any size."
            )
        return file.read(limit)
