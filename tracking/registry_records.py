"""Frozen values about models, versions, gates, evidence and promotions that cross the layers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from tracking.records import Goal

CHAMPION = "champion"
"""The alias that a promotion gives when none is named."""


class GateKind(StrEnum):
    """What a gate asks of a version."""

    METRIC = "metric"
    BETTER = "better"
    REPEATS = "repeats"
    ARTIFACTS = "artifacts"
    CLEAN_GIT = "clean_git"
    SAME_DATA = "same_data"
    MAX_AGE = "max_age"
    LOADS = "loads"


@dataclass(frozen=True, slots=True)
class Gate:
    """One condition that a version has to meet before it gets an alias.

    Attributes:
        kind: What is asked. Which of the fields below it reads stands in brackets there.
        alias: Only promotions to this alias are held to it; None for every alias.
        metric: Which metric [metric, better].
        at: Which of its points: last, first, best, min, max or mean [metric, better].
        op: `>=`, `>`, `<=` or `<` [metric].
        bound: What the metric is compared with [metric].
        goal: Which direction is better; None for what the metric was defined with [better].
        margin: By how much, in units of the metric [better].
        confidence: Level of the one-sided verdict, 0.95 for 5 % [better].
        count: Least number of runs of the configuration [repeats].
        names: Artifacts that the run must have [artifacts].
        dataset: The name of the dataset use to compare, None for all that both have [same_data].
        days: Greatest age of the version's run [max_age].
    """

    kind: GateKind
    alias: str | None = None
    metric: str | None = None
    at: str = "last"
    op: str = ">="
    bound: float | None = None
    goal: Goal | None = None
    margin: float = 0.0
    confidence: float = 0.95
    count: int | None = None
    names: tuple[str, ...] = ()
    dataset: str | None = None
    days: float | None = None


@dataclass(frozen=True, slots=True)
class GateResult:
    """What a gate found.

    Attributes:
        gate: The gate.
        passed: Whether the version meets it.
        asked: What it asks, in plain words: "accuracy (last) >= 0.9".
        found: What was found: "0.873", "the working copy had uncommitted changes".
    """

    gate: Gate
    passed: bool
    asked: str
    found: str


class Verdict(StrEnum):
    """What evidence comes to."""

    BETTER = "better"
    WORSE = "worse"
    NOT_DISTINGUISHABLE = "not distinguishable"
    SINGLE_RUN = "single run, noise unknown"
    NO_CHAMPION = "no champion to compare with"
    NO_DATA = "no runs that can be compared"


@dataclass(frozen=True, slots=True)
class EvidencePoint:
    """One run's value in a comparison, or that of one fold of a run that is a cross-validation.

    Attributes:
        run: Its id; of runs with equal repeat values, which count as one, that of the first.
        value: Of the metric; of such runs their mean.
        repeat: The values of its repeat params, which pair it with a run of the other side: {"seed": 3}.
    """

    run: str
    value: float
    repeat: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Evidence:
    """How sure it is that one configuration is better than another.

    Attributes:
        metric: What is compared.
        at: Which of its points.
        goal: Which direction is better.
        method: `paired`, `corrected` (Nadeau and Bengio, for cross-validation folds), `welch`, `bootstrap`, or empty
            where nothing could be computed.
        verdict: One-sided, at `1 - confidence`.
        sentence: The whole of it in plain words.
        candidate: The candidate's runs that count.
        champion: The other side's.
        difference: Mean of the candidate's minus mean of the champion's, in the metric's units; of pairs the mean
            difference.
        low: Lower end of the two-sided interval of the difference.
        high: Upper end.
        confidence: Of the interval (two-sided) and of the verdict (one-sided).
        margin: What the difference has to exceed to count as better.
        effect: Standardised difference (Hedges' g; of pairs the mean over the deviation of the differences), in the
            goal's direction.
        probability: Of being better by more than the margin, under a flat prior.
        p_value: One-sided, of being better by more than the margin.
        pairs: How many pairs, 0 where the design has none.
        picked_from: How many trials the search has that the candidate is a trial of; None when no search made it.
        left_out: Runs that do not count and why, one sentence each: "the search's own run", "3 runs that failed".
        few: A side has fewer than five runs, however many folds they have.
    """

    metric: str
    at: str
    goal: Goal
    method: str
    verdict: Verdict
    sentence: str
    candidate: tuple[EvidencePoint, ...] = ()
    champion: tuple[EvidencePoint, ...] = ()
    difference: float | None = None
    low: float | None = None
    high: float | None = None
    confidence: float = 0.95
    margin: float = 0.0
    effect: float | None = None
    probability: float | None = None
    p_value: float | None = None
    pairs: int = 0
    picked_from: int | None = None
    left_out: tuple[str, ...] = ()
    few: bool = False


@dataclass(frozen=True, slots=True)
class VersionRecord:
    """A version of a model: one logged model artifact, which never changes.

    Attributes:
        model: Name of the model.
        number: From 1, in order of registration.
        run: Id of the run that logged it, and `experiment`, `run_name` of that run.
        artifact: Name of the artifact, and its `step`.
        digest: sha256 of the model's bytes.
        size: In bytes.
        created: When it was registered (UTC), `by` whom.
        details: What the artifact says: format, class, estimator, versions of libraries, signature, example.
        lineage: As it was at registration: {"params", "metrics", "datasets": [{"name", "digest"}], "git": {"commit",
            "branch", "dirty"}, "script", "study", "trial", "picked_from", "parent"}; absent where unknown. `metrics`
            are last values, of a version with a step those at that step; `summaries` and `logged` beside them are what
            gates read, see `tracking.registry.measured`. Numbers that JSON lacks are the strings `NaN`, `Infinity` and
            `-Infinity`, here and in the journal.
        aliases: That it holds now.
        overridden: For each alias that it got against its gates: the reason that was typed.
        description: For people; may change.
        tags: May change.
        kind: Of the artifact: `model`, or `file`, `folder`, … for one that log_artifact made.
    """

    model: str
    number: int
    run: str
    experiment: str
    run_name: str
    artifact: str
    step: int | None
    digest: str
    size: int
    created: datetime
    by: str
    details: Mapping[str, Any] = field(default_factory=dict)
    lineage: Mapping[str, Any] = field(default_factory=dict)
    aliases: tuple[str, ...] = ()
    overridden: Mapping[str, str] = field(default_factory=dict)
    description: str = ""
    tags: tuple[str, ...] = ()
    kind: str = "model"

    @property
    def name(self) -> str:
        """As `load_model` takes it: `digits/3`."""
        return f"{self.model}/{self.number}"


@dataclass(frozen=True, slots=True)
class ModelRecord:
    """A model: a name under which versions are kept.

    Attributes:
        name: As it was first registered. Look-alike names are this one.
        created: When (UTC).
        versions: How many.
        latest: Number of the newest version, 0 when there is none.
        holders: Which version has each alias: {"champion": 3}.
        since: When the holder got the alias (UTC).
        overridden: Aliases whose holder got there against a gate.
        gates: What a promotion has to meet.
        description: For people.
        tags: In the order given.
        revision: Changes with anything of the model.
    """

    name: str
    created: datetime
    versions: int
    latest: int
    holders: Mapping[str, int] = field(default_factory=dict)
    since: Mapping[str, datetime] = field(default_factory=dict)
    overridden: tuple[str, ...] = ()
    gates: tuple[Gate, ...] = ()
    description: str = ""
    tags: tuple[str, ...] = ()
    revision: int = 0


class JournalKind(StrEnum):
    """What a row of the journal tells."""

    REGISTER = "register"
    PROMOTE = "promote"
    REFUSE = "refuse"
    ROLLBACK = "rollback"
    RETIRE = "retire"
    GATES = "gates"


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """One row of the registry's journal, which is only ever added to.

    Attributes:
        position: From 1, without a gap, over all models.
        at: When (UTC).
        kind: What happened. Only promote, rollback and retire change who holds an alias.
        model: Name of the model.
        alias: Which alias; None where none is meant.
        version: Which version got it (promote, rollback), should have got it (refuse) or was registered; None for
            retire and gates.
        previous: The version that held the alias before, None for none.
        by: The account that did it, `user@host`.
        reason: As given.
        overridden: The promotion went against a gate; `reason` says why.
        gates: What each gate found.
        evidence: What `Evidence` said, as JSON types; empty where there was none.
        details: Of register the version's content, of gates the new gates.
        previous_digest: `digest` of the row before; 64 zeros for the first.
        digest: sha256 over all of the above.
    """

    position: int
    at: datetime
    kind: JournalKind
    model: str
    alias: str | None
    version: int | None
    previous: int | None
    by: str
    reason: str
    overridden: bool
    gates: tuple[GateResult, ...]
    evidence: Mapping[str, Any]
    details: Mapping[str, Any]
    previous_digest: str
    digest: str

    @property
    def evidence_runs(self) -> tuple[str, ...]:
        """The ids of the runs that its evidence names, those of the candidate first."""
        sides = [self.evidence.get(side) for side in ("candidate", "champion")]
        points = [point for side in sides if isinstance(side, list) for point in side]
        named = [point.get("run") for point in points if isinstance(point, dict)]
        return tuple(dict.fromkeys(run for run in named if isinstance(run, str)))


@dataclass(frozen=True, slots=True)
class PromotionCheck:
    """What a promotion would meet; nothing was written.

    Attributes:
        model: Name of the model.
        version: Number of the candidate.
        alias: That it would get.
        holder: Who has the alias now, None for nobody.
        rival: Whom the candidate is compared with: the holder, or who was the last to have an alias that was retired;
            None where there is nobody else.
        gates: What each gate found.
        evidence: The candidate against the rival, on the metric that counts; None where no metric is known.
        passed: Every gate did.
    """

    model: str
    version: int
    alias: str
    holder: int | None
    rival: int | None
    gates: tuple[GateResult, ...]
    evidence: Evidence | None

    @property
    def passed(self) -> bool:
        """Whether every gate passed."""
        return all(each.passed for each in self.gates)


@dataclass(frozen=True, slots=True)
class RegistryReport:
    """What `verify` found in the registry.

    Attributes:
        rows: How many rows of the journal were read.
        versions: How many versions.
        head: Digest of the last row; 64 zeros for an empty journal.
        problems: What is wrong, one sentence each, naming the row, version or object.
    """

    rows: int
    versions: int
    head: str
    problems: tuple[str, ...] = ()


GENESIS = "0" * 64
"""The digest before the first row."""
