"""What each gate of a model finds. What is not known does not pass: a gate holds when it can be shown to hold."""

from __future__ import annotations

import math
from collections.abc import Callable
from difflib import get_close_matches
from typing import TYPE_CHECKING

from tracking.errors import TrackingError
from tracking.records import DatasetRecord, Goal, MetricSummary
from tracking.registry.gate_checks import checked_gate as checked_gate
from tracking.registry.gate_checks import checked_gates as checked_gates
from tracking.registry.gate_text import asked_for, number_text
from tracking.registry_records import Gate, GateKind, GateResult, Verdict

if TYPE_CHECKING:
    from tracking.registry.promotion import Context

Found = tuple[bool, str]
_DAY = 86_400.0
_CLOCKS = 300.0
"""Seconds by which two machines' clocks may differ."""
_SHOWN = 5


def evaluate(context: Context) -> tuple[GateResult, ...]:
    """Return what each gate of a promotion finds, in the order of `context.gates`.

    A gate that cannot be asked has not passed and says why; nothing is raised for it.
    """
    return tuple(_result(gate, context) for gate in context.gates)


def _result(gate: Gate, context: Context) -> GateResult:
    try:
        passed, found = _ASK[gate.kind](gate, context)
    except TrackingError as error:
        passed, found = False, f"The gate cannot be shown to hold: {error}"
    except Exception as error:  # facts of a store from elsewhere, which nobody has foreseen
        reason = " ".join(str(error).split())[:200]
        passed, found = False, f"The gate cannot be shown to hold ({type(error).__name__}: {reason})."
    return GateResult(gate, bool(passed), asked_for(gate), found)


def _metric(gate: Gate, context: Context) -> Found:
    key, bound = gate.metric or "", gate.bound
    if bound is None:
        return False, "the gate has no bound; set it anew"
    summary = context.run.metrics.get(key)
    if summary is None:
        close = get_close_matches(key, context.run.metrics, n=1)
        return False, f"the run logged no {key}" + (f"; it has {close[0]}" if close else "")
    value, why = _point(summary, gate, context)
    if value is None:
        return False, why
    if not math.isfinite(value):
        return False, f"{gate.at} is {'NaN' if value != value else 'infinite'}, which meets no bound"
    return _COMPARE[gate.op](value, bound), number_text(value)


def _point(summary: MetricSummary, gate: Gate, context: Context) -> tuple[float | None, str]:
    """Return a metric's value, or None and why there is none."""
    if gate.at == "best":
        goal = gate.goal or context.goals.get(summary.key)
        if goal is None:
            return None, (
                f"the experiment does not say which direction of {summary.key} is better: "
                f"tracking.define_metric({summary.key!r}, goal=…), or ask for min or max"
            )
        best = summary.best(Goal(goal))
        return best, "the run diverged: its last value is not finite" if best is None else ""
    value = getattr(summary, gate.at)
    return value, "none of its values is finite" if value is None else ""


def _better(gate: Gate, context: Context) -> Found:
    if context.holder is None:
        return True, f"nobody is {context.alias}: nothing to beat"
    if context.holder.number == context.candidate.number:
        return False, f"this version is {context.alias} already"
    found = context.evidence(
        gate.metric or "", at=gate.at, goal=gate.goal, margin=gate.margin, confidence=gate.confidence
    )
    return found.verdict is Verdict.BETTER, found.sentence


def _repeats(gate: Gate, context: Context) -> Found:
    from tracking.registry.groups import group_of

    group = group_of(context.connection, context.run.id)
    runs = [member.run.uid for member in group.members]
    context.note(runs)
    told = str(len(runs))
    if group.left_out:
        told += f"; not counted: {', '.join(group.left_out[:_SHOWN])}"
    return len(runs) >= (gate.count or 1), told


def _artifacts(gate: Gate, context: Context) -> Found:
    there = {record.name for record in context.artifacts}
    missing = [name for name in gate.names if name not in there]
    if missing:
        return False, f"missing: {', '.join(missing)}"
    return True, "there" if len(gate.names) == 1 else "all there"


