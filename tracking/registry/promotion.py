"""Promotion: gates on a snapshot, then one short transaction that checks that nothing of it has moved.

What gates get is a `Context`, whose fields are all of one moment: `connection` is in a read transaction. `gates.py`
has `evaluate(context) -> tuple[GateResult, ...]`, one result for each of `context.gates`, in their order; a gate that
does not pass is a result, never an exception. A gate that compares with the rival calls `context.evidence`, which
remembers what it was asked, so that the journal and the page show the evidence that decided. A gate that reads runs
other than the candidate's, the rival's and those of evidence says so with `context.note`: before the promotion is
written, it is checked that none of them has changed.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any

from tracking.artifacts.objects import Objects
from tracking.database import carried_queries, registry_queries, registry_writes, run_queries
from tracking.database.engine import Engines
from tracking.database.registry_turns import Turn
from tracking.errors import ArtifactDamaged, InvalidValue, NotFound, PromotionRefused
from tracking.records import ArtifactRecord, CaptureRecord, DatasetRecord, Goal, RunRecord
from tracking.registry import rivals
from tracking.registry.names import key_of
from tracking.registry.registering import no_version, verify_version
from tracking.registry_records import (
    Evidence,
    Gate,
    GateKind,
    GateResult,
    JournalEntry,
    JournalKind,
    PromotionCheck,
    VersionRecord,
)

Compare = Callable[[str | None, str, Goal | None, float, float], Evidence]
TRIES = 20
PATIENCE = 60.0
"""Seconds after which a promotion is not evaluated anew, be it for the fourth time: a gate may load a large model."""
STRICT_TRIES = 3
"""So often a run that came to an experiment meanwhile is a reason to begin again, as it may be one more repeat; after
that only what was read counts, or a sweep that is under way would keep every promotion from its end."""
_PAUSE = 0.05


@dataclass(frozen=True, slots=True)
class Context:
    """What the gates of one promotion read.

    Attributes:
        connection: To the store's database, in a read transaction: what it reads is of the same moment.
        objects: Of the store, for bytes; `candidate.digest` names the model's.
        alias: That the candidate would get.
        gates: Those of the model that are asked for this alias.
        candidate: The version.
        holder: Who has the alias now, None for nobody.
        rival: Whom the candidate has to beat: the holder, or who was the last to have an alias that was retired; None
            where there is nobody else.
        run: The candidate's run.
        artifacts: The candidate run's, superseded ones left out.
        datasets: That the candidate's run used.
        captures: What was recorded around the candidate's run.
        rival_run: The rival's run, None without a rival.
        rival_datasets: That the rival's run used.
        goals: Which direction is better, by metric, as defined for the candidate's experiment.
        now: The time that ages are counted to (UTC).
        compare: Gives evidence for metric, at, goal, margin and confidence; `evidence` asks it once.
        compared: The evidence that was asked for, by what was asked.
        read: Ids of further runs that gates read.
    """

    connection: Any
    objects: Objects
    alias: str
    gates: tuple[Gate, ...]
    candidate: VersionRecord
    holder: VersionRecord | None
    rival: VersionRecord | None
    run: RunRecord
    artifacts: tuple[ArtifactRecord, ...]
    datasets: tuple[DatasetRecord, ...]
    captures: tuple[CaptureRecord, ...]
    rival_run: RunRecord | None
    rival_datasets: tuple[DatasetRecord, ...]
    goals: Mapping[str, Goal]
    now: datetime
    compare: Compare
    compared: dict[tuple[str | None, str, Goal | None, float, float], Evidence] = field(default_factory=dict)
    read: set[str] = field(default_factory=set)

    def evidence(
        self,
        metric: str | None,
        *,
        at: str = "last",
        goal: Goal | None = None,
        margin: float = 0.0,
        confidence: float = 0.95,
    ) -> Evidence:
        """Return how sure it is that the candidate is better than the rival, also where there is none.

        Args:
            metric: What to compare; None for the metric that counts for the candidate, where one is known.
            at: Which of its points.
            goal: Which direction is better; None for what the metric was defined with.
            margin: By how much.
            confidence: Of the one-sided verdict.

        Raises:
            InvalidValue: No metric is given and none is known to count.
        """
        asked = (metric, at, goal, margin, confidence)
        if asked not in self.compared:
            found = self.compare(*asked)
            self.compared[asked] = found
            self.note(point.run for point in (*found.candidate, *found.champion))
        return self.compared[asked]

    def note(self, runs: Iterable[str]) -> None:
        """Say that a gate has read these runs: the promotion is evaluated anew when one of them changes."""
        self.read.update(runs)


@dataclass(frozen=True, slots=True)
class Seen:
    """What a promotion was evaluated on, to find out later whether it has moved.

    Attributes:
        position: Of the row of the journal that says who holds the alias, 0 without one.
        gates: The model's gates.
        runs: Revision, and whether it is in the trash, of each run that was read.
        experiments: What counts the runs, params and statuses of the experiments of those runs.
    """

    position: int
    gates: tuple[Gate, ...]
    runs: Mapping[str, tuple[int, bool]]
    experiments: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Evaluated:
    """What a promotion would meet, and what that was found on."""

    check: PromotionCheck
    seen: Seen
    candidate: VersionRecord


def evaluate(
    engines: Engines, objects: Objects, model: str, number: int, alias: str, compare: Any = None
) -> Evaluated:
    """Ask the gates of a model whether a version may have an alias. Nothing is written.

    Args:
        engines: On the store's database.
        objects: Of the store.
        model: Name of the model, as stored.
        number: Of the version.
        alias: As stored.
        compare: Gives evidence, for tests; `tracking.registry.evidence.compare` when left out.

    Raises:
        NotFound: There is no such version, or its bytes are missing.
        ArtifactDamaged: Its bytes are not those that were registered.
    """
    with engines.reading() as connection, connection.begin():
        context = _context(connection, objects, model, number, alias, compare)
        verify_version(objects, context.candidate)
        results: tuple[GateResult, ...] = ()
        if context.gates:
            from tracking.registry import gates

            results = gates.evaluate(context)
        evidence = _evidence(context)
        check = PromotionCheck(
            model=model,
            version=number,
            alias=alias,
            holder=None if context.holder is None else context.holder.number,
            rival=None if context.rival is None else context.rival.number,
            gates=results,
            evidence=evidence,
        )
        read = {context.run.id, *context.read, *({context.rival.run} if context.rival else ())}
        return Evaluated(check, _seen(connection, model, alias, read), context.candidate)


def promote(
    engines: Engines,
    objects: Objects,
    model: str,
    number: int,
    alias: str,
    *,
    reason: str,
    override: bool,
    by: str,
) -> JournalEntry:
    """Give a version an alias; see `Store.promote`.

    Raises:
        PromotionRefused: A gate did not pass and `override` is not set, or what was read kept changing. The journal
            has a row about it.
        NotFound: There is no such version, or its bytes are missing.
        ArtifactDamaged: Its bytes are not those that were registered.
    """
    said = {"model": model, "version": number, "alias": alias, "reason": reason, "by": by}
    give_up = time.monotonic() + PATIENCE
    with Turn(engines, PATIENCE) as turn:
        turn.let_others()
        for attempt in range(TRIES):
            if attempt > STRICT_TRIES and time.monotonic() > give_up:
                break
            try:
                found = evaluate(engines, objects, model, number, alias)
            except (ArtifactDamaged, NotFound) as error:
                engines.write_durably(partial(_refuse, said=said, why=str(error)))
                raise
            passed = found.check.passed
            kind = JournalKind.PROMOTE if passed or override else JournalKind.REFUSE
            told = {**said, "kind": kind, "overridden": override and not passed}
            entry = engines.write_durably(
                partial(_write, found=found, said=told, strict=attempt < STRICT_TRIES)
            )
            if entry is None:
                time.sleep(random.uniform(0, _PAUSE))
                turn.take()
            elif kind is JournalKind.REFUSE:
                raise PromotionRefused(refusal(found.check), found.check)
            else:
                return entry
    why = "what its gates read kept changing"
    engines.write_durably(partial(_refuse, said=said, why=why))
    raise PromotionRefused(
        f"{model}/{number} did not become {alias}: {why}, {attempt} times in a row. Wait until the run is over and "
        "nobody else promotes, then try again."
    )


def refusal(check: PromotionCheck) -> str:
    """Return what a refused promotion says: every gate with what was found."""
    count = sum(not each.passed for each in check.gates)
    lines = [
        f"{check.model}/{check.version} did not become {check.alias}: {count} of {len(check.gates)} "
        f"gate{'s' * (len(check.gates) > 1)} did not pass."
    ]
    lines += [
        f"  {'passed ' if each.passed else 'refused'}  {each.asked}: {each.found}" for each in check.gates
    ]
    return "\n".join([*lines, "To promote it all the same, override with a reason; it is marked for ever."])


def is_asked(gate: Gate, alias: str) -> bool:
    """Whether a promotion to an alias is held to a gate."""
    return gate.alias is None or key_of(gate.alias) == key_of(alias)


def _context(connection: Any, objects: Objects, model: str, number: int, alias: str, compare: Any) -> Context:
    candidate = _version(connection, model, number)
    held = registry_queries.holder(connection, model, alias)
    holder = None if held is None or held.version is None else _version(connection, model, held.version)
    against = rivals.number_of(connection, candidate, alias, held)
    rival = None if against is None else _version(connection, model, against)
    run = run_queries.run_record(connection, candidate.run)
    gates = registry_queries.gates(connection, key_of(model))
    return Context(
        connection=connection,
        objects=objects,
        alias=alias,
        gates=tuple(gate for gate in gates if is_asked(gate, alias)),
        candidate=candidate,
        holder=holder,
        rival=rival,
        run=run,
        artifacts=run.artifacts,
        datasets=tuple(carried_queries.dataset_records(connection, run.id)),
        captures=tuple(carried_queries.capture_records(connection, run.id)),
        rival_run=None if rival is None else run_queries.run_record(connection, rival.run),
        rival_datasets=() if rival is None else tuple(carried_queries.dataset_records(connection, rival.run)),
        goals=registry_queries.goals_of(connection, run.experiment),
        now=datetime.now(UTC),
        compare=compare or _comparing(connection, candidate, rival),
    )


def _comparing(connection: Any, candidate: VersionRecord, rival: VersionRecord | None) -> Compare:
    def compare(metric: str | None, at: str, goal: Goal | None, margin: float, confidence: float) -> Evidence:
        # Its numbers come from scipy, which a promotion without evidence need not load.
        from tracking.registry.evidence import compare as compare_runs

        return compare_runs(
            connection,
            candidate.run,
            None if rival is None else rival.run,
            metric,
            at=at,
            goal=goal,
            margin=margin,
            confidence=confidence,
        )

    return compare


def _evidence(context: Context) -> Evidence | None:
    """Return the evidence that counts: what a gate asks for, else on the metric that a gate names or that is known."""
    named = [gate for gate in context.gates if gate.metric is not None]
    for gate in named:
        if gate.kind is GateKind.BETTER:
            return _known(
                context,
                gate.metric,
                at=gate.at,
                goal=gate.goal,
                margin=gate.margin,
                confidence=gate.confidence,
            )
    return _known(context, named[0].metric, at=named[0].at) if named else _known(context, None)


def _known(context: Context, metric: str | None, **asked: Any) -> Evidence | None:
    try:
        return context.evidence(metric, **asked)
    except InvalidValue:  # no metric counts, or it cannot be compared: what a gate makes of it, the gate says
        return None


def _version(connection: Any, model: str, number: int) -> VersionRecord:
    found = registry_queries.version_records(connection, model, number=number)
    if not found:
        raise no_version(model, number, registry_queries.model_records(connection, key_of(model))[0].latest)
    return found[0]


def _seen(connection: Any, model: str, alias: str, runs: Iterable[str]) -> Seen:
    held = registry_queries.holder(connection, model, alias)
    states, experiments = registry_queries.run_states(connection, list(runs))
    return Seen(
        position=0 if held is None else held.position,
        gates=registry_queries.gates(connection, key_of(model)),
        runs=states,
        experiments=experiments,
    )


def _write(
    connection: Any, found: Evaluated, said: Mapping[str, Any], *, strict: bool
) -> JournalEntry | None:
    """Write the row, if nothing has moved that it was evaluated on; else None."""
    check, seen = found.check, found.seen
    now = _seen(connection, check.model, check.alias, seen.runs)
    if (now.position, now.gates, now.runs) != (seen.position, seen.gates, seen.runs):
        return None
    if strict and now.experiments != seen.experiments:
        return None
    return registry_writes.append(
        connection,
        at=time.time_ns() // 1000,
        previous=check.holder,
        gates=check.gates,
        evidence=check.evidence,
        details={"digest": found.candidate.digest}
        | ({"rival": check.rival} if check.rival != check.holder else {}),
        **said,
    )


def _refuse(connection: Any, said: Mapping[str, Any], why: str) -> None:
    held = registry_queries.holder(connection, said["model"], said["alias"])
    registry_writes.append(
        connection,
        at=time.time_ns() // 1000,
        kind=JournalKind.REFUSE,
        previous=None if held is None else held.version,
        details={"problem": why},
        **said,
    )
