"""At which steps a trial's metric is reported to its study.

Every step below 64; from there on 64 to each doubling. Which steps those are depends on the step alone, so that the
trials of a sweep have them in common, and a pruner can compare them; a report stands for the first point that was
logged in its stretch.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

PER_OCTAVE = 64
MOST = 2000
"""Reports of one trial."""


def report_step(step: int) -> int:
    """Return the step under which a point is reported: the beginning of its stretch.

    Args:
        step: Of the point, 0 or more.
    """
    return step if step < PER_OCTAVE else step - step % (1 << (step.bit_length() - PER_OCTAVE.bit_length()))


def report_steps(steps: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return `report_step` of each of many steps, 0 or more."""
    # The exponent of a float is the bit length of a whole number below 2^53; above, it may be one too many.
    shift = np.maximum(np.frexp(steps.astype(np.float64))[1] - PER_OCTAVE.bit_length(), 0)
    return np.asarray((steps >> shift) << shift)


class Thinning:
    """Chooses what one trial reports; each step once, at most `MOST` in all."""

    def __init__(self) -> None:
        self._said: set[int] = set()

    def __call__(self, points: Iterable[tuple[int, float]]) -> list[tuple[int, float]]:
        """Return what is to be reported of further points, in order of step."""
        chosen: dict[int, float] = {}
        for step, value in points:
            if step >= 0 and (place := report_step(step)) not in self._said:
                if len(self._said) >= MOST:
                    break
                self._said.add(place)
                chosen[place] = value
        return sorted(chosen.items())
