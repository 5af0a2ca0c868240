"""Which worker ran which trial when, laid out in as few lanes as there were workers at a time."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tracking.sweep_records import STOPPED

if TYPE_CHECKING:
    import pandas as pd

Micros = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Timeline:
    """Trials as bars in lanes.

    Attributes:
        lanes: How many there are.
        bars: `number`, `run`, `state` (`stopped` for one that somebody ended), `worker`, `lane` (from 0), `started`,
            `ended` (UTC) of every trial that began, in order of lane and start; `ended` of a running one is now.
        spans: Per lane its first start, its last end, and for how long in between no trial ran; in microseconds.
    """

    lanes: int
    bars: pd.DataFrame
    spans: tuple[tuple[int, int, int], ...]

    @property
    def busy(self) -> tuple[float, ...]:
        """Per lane, the share of the time from its first start to its last end in which a trial ran."""
        return tuple(1.0 if end <= start else 1.0 - idle / (end - start) for start, end, idle in self.spans)

    def at(self, now: datetime) -> Timeline:
        """Return it with the trials that ran, when it was made, as running until now."""
        running = (self.bars["state"] == "running").to_numpy(dtype=bool)
        if not running.any():
            return self
        moment = _at(now)
        bars = self.bars.assign(
            ended=self.bars["ended"].mask(
                running & (self.bars["ended"] < moment).to_numpy(dtype=bool), moment
            )
        )
        end = int(moment.to_datetime64().astype("M8[us]").astype(np.int64))
        going = set(bars["lane"].to_numpy()[running].tolist())
        spans = tuple(
            (start, max(last, end), idle) if lane in going else (start, last, idle)
            for lane, (start, last, idle) in enumerate(self.spans)
        )
        return Timeline(self.lanes, bars, spans)


def timeline(frame: pd.DataFrame, now: datetime, *, taken_over: bool = False) -> Timeline:
    """Return the bars of a sweep's trials.

    A worker keeps its lane as long as it lives, and one that comes after it takes the lane over: intervals are put,
    in order of their start, into the lane that has been free the longest (greedy interval partitioning, Kleinberg
    and Tardos, "Algorithm Design" (2005), section 4.1, which needs no more lanes than overlap at a time). A trial of no
    worker is an interval of its own.

    Args:
        frame: As `trial_frame` makes it.
        now: Where running trials end, with its zone.
        taken_over: Whether to show trials that were run elsewhere before, too.
    """
    began = ~frame["started"].isna().to_numpy()
    if not taken_over:
        began &= ~frame["taken_over"].to_numpy(dtype=bool)
    shown = frame.loc[began, ["number", "run", "state", "worker", "started", "completed"]]
    shown = shown.rename(columns={"completed": "ended"})
    shown["state"] = shown["state"].mask(frame.loc[began, "stopped"], STOPPED)
    ended = shown["ended"].where(shown["ended"].notna(), _at(now))
    # A clock that was set back must not make a bar that ends before it begins.
    shown["ended"] = ended.where(ended >= shown["started"], shown["started"])
    starts, ends = _micros(shown["started"]), _micros(shown["ended"])
    owner = _owners(shown)
    count = int(owner.max()) + 1 if len(owner) else 0
    first, last = np.full(count, np.iinfo(np.int64).max), np.full(count, np.iinfo(np.int64).min)
    np.minimum.at(first, owner, starts)
    np.maximum.at(last, owner, ends)
    places, lanes = _partition(first, last)
    shown["lane"] = places[owner]
    lane = shown["lane"].to_numpy()
    spans = tuple(_span(starts[lane == place], ends[lane == place]) for place in range(lanes))
    bars = shown[["number", "run", "state", "worker", "lane", "started", "ended"]]
    return Timeline(lanes, bars.sort_values(["lane", "started"], kind="stable").reset_index(drop=True), spans)


def _at(now: datetime) -> pd.Timestamp:
    import pandas as pd

    return pd.Timestamp(now).tz_convert("UTC").as_unit("us")


def _micros(moments: pd.Series) -> Micros:
    return np.asarray(moments.dt.tz_convert(None).to_numpy(dtype="M8[us]").astype(np.int64))


def _owners(shown: pd.DataFrame) -> NDArray[np.int64]:
    """Return a number per trial: the same for trials of one worker, its own for a trial of none."""
    codes, workers = shown["worker"].factorize()
    alone = np.flatnonzero(codes < 0)
    codes = codes.astype(np.int64)
    codes[alone] = len(workers) + np.arange(len(alone))
    return codes


def _partition(first: Micros, last: Micros) -> tuple[NDArray[np.int64], int]:
    """Return the lane of each interval, and how many lanes there are."""
    places = np.zeros(len(first), dtype=np.int64)
    free: list[tuple[int, int]] = []
    lanes = 0
    for owner in np.lexsort((np.arange(len(first)), first)).tolist():
        if free and free[0][0] <= first[owner]:
            lane = heapq.heappop(free)[1]
        else:
            lane, lanes = lanes, lanes + 1
        places[owner] = lane
        heapq.heappush(free, (int(last[owner]), lane))
    return places, lanes


def _span(starts: Micros, ends: Micros) -> tuple[int, int, int]:
    """Return the first start, the last end, and how much of the time between them no interval covers."""
    order = np.argsort(starts, kind="stable")
    starts, ends = starts[order], ends[order]
    reach = np.maximum.accumulate(ends)
    idle = np.maximum(starts[1:] - reach[:-1], 0).sum()
    return int(starts[0]), int(reach[-1]), int(idle)
