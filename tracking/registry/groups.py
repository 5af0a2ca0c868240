"""Which runs are of one configuration, and which of them count as evidence for it.

A configuration is a set of params without those that tell repeats apart or do not matter (`define_repeat`). Its runs
are those of the same experiment with equal params, the repeats of its trial, and what sweeps have run of it again. Of
a search's winner only runs made after the pick count: its own score was chosen for being high.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, cast

from tracking.analysis.evidence_repeats import count_repeats
from tracking.database import registry_groups as rows
from tracking.database.registry_groups import GroupParam, GroupRun, GroupTrial
from tracking.errors import NotFound
from tracking.records import ExperimentRecord, RunStatus
from tracking.registry.origins import Fresh, Studies, repeat_index

VARY: tuple[str, ...] = cast(
    tuple[str, ...], {each.name: each.default for each in fields(ExperimentRecord)}["vary"]
)
"""Params that tell repeats apart, where nobody has said which."""

_ENDED = {
    RunStatus.FAILED: "that failed",
    RunStatus.INTERRUPTED: "interrupted",
    RunStatus.LOST: "whose process was lost",
    RunStatus.PRUNED: "pruned",
    RunStatus.RUNNING: "still running",
    RunStatus.WAITING: "not begun yet",
}
SEARCHED = "of the search itself, which picks by these scores"
OTHER_SEARCH = "of a search over these params"
EARLIER = "made before the pick"
TRIED_AGAIN = "of a try that was made again"
TRASHED = "in the trash"


@dataclass(frozen=True, slots=True)
class GroupMember:
    """A run that counts, with the values of its repeat params."""

    run: GroupRun
    repeat: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Group:
    """The runs of one configuration.

    Attributes:
        run: Id of the run that was asked for.
        origin: The run that the others repeat: the trial, or the run itself.
        members: Runs that count, in order of creation.
        left_out: Runs that do not and why, one phrase each: "3 runs that failed".
        picked_from: How many trials competed in the search that picked the configuration; None for no search.
        trial: The search's trial, also one of a search that had nothing to choose from; None for no trial.
    """

    run: str
    origin: GroupRun
    members: tuple[GroupMember, ...]
    left_out: tuple[str, ...]
    picked_from: int | None
    trial: GroupTrial | None

    @property
    def repeats(self) -> int:
        """How many repeats its members are: several runs of one seed are one."""
        return count_repeats(member.repeat for member in self.members)

    def having(self, connection: Any, metric: str) -> Group:
        """Return the group with those members alone that logged a metric; the others are left out and named."""
        known = rows.metric_rows(connection, metric, [member.run.number for member in self.members])
        members = tuple(member for member in self.members if member.run.number in known)
        absent = len(self.members) - len(members)
        said = (f"{absent} {'run' if absent == 1 else 'runs'} without {metric}",) if absent else ()
        return replace(self, members=members, left_out=(*self.left_out, *said))


def group_of(connection: Any, uid: str) -> Group:
    """Return the runs of a run's configuration.

    A trial that is run several times, and a run whose children are told apart by repeat params, stands for its
    children: the mean over them is no further run.

    Args:
        connection: For reading; in a transaction all is of one moment.
        uid: Id of the run: any of the group.

    Raises:
        NotFound: There is no such run.
    """
    found = rows.group_runs(connection, uids=[uid])
    if not found:
        raise NotFound(f"There is no run {uid!r} in this store. Its runs are listed by store.search().")
    return _Grouping(connection, found[0]).group()


class _Grouping:
    def __init__(self, connection: Any, run: GroupRun) -> None:
        self.connection = connection
        self.run = run
        self.studies = Studies(connection)
        self._read_names(run.experiment)
        self.origin, self.trial = self._origin()
        self.search = self.trial is not None and self.studies.searches(self.trial)
        self.left_out: Counter[str] = Counter()
        self.members: list[GroupMember] = []

    def group(self) -> Group:
        again = self.studies.again(self.origin.uid)
        if self.trial is not None and self.studies.repeats(self.trial):
            again = again or [Fresh(self.trial, None, ())]  # what it repeats is gone
        varied = [each.vary for each in again]
        if self.trial is not None:
            varied.append(self.studies.varied(self.trial))
        self._read_names(self.origin.experiment, [name for name in varied if name])
        every = self._repeats_of(self.origin)
        own = [run for run in every if not run.deleted]
        finished = [run for run in own if run.status == RunStatus.FINISHED]
        same = self._same((finished or own or [self.origin])[0])
        fresh = {each.trial.run: each for each in again}
        means = rows.group_runs(self.connection, numbers=fresh)
        repeats = rows.children(self.connection, [run.uid for run in means])
        # A run stands for its repeats while one is there; in the trash it lies beside them.
        parents = {run.parent for run in (*same, *every) if not run.deleted}
        thrown = {run.parent for run in (*same, *every) if run.deleted}
        known = {run.number: run for run in (self.origin, *same, *every, *repeats)}
        self._sort(
            [
                run
                for run in sorted(known.values(), key=lambda run: (run.created, run.number))
                if run.uid not in parents
                and run.number not in fresh
                and not (run.deleted and run.uid in thrown)
            ],
            fresh,
        )
        return Group(
            run=self.run.uid,
            origin=self.origin,
            members=tuple(self.members),
            left_out=tuple(
                f"{count} {'run' if count == 1 else 'runs'} {why}" for why, count in self.left_out.items()
            ),
            picked_from=self.studies.competed(self.trial.study) if self.trial and self.search else None,
            trial=self.trial,
        )

    # Where it comes from

    def _origin(self) -> tuple[GroupRun, GroupTrial | None]:
        """Return the run that the others repeat, with the trial that it is."""
        run, trial = self._unit()
        if trial is None or not self.studies.repeats(trial):
            return run, trial
        said = self.studies.repeated(trial)
        found = rows.group_runs(self.connection, uids=[said] if said else [])
        return (found[0], self._trial(found[0])) if found else (run, trial)

    def _unit(self) -> tuple[GroupRun, GroupTrial | None]:
        """Return the run itself, or the one whose repeat it is."""
        trial = self._trial(self.run)
        if trial is None and self.run.parent is not None:
            above = rows.group_runs(self.connection, uids=[self.run.parent])
            if above and (repeat_index(self.run) is not None or self._with_repeat_params([self.run])):
                return above[0], self._trial(above[0])
        return self.run, trial

    def _trial(self, run: GroupRun) -> GroupTrial | None:
        found = rows.trials_of(self.connection, numbers=[run.number])
        return next((each for each in found if each.owned), None)

    # What is of it

    def _read_names(self, experiment: int, varied: Sequence[str] = ()) -> None:
        """Find which params tell repeats apart or do not matter: those of an experiment, and what sweeps vary."""
        vary, ignore = rows.repeat_names(self.connection, experiment)
        names = list(dict.fromkeys([*(VARY if vary is None else json.loads(vary)), *varied]))
        ignored = [] if ignore is None else json.loads(ignore)
        self.keys = rows.keys_ending(self.connection, [*names, *ignored])
        self.vary_keys: dict[int, str] = {}
        for key, name in self.keys.items():
            short = next((each for each in names if name == each or name.endswith(f".{each}")), None)
            if short is not None:
                self.vary_keys[key] = short

    def _repeats_of(self, parent: GroupRun) -> list[GroupRun]:
        """Return the children of a run that repeat its configuration."""
        below = rows.children(self.connection, [parent.uid])
        told = self._with_repeat_params(below)
        return [run for run in below if repeat_index(run) is not None or run.number in told]

    def _with_repeat_params(self, runs: Sequence[GroupRun]) -> set[int]:
        return set(rows.run_params(self.connection, [run.number for run in runs], self.vary_keys))

    def _same(self, reference: GroupRun) -> list[GroupRun]:
        """Return the runs of the experiment with equal params; none for a run that has logged none."""
        params = rows.run_params(self.connection, [reference.number])[reference.number]
        if not params:
            return []
        without = {*self.keys, *self._brought(params)}
        wanted = [each for each in params if each.key not in without]
        found = rows.same_params(self.connection, self.origin.experiment, wanted, without)
        # A part of another run is none of these, unless it is a repeat.
        parts = [run for run in found if run.parent is not None and repeat_index(run) is None]
        told = self._with_repeat_params(parts)
        left = {run.number for run in parts} - told - {reference.number}
        return [run for run in found if run.number not in left]

    def _brought(self, params: Sequence[GroupParam]) -> set[int]:
        """Return the params that the search wrote beside the script's own: `lr` where `model.lr` has the same value."""
        if self.trial is None:
            return set()
        return {
            each.key
            for each in params
            if each.name in self.trial.params
            and any(other.name.endswith(f".{each.name}") and other.equals(each) for other in params)
        }

    # Which of them count

    def _sort(self, runs: Sequence[GroupRun], fresh: Mapping[int, Fresh]) -> None:
        above = rows.group_runs(self.connection, uids={run.parent for run in runs if run.parent is not None})
        parents = {run.uid: run.number for run in above}
        trials: dict[int, list[GroupTrial]] = defaultdict(list)
        numbers = {*(run.number for run in runs), *parents.values()}
        for each in rows.trials_of(self.connection, numbers=numbers):
            trials[each.run].append(each)
        counted: list[GroupRun] = []
        for run in runs:
            parent = parents.get(run.parent or "", -1)
            mine, its = trials[run.number], [each for each in trials[parent] if each.owned]
            if any(each.owned and self.studies.repeats(each) for each in mine):
                continue  # the mean over the repeats of a trial
            why = self._chosen_by(run, [*mine, *its])
            if why is None and parent not in fresh and any(self.studies.repeats(each) for each in its):
                why = TRIED_AGAIN
            if run.deleted:
                if why is not None:
                    continue  # it would not count anyway
                why = TRASHED
            if why is None and run.status != RunStatus.FINISHED:
                why = _ENDED[RunStatus(run.status)]
            if why is None:
                counted.append(run)
            else:
                self.left_out[why] += 1
        params = rows.run_params(self.connection, [run.number for run in counted], self.vary_keys)
        for run in counted:
            again = fresh.get(parents.get(run.parent or "", -1))
            self.members.append(GroupMember(run, self._repeat(run, params[run.number], again)))

    def _chosen_by(self, run: GroupRun, trials: Sequence[GroupTrial]) -> str | None:
        """Return why a run had a part in the choice of the configuration, None for one that had not.

        Args:
            run: The run.
            trials: That it is, or that it repeats.
        """
        mine = self.studies.chain(self.trial.study) if self.trial is not None and self.search else ()
        for trial in trials:
            if trial.study in mine:
                return SEARCHED
            if trial.owned and self.studies.searches(trial):
                return OTHER_SEARCH
        if not self.search or any(self.studies.repeats(trial) for trial in trials):
            return None
        ended = self.origin.created if self.origin.ended is None else self.origin.ended
        return EARLIER if run.created < ended else None

    def _repeat(self, run: GroupRun, params: Sequence[GroupParam], again: Fresh | None) -> dict[str, Any]:
        """Return the values of a run's repeat params, by the names that `define_repeat` or a sweep has for them."""
        found: dict[str, Any] = {}
        for each in sorted(params, key=lambda param: (len(param.name), param.name)):
            short = self.vary_keys[each.key]
            if each.value is None:
                continue  # it says that there is no seed, not that it is the same one
            if short not in found:
                found[short] = each.value
            elif found[short] != each.value:
                found[each.name] = each.value
        index = repeat_index(run)
        if again is not None and again.vary is not None and index is not None and index < len(again.values):
            # A script need not log its seed.
            found.setdefault(again.vary, again.values[index])
        return found
