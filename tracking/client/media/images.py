"""Images out of arrays, tensors, Pillow images and files."""

from __future__ import annotations

import io
import os
from typing import TYPE_CHECKING, Any

from tracking.client.media.arrays import as_array, is_tensor
from tracking.client.media.encoded import Encoded, Tell
from tracking.client.media.png import write_png
from tracking.errors import InvalidValue
from tracking.records import ArtifactKind

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

CHANNELS = (1, 3, 4)
FILE_BYTES = 32 << 20
_PNG_MODES = ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")
_EXTENSIONS = {"image/png": ".png", "image/jpeg": ".jpg", "image/gif": ".gif", "image/webp": ".webp"}


def encode_image(image: Any, tell: Tell) -> Encoded:
    """Return an image as PNG; a file that is PNG, JPEG, GIF or WebP as it is.

    Raises:
        InvalidValue: It is no image, has another shape, or more than 40 million pixels.
    """
    if isinstance(image, (str, os.PathLike)):
        return _from_file(image)
    if callable(getattr(image, "save", None)) and hasattr(image, "mode") and hasattr(image, "convert"):
        return _from_pillow(image)
    pixels = _pixels(image, tell)
    _check_size(pixels.shape[1], pixels.shape[0])
    return _encoded(_png(pixels), "image/png", pixels.shape[1], pixels.shape[0])


def _pixels(image: Any, tell: Tell) -> NDArray[np.uint8]:
    """Return uint8 pixels of shape (height, width, channels)."""
    import numpy as np

    array = as_array(image, "an image")
    if array.dtype.kind not in "biuf":
        raise InvalidValue(f"an image of {array.dtype} has no pixels: log numbers.")
    shape = array.shape
    if array.ndim == 2:
        array = array[:, :, np.newaxis]
    elif array.ndim == 3 and shape[0] in CHANNELS and (is_tensor(image) or shape[2] not in CHANNELS):
        array = np.moveaxis(array, 0, 2)
    if array.ndim != 3 or array.shape[2] not in CHANNELS or 0 in array.shape:
        raise InvalidValue(
            f"an image has the shape (height, width), (height, width, 1, 3 or 4) or, as a tensor, "
            f"(1, 3 or 4, height, width), not {shape}. Log one image a call."
        )
    return _eight_bit(array, tell)


def _eight_bit(array: NDArray[Any], tell: Tell) -> NDArray[np.uint8]:
    import numpy as np

    if array.dtype == np.uint8:
        return array
    if array.dtype == np.bool_:
        return array.astype(np.uint8) * np.uint8(255)
    whole = array.dtype.kind != "f"
    top = 255 if whole else 1
    if not whole:
        array = array.astype(np.float64, copy=False)
        gone = np.isnan(array)
        if gone.any():
            tell("image nan", "an image holds NaN, which is shown as black.")
            array = np.where(gone, 0.0, array)
    # The smallest excess is what rounding in float16 leaves.
    if array.min() < (0 if whole else -1e-3) or array.max() > top * (1 if whole else 1.001):
        tell(
            "image range",
            f"an image has values from {array.min():.4g} to {array.max():.4g}; "
            + ("whole numbers are taken as 0 to 255" if whole else "fractions are taken as 0 to 1")
            + " and what lies beyond is cut off. Scale them before logging.",
        )
    clipped = np.clip(array, 0, top)
    pixels: NDArray[np.uint8] = (clipped if whole else np.rint(clipped * 255)).astype(np.uint8)
    return pixels


def _png(pixels: NDArray[np.uint8]) -> bytes:
    import numpy as np

    try:
        from PIL import Image
    except ImportError:
        return write_png(pixels)
    sink = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)).save(
        sink, "PNG"
    )
    return sink.getvalue()


def _from_pillow(image: Any) -> Encoded:
    width, height = image.size
    _check_size(width, height)
    if image.mode not in _PNG_MODES:
        image = image.convert("RGB")
    sink = io.BytesIO()
    image.save(sink, "PNG")
    return _encoded(sink.getvalue(), "image/png", width, height)


def _from_file(path: str | os.PathLike[str]) -> Encoded:
    from tracking.artifacts.image_headers import is_image, read_header
    from tracking.client.media.files import read_file

    data = read_file(path, FILE_BYTES)
    if is_image(data[:16]):
        header = read_header(data)
        return _encoded(data, header.media_type, header.width, header.height)
    try:
        from PIL import Image

        with Image.open(io.BytesIO(data)) as image:
            _check_size(*image.size)
            return _from_pillow(image.convert("RGBA" if "A" in image.getbands() else "RGB"))
    except InvalidValue:
        raise
    except Exception:
        raise InvalidValue(
            f"{os.fspath(path)!r:.200} is no PNG, JPEG, GIF or WebP image. Any file is kept by log_artifact."
        ) from None


def _check_size(width: int, height: int) -> None:
    from tracking.artifacts.image_headers import MAX_PIXELS, MAX_SIDE

    if not width or not height:
        raise InvalidValue("an image without pixels cannot be kept.")
    if width * height > MAX_PIXELS or max(width, height) > MAX_SIDE:
        raise InvalidValue(
            f"an image of {width:,} x {height:,} pixels is larger than a page shows ({MAX_PIXELS:,} pixels, "
            f"{MAX_SIDE:,} a side). Scale it down, or log its file with log_artifact."
        )


def _encoded(data: bytes, media: str, width: int, height: int) -> Encoded:
    details = {"extension": _EXTENSIONS[media], "width": int(width), "height": int(height)}
    return Encoded(ArtifactKind.IMAGE, media, data, details)
