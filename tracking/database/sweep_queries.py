"""Sweeps as frozen records: from attributes of studies, rows of trials, and the locks of living processes."""

from __future__ import annotations

import difflib
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, func, select

from tracking.config import StoreLocation
from tracking.database.moments import moment
from tracking.database.prepared import Prepared
from tracking.database.study_fold import METRIC_NAMES, value_keys
from tracking.database.study_ops import GOALS, load
from tracking.database.study_rows import attributes, studies, trials
from tracking.database.sweep_digest import Digest, Found, better, digest, run_and_params
from tracking.database.sweep_progress import progress
from tracking.database.sweep_standing import Standing, standing
from tracking.database.sweep_states import state_of
from tracking.errors import NotFound
from tracking.records import Goal
from tracking.study_records import RUN
from tracking.sweep_records import (
    BEFORE,
    CONFIRMS,
    DEFINITION,
    EDIT,
    PREVIOUS,
    PROJECT,
    REPEATS_RUN,
    BestTrial,
    FailureGroup,
    SweepEdit,
    SweepObjective,
    SweepRecord,
    SweepState,
    planned_trials,
)

MARK = "podium:"
_SAID = Prepared(
    select(attributes.c.study_id, attributes.c.key, attributes.c.value).where(attributes.c.kind == "system")
)


@dataclass(frozen=True, slots=True)
class SweepStudy:
    """One study of a sweep, as its rows have it.

    Attributes:
        number: Of the study.
        name: Of the study.
        experiment: Where its runs are.
        directions: Optuna's numbers.
        created: In microseconds since 1970-01-01 UTC.
        ops: How many operations on it there were.
        attributes: What the sweep keeps with it.
    """

    number: int
    name: str
    experiment: str
    directions: tuple[int, ...]
    created: int
    ops: int
    attributes: Mapping[str, Any]

    @property
    def definition(self) -> Mapping[str, Any]:
        """The attribute that holds the definition."""
        found = self.attributes.get(DEFINITION)
        return found if isinstance(found, dict) else {}


def chains(connection: Connection) -> list[list[SweepStudy]]:
    """Return the studies of each sweep, the present one last; the sweep that was started last comes first."""
    # First, as it begins the transaction in which the others are read.
    there = connection.execute(
        select(studies).where(studies.c.deleted.is_(None)).order_by(studies.c.id)
    ).all()
    said: dict[int, dict[str, Any]] = defaultdict(dict)
    for number, key, value in _SAID.rows(connection):
        name = json.loads(key)
        if name.startswith(MARK) or name == METRIC_NAMES:
            said[number][name] = json.loads(value)
    found: dict[str, SweepStudy] = {}
    for row in there:
        if DEFINITION in said[row.id]:
            found[row.name] = SweepStudy(
                row.id,
                row.name,
                row.experiment,
                tuple(json.loads(row.directions)),
                row.created,
                row.ops,
                said[row.id],
            )
    grown: dict[str, list[SweepStudy]] = {}
    for study in found.values():
        before = grown.get(str(study.attributes.get(PREVIOUS)))
        if before is not None and before[-1].name == study.attributes.get(PREVIOUS):
            before.append(study)
            grown[study.name] = before
        else:
            grown[study.name] = [study]
    unique = {id(chain): chain for chain in grown.values()}
    return sorted(unique.values(), key=lambda chain: -chain[0].number)


def chain_of(connection: Connection, name: str) -> list[SweepStudy]:
    """Return the studies of one sweep, by its name or that of any of them; raises NotFound."""
    found = chains(connection)
    for chain in found:
        if any(study.name == name for study in chain):
            return chain
    raise no_such(name, [chain[0].name for chain in found])


def no_such(name: str, names: Sequence[str]) -> NotFound:
    """Return the error for a sweep that there is none of, with names that are close."""
    close = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
    hint = f" Did you mean {' or '.join(map(repr, close))}?" if close else ""
    return NotFound(
        f"There is no sweep {name!r:.120} in this store.{hint} store.sweeps() and tracking sweep list have them."
    )


def count_trials(connection: Connection, study: int, state: str) -> int:
    """Return how many trials of a study are in a state."""
    query = select(func.count()).where(trials.c.study_id == study, trials.c.state == state)
    return int(connection.execute(query).scalar_one())


def linked_runs(connection: Connection, study: int) -> set[str]:
    """Return the ids of the runs whose outcome a study has taken over."""
    query = select(trials.c.attributes).where(
        trials.c.study_id == study, trials.c.attributes.contains(RUN, autoescape=True)
    )
    said = load(connection.execute(query).scalars())
    return {str(about[RUN]) for about in said if about.get(RUN)}


def sweep_records(connection: Connection, location: StoreLocation) -> list[SweepRecord]:
    """Return every sweep, the one that was started last first."""
    return [sweep_record(connection, location, chain) for chain in chains(connection)]


