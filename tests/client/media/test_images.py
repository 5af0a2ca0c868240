"""Images come back with the pixels that were logged, whoever held and whoever wrote them."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as some
from PIL import Image

import tracking
from tests.client.media.logged import logged, only
from tracking.artifacts.image_headers import plain_png, read_header
from tracking.client.media.images import encode_image
from tracking.client.media.png import write_png
from tracking.errors import InvalidValue

PIXELS = np.arange(2 * 5 * 3, dtype=np.uint8).reshape(2, 5, 3) * 8


def pixels(data: bytes) -> np.ndarray[Any, Any]:
    return np.asarray(Image.open(io.BytesIO(data)))


def quiet(kind: str, message: str) -> None:
    raise AssertionError(message)


@settings(deadline=None)
@given(some.arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9), st.sampled_from([1, 3, 4]))))
def test_our_own_png_is_read_by_pillow(array: np.ndarray[Any, Any]) -> None:
    data = write_png(array)
    assert np.array_equal(pixels(data).reshape(array.shape), array)
    assert plain_png(data, read_header(data)) == data


@pytest.mark.parametrize("pillow", [True, False])
def test_an_image_with_and_without_pillow(
    pillow: bool, store_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        if not pillow:
            patch.setitem(sys.modules, "PIL", None)
        record, data = only(store_folder, lambda run: run.log_image(PIXELS, "sample"))
    assert (record.kind, record.media_type) == (tracking.ArtifactKind.IMAGE, "image/png")
    assert record.details == {"extension": ".png", "width": 5, "height": 2}
    assert np.array_equal(pixels(data), PIXELS)


class Tensor:
    """What a tensor on a device lets one do."""

    def __init__(self, array: np.ndarray[Any, Any], steps: tuple[str, ...] = ()) -> None:
        self._array, self._steps = array, steps

    def detach(self) -> Tensor:
        return Tensor(self._array, (*self._steps, "detach"))

    def cpu(self) -> Tensor:
        return Tensor(self._array, (*self._steps, "cpu"))

    def numpy(self) -> np.ndarray[Any, Any]:
        if self._steps != ("detach", "cpu"):
            raise RuntimeError("Can't call numpy() on Tensor that requires grad.")
        return self._array


@pytest.mark.parametrize(
    "image",
    [
        PIXELS,
        PIXELS / 255,
        (PIXELS / 255).astype(np.float32),
        PIXELS.astype(np.int64),
        PIXELS.tolist(),
        np.asfortranarray(PIXELS),
        np.moveaxis(PIXELS, 2, 0),
        Tensor(np.moveaxis(PIXELS, 2, 0)),
        Image.fromarray(PIXELS),
    ],
    ids=["uint8", "float64", "float32", "int64", "list", "fortran", "channels first", "tensor", "Pillow"],
)
def test_the_same_picture_in_many_forms(image: Any) -> None:
    assert np.array_equal(pixels(encode_image(image, quiet).data), PIXELS)


def test_a_tensor_of_three_rows_has_its_channels_first() -> None:
    array = np.zeros((3, 4, 3), np.uint8)
    assert encode_image(Tensor(array), quiet).details["height"] == 4
    assert encode_image(array, quiet).details["height"] == 3


def test_grey_black_and_white_and_palettes() -> None:
    assert pixels(encode_image(np.array([[0, 1], [0.5, 0.25]]), quiet).data).tolist() == [[0, 255], [128, 64]]
    assert pixels(encode_image(np.array([[True, False]]), quiet).data).tolist() == [[255, 0]]
    assert encode_image(Image.new("CMYK", (3, 2)), quiet).media == "image/png"
    assert encode_image(Image.new("F", (3, 2)), quiet).details["width"] == 3


def test_what_lies_beyond_is_cut_off_with_one_warning(store_folder: Path) -> None:
    with tracking.start_run(store=store_folder, capture=False) as run:
        with pytest.warns(tracking.TrackingWarning) as told:
            for step in range(3):
                run.log_image(np.array([[-1.0, 2.0], [np.nan, 0.5]]), "x", step=step)
    assert sorted(str(one.message).partition("image")[2][:15] for one in told) == [
        " has values fro",
        " holds NaN, whi",
    ]
    (_, data) = logged(store_folder, lambda run: None) or (None, b"")
    with tracking.open_store(store_folder) as store, store.open_artifact(run.id, "x", step=2) as file:
        assert pixels(file.read()).tolist() == [[0, 255], [0, 128]]


def test_files_stay_as_they_are(store_folder: Path, tmp_path: Path) -> None:
    for form in ("jpeg", "png", "bmp"):
        Image.fromarray(PIXELS).save(tmp_path / f"a.{form}")
    found = logged(
        store_folder, lambda run: [run.log_image(tmp_path / f"a.{f}", f) for f in ("jpeg", "png", "bmp")]
    )  # type: ignore[arg-type,return-value]
    kept = {record.name: (record, data) for record, data in found}
    assert (
        kept["jpeg"][1] == (tmp_path / "a.jpeg").read_bytes() and kept["jpeg"][0].media_type == "image/jpeg"
    )
    assert kept["png"][1] == (tmp_path / "a.png").read_bytes()
    assert np.array_equal(pixels(kept["bmp"][1]), PIXELS) and kept["bmp"][0].media_type == "image/png"


def test_values_are_those_of_the_call(store_folder: Path) -> None:
    array = np.zeros((2, 2), np.uint8)

    def work(run: tracking.Run) -> None:
        for step in range(2):
            array[:] = step
            run.log_image(array, "x", step=step)
        array[:] = 9

    assert [pixels(data).max() for _, data in logged(store_folder, work)] == [0, 1]


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((2, 2, 2)),
        np.zeros((4, 2, 2, 3)),
        np.zeros(5),
        np.zeros((0, 5)),
        np.zeros((30_000, 3), np.uint8),
        np.array([["a"]]),
        [[1], [1, 2]],
        None,
        "no-such-file.png",
        object(),
    ],
)
def test_what_is_no_image_is_refused(image: Any) -> None:
    with pytest.raises(InvalidValue):
        encode_image(image, quiet)


def test_a_text_file_and_a_fifo_are_no_images(tmp_path: Path) -> None:
    import os

    (tmp_path / "a.png").write_text("<svg/>")
    os.mkfifo(tmp_path / "b.png")
    for name in ("a.png", "b.png"):
        with pytest.raises(InvalidValue):
            encode_image(tmp_path / name, quiet)
