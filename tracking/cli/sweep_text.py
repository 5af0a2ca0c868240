"""A sweep as text: in one line, on a screen, and as a bar that grows."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, TextIO

from tracking.cli.terminal import cut, in_colour, terminal_width, width_of
from tracking.exports.cells import json_text, printable

if TYPE_CHECKING:
    from tracking.sweep_records import BestTrial, SweepRecord

BAR = 30
SHOWN = 5
"""Trials of a Pareto set, and failures, that a status shows."""
WIDTH = 160
_COLOURS = {
    "running": "36",
    "waiting": "36",
    "finished": "32",
    "failed": "31",
    "interrupted": "33",
    "paused": "33",
    "stopping": "33",
    "stopped": "33",
}


def record_json(record: SweepRecord, *, whole: bool = False) -> dict[str, Any]:
    """Return a sweep for JSON.

    Args:
        record: The sweep.
        whole: With the definition file and the history of its edits.
    """
    found = asdict(record)
    found["study"] = record.study
    if not whole:
        for name in ("text", "edits", "notes"):
            del found[name]
    return found


def status_lines(record: SweepRecord, out: TextIO, *, redrawn: bool = False) -> list[str]:
    """Return what a status shows; with a bar and colour where a terminal reads it.

    Args:
        record: The sweep.
        out: Where it goes.
        redrawn: Whether it is to be drawn over: then no line is wrapped, and there are no more than rows.
    """
    width = terminal_width() or WIDTH
    lines = [_progress(record, bar=out.isatty()), _counts(record)]
    lines += _best(record)
    for each in record.active:
        if each.trial is not None:
            lines.append(f"worker {each.slot}  trial {each.trial}")
    if record.failures:
        lines.append("failures")
        for group in record.failures[:SHOWN]:
            numbers = ", ".join(map(str, group.trials[:8])) + (", …" if len(group.trials) > 8 else "")
            which = f" (trial{'s' if len(group.trials) != 1 else ''} {numbers})" if numbers else ""
            again = f", {group.retried} tried again" if group.retried else ""
            count = len(group.trials) + group.earlier
            lines.append(f"  {count} × {group.cause}{which}{again}: {_first_line(group.sentence)}")
    shown = [cut(printable(line), width) for line in lines]
    if said := reason_of(record):
        reason = printable(said)
        shown.insert(0, cut(reason, width) if redrawn else reason)
    shown.insert(0, _head(record, out, width))
    return shown[: max(3, shutil.get_terminal_size().lines - 2)] if redrawn else shown


def line(record: SweepRecord) -> str:
    """Return a sweep in one line, for output that nobody redraws."""
    parts = [str(record.state), _progress(record, bar=False)]
    if record.best and len(record.objectives) == 1:
        parts.append(f"best {_values(record, record.best[0])} (trial {record.best[0].number})")
    elif record.best:
        parts.append(f"{len(record.best)} trials on the front")
    failed = _failed(record)
    if failed:
        parts.append(f"{failed:,} failed")
    said = f"{record.name}: {', '.join(parts)}."
    if record.failures and not record.state.is_live:
        said += f" {causes(record)}"
    return printable(f"{said} {reason_of(record)}".rstrip())


def reason_of(record: SweepRecord) -> str:
    """Return why a sweep is in its state; of one that has ended without a single value that comes first."""
    ended = not record.state.is_live and record.trials.get("fail", 0) and not record.trials.get("complete", 0)
    if not ended or record.trials.get("pruned", 0) or not _failed(record):
        return record.reason
    count = _failed(record)
    none = f"None of its {count:,} trials succeeded." if count > 1 else "Its only trial failed."
    return f"{none} {record.reason}".rstrip()


def causes(record: SweepRecord) -> str:
    """Return the causes of failures in one sentence, with what the latest of the most frequent one says."""
    groups = record.failures
    counted = ", ".join(f"{len(group.trials) + group.earlier} × {group.cause}" for group in groups[:SHOWN])
    latest = _first_line(groups[0].sentence)
    said = f"Failed: {counted}{', …' * (len(groups) > SHOWN)}"
    return f"{said} ({cut(latest, 160).rstrip('.')})." if latest else f"{said}."


def _failed(record: SweepRecord) -> int:
    return sum(len(group.trials) + group.earlier for group in record.failures)


def _head(record: SweepRecord, out: TextIO, width: int) -> str:
    about = [record.target, record.sampler or ""]
    if record.workers is not None and record.state.is_live:
        about.append(f"{len(record.active)} of {record.workers} workers")
    state, rest = str(record.state), printable(", ".join(filter(None, about)))
    name = cut(printable(record.name), max(width // 2, 8))
    rest = cut(rest, max(width - width_of(name) - len(state) - 4, 1))
    if in_colour(out):
        state = f"\x1b[{_COLOURS[state]}m{state}\x1b[0m"
    return f"{name}  {state}  {rest}"


def _progress(record: SweepRecord, *, bar: bool) -> str:
    from tracking.ui import format

    parts = []
    share: float | None = None
    if record.planned is not None:
        parts.append(f"{record.done:,} of {record.planned:,} trials")
        share = record.done / record.planned if record.planned else None
    else:
        parts.append(f"{record.done:,} trials")
    if record.budget_seconds is not None:
        parts.append(f"{format.duration(record.elapsed)} of {format.duration(record.budget_seconds)}")
        if record.elapsed is not None and record.budget_seconds:
            share = max(share or 0.0, record.elapsed / record.budget_seconds)
    if record.rate is not None:
        per = ("min", 60.0) if record.rate >= 60 else ("h", 1.0)
        parts.append(f"{format.number(record.rate / per[1], 3)}/{per[0]}")
    if record.eta is not None and record.eta >= 1:
        parts.append(f"about {format.duration(record.eta)} left")
    said = ", ".join(parts)
    if not bar or share is None:
        return said
    full = round(BAR * min(1.0, max(0.0, share)))
    return f"[{'#' * full}{'-' * (BAR - full)}] {said}"


def _counts(record: SweepRecord) -> str:
    words = {"complete": "complete", "pruned": "pruned", "fail": "failed", "running": "running"}
    parts = [f"{record.trials.get(state, 0):,} {word}" for state, word in words.items()]
    if record.trials.get("waiting"):
        parts.append(f"{record.trials['waiting']:,} waiting")
    if record.taken_over:
        parts.append(f"{record.taken_over:,} taken over")
    return ", ".join(parts)


def _best(record: SweepRecord) -> list[str]:
    if not record.best:
        return []
    if len(record.objectives) == 1:
        return [f"best  {_trial(record, record.best[0])}"]
    left = len(record.best) - SHOWN
    more = [f"  … and {left} more"] if left > 0 else []
    return ["Pareto set", *(f"  {_trial(record, each)}" for each in record.best[:SHOWN]), *more]


def _trial(record: SweepRecord, best: BestTrial) -> str:
    run = f", run {best.run}" if best.run else ""
    params = " ".join(f"{name}={param_text(value)}" for name, value in best.params.items())
    study = f" of {best.study}" if best.study != record.study else ""
    return f"{_values(record, best)}  trial {best.number}{study}{run}  {params}"


def _values(record: SweepRecord, best: BestTrial) -> str:
    from tracking.ui import format

    return ", ".join(
        f"{objective.metric} {format.number(value)}"
        for objective, value in zip(record.objectives, best.values, strict=False)
    )


def param_text(value: Any) -> str:
    """Return a param's value in short."""
    from tracking.ui import format

    if isinstance(value, float):
        return format.number(value, 4)
    return value if isinstance(value, str) else json_text(value)


