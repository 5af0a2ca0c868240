"""Each end of an evaluation becomes a state, a cause and a sentence that names the thing and says why."""

from __future__ import annotations

import math

import pytest

from tracking.records import Goal, MetricSummary
from tracking.study_records import REASON, TRACEBACK
from tracking.tuning.definition import At, Objective
from tracking.tuning.execution.outcomes import (
    TRACEBACK_BYTES,
    Cause,
    Ended,
    Ending,
    Outcome,
    State,
    attributes,
    cut,
    duration,
    last_traceback,
    of_repeats,
    outcome_of,
    size,
)

ACCURACY = Objective("accuracy", Goal.MAXIMIZE)
TRACE = """epoch 1
Traceback (most recent call last):
  File "train.py", line 3, in <module>
    main()
  File "train.py", line 2, in main
    raise ValueError("lr is too large")
ValueError: lr is too large
"""


def summary(key: str = "accuracy", last: float = 0.5, low: float = 0.1, high: float = 0.9) -> MetricSummary:
    mean = (low + high) / 2
    return MetricSummary(key, 3, 0.1, 0, last, 2, low, 0, high, 1, mean, 0)


def came_to(ended: Ended, *summaries: MetricSummary, objective: Objective = ACCURACY) -> Outcome:
    return outcome_of(ended, [objective], {one.key: one for one in summaries}, seconds=60, memory=10**9)


def itself(**facts: object) -> Ended:
    return Ended(Ending.ITSELF, **{"code": 0, "seconds": 2.0, **facts})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("at", "value"), [("last", 0.5), ("best", 0.9), ("min", 0.1), ("max", 0.9), ("mean", 0.5)]
)
def test_a_script_that_ended_well_is_worth_what_it_logged(at: str, value: float) -> None:
    outcome = came_to(itself(), summary(), objective=Objective("accuracy", Goal.MAXIMIZE, At(at)))
    assert outcome == Outcome(State.COMPLETE, (value,))


def test_what_a_function_returned_stands_before_what_was_logged() -> None:
    assert came_to(itself(values=(0.25,)), summary()).values == (0.25,)
    assert came_to(itself(values={"accuracy": 0.75, "loss": 2.0}), summary()).values == (0.75,)
    assert came_to(itself(values={"loss": 2.0}), summary()).values == (0.5,)
    wrong = came_to(itself(values=(1.0, 2.0)))
    assert (wrong.cause, wrong.reason) == (
        Cause.ERROR,
        "It returned 2 values; the sweep has 1 objective (accuracy).",
    )


def test_a_best_that_diverged_is_not_a_number() -> None:
    objective = Objective("accuracy", Goal.MAXIMIZE, At.BEST)
    outcome = came_to(itself(), summary(last=math.nan), objective=objective)
    assert outcome.cause is Cause.NOT_A_NUMBER
    assert outcome.reason == "It logged NaN as 'accuracy' at the end."


