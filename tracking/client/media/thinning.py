"""Fewer points of a curve that still looks the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def thinned_roc(x: NDArray[np.float64], y: NDArray[np.float64], points: int) -> NDArray[np.intp]:
    """Return the places of the points to keep, in order, of a curve that rises in both directions.

    Points on a straight line between their neighbours go first, which changes nothing. If more than `points`
    are left, the way along the curve (x + y) is cut into equal pieces and the first and last point of each are kept:
    with m pieces the area changes by less than 1 / (2 m).
    """
    import numpy as np

    last = len(x) - 1
    # A corner is where the direction changes.
    dx, dy = np.diff(x), np.diff(y)
    bend = np.abs(dx[:-1] * dy[1:] - dx[1:] * dy[:-1]) > 1e-18
    kept = np.concatenate(([0], np.flatnonzero(bend) + 1, [last]))
    if len(kept) <= points:
        return np.unique(kept)
    pieces = max(1, points // 2 - 1)
    along = ((x + y)[kept] / 2 * pieces).astype(np.int64)
    turns = np.flatnonzero(np.diff(along))
    return np.unique(np.concatenate(([0], kept[turns], kept[turns + 1], [last])))


def thinned_pr(x: NDArray[np.float64], y: NDArray[np.float64], points: int) -> NDArray[np.intp]:
    """Return the places of the points to keep, in order, of a curve over `x` that may jump up and down.

    The range of x is cut into equal pieces, and of each the first, lowest, highest and last point are kept.
    """
    import numpy as np

    if len(x) <= points:
        return np.arange(len(x))
    pieces = max(1, points // 4 - 1)
    piece = np.minimum((x * pieces).astype(np.int64), pieces - 1)
    starts = np.append(0, np.flatnonzero(np.diff(piece)) + 1)
    ends = np.append(starts[1:], len(x))
    # Within each piece in order of y: its first is the lowest, its last the highest.
    order = np.lexsort((y, piece))
    return np.unique(np.concatenate((starts, ends - 1, order[starts], order[ends - 1])))
