"""Trials report at steps that they have in common, and never too many."""

from __future__ import annotations

import random

from tracking.tuning.execution.thinning import MOST, Thinning, report_step


def test_every_early_step_is_reported_and_64_to_each_doubling_after() -> None:
    assert [report_step(step) for step in range(128)] == list(range(128))
    for octave in range(7, 30):
        low = 1 << octave
        draw = random.Random(octave)
        places = {report_step(draw.randrange(low, 2 * low)) for _ in range(5000)}
        assert len(places) == 64
        assert min(places) == low and all(low <= place < 2 * low for place in places)


def test_trials_that_log_at_different_steps_share_those_they_report() -> None:
    one, other = Thinning(), Thinning()
    said = [step for step, _ in one((step, 0.0) for step in range(0, 50_000, 100))]
    heard = [step for step, _ in other((step, 0.0) for step in range(7, 50_000, 130))]
    late = {step for step in said if step > 20_000}
    assert len(late & set(heard)) > 0.9 * len(late)


def test_the_first_point_of_a_stretch_stands_for_it_and_comes_once() -> None:
    thinning = Thinning()
    assert thinning([(2, 0.2), (0, 0.0), (1000, 1.0), (1001, 9.0), (-5, 3.0)]) == [
        (0, 0.0),
        (2, 0.2),
        (1000, 1.0),
    ]
    assert thinning([(0, 7.0), (1003, 7.0)]) == []


def test_a_trial_reports_only_so_often() -> None:
    thinning = Thinning()
    reported = 0
    for octave in range(6, 62):
        reported += len(thinning((1 << octave | place << octave - 6, 0.0) for place in range(64)))
    assert reported == MOST
