"""Evidence from the store: which runs of two configurations count, what they logged, and what that comes to."""

from __future__ import annotations

import math
from typing import Any

from tracking.analysis.evidence import CONFIDENCE, Side, weigh
from tracking.analysis.reported import is_reported
from tracking.database import registry_groups as rows
from tracking.database import registry_queries
from tracking.errors import InvalidValue
from tracking.records import Goal
from tracking.registry.folds import by_fold
from tracking.registry.gate_checks import POINTS
from tracking.registry.groups import Group, group_of
from tracking.registry_records import Evidence, EvidencePoint, GateKind, Verdict


def compare(
    connection: Any,
    candidate_run: str,
    champion_run: str | None,
    metric: str | None = None,
    at: str = "last",
    goal: Goal | None = None,
    margin: float = 0.0,
    confidence: float = CONFIDENCE,
    *,
    bootstrap: bool = False,
) -> Evidence:
    """Return how sure it is that the configuration of one run is better than that of another.

    Args:
        connection: For reading; in a transaction all is of one moment.
        candidate_run: A run of the one.
        champion_run: A run of the other, None where there is nobody to beat.
        metric: What to compare; None for the one that counts (see `counting_metric`).
        at: Which of its points: last, first, best, min, max or mean.
        goal: Which direction is better; None for what the metric was defined with. Where nobody has said it, nothing
            is compared and the sentence says so.
        margin: By how much, in units of the metric.
        confidence: Of the verdict (one-sided) and of the interval (two-sided).
        bootstrap: Resample the runs in place of Student's t; for 20 runs and more on each side.

    Raises:
        NotFound: There is no such run.
        InvalidValue: No metric is given and none is known to count, or a value is out of range.
    """
    if at not in POINTS:
        raise InvalidValue(f"at={at!r}: a metric's point is {', '.join(POINTS[:-1])} or {POINTS[-1]}.")
    candidate = group_of(connection, candidate_run)
    champion = None if champion_run is None else group_of(connection, champion_run)
    if metric is None:
        metric, counting, own = counting_metric(connection, candidate)
        goal, at = goal or counting, own if at == "last" else at
    goal = goal or _goal(connection, metric, candidate, champion)
    if goal is None:
        return Evidence(
            metric=metric,
            at=at,
            goal=Goal.MAXIMIZE,
            method="",
            verdict=Verdict.NO_DATA,
            sentence=f"Nothing to compare: whether more or less of {metric} is better is not known. Say it once: "
            f"tracking.define_metric({metric!r}, goal='maximize'), or 'minimize'.",
            confidence=confidence,
            margin=margin,
            picked_from=candidate.picked_from,
            few=True,
        )
    ours = _side(connection, candidate, metric, at, goal)
    theirs = None if champion is None else _side(connection, champion, metric, at, goal)
    if theirs is not None:
        ours, theirs = by_fold(connection, ours, theirs, metric)
    return weigh(
        ours,
        theirs,
        metric=metric,
        goal=goal,
        at=at,
        margin=margin,
        confidence=confidence,
        bootstrap=bootstrap,
    )


def counting_metric(connection: Any, group: Group) -> tuple[str, Goal | None, str]:
    """Return the metric that counts for a configuration, its goal where something says it, and which of its points.

    That is what a gate of a model asks of which its run is a version (`better` before `metric`), else the only metric
    of its experiment with a goal, else the first objective of its sweep.

    Raises:
        InvalidValue: There is none.
    """
    runs = dict.fromkeys([group.run, group.origin.uid])
    models = dict.fromkeys(
        version.model for run in runs for version in registry_queries.version_records(connection, run=run)
    )
    gates = [
        gate
        for record in (registry_queries.model_records(connection) if models else ())
        if record.name in models
        for gate in record.gates
    ]
    for kind in (GateKind.BETTER, GateKind.METRIC):
        for gate in gates:
            if gate.kind is kind and gate.metric is not None:
                return gate.metric, gate.goal, gate.at
    goals = rows.experiment_goals(connection, group.origin.experiment)
    aimed = [metric for metric in goals if not is_reported(metric)] or list(goals)
    if len(aimed) == 1:
        return aimed[0], goals[aimed[0]], "last"
    objective = _objective(connection, group)
    if objective is not None:
        return objective["metric"], Goal(objective["goal"]), objective["at"]
    known = f"Several have a goal: {', '.join(sorted(aimed)[:10])}." if aimed else "None has a goal yet."
    raise InvalidValue(
        f"Which metric counts is not known. {known} Name it, metric='accuracy' for example, or let a gate of the "
        "model name it."
    )


def _objective(connection: Any, group: Group) -> dict[str, Any] | None:
    if group.trial is None:
        return None
    short = rows.definition(connection, group.trial.study).get("short")
    listed = short.get("objectives") if isinstance(short, dict) else None
    return listed[0] if isinstance(listed, list) and listed and isinstance(listed[0], dict) else None


def _goal(connection: Any, metric: str, candidate: Group, champion: Group | None) -> Goal | None:
    for group in (candidate, champion):
        if group is None:
            continue
        homes = dict.fromkeys([group.origin.experiment, *(each.run.experiment for each in group.members)])
        for experiment in homes:
            if (found := rows.experiment_goals(connection, experiment).get(metric)) is not None:
                return found
    return None


def _side(connection: Any, group: Group, metric: str, at: str, goal: Goal) -> Side:
    """Return the values of a group's runs; those that have not logged the metric are left out, with the reason."""
    found = rows.metric_rows(connection, metric, [member.run.number for member in group.members])
    points = tuple(
        EvidencePoint(member.run.uid, _value(found[member.run.number], at, goal), member.repeat)
        for member in group.members
        if member.run.number in found
    )
    left_out = group.left_out
    if absent := len(group.members) - len(points):
        left_out += (f"{absent} {'run' if absent == 1 else 'runs'} without {metric}",)
    return Side(points, left_out, group.picked_from)


def _value(row: Any, at: str, goal: Goal) -> float:
    """Return a metric's value at one of its points; NaN where there is none, as of a best that diverged."""
    if at == "best":
        last = row.last
        at = "last" if last is None or not math.isfinite(last) else "max" if goal is Goal.MAXIMIZE else "min"
    found = row._mapping[at]
    return math.nan if found is None else float(found)
