"""How an evaluation or a trial ended, in a state, a cause and a sentence: decided here, from facts alone."""

from __future__ import annotations

import math
import re
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from tracking.records import MetricSummary
from tracking.tuning.definition import At, Choice, Objective

TRACEBACK_BYTES = 8000
_TRACEBACK = "Traceback (most recent call last):"
# Escape sequences of terminals (ECMA-48) whole, other control characters, and Unicode's marks of direction.
_STEERING = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)"
    r"|[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]"
)


class Cause(StrEnum):
    """The kinds of failure, by which failed trials are counted together."""

    ERROR = "error"
    NO_METRIC = "no_metric"
    NOT_A_NUMBER = "not_a_number"
    TIME_LIMIT = "time_limit"
    MEMORY_LIMIT = "memory_limit"
    KILLED = "killed"
    WORKER_DIED = "worker_died"
    START_FAILED = "start_failed"
    INCOMPLETE = "incomplete"
    STOPPED = "stopped"
    BAD_PARAMS = "bad_params"


class State(StrEnum):
    """What becomes of a trial."""

    COMPLETE = "complete"
    PRUNED = "pruned"
    FAIL = "fail"


class Ending(StrEnum):
    """Who ended an evaluation's processes."""

    ITSELF = "itself"
    TIME = "time"
    MEMORY = "memory"
    PRUNER = "pruner"
    STOP = "stop"
    NEVER_BEGAN = "never began"


@dataclass(frozen=True, slots=True)
class Ended:
    """What is known of an evaluation that is over.

    Attributes:
        ending: Who ended it.
        code: Of the exit, negative for a signal; None when it never began.
        seconds: How long it lasted.
        peak: The most resident bytes that were seen, 0 when nobody looked.
        printed: The end of what it printed.
        problem: Why it could not begin, or what the evaluator said went wrong.
        traceback: The evaluator's, of the user's code.
        values: What the function returned: by metric, or in order of the objectives.
        pruned: Whether the function said that its trial is pruned.
        started: Whether a session of the run ever began.
        astray: Where else it logged what its trial's run lacks: a sentence, or empty.
    """

    ending: Ending
    code: int | None = None
    seconds: float = 0.0
    peak: int = 0
    printed: str = ""
    problem: str | None = None
    traceback: str | None = None
    values: Mapping[str, float] | Sequence[float] | None = None
    pruned: bool = False
    started: bool = True
    astray: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a trial, or one repeat of it, comes to.

    Attributes:
        state: What becomes of it.
        values: One per objective where it is complete.
        cause: Of a failure.
        reason: A sentence for people, for a failure or a pruned trial.
        traceback: Of the user's code, at most `TRACEBACK_BYTES`.
        repeats: The values of its repeats, of several objectives a tuple each, None for one that is missing; the
            whole None where there are none.
    """

    state: State
    values: tuple[float, ...] | None = None
    cause: Cause | None = None
    reason: str | None = None
    traceback: str | None = None
    repeats: tuple[float | tuple[float, ...] | None, ...] | None = None


def failed(cause: Cause, reason: str, traceback: str | None = None) -> Outcome:
    """Return the outcome of a failure."""
    return Outcome(State.FAIL, cause=cause, reason=reason, traceback=traceback)


def outcome_of(
    ended: Ended,
    objectives: Sequence[Objective],
    logged: Mapping[str, MetricSummary],
    *,
    seconds: float | None = None,
    memory: int | None = None,
) -> Outcome:
    """Return what an evaluation came to.

    Args:
        ended: How it ended.
        objectives: Of the sweep.
        logged: The metrics of its run.
        seconds: The time limit.
        memory: The memory limit.
    """
    if ended.ending is Ending.NEVER_BEGAN:
        return failed(Cause.START_FAILED, f"It could not be started: {ended.problem or 'nobody knows why'}")
    if ended.ending is Ending.STOP:
        return failed(Cause.STOPPED, f"It was stopped after {duration(ended.seconds)}, as asked for.")
    if ended.ending is Ending.TIME:
        return failed(
            Cause.TIME_LIMIT,
            f"It ran for {duration(ended.seconds)}, longer than the limit of {duration(seconds or 0)}, "
            f"and was ended. {_logged_so_far(objectives, logged)}",
        )
    if ended.ending is Ending.MEMORY:
        return failed(
            Cause.MEMORY_LIMIT,
            f"Its processes took {size(ended.peak)} of memory, more than the limit of {size(memory or 0)}, "
            f"and were ended after {duration(ended.seconds)}.",
        )
    if ended.ending is Ending.PRUNER:
        return Outcome(State.PRUNED, reason=f"The pruner ended it after {duration(ended.seconds)}.")
    if ended.pruned:
        return Outcome(State.PRUNED, reason="It ended itself as pruned (TrialPruned).")
    if ended.problem is not None:
        return failed(Cause.ERROR, ended.problem, cut(ended.traceback))
    if ended.code is not None and ended.code < 0:
        return failed(Cause.KILLED, _killed(-ended.code, ended.seconds, ended.peak))
    if ended.code:
        return _error(ended)
    return _measured(ended, objectives, logged)


def of_repeats(
    vary: str | None,
    repeats: Sequence[Choice],
    outcomes: Sequence[Outcome],
    pruned_after: int | None = None,
) -> Outcome:
    """Return what a trial comes to whose configuration was run several times.

    Args:
        vary: The param that tells the repeats apart, None where nothing does: their values are their numbers.
        repeats: Its values, one per repeat.
        outcomes: Of the repeats that were run, in order.
        pruned_after: The number of repeats after which the pruner ended the trial.
    """
    values = [_of_repeat(one.values) if one.values else None for one in outcomes]
    padded = (*values, *[None] * (len(repeats) - len(values)))
    there = "; ".join(
        f"{_which(vary, value)}: {_shown(got)}"
        for value, got in zip(repeats, values, strict=False)
        if got is not None
    )
    for number, (value, one) in enumerate(zip(repeats, outcomes, strict=False)):
        if one.state is State.COMPLETE:
            continue
        if one.cause is Cause.STOPPED:
            return Outcome(State.FAIL, None, Cause.STOPPED, one.reason, repeats=padded)
        which = "" if vary is None else f" ({_which(vary, value)})"
        said = f"Repeat {number} of 0 to {len(repeats) - 1}{which} is missing: {one.reason or 'nobody knows why'}"
        said += "" if said.endswith((".", "!", "?")) else "."
        return Outcome(
            State.FAIL,
            None,
            Cause.INCOMPLETE,
            f"{said} {f'There are {there}.' if there else 'There is none.'}",
            one.traceback,
            padded,
        )
    if pruned_after is not None:
        reason = f"The pruner ended it after {pruned_after} of {len(repeats)} repeats ({there})."
        return Outcome(State.PRUNED, None, None, reason, repeats=padded)
    # Every repeat has as many values as there are objectives.
    columns = zip(*(one.values for one in outcomes if one.values is not None), strict=True)
    means = tuple(sum(column) / len(repeats) for column in columns)
    return Outcome(State.COMPLETE, means, repeats=padded)


def _of_repeat(values: tuple[float, ...]) -> float | tuple[float, ...]:
    return values[0] if len(values) == 1 else values


def _which(vary: str | None, value: Choice) -> str:
    return f"{vary}={value!r}" if vary is not None else f"repeat {value}"


def _shown(value: float | tuple[float, ...]) -> str:
    return ", ".join(f"{each:.6g}" for each in (value if isinstance(value, tuple) else (value,)))


def value_of(objective: Objective, summary: MetricSummary) -> float:
    """Return the objective's value of a metric; NaN where there is none to choose, as of a best that diverged."""
    found = {
        At.LAST: summary.last,
        At.BEST: summary.best(objective.goal),
        At.MIN: summary.min,
        At.MAX: summary.max,
        At.MEAN: summary.mean,
    }[objective.at]
    return math.nan if found is None else found


