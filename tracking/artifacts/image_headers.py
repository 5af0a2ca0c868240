"""Size of an image from its header, without decoding it: PNG, JPEG, GIF and WebP."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

from tracking.errors import InvalidValue

MAX_PIXELS = 40_000_000
MAX_SIDE = 20_000
_PNG = b"\x89PNG\r\n\x1a\n"
# What makes the picture. Texts, profiles and animations may inflate to anything, and are not shown.
_PNG_KEPT = {
    b"IHDR",
    b"PLTE",
    b"IDAT",
    b"IEND",
    b"tRNS",
    b"gAMA",
    b"cHRM",
    b"sRGB",
    b"sBIT",
    b"bKGD",
    b"pHYs",
}
_NO_SIZE = {0x01, *range(0xD0, 0xDA)}
_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}


@dataclass(frozen=True, slots=True)
class ImageHeader:
    """Format and size of an image, in pixels."""

    media_type: str
    width: int
    height: int


def is_image(head: bytes) -> bool:
    """Whether bytes begin like one of the formats."""
    return (
        head.startswith((_PNG, b"\xff\xd8\xff", b"GIF87a", b"GIF89a"))
        or head[:4] == b"RIFF"
        and head[8:12] == b"WEBP"
    )


def read_header(data: bytes) -> ImageHeader:
    """Return what the header of an image says.

    Raises:
        InvalidValue: It is no image of these formats, is cut off, or has more than 40 million pixels.
    """
    try:
        header = _header(data)
    except (struct.error, IndexError):
        header = None
    if header is None:
        raise InvalidValue("This is no whole PNG, JPEG, GIF or WebP image.")
    width, height = header.width, header.height
    if not width or not height:
        raise InvalidValue("The image says that it has no pixels.")
    if width * height > MAX_PIXELS or max(width, height) > MAX_SIDE:
        raise InvalidValue(
            f"The image says that it has {width:,} x {height:,} pixels; up to {MAX_PIXELS:,} pixels and "
            f"{MAX_SIDE:,} a side are shown. Download it."
        )
    return header


def plain_png(data: bytes, header: ImageHeader) -> bytes:
    """Return a PNG with nothing but the chunks that make its picture.

    Raises:
        InvalidValue: It is cut off, or its pixels inflate to more than its header says.
    """
    kept, at, packed = [_PNG], 8, []
    while at + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, at)
        name, end = data[at + 4 : at + 8], at + 12 + length
        if end > len(data):
            break
        if name in _PNG_KEPT:
            kept.append(data[at:end])
        if name == b"IDAT":
            packed.append(data[at + 8 : end - 4])
        at = end
        if name == b"IEND":
            _check_inflated(packed, header)
            return b"".join(kept)
    raise InvalidValue("The PNG ends in the middle.")


def _check_inflated(packed: list[bytes], header: ImageHeader) -> None:
    """Inflate the pixels piece by piece and drop them: 8 bytes a pixel, a filter byte a row, interlaced twice."""
    most = header.width * header.height * 8 + header.height * 16 + 1024
    inflater, size = zlib.decompressobj(), 0
    try:
        for piece in packed:
            while piece:
                size += len(inflater.decompress(piece, 1 << 20))
                if size > most:
                    raise InvalidValue("The PNG holds far more data than its header says.")
                piece = inflater.unconsumed_tail
    except zlib.error as error:
        raise InvalidValue(f"The pixels of the PNG are damaged: {error}.") from None


def _header(data: bytes) -> ImageHeader | None:
    if data.startswith(_PNG) and data[12:16] == b"IHDR":
        return ImageHeader("image/png", *struct.unpack_from(">II", data, 16))
    if data.startswith((b"GIF87a", b"GIF89a")):
        return ImageHeader("image/gif", *struct.unpack_from("<HH", data, 6))
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return _webp(data)
    if data.startswith(b"\xff\xd8\xff"):
        return _jpeg(data)
    return None


def _webp(data: bytes) -> ImageHeader | None:
    form = data[12:16]
    if form == b"VP8X":
        width = int.from_bytes(data[24:27], "little") + 1
        height = int.from_bytes(data[27:30], "little") + 1
    elif form == b"VP8L" and data[20] == 0x2F:
        bits = int.from_bytes(data[21:25], "little")
        width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    elif form == b"VP8 " and data[23:26] == b"\x9d\x01\x2a":
        width, height = (value & 0x3FFF for value in struct.unpack_from("<HH", data, 26))
    else:
        return None
    return ImageHeader("image/webp", width, height)


def _jpeg(data: bytes) -> ImageHeader | None:
    at = 2
    while at + 4 <= len(data):
        if data[at] != 0xFF:
            return None
        marker = data[at + 1]
        if marker == 0xFF:
            at += 1
        elif marker in _NO_SIZE:
            at += 2
        elif marker in _FRAMES:
            height, width = struct.unpack_from(">HH", data, at + 5)
            return ImageHeader("image/jpeg", width, height)
        else:
            at += 2 + max(2, *struct.unpack_from(">H", data, at + 2))
    return None
