"""Smoothing of a metric's values, always on the full series, before any reduction."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_BLOCK = 64


def smooth(values: NDArray[np.float64], weight: float) -> NDArray[np.float64]:
    """Return the debiased exponential moving average of `values`.

    The n-th smoothed value is `sum(w**(n-i) * x[i]) / sum(w**(n-i))` over `i <= n`:
    TensorBoard's smoothing (`line_chart_v2`, "1st-order IIR low-pass filter"), whose
    division by `1 - w**n` is the bias correction of Kingma and Ba, "Adam" (2015),
    section 3. Only finite values enter and count; NaN and infinities come back at
    their places, so a divergence is never smoothed away.

    Args:
        values: Shape `(n,)`.
        weight: From 0 (nothing changes) to below 1 (stronger).

    Raises:
        ValueError: `weight` is outside `[0, 1)`.
    """
    if not 0.0 <= weight < 1.0:
        raise ValueError(f"weight={weight}: smoothing takes a number from 0 to below 1.")
    if weight == 0.0 or not len(values):
        return values
    finite = np.isfinite(values)
    entering = values[finite]
    # Averaging around the first value keeps a constant series exactly constant.
    origin = entering[0] if len(entering) else 0.0
    total = _decaying_sum(entering - origin, weight)
    norm = (1.0 - weight ** np.arange(1, len(entering) + 1)) / (1.0 - weight)
    smoothed = values.copy()
    smoothed[finite] = origin + total / norm
    return smoothed


def _decaying_sum(x: NDArray[np.float64], weight: float) -> NDArray[np.float64]:
    """Return `s` with `s[n] = x[n] + weight * s[n-1]`, without a loop over the points.

    Inside blocks the recursion is a product with a triangular matrix; what each
    block hands to the next is the same recursion over the block ends.
    """
    count = len(x)
    if count == 0:
        return x
    padded = np.zeros(-(-count // _BLOCK) * _BLOCK)
    padded[:count] = x
    lags = np.subtract.outer(np.arange(_BLOCK), np.arange(_BLOCK))
    decay = np.where(lags >= 0, weight ** np.maximum(lags, 0), 0.0)
    sums = padded.reshape(-1, _BLOCK) @ decay.T
    if len(sums) > 1:
        carried = _decaying_sum(sums[:-1, -1], weight**_BLOCK)
        sums[1:] += np.outer(carried, weight ** np.arange(1, _BLOCK + 1))
    return np.asarray(sums.reshape(-1)[:count], dtype=np.float64)