def _measured(ended: Ended, objectives: Sequence[Objective], logged: Mapping[str, MetricSummary]) -> Outcome:
    values: list[float] = []
    returned = isinstance(ended.values, Sequence)
    if isinstance(ended.values, Sequence) and len(ended.values) != len(objectives):
        objective_s = "objective" if len(objectives) == 1 else "objectives"
        return failed(
            Cause.ERROR,
            f"It returned {len(ended.values)} values; the sweep has {len(objectives)} {objective_s} "
            f"({', '.join(objective.metric for objective in objectives)}).",
        )
    for index, objective in enumerate(objectives):
        metric = objective.metric
        if isinstance(ended.values, Sequence):
            value = ended.values[index]
        elif ended.values is not None and metric in ended.values:
            value, returned = ended.values[metric], True
        elif metric in logged:
            value = value_of(objective, logged[metric])
        else:
            return failed(Cause.NO_METRIC, _never_logged(ended, metric, logged))
        if math.isnan(value):
            verb = "returned" if returned else "logged"
            last = "" if returned or objective.at is At.LAST else " at the end"
            return failed(Cause.NOT_A_NUMBER, f"It {verb} NaN as {metric!r}{last}.")
        values.append(float(value))
    return Outcome(State.COMPLETE, tuple(values))


