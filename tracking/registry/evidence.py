"""Evidence from the store: which runs of two configurations count, what they logged, and what that comes to."""

from __future__ import annotations

import math
from dataclasses import replace
from difflib import get_close_matches
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

_SHOWN = 10


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
        goal: Which direction is better; None for what the metric was defined with. Where nobody has said it, or the
            experiments of the two sides say the opposite of each other, nothing is compared and the sentence says so.
        margin: By how much, in units of the metric.
        confidence: Of the verdict (one-sided) and of the interval (two-sided).
        bootstrap: Resample the runs in place of Student's t; for 20 runs and more on each side.

    Raises:
        NotFound: There is no such run.
        InvalidValue: No metric is given and none is known to count, or a value is out of range.
    """
    if at not in POINTS:
        raise InvalidValue(f"at={at!r}: a metric's point is {', '.join(POINTS[:-1])} or {POINTS[-1]}.")
    if not isinstance(candidate_run, str) or not isinstance(champion_run, str | None):
        wrong = champion_run if isinstance(candidate_run, str) else candidate_run
        raise InvalidValue(f"{wrong!r:.100} is no run: give the id of one, as store.search() lists them.")
    if metric is not None and (not isinstance(metric, str) or not metric):
        raise InvalidValue(f"metric={metric!r:.100}: it is the name of a metric, as 'accuracy'.")
    given = goal
    candidate = group_of(connection, candidate_run)
    champion = None if champion_run is None else group_of(connection, champion_run)
    if metric is None:
        metric, counting, own = counting_metric(connection, candidate)
        goal, at = goal or counting, own if at == "last" else at
    absent = _unlogged(connection, metric, candidate, champion)
    if given is None:
        said = _goals(connection, metric, candidate, champion)
        if goal is not None:
            said.setdefault(goal, "the gate or the sweep that names it")
        goal = next(iter(said), None)
        if not absent and len(said) != 1:
            return Evidence(
                metric=metric,
                at=at,
                goal=Goal.MAXIMIZE,
                method="",
                verdict=Verdict.NO_DATA,
                sentence=_contradiction(metric, said) if said else _unknown(metric),
                confidence=confidence,
                margin=margin,
                picked_from=candidate.picked_from,
                few=True,
            )
    goal = goal or Goal.MAXIMIZE  # where there is nothing to compare
    ours = _side(connection, candidate, metric, at, goal)
    theirs = None if champion is None else _side(connection, champion, metric, at, goal)
    if theirs is not None:
        ours, theirs = by_fold(connection, ours, theirs, metric)
    found = weigh(
        ours,
        theirs,
        metric=metric,
        goal=goal,
        at=at,
        margin=margin,
        confidence=confidence,
        bootstrap=bootstrap,
    )
    return replace(found, sentence=f"{found.sentence} {absent}") if absent else found


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


def _goals(connection: Any, metric: str, candidate: Group, champion: Group | None) -> dict[Goal, str]:
    """Return the goals that experiments of either side have for a metric, each with the name of one that does."""
    homes: dict[int, None] = {}
    for group in (candidate, champion):
        if group is not None:
            homes |= dict.fromkeys(
                [group.origin.experiment, *(each.run.experiment for each in group.members)]
            )
    names = rows.experiment_names(connection, homes)
    found: dict[Goal, str] = {}
    for experiment in homes:
        if (goal := rows.experiment_goals(connection, experiment).get(metric)) is not None:
            found.setdefault(goal, names[experiment])
    return found


def _unknown(metric: str) -> str:
    return (
        f"Nothing to compare: whether more or less of {metric} is better is not known. Say it once: "
        f"tracking.define_metric({metric!r}, goal='maximize'), or 'minimize'."
    )


def _contradiction(metric: str, said: dict[Goal, str]) -> str:
    return (
        f"Nothing to compare: the goals contradict each other: more {metric} is better for {said[Goal.MAXIMIZE]}, less "
        f"for {said[Goal.MINIMIZE]}. Say goal=, or define_metric the same in both."
    )


def _unlogged(connection: Any, metric: str, candidate: Group, champion: Group | None) -> str:
    """Return which metrics there are where runs count, but none of either side logged this one; else nothing."""
    groups = [group for group in (candidate, champion) if group is not None]
    numbers = [member.run.number for group in groups for member in group.members]
    known = rows.metric_names(connection, numbers)
    if not numbers or metric in known:
        return ""
    names = [name for name in known if not is_reported(name)] or known
    close = get_close_matches(metric, names, n=1)
    shown = list(dict.fromkeys([*close, *names]))[:_SHOWN]
    more = f" and {len(names) - len(shown)} more" if len(names) > len(shown) else ""
    return f"What they logged: {', '.join(shown)}{more}." if names else "They logged no metric."


def _side(connection: Any, group: Group, metric: str, at: str, goal: Goal) -> Side:
    """Return the values of a group's runs; those that have not logged the metric are left out, with the reason."""
    group = group.having(connection, metric)
    found = rows.metric_rows(connection, metric, [member.run.number for member in group.members])
    points = tuple(
        EvidencePoint(member.run.uid, _value(found[member.run.number], at, goal), member.repeat)
        for member in group.members
    )
    return Side(points, group.left_out, group.picked_from)


def _value(row: Any, at: str, goal: Goal) -> float:
    """Return a metric's value at one of its points; NaN where there is none, and of a run that diverged.

    Every point but the last one is of the whole course: what was good before a NaN, or beside one, is no result.
    """
    if at != "last" and row.non_finite:
        return math.nan
    if at == "best":
        at = "max" if goal is Goal.MAXIMIZE else "min"
    found = row._mapping[at]
    return math.nan if found is None else float(found)