def sweep_record(connection: Connection, location: StoreLocation, chain: Sequence[SweepStudy]) -> SweepRecord:
    """Return one sweep.

    Args:
        connection: To the store's database.
        location: Of the store.
        chain: Its studies.
    """
    database = str(location.database)
    digests = [
        digest(connection, database, study.number, study.created, study.ops, study.directions)
        for study in chain
    ]
    standings = [standing(location, study.number, study.name) for study in chain]
    present, now = chain[-1], digests[-1]
    short = _mapping(present.definition.get("short"))
    # What earlier studies used is said with the present one, as of when it was opened; trials that ran on there
    # were counted then.
    done = sum(each.done for each in digests)
    budget = _mapping(short.get("budget"))
    state, reason = state_of(present.attributes, standings, now.counts["running"], chain[0].name)
    size = _size(short, state, done, before=len(chain) > 1 or now.taken_over > 0)
    begun = done + sum(each.counts["running"] + each.counts["waiting"] for each in digests)
    planned = planned_trials(_whole(budget.get("trials")), size, begun)
    going = progress(
        state,
        present.attributes,
        digests=digests,
        done=done,
        budget={**budget, "trials": planned},
        seconds=_elapsed(present, standings[-1], now),
        workers=_whole(short.get("workers")),
    )
    return SweepRecord(
        name=chain[0].name,
        state=state,
        reason=reason,
        experiment=present.experiment,
        objectives=_objectives(present, short),
        target=str(short.get("target", "")),
        sampler=_text(short.get("sampler")),
        pruner=_text(short.get("pruner")),
        notes=str(short.get("notes", "")),
        text=str(present.definition.get("text", "")),
        edition=_whole(present.definition.get("edition")) or 1,
        project=_text(present.attributes.get(PROJECT)),
        trials={state: sum(each.counts[state] for each in digests) for state in now.counts},
        taken_over=now.taken_over,
        done=done,
        budget_trials=_whole(budget.get("trials")),
        budget_seconds=_number(budget.get("seconds")),
        elapsed=going.elapsed,
        best=_best(connection, chain, digests),
        rate=going.rate,
        eta=going.eta,
        workers=_whole(short.get("workers")),
        active=tuple(worker for each in standings for worker in each.workers),
        failures=_failures(digests),
        edits=tuple(edit for study in chain for edit in _edits(study)),
        created=moment(chain[0].created),
        studies=tuple(study.name for study in chain),
        revision=sum(study.ops for study in chain),
        confirms=_text(_mapping(chain[0].attributes.get(CONFIRMS)).get("sweep")),
        repeats_run=_text(_mapping(chain[0].attributes.get(REPEATS_RUN)).get("run")),
        size=size,
    )


def _size(short: Mapping[str, Any], state: SweepState, done: int, *, before: bool) -> int | None:
    """Return how many configurations the sampler goes through, None where that is endless or cannot be told.

    Args:
        short: Of the definition.
        state: Of the sweep: one that has finished has gone through all there were.
        done: Trials that count.
        before: Whether some of them were done before: in an earlier study, of another space, or elsewhere.
    """
    size = _whole(short.get("size"))
    if size is None or state is not SweepState.FINISHED:
        return None if before else size
    return done


def _elapsed(study: SweepStudy, stands: Standing, found: Digest) -> float | None:
    before = _number(_mapping(study.attributes.get(BEFORE)).get("seconds"))
    if stands.seconds is None:
        # Before the first trial no supervisor has run; later its clock may have stayed in another store.
        return (before or 0.0) if not found.next else None
    return stands.seconds + (before or 0.0)


def _objectives(study: SweepStudy, short: Mapping[str, Any]) -> tuple[SweepObjective, ...]:
    said = short.get("objectives")
    if isinstance(said, list) and len(said) == len(study.directions):
        return tuple(SweepObjective(each["metric"], Goal(each["goal"]), each["at"]) for each in said)
    names = study.attributes.get(METRIC_NAMES)
    keys = value_keys(None if names is None else json.dumps(names), len(study.directions))
    return tuple(
        SweepObjective(key, GOALS.get(direction))
        for key, direction in zip(keys, study.directions, strict=True)
    )


def _best(
    connection: Connection, chain: Sequence[SweepStudy], digests: Sequence[Digest]
) -> tuple[BestTrial, ...]:
    if len(chain) == 1:
        candidates = [(0, found) for found in digests[0].best]
    else:
        pool = [(place, found) for place, each in enumerate(digests) for found in each.best]
        # Numbers begin anew in each study: their place in the pool stands for them.
        numbered = [Found(place, found.values) for place, (_, found) in enumerate(pool)]
        goals = [GOALS.get(direction) for direction in chain[-1].directions]
        candidates = [pool[found.number] for found in better(numbered, goals)]
    made = []
    for place, found in candidates:
        run, params = run_and_params(connection, chain[place].number, found.number)
        made.append(BestTrial(chain[place].name, found.number, run, found.values, params))
    return tuple(made)


def _failures(digests: Sequence[Digest]) -> tuple[FailureGroup, ...]:
    present = digests[-1].failures
    earlier: dict[str, int] = defaultdict(int)
    sentences: dict[str, str] = {}
    retried: dict[str, int] = defaultdict(int)
    for each in digests:
        for cause, group in each.failures.items():
            retried[cause] += group.retried
            sentences[cause] = group.sentence or sentences.get(cause, "")
            if each is not digests[-1]:
                earlier[cause] += len(group.numbers)
    groups = [
        FailureGroup(
            cause,
            sentence,
            tuple(present[cause].numbers) if cause in present else (),
            retried[cause],
            earlier[cause],
        )
        for cause, sentence in sentences.items()
    ]
    return tuple(sorted(groups, key=lambda group: (-len(group.trials) - group.earlier, group.cause)))


def _edits(study: SweepStudy) -> list[SweepEdit]:
    found = []
    for key, said in study.attributes.items():
        tail = key.removeprefix(EDIT)
        if key.startswith(EDIT) and tail.isdecimal() and isinstance(said, dict):
            edit = SweepEdit(
                at=date(said.get("at")) or moment(study.created),
                what=str(said.get("what", "")),
                sentence=str(said.get("sentence", "")),
                trial=_whole(said.get("trial")) or 0,
                study=study.name,
                edition=_whole(said.get("edition")) or 1,
            )
            found.append((int(tail), edit))
    return [edit for _, edit in sorted(found, key=lambda each: each[0])]


def date(text: Any) -> datetime | None:
    """Return an ISO date in UTC, None for what is none."""
    try:
        found = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC) + timedelta(0)


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