def _first_line(text: str) -> str:
    lines = [line for line in text.strip().splitlines() if line.strip()]
    # A traceback says what went wrong in its last line.
    return (lines[-1] if lines and lines[0].startswith("Traceback") else lines[0]) if lines else ""


def row(record: SweepRecord) -> Sequence[str]:
    """Return a sweep as a row of `sweep list`."""
    from tracking.ui import format

    best = _values(record, record.best[0]) if record.best and len(record.objectives) == 1 else ""
    if record.best and len(record.objectives) > 1:
        best = f"{len(record.best)} trials on the front"
    if not record.best and record.failures and not record.state.is_live:
        best = causes(record)
    budget = "" if record.planned is None else f"/{record.planned:,}"
    return (
        record.name,
        str(record.state),
        f"{record.done:,}{budget}",
        best,
        "" if record.eta is None or record.eta < 1 else format.duration(record.eta),
        record.target,
        record.created.strftime("%Y-%m-%d %H:%M"),
    )


COLUMNS = ("name", "state", "trials", "best", "left", "target", "created")


def pairs(record: SweepRecord) -> Mapping[str, str]:
    """Return what `sweep show` says above the definition."""
    return {
        "project": record.project or "",
        "experiment": record.experiment,
        "created": record.created.strftime("%Y-%m-%d %H:%M:%S UTC"),
        "edition": str(record.edition),
        "studies": ", ".join(record.studies) if len(record.studies) > 1 else "",
        "sampler": record.sampler or "",
        "pruner": record.pruner or "",
    }
