"""Pictures of a few pixels are drawn as squares."""

from __future__ import annotations

import io

from PIL import Image

from tracking.ui.artifact_preview import enlarged


def test_each_pixel_becomes_a_square() -> None:
    source = io.BytesIO()
    picture = Image.new("L", (2, 1))
    picture.putpixel((1, 0), 200)
    picture.save(source, "PNG")
    with Image.open(io.BytesIO(enlarged(source.getvalue(), 3))) as larger:
        assert larger.size == (6, 3)
        assert [larger.getpixel((x, 1)) for x in range(6)] == [0, 0, 0, 200, 200, 200]


def test_what_cannot_be_read_stays_as_it_is() -> None:
    assert enlarged(b"\x89PNG\r\n\x1a\nbroken", 4) == b"\x89PNG\r\n\x1a\nbroken"
