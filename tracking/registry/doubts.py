"""What speaks against a verdict of "better" that the numbers alone do not say.

Evidence is about configurations, a promotion about one version: the run that the version is of may be worse than its
configuration, and the runs that are compared may have been measured by another yardstick.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from statistics import fmean
from typing import TYPE_CHECKING

from tracking.analysis.evidence import matched
from tracking.database import carried_queries, registry_queries, registry_tries
from tracking.records import Goal
from tracking.registry.groups import group_of
from tracking.registry_records import Evidence, JournalKind, Verdict, VersionRecord
from tracking.validation import storable

if TYPE_CHECKING:
    from tracking.registry.promotion import Context

_NAMES = {Goal.MAXIMIZE: "higher is better", Goal.MINIMIZE: "lower is better"}


def of_its_own_run(context: Context, found: Evidence, value: float | None) -> str:
    """Return why a version is not what its configuration's runs say, empty where it may be.

    Args:
        context: Of the promotion.
        found: The evidence.
        value: Of the metric in the version's own run, None where that has logged none.
    """
    version, own = context.candidate.name, context.run.id
    if value is None:
        members = group_of(context.connection, own).members
        if own not in {member.run.uid for member in members}:
            return ""  # it stands for its repeats, which have logged it
        return (
            f"the run of {version} has no {found.metric} that counts: what others of its configuration came to is not "
            "its own"
        )
    compared = found.candidate
    if found.pairs:
        compared = tuple(matched(found.candidate, found.champion)[0])
    if own in {point.run for point in compared} or not found.champion:
        return ""
    mean = fmean(point.value for point in found.champion)
    ahead = value > mean if found.goal is Goal.MAXIMIZE else value < mean
    if ahead:
        return ""
    holder = context.alias if context.rival is None else context.rival.name
    return (
        f"{version} itself came to {value:.4g}, no better than {holder}'s {mean:.4g} on average, and "
        "its run is not among those that are compared. Register a run that is"
    )


def of_the_goal(context: Context, found: Evidence) -> str:
    """Return why the direction of a metric cannot be relied on: promotions before took the other one for better."""
    for entry in registry_tries.tries(context.connection, context.candidate.model):
        said = entry.evidence
        if (
            entry.kind is not JournalKind.PROMOTE
            or said.get("metric") != found.metric
            or said.get("verdict") == Verdict.NO_DATA.value
            or not said.get("candidate")
        ):
            continue
        if said.get("goal") in (None, found.goal.value):
            return ""
        then = _NAMES[Goal(said["goal"])]
        return (
            f"of {found.metric} {_NAMES[found.goal]}, as it is defined now, while {then} was held when version "
            f"{entry.version} was promoted. Define it anew with tracking.define_metric, or name the goal in the gate: "
            f"better({found.metric}, goal={found.goal.value})"
        )
    return ""


def removed(context: Context, rival: VersionRecord) -> int:
    """Return how many runs that the journal names as evidence for or against either version are no more."""
    versions = {context.candidate.number, rival.number}
    named: set[str] = set()
    for entry in registry_tries.tries(context.connection, context.candidate.model, versions):
        named.update(map(storable, entry.evidence_runs))
    return len(named) - len(registry_queries.run_states(context.connection, list(named))[0])


def of_the_data(context: Context, found: Evidence, names: Iterable[str]) -> str:
    """Return which of the candidate's runs that are compared used data that none of the other side's did."""
    ours = {point.run for point in found.candidate} - {context.run.id}
    theirs = {point.run for point in found.champion}
    if not ours or not theirs:
        return ""
    known: dict[str, set[str]] = defaultdict(set)
    for each in (
        *context.rival_datasets,
        *(each for run in theirs for each in carried_queries.dataset_records(context.connection, run)),
    ):
        known[each.name].add(each.digest)
    wanted = set(names)
    other: dict[str, int] = {}
    for run in sorted(ours):
        used: dict[str, set[str]] = defaultdict(set)
        for each in carried_queries.dataset_records(context.connection, run):
            used[each.name].add(each.digest)
        for name in wanted & used.keys() & known.keys():
            if not used[name] <= known[name]:
                other[name] = other.get(name, 0) + 1
    if not other:
        return ""
    told = ", ".join(f"{name} ({count} of {len(ours) + 1})" for name, count in sorted(other.items()))
    return (
        f"runs of its configuration that better compares used other data than any of the other side: {told}"
    )
