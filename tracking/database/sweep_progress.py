"""How fast a sweep goes and when it will be through, as far as its latest trials tell."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

from tracking.database.sweep_digest import LATEST, Digest
from tracking.sweep_records import WANTED, SweepState

HOUR = 3600.0
QUIET_SECONDS = 10.0
"""So long nothing may end, or twice as long as the longest of the latest trials, until nothing can be told."""


@dataclass(frozen=True, slots=True)
class Progress:
    """See `SweepRecord`."""

    elapsed: float | None
    rate: float | None
    eta: float | None


def progress(
    state: SweepState,
    attributes: Mapping[str, Any],
    *,
    digests: Sequence[Digest],
    done: int,
    budget: Mapping[str, Any],
    seconds: float | None,
    workers: int | None,
    now: float | None = None,
) -> Progress:
    """Return how a sweep goes.

    The rate is that of the trials which ended since it was last told to run, at most the latest twenty: how many
    ended between the first and the last of them. Of a handful, not two for each worker, the short ones come first
    and several end at once: it is how many ended since the first of them began. Of so many workers that those twenty
    are a handful for them, it is their number by the mean duration.

    Nothing is said of the time that is left while trials take far longer than those before, nor once it is over.

    Args:
        state: Of the sweep.
        attributes: Of its present study.
        digests: Of its studies.
        done: Trials that count against the budget.
        budget: `trials` and `seconds`, where it has them.
        seconds: How long supervisors have run, or None.
        workers: How many are wanted, or None.
        now: Seconds since 1970-01-01 UTC; the clock's when None.
    """
    if state is not SweepState.RUNNING:
        return Progress(seconds, None, None)
    since = _since(attributes.get(WANTED))
    ended = [(began, end) for began, end in digests[-1].latest if end >= since]
    per_second = _per_second(ended, workers or 1)
    left: list[float] = []
    trials, limit = budget.get("trials"), budget.get("seconds")
    if isinstance(trials, int) and per_second:
        waited = max(0.0, (time.time() if now is None else now) - ended[-1][1] / 1e6)
        if waited <= max(QUIET_SECONDS, 2 * _longest(ended)):
            left.append(max(0, trials - done) / per_second - waited)
    if isinstance(limit, int | float) and seconds is not None:
        left.append(limit - seconds)
    # A sweep with both bounds is through when the first is reached; with one unknown it may be sooner.
    known = len(left) == (trials is not None) + (limit is not None) or limit is None
    eta = min(left) if left and known and min(left) > 0 else None
    return Progress(seconds, per_second * HOUR if per_second else None, eta)


def _per_second(ended: Sequence[tuple[int, int]], workers: int) -> float | None:
    if not ended:
        return None
    first, last = ended[0][1], ended[-1][1]
    if len(ended) >= 3 and len(ended) > 2 * workers and last > first:
        return (len(ended) - 1) / ((last - first) / 1e6)
    lasted = [end - began for began, end in ended if end > began]
    if not lasted:
        return None
    if len(ended) >= LATEST:
        return workers * len(lasted) / (sum(lasted) / 1e6)
    return len(ended) / ((last - min(began for began, _ in ended)) / 1e6)


def _longest(ended: Sequence[tuple[int, int]]) -> float:
    """Return the longest duration of trials, or time between two ends, in seconds."""
    ends = [end for _, end in ended]
    gaps = [after - before for before, after in pairwise(ends)]
    return max(*(end - began for began, end in ended), *gaps, 0) / 1e6


def _since(wanted: Any) -> int:
    try:
        at = datetime.fromisoformat(wanted["at"])
    except (TypeError, ValueError, KeyError):
        return 0
    return int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1e6)
