"""How fast a sweep goes and when it will be through, as far as its latest trials tell."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from tracking.database.sweep_digest import Digest
from tracking.sweep_records import WANTED, SweepState

HOUR = 3600.0


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
) -> Progress:
    """Return how a sweep goes.

    The rate is that of the trials which ended since it was last told to run, at most the latest twenty: how many
    ended between the first and the last of them. Of fewer than three it is the number of workers by the mean
    duration of what ended there.

    Args:
        state: Of the sweep.
        attributes: Of its present study.
        digests: Of its studies.
        done: Trials that count against the budget.
        budget: `trials` and `seconds`, where it has them.
        seconds: How long supervisors have run, or None.
        workers: How many are wanted, or None.
    """
    if state is not SweepState.RUNNING:
        return Progress(seconds, None, None)
    since = _since(attributes.get(WANTED))
    ended = [(began, end) for began, end in digests[-1].latest if end >= since]
    per_second = _per_second(ended, workers or 1)
    left: list[float] = []
    trials, limit = budget.get("trials"), budget.get("seconds")
    if isinstance(trials, int) and per_second:
        waited = max(0.0, time.time() - ended[-1][1] / 1e6)
        left.append(max(0.0, max(0, trials - done) / per_second - waited))
    if isinstance(limit, int | float) and seconds is not None:
        left.append(max(0.0, limit - seconds))
    # A sweep with both bounds is through when the first is reached; with one unknown it may be sooner.
    known = len(left) == (trials is not None) + (limit is not None) or limit is None
    eta = min(left) if left and known else None
    return Progress(seconds, per_second * HOUR if per_second else None, eta)


def _per_second(ended: Sequence[tuple[int, int]], workers: int) -> float | None:
    if len(ended) >= 3 and ended[-1][1] > ended[0][1]:
        return (len(ended) - 1) / ((ended[-1][1] - ended[0][1]) / 1e6)
    lasted = [(end - began) / 1e6 for began, end in ended if end > began]
    return workers * len(lasted) / sum(lasted) if lasted else None


def _since(wanted: Any) -> int:
    try:
        at = datetime.fromisoformat(wanted["at"])
    except (TypeError, ValueError, KeyError):
        return 0
    return int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1e6)
