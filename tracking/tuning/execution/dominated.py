"""Watching a trial of several objectives while it runs, and ending it where another one is better in all of them."""

from __future__ import annotations

from tracking.config import StoreLocation
from tracking.database.engine import Engines
from tracking.tuning.execution.curves import Peers
from tracking.tuning.execution.domination import Curve, Dominance, Values
from tracking.tuning.execution.readings import MetricReader, Point, by_step

MOST_PLACES = 50
"""Steps that are compared in one look."""


class DominanceReporter:
    """Compares what a trial's run logs with the curves of complete trials; nothing is reported to the study.

    Args:
        location: Of the store.
        engines: On its database.
        run: Id of the trial's run.
        peers: Of its study.
        rule: When it counts as dominated.

    Attributes:
        reason: By which trial it was dominated, and where.
    """

    def __init__(
        self, location: StoreLocation, engines: Engines, run: str, peers: Peers, rule: Dominance
    ) -> None:
        self._peers, self._rule = peers, rule
        keys = dict.fromkeys(each.metric for each in peers.objectives)
        self._readers = {key: MetricReader(location, engines, run, key) for key in keys}
        self._points: dict[str, list[Point]] = {key: [] for key in keys}
        self._judged, self._is_behind = -1, False
        self.reason = ""

    def look(self) -> bool:
        """Compare at the steps that were logged since the last look; returns whether the trial is dominated.

        Raises:
            TrackingError: The database cannot be used now; nothing is lost, call again.
        """
        for key, reader in self._readers.items():
            found = reader.poll()
            self._points[key] += found
            self._is_behind = self._is_behind or bool(found)
        if not self._is_behind:
            return False
        objectives = self._peers.objectives
        own = Curve(objectives, [by_step(self._points[each.metric]) for each in objectives])
        places = [place for place in own.places() if place > self._judged and own.is_whole(place)]
        if not places:
            self._is_behind = False
            return False
        self._peers.refresh()
        first = self._rule.first_step(self._peers.last_steps())
        for place in [each for each in places if each >= first][-MOST_PLACES:]:
            values = own.at(place)
            if values is None:
                continue
            numbers, others = self._peers.at(place)
            found_at = self._rule.dominator(values, others, objectives)
            if found_at is not None:
                self.reason = self._sentence(place, numbers[found_at], values, others[found_at])
                return True
        self._judged, self._is_behind = places[-1], False
        return False

    def look_at_all(self, *, last: bool = False) -> None:
        """Do nothing: a trial that is through is not stopped any more."""

    def _sentence(self, place: int, number: int, own: Values, other: Values) -> str:
        compared = ", ".join(
            f"{each.metric} {theirs:.4g} against {mine:.4g}"
            for each, theirs, mine in zip(self._peers.objectives, other, own, strict=True)
        )
        return (
            f"At step {place} trial {number} was better in every objective by more than "
            f"{self._rule.margin:.0%} of its range: {compared}."
        )
