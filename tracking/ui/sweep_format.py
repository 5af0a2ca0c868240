"""A sweep in words: its state, how far it is, the best so far. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final, Literal

from tracking.records import Goal
from tracking.study_records import CAUSE, TrialRecord
from tracking.sweep_records import STOPPED, BestTrial, SweepObjective, SweepRecord, SweepState
from tracking.ui import format
from tracking.ui.markdown import escape

Colour = Literal["red", "orange", "blue", "green", "gray"]

_STATES: Final[Mapping[SweepState, tuple[str, Colour, str]]] = {
    SweepState.WAITING: ("○", "gray", "its processes are about to start"),
    SweepState.RUNNING: ("●", "blue", "its processes are alive"),
    SweepState.PAUSED: ("‖", "orange", "no further trial begins until it is resumed"),
    SweepState.STOPPING: ("◐", "orange", "it ends with the trials that run"),
    SweepState.FINISHED: ("✓", "green", "its budget is used"),
    SweepState.STOPPED: ("■", "orange", "somebody ended it; it can be resumed"),
    SweepState.FAILED: ("✕", "red", "too many trials failed in a row"),
    SweepState.INTERRUPTED: ("?", "red", "its processes are gone; it can be resumed"),
}
_TRIALS: Final[Mapping[str, str]] = {
    "running": "● running",
    "complete": "✓ complete",
    "pruned": "⊘ pruned",
    "fail": "✕ failed",
    "waiting": "○ waiting",
    STOPPED: "■ stopped",
}


def state(value: str) -> str:
    """Return a sweep's state as mark and word, so that it never depends on colour."""
    known = SweepState(value)
    return f"{_STATES[known][0]} {known.value}"


def state_colour(value: str) -> Colour:
    """Return the colour of a state's badge."""
    return _STATES[SweepState(value)][1]


def state_meaning(value: str) -> str:
    """Return what a state says of the sweep, in a few words."""
    return _STATES[SweepState(value)][2]


def trial_state(trial: TrialRecord) -> str:
    """Return a trial's state; `stopped` for one that somebody ended, which is no failure."""
    return STOPPED if trial.state == "fail" and trial.attributes.get(CAUSE) == STOPPED else trial.state


def trial_state_text(value: str) -> str:
    """Return a trial's state as mark and word."""
    return _TRIALS.get(value, value)


def objective(wanted: SweepObjective) -> str:
    """Return an objective's metric with an arrow in the better direction, and which point counts if not the last."""
    at = "" if wanted.at == "last" else f" ({wanted.at})"
    return f"{format.readable(wanted.metric)}{at}{format.goal_mark(wanted.goal)}"


def goal(record: SweepRecord) -> str:
    """Return what a sweep is for: `maximize accuracy and minimize cost`."""
    parts = []
    for each in record.objectives:
        verb = "" if each.goal is None else "maximize " if each.goal is Goal.MAXIMIZE else "minimize "
        parts.append(verb + format.shorten_key(each.metric, 60))
    return " and ".join(parts)


def share(record: SweepRecord) -> float | None:
    """Return how much of the budget is used (0..1), None where it has none."""
    found = []
    if record.planned:
        found.append(record.done / record.planned)
    if record.budget_seconds and record.elapsed is not None:
        found.append(record.elapsed / record.budget_seconds)
    return min(1.0, max(0.0, *found, 0.0)) if found else None


def done(record: SweepRecord) -> str:
    """Return how many trials count, of how many: `18 of 40`."""
    of = "" if record.planned is None else f" of {format.count(record.planned)}"
    return format.count(record.done) + of


def pace(record: SweepRecord) -> float | None:
    """Return the trials per hour: of late of a sweep that is live, else over the time that it ran; None if unknown."""
    if record.state.is_live:
        return record.rate
    return record.done * 3600 / record.elapsed if record.done and record.elapsed else None


def rate(record: SweepRecord) -> str:
    """Return the trials per minute or hour, `–` where there are too few to tell."""
    return rate_text(record.rate)


def rate_text(rate: float | None) -> str:
    """Return trials per hour as trials per minute or hour, `–` of None."""
    if rate is None:
        return format.ABSENT
    per, size = ("min", 60.0) if rate >= 60 else ("h", 1.0)
    return f"{format.number(rate / size, 3)}/{per}"


def progress(record: SweepRecord, *, brief: bool = False) -> str:
    """Return how far a sweep is in one line: trials, time, rate, what is left; in brief without the budget."""
    parts = [f"{done(record)} trials"]
    if record.budget_seconds is not None:
        parts.append(f"{format.duration(record.elapsed)} of {format.duration(record.budget_seconds)}")
    elif record.elapsed is not None and record.elapsed >= 1:
        parts.append(format.duration(record.elapsed))
    if record.state.is_live:
        if record.rate is not None:
            parts.append(rate(record))
        if record.eta is not None:
            parts.append(f"about {format.duration(record.eta)} left")
    if not brief and (left := budget_left(record)) and record.state is not SweepState.FINISHED:
        parts.append(f"budget left: {left}")
    return " · ".join(parts)


def budget_left(record: SweepRecord) -> str:
    """Return what is left of the budget, empty where it has none."""
    parts = []
    if record.planned is not None:
        parts.append(format.plural(max(0, record.planned - record.done), "trial"))
    if record.budget_seconds is not None and record.elapsed is not None:
        parts.append(format.duration(max(0.0, record.budget_seconds - record.elapsed)))
    return " or ".join(parts)


def counts(record: SweepRecord) -> str:
    """Return how many trials there are by state."""
    words = {
        "complete": "complete",
        "pruned": "pruned",
        "fail": "failed",
        "running": "running",
        "waiting": "waiting",
    }
    stopped = record.trials.get("fail", 0) - failed(record)
    parts = []
    for name, word in words.items():
        count = failed(record) if name == "fail" else record.trials.get(name, 0)
        if count or name == "complete":
            parts.append(f"{format.count(count)} {word}")
    if stopped > 0:
        parts.append(f"{format.count(stopped)} stopped")
    if record.taken_over:
        parts.append(f"{format.count(record.taken_over)} taken over")
    return ", ".join(parts)


def failed(record: SweepRecord) -> int:
    """Return how many trials failed; those that somebody stopped did not."""
    return sum(len(group.trials) + group.earlier for group in record.failures)


def best_values(record: SweepRecord, best: BestTrial) -> str:
    """Return the values of a trial with the names of the objectives."""
    return ", ".join(
        f"{format.shorten_key(wanted.metric, 40)} {format.number(value)}"
        for wanted, value in zip(record.objectives, best.values, strict=False)
    )


def best(record: SweepRecord) -> str:
    """Return the best so far in short: a value, or how many trials no other one is better than."""
    if not record.best:
        return format.ABSENT
    if len(record.objectives) > 1:
        return f"{format.count(len(record.best))} on the front"
    return format.number(record.best[0].values[0])


def age(record: SweepRecord, now: datetime) -> str:
    """Return how long ago a sweep was started."""
    return format.ago(record.created, now)


def param(value: object) -> str:
    """Return a param's value in short: four significant digits."""
    return format.number(value, 4) if isinstance(value, float) else format.param(value)


def toast(sentence: str) -> str:
    """Return a sentence for a short note: escaped, for it holds names."""
    return escape(format.shorten(sentence, 400))
