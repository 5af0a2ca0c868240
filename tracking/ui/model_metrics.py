"""By which metrics the versions of a model are judged: those its gates ask for, then those with a goal. Pure.

A version's values are those of its registration, as its gates, the card and the command line read them.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from tracking.analysis.reported import is_reported
from tracking.records import Goal, MetricSummary, RunRecord
from tracking.registry_records import Gate, GateKind, VersionRecord
from tracking.ui import format
from tracking.ui.runs_frame import metric_order

MOST: Final = 4


@dataclass(frozen=True, slots=True)
class Shown:
    """A metric, which of its points, and which direction is better; None where nobody said."""

    metric: str
    at: str = "last"
    goal: Goal | None = None

    @property
    def label(self) -> str:
        """Return the heading of a column: `accuracy ↑`, `best loss ↓`."""
        at = "" if self.at == "last" else f"{self.at} "
        return at + format.shorten_key(self.metric, 28) + format.goal_mark(self.goal)


def telling(gates: Sequence[Gate], runs: Sequence[RunRecord], goals: Mapping[str, Goal]) -> list[Shown]:
    """Return the metrics that matter, the one that decides first; without gates and goals a few of the runs'.

    Args:
        gates: Of the model.
        runs: Of its versions.
        goals: Goal by metric.
    """
    decisive = sorted(
        (gate for gate in gates if gate.metric is not None), key=lambda gate: gate.kind is not GateKind.BETTER
    )
    found = [Shown(gate.metric or "", gate.at, _goal(gate, goals)) for gate in decisive]
    kept = list(dict.fromkeys(found))
    named = {each.metric for each in kept}
    order = metric_order(runs, goals)
    rest = [key for key in plain(order, goals) if key not in named]
    with_goal = [key for key in rest if key in goals]
    more = with_goal if kept or with_goal else rest
    return [*kept, *(Shown(key, "last", goals.get(key)) for key in more)][:MOST]


def plain(keys: Sequence[str], goals: Container[str]) -> list[str]:
    """Return the metrics without those that only say again what a study was told, where one of the runs has a goal."""
    if not any(key in goals and not is_reported(key) for key in keys):
        return list(keys)
    return [key for key in keys if not is_reported(key)]


def version_value(version: VersionRecord, run: RunRecord | None, shown: Shown) -> float | None:
    """Return what a version had measured of a metric when it was registered, of one with a step up to that step.

    Args:
        version: The version.
        run: Its run; read only for a version whose numbers were not kept, as of an older Podium.
        shown: The metric, and which of its points.
    """
    from tracking.registry.measured import last_of, summaries_of

    said = version.lineage.get("summaries")
    if isinstance(said, Mapping):
        # Of a run with many metrics only this one is read: a table asks for each of its cells.
        few = {shown.metric: said[shown.metric]} if shown.metric in said else {}
        version = replace(version, lineage={**version.lineage, "summaries": few})
    registered = summaries_of(version)
    if registered is not None:
        return _point(registered.get(shown.metric), shown)
    kept = last_of(version, shown.metric) if shown.at == "last" and version.step is None else None
    if kept is not None:
        return kept
    return _point(None if run is None else run.metrics.get(shown.metric), shown)


def _point(summary: MetricSummary | None, shown: Shown) -> float | None:
    if summary is None:
        return None
    if shown.at == "best":
        return summary.last if shown.goal is None else summary.best(shown.goal)
    chosen: float | None = getattr(summary, shown.at, summary.last)
    return chosen


def better(candidate: float | None, holder: float | None, goal: Goal | None) -> str:
    """Return a difference with its sign and whether it is the better direction: `+0.012`, `-0.3 (worse)`."""
    if candidate is None or holder is None:
        return ""
    difference = candidate - holder
    said = format.number(difference, 3)
    said = f"+{said}" if difference > 0 else said
    worse = goal is not None and (difference < 0 if goal is Goal.MAXIMIZE else difference > 0)
    return f"{said} (worse)" if worse else said


def _goal(gate: Gate, goals: Mapping[str, Goal]) -> Goal | None:
    if gate.goal is not None:
        return gate.goal
    known = goals.get(gate.metric or "")
    if known is None and gate.kind is GateKind.METRIC:
        return Goal.MAXIMIZE if gate.op in (">=", ">") else Goal.MINIMIZE
    return known
