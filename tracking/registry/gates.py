"""What each gate of a model finds. What is not known does not pass: a gate holds when it can be shown to hold."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from difflib import get_close_matches
from typing import TYPE_CHECKING

from tracking.database import run_queries
from tracking.errors import TrackingError
from tracking.records import DatasetRecord, Goal, MetricSummary, RunRecord, RunStatus
from tracking.registry.doubts import of_its_own_run, of_the_data, of_the_goal, removed
from tracking.registry.gate_checks import checked_gate as checked_gate
from tracking.registry.gate_checks import checked_gates as checked_gates
from tracking.registry.gate_text import asked_for, number_text
from tracking.registry.groups import TRASHED, group_of
from tracking.registry.measured import alike, last_of, summaries_of, went_on
from tracking.registry_records import Evidence, Gate, GateKind, GateResult, Verdict, VersionRecord

if TYPE_CHECKING:
    from tracking.registry.promotion import Context

Found = tuple[bool, str]
_ENDED = {
    RunStatus.FAILED: "failed",
    RunStatus.INTERRUPTED: "was interrupted",
    RunStatus.LOST: "was lost",
    RunStatus.PRUNED: "was pruned",
}
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
    if gate.bound is None:
        return False, "the gate has no bound; set it anew"
    value, told = _value(gate, context)
    told += _by_search(context) if value is not None else ""
    unsettled = _unsettled(context.run)
    passed = value is not None and not unsettled and _COMPARE[gate.op](value, gate.bound)
    return passed, "; ".join(each for each in (told, unsettled) if each)


def _value(gate: Gate, context: Context) -> tuple[float | None, str]:
    """Return the finite number that a gate on a metric compares, or None, and what to say of it."""
    version, key = context.candidate, gate.metric or ""
    registered = summaries_of(version)
    now = context.run.metrics.get(key)
    then = now if registered is None else registered.get(key)
    caveat = ""
    if registered is None and now is not None:
        kept = last_of(version, key) if gate.at == "last" and version.step is None else None
        if kept is None:
            caveat = " as the run has it now: what it was at registration was not kept"
        else:
            then = replace(now, last=kept)
    if then is None:
        return None, _no_metric(key, context)
    value, told = _point(then, gate, context)
    if value is not None and not math.isfinite(value):
        told = f"{gate.at} is {'NaN' if value != value else 'infinite'}, which meets no bound"
    elif value is not None:
        told = number_text(value)
    current = None if now is None else _point(now, gate, context)[0]
    since = ""
    if current is not None and not alike(value, current):
        if version.step is not None and not went_on(version, context.run):
            since = f" up to step {version.step}, which the version is of; over the whole run {number_text(current)}"
        else:
            since = f" when it was registered; the run has logged {number_text(current)} since"
    return value if value is not None and math.isfinite(value) else None, told + caveat + since


def _by_search(context: Context) -> str:
    """Return what to say of a value that is the score by which a search of several trials picks; else nothing."""
    group = group_of(context.connection, context.run.id)
    is_score = (group.picked_from or 0) > 1 and group.origin.uid == context.run.id
    return " (the search's own score)" if is_score else ""


def _no_metric(key: str, context: Context) -> str:
    version, logged = context.candidate, context.run.metrics
    if key in logged:
        when = (
            "before it was registered"
            if version.step is None
            else f"up to step {version.step}, which it is of"
        )
        return f"the run logged no {key} {when}; what came later is not the version's"
    close = get_close_matches(key, logged, n=1)
    return f"the run logged no {key}" + (f"; it has {close[0]}" if close else "")


def _unsettled(run: RunRecord) -> str:
    """Return why a run's metrics are not to be relied on, empty where it has finished."""
    if run.status is RunStatus.FINISHED:
        return ""
    if not run.status.is_final:
        return f"the run is still {run.status}: its metrics may change. Wait until it is over"
    return f"the run {_ENDED.get(run.status, 'did not finish')}: it did not come to its end"


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
    if unsettled := _unsettled(context.run):
        return False, unsettled
    if context.rival is None:
        return True, f"nobody is {context.alias}: nothing to beat"
    if context.rival.number == context.candidate.number:
        return False, f"this version is {context.alias} already"
    if went_on(context.candidate, context.run):
        return False, _later(context)
    for version, run in ((context.candidate, context.run), (context.rival, context.rival_run)):
        if run is not None and (why := _of_another_step(version, run, gate, context)):
            return False, why
    found = _compared(gate, context)
    told = found.sentence + _beside(context, context.rival, found)
    if found.verdict is not Verdict.BETTER:
        return False, told
    own = context.run.metrics.get(found.metric)
    doubt = of_its_own_run(context, found, None if own is None else _point(own, gate, context)[0])
    if not doubt and gate.goal is None:
        doubt = of_the_goal(context, found)
    return not doubt, f"{told} But {doubt}." if doubt else told


