"""The colour of a run: the same on every page, told apart by colour-blind eyes.

Eight colours, none of them a grey, all at least 3:1 against a white and a near-black page, and as far
apart as they get for full colour vision and under simulated protanopia,
deuteranopia and tritanopia (Machado et al. 2009, severity 1.0). Where two runs on
one chart share a colour, dash and marker tell them apart.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

PALETTE = ("#006cb4", "#f06c0c", "#44a56e", "#9000fc", "#c1007c", "#846000", "#d460ff", "#9c84b4")
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
SYMBOLS = (None, "circle", "square", "diamond", "triangle-up", "cross", "star")


@dataclass(frozen=True, slots=True)
class RunStyle:
    """How the lines of one run are drawn; `symbol` is None for a line without markers."""

    colour: str
    dash: str
    symbol: str | None


def on(colour: str) -> str:
    """Return white or near-black, whichever is easier to read on a colour: at least 4.5:1 on each of `PALETTE`.

    Contrast as in WCAG 2.2: (lighter + 0.05) / (darker + 0.05) of the relative luminances.
    """
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return "#ffffff" if 1.05 / (luminance + 0.05) >= 4.5 else "#0c0f12"


def run_colour(run_id: str) -> str:
    """Return the run's colour, a function of its id alone."""
    digest = hashlib.blake2b(run_id.encode(), digest_size=8).digest()
    return PALETTE[int.from_bytes(digest) % len(PALETTE)]


def run_styles(run_ids: Iterable[str]) -> dict[str, RunStyle]:
    """Return the style of each run of one picture; no two of up to 336 are alike.

    Runs of one colour are told apart in the order of their ids, so the styles do
    not depend on the order in which the runs are shown.
    """
    alike: dict[str, list[str]] = defaultdict(list)
    for run_id in sorted(set(run_ids)):
        alike[run_colour(run_id)].append(run_id)
    return {
        run_id: RunStyle(colour, DASHES[place % len(DASHES)], SYMBOLS[place % len(SYMBOLS)])
        for colour, runs in alike.items()
        for place, run_id in enumerate(runs)
    }