CASES = {
    "error": (
        itself(code=1, printed=TRACE),
        Cause.ERROR,
        "It ended with exit code 1: ValueError: lr is too large",
    ),
    "exit code": (
        itself(code=3, printed="bad data\n\n"),
        Cause.ERROR,
        "It ended with exit code 3; the last it printed: bad data",
    ),
    "mute": (itself(code=3), Cause.ERROR, "It ended with exit code 3; it printed nothing"),
    "silent": (
        itself(started=False),
        Cause.NO_METRIC,
        "It ended well (exit code 0) without a word to Podium: no run was started, so that 'accuracy' was never "
        "logged. Call tracking.start_run() and tracking.log() in it.",
    ),
    "nothing": (
        itself(),
        Cause.NO_METRIC,
        "It ended well (exit code 0) but never logged 'accuracy'; it logged nothing.",
    ),
    "killed": (
        itself(code=-9),
        Cause.KILLED,
        "It was killed by SIGKILL after 2 s. Perhaps the system was out of memory.",
    ),
    "crashed": (
        itself(code=-11, peak=2 * 10**6),
        Cause.KILLED,
        "It was killed by SIGSEGV after 2 s, with 2 MB of memory at most. A library it uses has crashed.",
    ),
    "time": (
        Ended(Ending.TIME, -15, 61.0),
        Cause.TIME_LIMIT,
        "It ran for 1 min 1 s, longer than the limit of 1 min, and was ended. It had logged nothing.",
    ),
    "memory": (
        Ended(Ending.MEMORY, -15, 3.0, peak=1_230_000_000),
        Cause.MEMORY_LIMIT,
        "Its processes took 1.23 GB of memory, more than the limit of 1 GB, and were ended after 3 s.",
    ),
    "stopped": (Ended(Ending.STOP, -15, 3.0), Cause.STOPPED, "It was stopped after 3 s, as asked for."),
    "start": (
        Ended(Ending.NEVER_BEGAN, problem="train.py is gone."),
        Cause.START_FAILED,
        "It could not be started: train.py is gone.",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_failure_says_why(case: str) -> None:
    ended, cause, reason = CASES[case]
    outcome = came_to(ended)
    assert (outcome.state, outcome.cause, outcome.reason, outcome.values) == (State.FAIL, cause, reason, None)


def test_a_missing_metric_is_told_with_those_that_are_there() -> None:
    outcome = came_to(itself(), summary("loss"), summary("val_acc"), summary("system/cpu"))
    assert (
        outcome.reason == "It ended well (exit code 0) but never logged 'accuracy'; it logged loss, val_acc."
    )
    assert came_to(itself(), summary(last=math.nan)).reason == "It logged NaN as 'accuracy'."
    late = came_to(Ended(Ending.TIME, -15, 61.0), summary())
    assert late.reason is not None and late.reason.endswith(
        "The last 'accuracy' it logged was 0.5 at step 2."
    )


def test_a_pruned_trial_says_by_whom() -> None:
    assert came_to(Ended(Ending.PRUNER, -15, 3.0)).state is State.PRUNED
    assert came_to(itself(pruned=True)).state is State.PRUNED


def test_the_last_traceback_is_found_with_those_it_followed_from() -> None:
    found = last_traceback(TRACE + "bye\n")
    assert found is not None and found.endswith("ValueError: lr is too large")
    chained = (
        "Traceback (most recent call last):\n  File a\nKeyError: 'x'\n\n"
        "During handling of the above exception, another exception occurred:\n\n" + TRACE.partition("\n")[2]
    )
    both = last_traceback(chained)
    assert both is not None and both.startswith("Traceback") and "KeyError" in both and "lr is" in both
    assert last_traceback("Traceback (most recent call last):\n  File") is None
    assert last_traceback("fine") is None
    long = cut("x" * 100_000)
    assert long is not None and len(long) <= TRACEBACK_BYTES


def test_a_trial_of_repeats_is_worth_their_mean_and_incomplete_without_one() -> None:
    good = [Outcome(State.COMPLETE, (value,)) for value in (0.5, 0.7, 0.9)]
    whole = of_repeats("seed", (0, 1, 2), good)
    assert whole.values == (pytest.approx(0.7),)
    assert whole.repeats == (0.5, 0.7, 0.9)
    broken = of_repeats("seed", (0, 1, 2), [good[0], came_to(itself(code=1, printed=TRACE))])
    assert (broken.state, broken.cause, broken.repeats) == (State.FAIL, Cause.INCOMPLETE, (0.5, None, None))
    assert broken.reason == (
        "Repeat 1 of 0 to 2 (seed=1) is missing: It ended with exit code 1: ValueError: lr is too large. "
        "There are seed=0: 0.5."
    )
    assert broken.traceback is not None
    pruned = of_repeats("seed", (0, 1, 2), good[:2], pruned_after=2)
    assert (pruned.state, pruned.repeats) == (State.PRUNED, (0.5, 0.7, None))
    stopped = of_repeats("seed", (0, 1), [came_to(Ended(Ending.STOP, -15, 3.0))])
    assert stopped.cause is Cause.STOPPED


def test_amounts_are_said_as_people_say_them() -> None:
    assert [duration(seconds) for seconds in (0.25, 59, 60, 185, 7200, 7860)] == [
        "0.2 s",
        "59 s",
        "1 min",
        "3 min 5 s",
        "2 h",
        "2 h 11 min",
    ]
    assert [size(count) for count in (12, 1500, 4 * 10**9)] == ["12 bytes", "1.5 kB", "4 GB"]


def test_what_a_study_keeps_steers_no_terminal() -> None:
    red = TRACE.replace("ValueError: lr", "\x1b[31mValueError\x1b[0m:\x00 lr\u202e\x1b]0;title\x07")
    kept = attributes(came_to(itself(code=1, printed=red)))
    assert kept[REASON] == "It ended with exit code 1: ValueError: lr is too large"
    assert kept[TRACEBACK] == TRACE[TRACE.index("Traceback") :].rstrip()
    split = attributes(Outcome(State.FAIL, cause=Cause.ERROR, reason="One\r\n\ttwo \x1b3."))
    assert split[REASON] == "One two 3."