def _beside(context: Context, rival: VersionRecord, found: Evidence) -> str:
    """Return what belongs to a verdict and is not in it: who the other side is, and which runs were thrown away."""
    told = f" {rival.name} is the last that was {context.alias}." if context.holder is None else ""
    if context.alias in rival.overridden:
        told += f" {rival.name} became {context.alias} against its gates."
    if thrown := [each for each in found.left_out if each.endswith(TRASHED)]:
        told += f" Not counted: {'; '.join(thrown)}."
    if gone := removed(context, rival):
        runs = (
            "1 run that their evidence named before was"
            if gone == 1
            else f"{gone} runs that their evidence named before were"
        )
        told += f" {runs} deleted for good since."
    return told


def _compared(gate: Gate, context: Context) -> Evidence:
    return context.evidence(
        gate.metric or "", at=gate.at, goal=gate.goal, margin=gate.margin, confidence=gate.confidence
    )


def _later(context: Context) -> str:
    return (
        f"the run has logged metrics since {context.candidate.name} was registered, which this gate would count as "
        "the version's: register it again"
    )


def _of_another_step(version: VersionRecord, run: RunRecord, gate: Gate, context: Context) -> str:
    """Return why evidence, which reads whole runs, would not speak of a version; empty where it does."""
    registered, key = summaries_of(version), gate.metric or ""
    if registered is None or key not in run.metrics:
        return ""
    now, _ = _point(run.metrics[key], gate, context)
    then = _point(registered[key], gate, context)[0] if key in registered else None
    if alike(then, now):
        return ""
    had = f"{key} ({gate.at}) of {version.name} was {'not known' if then is None else number_text(then)}"
    when = "when it was registered" if version.step is None else f"up to step {version.step}, which it is of"
    over = "nothing" if now is None else number_text(now)
    return f"{had} {when}; over the whole run, which this gate compares, it is {over}. Register a model of its end"


def _repeats(gate: Gate, context: Context) -> Found:
    if went_on(context.candidate, context.run):
        return False, _later(context)
    group = group_of(context.connection, context.run.id)
    runs = [member.run.uid for member in group.members]
    context.note(runs)
    asked = next(
        (each.metric for each in context.gates if each.kind is GateKind.BETTER and each.metric), None
    )
    if asked is not None:  # what the evidence cannot count is no repeat of it
        group = group.having(context.connection, asked)
    count = group.repeats
    told = str(count)
    if count < len(group.members):
        told += f", by {len(group.members)} runs: those with equal repeat params are one"
    told += _without_metrics([member.run.uid for member in group.members], context)
    if group.left_out:
        told += f"; not counted: {', '.join(group.left_out[:_SHOWN])}"
    return count >= (gate.count or 1), told


def _without_metrics(runs: list[str], context: Context) -> str:
    """Return which metrics that the other gates name only some of the runs have, empty where all have them."""
    named = dict.fromkeys(each.metric for each in context.gates if each.metric is not None)
    records = run_queries.run_records(context.connection, runs) if named else []
    counts = {key: sum(key in each.metrics for each in records) for key in named}
    short = [
        f"{count} of {len(runs)} runs logged {key}" for key, count in counts.items() if count < len(runs)
    ]
    return f"; {_listed(short)}" if short else ""


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
    if context.rival is None:
        return True, f"nobody is {context.alias}: no data to compare with"
    mine, theirs = _by_name(context.datasets), _by_name(context.rival_datasets)
    if gate.dataset is None:
        names = sorted(mine.keys() & theirs.keys())
    else:
        names = [gate.dataset] if gate.dataset in mine and gate.dataset in theirs else []
    if not names:
        what = "a dataset" if gate.dataset is None else gate.dataset
        recorded = [
            f"the run of {version.name} recorded {_listed(sorted(known)) or 'none'}"
            for version, known in ((context.candidate, mine), (context.rival, theirs))
        ]
        return False, f"{what} of both is not known: {', '.join(recorded)}. Record it with log_dataset"
    other = [name for name in names if mine[name] != theirs[name]]
    if other:
        return False, f"other data than {context.rival.name}: {_listed(other)}"
    lacking = sorted(theirs.keys() - mine.keys()) if gate.dataset is None else []
    if lacking:
        return (
            False,
            f"{context.rival.name} was made with {_listed(lacking)} too, which this run did not record",
        )
    for each in context.gates:
        if each.kind is GateKind.BETTER and (told := of_the_data(context, _compared(each, context), names)):
            return False, told
    return True, f"the same as {context.rival.name}: {_listed(names)}"


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
