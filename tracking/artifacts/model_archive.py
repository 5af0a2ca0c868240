"""What a skops file, which is a zip, would become in memory, told by the sizes that it declares before any is read.

`zipfile` gives no more of an entry than it declares. A schema repeats itself: of the models measured it shrinks 10 to
40 times (a forest, a vocabulary of 120,000 words), never to a hundredth as one that was made up to fill the memory.
Arrays of zeros may shrink a thousand times; they are told by their own heads, which have to say the same size.
"""

from __future__ import annotations

import io
import math
import zipfile
from typing import Any

from tracking.errors import InvalidValue

UNPACKED = 4 * 10**9
"""Bytes that a model file may become."""
SMALL = 16 << 20
"""Bytes that an entry may become however small it is in the file."""
RATIO = 100
"""How many times larger than in the file an entry may become that is not small."""
SCHEMA = 256 << 20
"""Bytes that `schema.json` may become, which takes several times as much to read."""


def check_archive(data: bytes, where: str, *, trust: bool = False) -> None:
    """Refuse a file that is no zip, or that would become too large.

    Args:
        data: The file.
        where: What it is, for messages, at the beginning of a sentence.
        trust: Of the limits keep only that on the whole.

    Raises:
        InvalidValue: It is refused; the message names the sizes.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
            size = sum(entry.file_size for entry in entries)
            if size <= UNPACKED:
                for entry in () if trust else entries:
                    _check_entry(archive, entry, len(data), where)
                size += sum(_inside(archive, entry) for entry in entries if entry.filename.endswith(".npz"))
    except InvalidValue:
        raise
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError, RuntimeError, EOFError) as error:
        said = " ".join(str(error).split())[:300] or type(error).__name__
        raise InvalidValue(f"{where} is no skops file: {said.rstrip('.')}.") from None
    if size > UNPACKED:
        raise InvalidValue(
            f"{where} would become {size / 1e9:,.1f} GB; up to {UNPACKED / 1e9:.0f} GB are read."
        )


def _check_entry(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, whole: int, where: str) -> None:
    name, size = entry.filename, entry.file_size
    if name == "schema.json" and size > SCHEMA:
        limit = f"up to {SCHEMA / 1e6:,.0f} MB are read"
    elif size > SMALL and size > RATIO * max(1, entry.compress_size) and not _is_array(archive, entry):
        limit = f"beyond {SMALL / 1e6:,.0f} MB up to {RATIO} times its size is read"
    else:
        return
    raise InvalidValue(
        f"{where} is refused: its {name[:100]!r} has {entry.compress_size:,} bytes in a file of {whole:,} and would "
        f"become {size / 1e6:,.0f} MB; {limit}. Nothing of it was read. If you wrote the file yourself, trust=True "
        "reads it."
    )


def _is_array(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bool:
    """Whether an entry is an array of numbers of just the size that it declares."""
    from numpy.lib import format as npy

    if not entry.filename.endswith(".npy"):
        return False
    with archive.open(entry) as file:
        try:
            head: Any = (
                npy.read_array_header_1_0 if npy.read_magic(file)[0] == 1 else npy.read_array_header_2_0
            )
            shape, _, kind = head(file)
        except ValueError:
            return False
        return not kind.hasobject and file.tell() + math.prod(shape) * kind.itemsize == entry.file_size


def _inside(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> int:
    """Return what the arrays of a sparse matrix would become, which are a zip in the zip."""
    with archive.open(entry) as file, zipfile.ZipFile(io.BytesIO(file.read())) as inner:
        return sum(each.file_size for each in inner.infolist())
