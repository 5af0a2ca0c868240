"""Colours of runs: stable, legible on both pages, apart for every eye."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from tracking.ui.colours import PALETTE, on, run_colour, run_styles

# Machado, Oliveira and Fernandes (2009), "A Physiologically-based Model for Simulation of Color Vision
# Deficiency", severity 1.0, on linear RGB.
VISIONS = {
    "full": np.eye(3),
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}


def linear(colour: str) -> np.ndarray:
    srgb = np.array([int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)])
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)


def oklab(rgb: np.ndarray) -> np.ndarray:
    """Björn Ottosson's OKLab of a linear RGB colour."""
    cones = np.array(
        [
            [0.4122214708, 0.5363325363, 0.0514459929],
            [0.2119034982, 0.6806995451, 0.1073969566],
            [0.0883024619, 0.2817188376, 0.6299787005],
        ]
    )
    axes = np.array(
        [
            [0.2104542553, 0.7936177850, -0.0040720468],
            [1.9779984951, -2.4285922050, 0.4505937099],
            [0.0259040371, 0.7827717662, -0.8086757660],
        ]
    )
    return axes @ np.cbrt(cones @ np.clip(rgb, 0, 1))


def contrast(one: str, other: str) -> float:
    """WCAG 2 contrast ratio."""
    luminances = sorted(float(linear(colour) @ [0.2126, 0.7152, 0.0722]) for colour in (one, other))
    return (luminances[1] + 0.05) / (luminances[0] + 0.05)


@pytest.mark.parametrize("background", ["#ffffff", "#14181d"])
@pytest.mark.parametrize("colour", PALETTE)
def test_every_colour_is_legible_on_the_light_and_the_dark_page(colour: str, background: str) -> None:
    assert contrast(colour, background) >= 3.0


@pytest.mark.parametrize("colour", PALETTE)
def test_text_is_legible_on_every_colour(colour: str) -> None:
    assert contrast(on(colour), colour) >= 4.5


@pytest.mark.parametrize("vision", VISIONS)
def test_colours_stay_apart_for_colour_blind_eyes(vision: str) -> None:
    seen = [oklab(np.array(VISIONS[vision]) @ linear(colour)) for colour in PALETTE]
    apart = 0.17 if vision == "full" else 0.1
    assert min(np.linalg.norm(one - other) for one, other in itertools.combinations(seen, 2)) > apart


@pytest.mark.parametrize("colour", PALETTE)
def test_no_run_looks_like_an_axis(colour: str) -> None:
    _, green_red, blue_yellow = oklab(linear(colour))
    assert np.hypot(green_red, blue_yellow) > 0.06  # greys are 0; axes, grids and text are below 0.03


def test_a_run_has_one_colour_for_ever() -> None:
    assert run_colour("01m7yqy6r92drmb0wbsq") == run_colour("01m7yqy6r92drmb0wbsq")
    # Changing this changes the colour of every run that somebody knows by now.
    assert [run_colour(f"run-{n}") for n in range(4)] == ["#9000fc", "#9c84b4", "#c1007c", "#f06c0c"]


def test_colours_are_used_alike() -> None:
    counts = [sum(run_colour(f"run-{n}") == colour for n in range(800)) for colour in PALETTE]
    assert min(counts) > 60


def test_runs_of_one_colour_differ_in_dash_or_marker() -> None:
    ids = [f"run-{n}" for n in range(50)]
    styles = run_styles(ids)
    assert len(set(styles.values())) == 50
    assert all(styles[run_id].colour == run_colour(run_id) for run_id in ids)


def test_styles_do_not_depend_on_the_order_of_the_runs() -> None:
    ids = [f"run-{n}" for n in range(20)]
    assert run_styles(ids) == run_styles(reversed(ids))


def test_a_run_alone_is_a_plain_solid_line() -> None:
    style = run_styles(["run-1"])["run-1"]
    assert (style.dash, style.symbol) == ("solid", None)