def _never_logged(ended: Ended, metric: str, logged: Mapping[str, MetricSummary]) -> str:
    if ended.astray:
        return f"It ended well (exit code 0) but never logged {metric!r} to its trial's run. {ended.astray}"
    if not ended.started:
        return (
            f"It ended well (exit code 0) without a word to Podium: no run was started, so that {metric!r} was never "
            "logged. Call tracking.start_run() and tracking.log() in it."
        )
    return f"It ended well (exit code 0) but never logged {metric!r}; it logged {_names(logged)}."


def _logged_so_far(objectives: Sequence[Objective], logged: Mapping[str, MetricSummary]) -> str:
    for objective in objectives:
        if objective.metric in logged:
            summary = logged[objective.metric]
            return (
                f"The last {objective.metric!r} it logged was {summary.last:.6g} at step {summary.last_step}."
            )
    return f"It had logged {_names(logged)}."


def _names(logged: Mapping[str, MetricSummary]) -> str:
    names = [key for key in logged if not key.startswith("system/") and key != "intermediate_value"]
    more = f" and {len(names) - 8} more" if len(names) > 8 else ""
    return ", ".join(names[:8]) + more if names else "nothing"


def _killed(number: int, seconds: float, peak: int) -> str:
    try:
        name = signal.Signals(number).name
    except ValueError:
        name = f"signal {number}"
    why = {
        "SIGKILL": " Perhaps the system was out of memory.",
        "SIGSEGV": " A library it uses has crashed.",
        "SIGABRT": " A library it uses has given up.",
        "SIGBUS": " A library it uses has crashed, or a disk is full.",
    }.get(name, "")
    took = f", with {size(peak)} of memory at most" if peak else ""
    return f"It was killed by {name} after {duration(seconds)}{took}.{why}"


def _error(ended: Ended) -> Outcome:
    found = last_traceback(ended.printed)
    if found is not None:
        last = found.rstrip().splitlines()[-1].strip()
        return failed(Cause.ERROR, f"It ended with exit code {ended.code}: {last[:500]}", cut(found))
    lines = [line.strip() for line in ended.printed.splitlines() if line.strip()]
    said = f"; the last it printed: {lines[-1][:300]}" if lines else "; it printed nothing"
    return failed(Cause.ERROR, f"It ended with exit code {ended.code}{said}")


def last_traceback(printed: str) -> str | None:
    """Return the last Python traceback in a text with the line of the exception, None when there is none."""
    begin = printed.rfind(_TRACEBACK)
    if begin < 0:
        return None
    # A chain of exceptions is one: those before it belong to it.
    chained = re.compile(
        r"(?:The above exception was the direct cause of the following exception:"
        r"|During handling of the above exception, another exception occurred:)\s*\Z"
    )
    while chained.search(printed, max(0, begin - 200), begin):
        before = printed.rfind(_TRACEBACK, 0, begin)
        if before < 0:
            break
        begin = before
    lines = printed[begin:].splitlines()
    last_head = max(number for number, line in enumerate(lines) if line.startswith(_TRACEBACK))
    end = last_head + 1
    while end < len(lines) and (lines[end].startswith((" ", "\t")) or not lines[end].strip()):
        end += 1
    return "\n".join(lines[: end + 1]) if end < len(lines) else None


def cut(text: str | None) -> str | None:
    """Return at most `TRACEBACK_BYTES` of a text: of a longer one its beginning and, mostly, its end."""
    if text is None or len(text) <= TRACEBACK_BYTES:
        return text
    head = TRACEBACK_BYTES // 4
    return f"{text[:head]}\n[...]\n{text[-(TRACEBACK_BYTES - head - 8) :]}"


def printable(text: str) -> str:
    """Return a text without what would steer a terminal or turn the direction of writing; lines and tabs stay."""
    return _STEERING.sub("", text)


def duration(seconds: float) -> str:
    """Return seconds as people say them: 4.2 s, 3 min 5 s, 2 h 10 min."""
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds != int(seconds) else f"{int(seconds)} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def size(count: int) -> str:
    """Return bytes as people say them, in powers of ten as limits are given."""
    for unit, factor in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if count >= factor:
            return f"{count / factor:.3g} {unit}"
    return f"{count} bytes"


def attributes(outcome: Outcome) -> dict[str, Any]:
    """Return what a trial's user attributes say of an outcome, by the constants of `tracking.study_records`."""
    from tracking.study_records import CAUSE, REASON, REPEATS, TRACEBACK

    said = {
        CAUSE: None if outcome.cause is None else outcome.cause.value,
        REASON: None if outcome.reason is None else " ".join(printable(outcome.reason).split()),
        TRACEBACK: None if outcome.traceback is None else printable(outcome.traceback),
        REPEATS: None if outcome.repeats is None else list(outcome.repeats),
    }
    return {name: value for name, value in said.items() if value is not None}