def _clean_git(gate: Gate, context: Context) -> Found:
    told = [capture for capture in context.captures if capture.section == "git"]
    owned = [capture.data for capture in told if capture.owner] or [capture.data for capture in told]
    if not owned:
        return False, "no git was captured: the gate cannot be shown to hold"
    for data in owned:
        if "error" in data:
            return False, f"git said nothing: {data['error']!s:.300}"
        if data.get("commit") is None:
            return False, "the repository has no commit"
        if data.get("dirty_submodules"):
            return False, f"uncommitted changes in submodules: {_listed(data['dirty_submodules'])}"
        if data.get("dirty") is not False:
            return False, "the working copy had uncommitted changes; commit them and run it again"
        if "submodules_error" in data:
            return False, f"the submodules could not be looked at: {data['submodules_error']!s:.300}"
    commits = list(dict.fromkeys(str(data["commit"])[:12] for data in owned))
    return True, f"clean at {_listed(commits)}"


def _same_data(gate: Gate, context: Context) -> Found:
    if context.holder is None:
        return True, f"nobody is {context.alias}: no data to compare with"
    mine, theirs = _by_name(context.datasets), _by_name(context.holder_datasets)
    if gate.dataset is None:
        names = sorted(mine.keys() & theirs.keys())
    else:
        names = [gate.dataset] if gate.dataset in mine and gate.dataset in theirs else []
    if not names:
        what = "a dataset" if gate.dataset is None else gate.dataset
        lacking = [
            f"the run of {version.name} recorded {_listed(sorted(known)) or 'none'}"
            for version, known in ((context.candidate, mine), (context.holder, theirs))
        ]
        return False, f"{what} of both is not known: {', '.join(lacking)}. Record it with log_dataset"
    other = [name for name in names if mine[name] != theirs[name]]
    if other:
        return False, f"other data than {context.holder.name}: {_listed(other)}"
    return True, f"the same as {context.holder.name}: {_listed(names)}"


def _max_age(gate: Gate, context: Context) -> Found:
    seconds = (context.now - context.run.created).total_seconds()
    if seconds < -_CLOCKS:
        return (
            False,
            f"the run begins in the future ({context.run.created:%Y-%m-%d %H:%M} UTC): a clock is wrong",
        )
    days = max(0.0, seconds) / _DAY
    shown = f"{days:.1f} days" if days >= 1 else f"{24 * days:.1f} hours"
    return days <= (gate.days or 0.0), f"{shown} old"


def _loads(gate: Gate, context: Context) -> Found:
    from tracking.registry.trying import try_version

    return try_version(context.objects, context.candidate, context.artifacts)


_ASK: dict[GateKind, Callable[[Gate, Context], Found]] = {
    GateKind.METRIC: _metric,
    GateKind.BETTER: _better,
    GateKind.REPEATS: _repeats,
    GateKind.ARTIFACTS: _artifacts,
    GateKind.CLEAN_GIT: _clean_git,
    GateKind.SAME_DATA: _same_data,
    GateKind.MAX_AGE: _max_age,
    GateKind.LOADS: _loads,
}
_COMPARE: dict[str, Callable[[float, float], bool]] = {
    ">=": lambda value, bound: value >= bound,
    ">": lambda value, bound: value > bound,
    "<=": lambda value, bound: value <= bound,
    "<": lambda value, bound: value < bound,
}


def _by_name(datasets: tuple[DatasetRecord, ...]) -> dict[str, frozenset[str]]:
    """Return the digests by name: a run may use several under one."""
    found: dict[str, set[str]] = {}
    for each in datasets:
        found.setdefault(each.name, set()).add(each.digest)
    return {name: frozenset(digests) for name, digests in found.items()}


def _listed(names: object) -> str:
    shown = [str(each)[:100] for each in names] if isinstance(names, list | tuple) else [str(names)[:100]]
    more = len(shown) - _SHOWN
    return ", ".join(shown[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
