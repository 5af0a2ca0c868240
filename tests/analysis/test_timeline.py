"""A timeline needs no more lanes than workers lived at a time, and no bars in one lane overlap."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
import pytest

from tracking.analysis.timeline import timeline
from tracking.analysis.trials import trial_frame
from tracking.study_records import RUN, WORKER, TrialRecord

BEGAN = datetime(2026, 11, 1, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return BEGAN + timedelta(seconds=seconds)


def trial(number: int, start: float | None, end: float | None, worker: str | None = None) -> TrialRecord:
    state = "waiting" if start is None else "running" if end is None else "complete"
    return TrialRecord(
        number,
        f"run{number}",
        state,
        None if start is None else at(start),
        None if end is None else at(end),
        None,
        attributes={} if worker is None else {WORKER: worker},
    )


def test_a_worker_keeps_its_lane_and_the_next_one_takes_it_over() -> None:
    records = [
        trial(0, 0, 10, "a"),
        trial(1, 1, 5, "b"),
        trial(2, 6, 9, "b"),
        trial(3, 10, 20, "c"),
        trial(4, 11, None, "d"),
        trial(5, None, None),
    ]
    found = timeline(trial_frame(records, ()), at(15))
    lanes = dict(zip(found.bars["number"], found.bars["lane"], strict=True))
    assert found.lanes == 2 and lanes == {0: 0, 1: 1, 2: 1, 3: 1, 4: 0}
    running = found.bars[found.bars["number"] == 4].iloc[0]
    assert running["ended"].to_pydatetime() == at(15)
    assert found.busy == pytest.approx((1 - 1 / 15, 1 - 2 / 19))


def test_trials_without_a_worker_take_as_many_lanes_as_overlap() -> None:
    rng = np.random.default_rng(1)
    starts = rng.uniform(0, 1000, 400).round(3)
    ends = starts + rng.exponential(20, 400).round(3)
    records = [
        trial(number, *times) for number, times in enumerate(zip(starts.tolist(), ends.tolist(), strict=True))
    ]
    found = timeline(trial_frame(records, ()), at(0))
    assert found.lanes == max(int(((starts <= start) & (ends > start)).sum()) for start in starts)
    for _, bars in found.bars.groupby("lane"):
        assert all(
            one <= next_one for one, next_one in pairwise(bars[["started", "ended"]].to_numpy().ravel())
        )


def test_a_clock_set_back_makes_no_bar_that_ends_before_it_begins() -> None:
    found = timeline(trial_frame([trial(0, 10, 4, "a"), trial(1, 50, None, "a")], ()), at(20))
    assert (found.bars["ended"] >= found.bars["started"]).all() and found.lanes == 1


def test_trials_of_before_are_shown_only_when_asked_for() -> None:
    earlier = TrialRecord(0, "old", "complete", at(-9e6), at(-8e6), None, attributes={RUN: "old"})
    frame = trial_frame([earlier, trial(1, 0, 1, "a")], ())
    assert timeline(frame, at(2)).bars["number"].tolist() == [1]
    assert sorted(timeline(frame, at(2), taken_over=True).bars["number"]) == [0, 1]


def test_a_sweep_that_waits_has_no_lanes() -> None:
    found = timeline(trial_frame([trial(0, None, None)], ()), at(0))
    assert found.lanes == 0 and found.busy == () and len(found.bars) == 0


def test_what_ran_when_it_was_made_goes_on_until_now() -> None:
    records = [trial(0, 0, 4, "a"), trial(1, 6, None, "a"), trial(2, 1, 3, "b"), trial(3, None, None)]
    frame = trial_frame(records, ())
    for seconds in (7, 8, 60):
        later, anew = timeline(frame, at(7)).at(at(seconds)), timeline(frame, at(seconds))
        assert later.bars.equals(anew.bars)
        assert later.spans == anew.spans and later.busy == pytest.approx(anew.busy)
    over = timeline(frame[frame["state"] != "running"], at(7))
    assert over.at(at(60)) is over
