"""Where a run's configuration comes from: the trial of a search, or what a sweep runs again."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tracking.database import registry_groups as rows
from tracking.database.registry_groups import GroupRun, GroupStudy, GroupTrial
from tracking.study_records import PLACE, RETRY_OF
from tracking.sweep_records import CONFIRMS, PREVIOUS, REPEATS_RUN

_FURTHEST = ("complete", "running", "waiting", "fail", "pruned")


@dataclass(frozen=True, slots=True)
class Fresh:
    """A trial that runs a configuration again, several times.

    Attributes:
        trial: The trial; the runs are its children.
        vary: The param that tells them apart, None where nothing does.
        values: What it is, by the number of the repeat.
    """

    trial: GroupTrial
    vary: str | None
    values: Sequence[Any]


class Studies:
    """The studies of a store, and which of them make up a sweep.

    Args:
        connection: For reading.
    """

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._studies = {study.number: study for study in rows.group_studies(connection)}
        self._roots = _roots(self._studies)
        self._competitors: dict[int, int] = {}

    def chain(self, study: int) -> tuple[int, ...]:
        """Return the numbers of the studies of a study's sweep, the first one first."""
        root = self._roots[study]
        return tuple(number for number, first in self._roots.items() if first == root)

    def competed(self, study: int) -> int:
        """Return how many trials competed in a study's sweep."""
        root = self._roots[study]
        if root not in self._competitors:
            self._competitors[root] = rows.competing(self._connection, self.chain(root))
        return self._competitors[root]

    def searches(self, trial: GroupTrial) -> bool:
        """Whether a trial is one of several of which the best is picked."""
        return not self.repeats(trial) and self.competed(trial.study) > 1

    def repeats(self, trial: GroupTrial) -> bool:
        """Whether a trial is of a sweep that runs configurations again, and searches none."""
        return bool(self._marks(trial.study).keys() & {CONFIRMS, REPEATS_RUN})

    def repeated(self, trial: GroupTrial) -> str | None:
        """Return the id of the run whose configuration a trial runs again, None where it does not or none is known."""
        marks = self._marks(trial.study)
        if REPEATS_RUN in marks:
            return _text(_mapping(marks[REPEATS_RUN]).get("run"))
        listed = _mapping(marks.get(CONFIRMS)).get("trials") or []
        siblings = rows.trials_of(self._connection, study_numbers=[trial.study])
        place = _places(siblings).get(trial.number, -1)
        return _text(_mapping(listed[place]).get("run")) if 0 <= place < len(listed) else None

    def again(self, uid: str) -> list[Fresh]:
        """Return the trials that run the configuration of a run again."""
        wanted: dict[int, tuple[Mapping[str, Any], int | None]] = {}
        for study in self._studies.values():
            marks = self._marks(study.number)
            said = _mapping(marks.get(REPEATS_RUN))
            if study.living and said.get("run") == uid:
                wanted[study.number] = (said, None)
            said = _mapping(marks.get(CONFIRMS))
            for place, about in enumerate(said.get("trials") or ()):
                if study.living and _mapping(about).get("run") == uid:
                    wanted[study.number] = (said, place)
        if not wanted:
            return []
        trials = rows.trials_of(self._connection, study_numbers=list(wanted))
        places = {study: _places([each for each in trials if each.study == study]) for study in wanted}
        found: dict[tuple[int, int | None], Fresh] = {}
        for trial in trials:
            said, listed = wanted[trial.study]
            if not trial.owned or (listed is not None and places[trial.study].get(trial.number) != listed):
                continue
            # Of one that was tried again, what came furthest.
            key = (self._roots[trial.study], listed)
            if key not in found or _rank(trial) <= _rank(found[key].trial):
                found[key] = Fresh(trial, _text(said.get("vary")), said.get("values") or ())
        return list(found.values())

    def varied(self, trial: GroupTrial) -> str | None:
        """Return the param that a sweep's own repeats vary, None where it has none."""
        text = rows.definition(self._connection, trial.study).get("text")
        try:
            return _text(_mapping(tomllib.loads(str(text or "")).get("repeats")).get("vary"))
        except tomllib.TOMLDecodeError:
            return None

    def _marks(self, study: int) -> Mapping[str, Any]:
        return self._studies[self._roots[study]].marks


def repeat_index(run: GroupRun) -> int | None:
    """Return which repeat of its trial a run is, None for another one.

    Its id says so, which `tracking.client.launch.repeat_id` makes of the trial's.
    """
    if run.parent is None:
        return None
    begin, mark, number = run.uid.rpartition("-r")
    return int(number) if mark and begin == run.parent[:56] and number.isdecimal() else None


def _roots(studies: Mapping[int, GroupStudy]) -> dict[int, int]:
    living = {study.name: study.number for study in studies.values() if study.living}
    found: dict[int, int] = {}
    for number, study in studies.items():  # what goes on with another one was made after it
        before = living.get(str(study.marks.get(PREVIOUS)), number)
        found[number] = found[before] if before < number else number
    return found


def _places(trials: Sequence[GroupTrial]) -> dict[int, int]:
    """Return which of the listed configurations each trial of a study is, those that were tried again included."""
    found: dict[int, int] = {}
    for trial in trials:
        place = trial.attributes.get(PLACE, found.get(trial.attributes.get(RETRY_OF, -1)))
        if isinstance(place, int):
            found[trial.number] = place
    return found


def _rank(trial: GroupTrial) -> int:
    return _FURTHEST.index(trial.state)


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
