"""How sure it is that one configuration is better than another, from runs of both."""

from __future__ import annotations

import math
import sys
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tracking.analysis import evidence_tests as tests
from tracking.analysis.evidence_repeats import identity, merged
from tracking.analysis.evidence_repeats import is_fold as is_fold
from tracking.analysis.evidence_sentence import Story, sentence
from tracking.errors import InvalidValue
from tracking.records import Goal
from tracking.registry_records import Evidence, EvidencePoint, Verdict

CONFIDENCE = 0.95
FEW = 5
"""A side with fewer runs has too few to be sure."""
BOOTSTRAP_LEAST = 20
"""Runs a side that a bootstrap needs."""
DRAWS = 9_999
LARGEST = sys.float_info.max
_SEED = 20_003
# Two values are each off by half of their last place at most, and what is computed from them by as much again.
_ROUNDING = 2 * np.finfo(np.float64).eps


@dataclass(frozen=True, slots=True)
class Side:
    """The runs of one configuration.

    Attributes:
        points: One per run that counts, or one per fold of each; a value that is NaN or infinite is that of a run
            that diverged.
        left_out: Runs that do not count and why, one sentence each.
        picked_from: How many trials the configuration was the best of, None when no search picked it.
    """

    points: tuple[EvidencePoint, ...]
    left_out: tuple[str, ...] = ()
    picked_from: int | None = None


def weigh(
    candidate: Side,
    champion: Side | None,
    *,
    metric: str,
    goal: Goal,
    at: str = "last",
    margin: float = 0.0,
    confidence: float = CONFIDENCE,
    bootstrap: bool = False,
) -> Evidence:
    """Return what runs of two configurations say of which is better.

    Runs with equal values of all repeat params are one repeat, their mean (see `merged`).

    The method follows from how the runs were made, never from their values. Where every run of the smaller side has a
    partner with the same repeat params they are compared pair by pair, else by Welch's test. Runs that failed may have
    left some without a partner: those that match are compared alone where they are at least five and at least half of
    the smaller side, since fewer pairs know less than all runs without pairs. Where one of these params
    is a fold of a cross-validation the variance is corrected for the rows that the folds share, after Nadeau and Bengio
    (2003); without partners that of each side. Of k folds the ratio of test to training rows is 1 / (k - 1); folds that
    are missing make k smaller and the test more careful. Where all pairs differ by the same amount Student's t has
    nothing to go by: the p-value is then that of the sign test, 1 / 2**n. Where nothing differs from run to run there
    is none, and no verdict.

    Args:
        candidate: The one that wants to be better.
        champion: The one to beat, None when there is nobody.
        metric: What the values are of.
        goal: Which direction is better.
        at: Which of the metric's points the values are.
        margin: By how much the candidate has to be better, in the metric's units; not negative.
        confidence: Of the two-sided interval and of the one-sided verdict, from 0.5 to 1.
        bootstrap: In place of Student's t resample the runs, at least 20 on each side and no folds.

    Raises:
        InvalidValue: The margin or the confidence is none, or the bootstrap has too few runs.
    """
    margin = _checked(margin, confidence)
    ours, diverged, said = _counted(candidate)
    theirs, theirs_diverged, theirs_said = _counted(champion)
    blank = Evidence(
        metric=metric,
        at=at,
        goal=goal,
        method="",
        verdict=Verdict.NO_DATA,
        sentence="",
        candidate=ours,
        champion=theirs,
        confidence=confidence,
        margin=margin,
        picked_from=candidate.picked_from,
        left_out=(
            *_left_out("candidate", candidate, diverged, said),
            *_left_out("champion", champion, theirs_diverged, theirs_said),
        ),
        few=min(_runs(ours), _runs(theirs)) < FEW,
    )
    story = Story(diverged=diverged, champion_diverged=theirs_diverged, merged=bool(said or theirs_said))
    if champion is None:
        blank = replace(blank, verdict=Verdict.NO_CHAMPION)
    elif {each.run for each in ours} & {each.run for each in theirs}:
        # The same runs on both sides: of one configuration, however many versions it has.
        blank, story = replace(blank, verdict=Verdict.NOT_DISTINGUISHABLE), replace(story, same=True)
    elif ours and theirs:
        blank, story = _compared(blank, story, bootstrap)
    return replace(blank, sentence=sentence(blank, story))


def _checked(margin: float, confidence: float) -> float:
    if not isinstance(margin, int | float) or isinstance(margin, bool) or not 0 <= margin <= LARGEST:
        raise InvalidValue(f"margin={margin!r}: it is a number from 0 on, in the metric's units.")
    if not isinstance(confidence, int | float) or not 0.5 <= confidence < 1:
        raise InvalidValue(f"confidence={confidence!r}: it is from 0.5 to below 1; 0.95 is usual.")
    return float(margin)


def _counted(side: Side | None) -> tuple[tuple[EvidencePoint, ...], int, tuple[str, ...]]:
    """Return a point for each repeat, how many runs diverged, and which runs were made one."""
    points = () if side is None else side.points
    finite = [each for each in points if math.isfinite(each.value)]
    found, said = merged(finite)
    return found, len(points) - len(finite), said


def _left_out(whose: str, side: Side | None, diverged: int, said: Sequence[str]) -> tuple[str, ...]:
    listed = () if side is None else side.left_out
    if diverged:
        listed += (f"{diverged} {'run' if diverged == 1 else 'runs'} diverged",)
    return tuple(f"The {whose}: {each}" for each in (*listed, *said))


def _compared(blank: Evidence, story: Story, bootstrap: bool) -> tuple[Evidence, Story]:
    ours, theirs, names, matching = matched(blank.candidate, blank.champion)
    is_paired = bool(names)
    unpaired = _runs(blank.candidate) - _runs(ours), _runs(blank.champion) - _runs(theirs)
    first, second = _values(ours), _values(theirs)
    # By a power of two, which rounds nothing: squares of what is very large or small would not be numbers.
    scale = math.frexp(max(np.abs(first).max(), np.abs(second).max()))[1]
    first, second = np.ldexp(first, -scale), np.ldexp(second, -scale)
    sign = 1.0 if blank.goal is Goal.MAXIMIZE else -1.0
    # Of pairs their mean difference: the means of large values would round it away.
    difference = float((first - second).mean() if is_paired else first.mean() - second.mean())
    told = replace(
        blank,
        difference=_back(difference, scale),
        pairs=len(ours) if is_paired else 0,
        few=min(_runs(ours), _runs(theirs)) < FEW,
        left_out=(*blank.left_out, *_partnerless(unpaired)),
    )
    story = replace(story, names=names, matching=matching, single=(len(first) == 1, len(second) == 1))
    if min(len(first), len(second)) == 1:
        return replace(told, verdict=Verdict.SINGLE_RUN), story
    folds = _folds(ours), _folds(theirs)
    ratios = _ratio(folds[0]), _ratio(folds[1])
    method = "corrected" if max(ratios) > 0 else "paired" if is_paired else "welch"
    if bootstrap:
        _check_bootstrap(len(first), len(second), method)
        method = "bootstrap"
    told = replace(told, method=method)
    story = replace(story, folds=max(folds))
    if _noiseless(first, second, is_paired):
        apart = np.abs(first - second).max() if is_paired else abs(difference)
        story = replace(story, noiseless=True, rounded=bool(apart <= _ROUNDING))
        # Pairs differ from each other though their differences do not: else all might be one run over again.
        if method != "paired" or float(np.ptp(first)) <= _ROUNDING * float(np.abs(first).max()):
            return replace(told, verdict=Verdict.NOT_DISTINGUISHABLE), story
        ahead, room = sign * difference, _shifted(told.margin, -scale) + _ROUNDING
        p_value, p_worse = (0.5 ** len(first) if side > room else 1.0 for side in (ahead, -ahead))
        return _judged(replace(told, p_value=p_value), p_worse, story), story
    numbers = _numbers(first, second, is_paired, ratios, told, sign, bootstrap, scale)
    return _judged(replace(told, **numbers.fields), numbers.worse, story), story


@dataclass(frozen=True, slots=True)
class _Found:
    fields: Mapping[str, Any]
    worse: float


def _numbers(
    first: NDArray[np.float64],
    second: NDArray[np.float64],
    is_paired: bool,
    ratios: tuple[float, float],
    told: Evidence,
    sign: float,
    bootstrap: bool,
    scale: int,
) -> _Found:
    """Return the numbers of the evidence, and the p-value of the candidate being worse by more than the margin."""
    margin = _shifted(told.margin, -scale)
    found: tests.Estimate | tests.Resampled
    differences = first - second if is_paired else None
    if bootstrap:
        found = tests.bootstrap(
            first if differences is None else differences,
            second if differences is None else None,
            draws=DRAWS,
            seed=_SEED,
        )
        mirrored = tests.Resampled(_negative(found.estimate), -found.statistics[..., ::-1])
        better, worse = (found, mirrored) if sign > 0 else (mirrored, found)
        p_value, p_worse = float(better.p_greater(margin)), float(worse.p_greater(margin))
        low, high = found.interval(told.confidence)
    else:
        if differences is None:
            found = tests.welch(first, second, ratios=ratios)
        else:
            found = tests.paired(differences, ratio=max(ratios))
        other = _negative(found)
        p_value = float(tests.p_greater(found if sign > 0 else other, margin))
        p_worse = float(tests.p_greater(other if sign > 0 else found, margin))
        low, high = tests.interval(found, told.confidence)
    if differences is None and not bootstrap:
        probability = tests.posterior_greater(sign * first, sign * second, ratios, margin)
    else:
        probability = 1 - p_value
    effect = tests.hedges_g(first, second) if differences is None else tests.cohen_d_z(differences)
    fields = {
        "low": _back(float(low), scale),
        "high": _back(float(high), scale),
        "p_value": min(1.0, max(0.0, p_value)),
        "probability": min(1.0, max(0.0, probability)),
        "effect": _back(sign * float(effect), 0),
    }
    return _Found(fields, p_worse)


def _judged(told: Evidence, p_worse: float, story: Story) -> Evidence:
    level = 1 - told.confidence
    assert told.p_value is not None
    # The mean over the runs that did not diverge flatters.
    if told.p_value < level and not story.diverged:
        return replace(told, verdict=Verdict.BETTER)
    if p_worse < level and not story.champion_diverged:
        return replace(told, verdict=Verdict.WORSE)
    return replace(told, verdict=Verdict.NOT_DISTINGUISHABLE)


def matched(
    ours: Sequence[EvidencePoint], theirs: Sequence[EvidencePoint]
) -> tuple[Sequence[EvidencePoint], Sequence[EvidencePoint], tuple[str, ...], tuple[int, int]]:
    """Return the runs in pairs and the params that pair them, or all runs and none; and how many of how many match.

    They are pairs where each run of the smaller side has another combination of repeat params, which one of the other
    side has too; of several there the first counts. Where not all have a partner see `weigh`.
    """
    shared = set(ours[0].repeat).intersection(*(each.repeat for each in (*ours, *theirs)))
    names = tuple(sorted(shared))
    fewest = min(len(ours), len(theirs))
    if not names or fewest == 1:
        return ours, theirs, (), (0, 0)

    def by_key(points: Sequence[EvidencePoint]) -> dict[tuple[Hashable, ...], EvidencePoint]:
        found: dict[tuple[Hashable, ...], EvidencePoint] = {}
        for each in points:
            found.setdefault(tuple(identity(each.repeat[name]) for name in names), each)
        return found

    mine, other = by_key(ours), by_key(theirs)
    smaller, larger = (mine, other) if len(ours) <= len(theirs) else (other, mine)
    keys = [key for key in smaller if key in larger]
    matching = len(keys), fewest
    is_enough = _runs([smaller[key] for key in keys]) >= FEW and 2 * len(keys) >= fewest
    if len(smaller) != fewest or not (len(keys) == fewest or is_enough):
        return ours, theirs, (), matching
    names = tuple(name for place, name in enumerate(names) if len({key[place] for key in keys}) > 1)
    return [mine[key] for key in keys], [other[key] for key in keys], names, matching


def _folds(points: Sequence[EvidencePoint]) -> int:
    """Return how many folds of a cross-validation the runs are, 0 where they are none."""
    shared = set(points[0].repeat).intersection(*(each.repeat for each in points))
    counts = [len({identity(each.repeat[name]) for each in points}) for name in shared if is_fold(name)]
    return max((count for count in counts if count > 1), default=0)


def _runs(points: Sequence[EvidencePoint]) -> int:
    return len({each.run for each in points})


def _ratio(folds: int) -> float:
    return 1 / (folds - 1) if folds else 0.0


def _noiseless(first: NDArray[np.float64], second: NDArray[np.float64], is_paired: bool) -> bool:
    """Whether all that is compared is equal but for rounding, so that nothing is known of the noise."""
    groups = [first - second] if is_paired else [first, second]
    # The largest value is from 0.5 to 1, see `_compared`: rounding is of its size, however small the differences.
    return all(float(np.ptp(group)) <= _ROUNDING for group in groups)


def _check_bootstrap(ours: int, theirs: int, method: str) -> None:
    if method == "corrected":
        raise InvalidValue(
            "Folds of a cross-validation are not independent: a bootstrap of them says nothing."
        )
    if min(ours, theirs) < BOOTSTRAP_LEAST:
        raise InvalidValue(
            f"There are {ours} runs against {theirs}: a bootstrap needs {BOOTSTRAP_LEAST} on each side. Leave it out."
        )


def _partnerless(unpaired: tuple[int, int]) -> list[str]:
    said = []
    for whose, count in zip(("candidate", "champion"), unpaired, strict=True):
        if count:
            runs = "run has" if count == 1 else "runs have"
            said.append(f"The {whose}: {count} {runs} no partner on the other side")
    return said


def _negative(estimate: tests.Estimate) -> tests.Estimate:
    return replace(estimate, difference=-estimate.difference)


def _values(points: Sequence[EvidencePoint]) -> NDArray[np.float64]:
    return np.array([each.value for each in points], dtype=np.float64)


def _shifted(number: float, scale: int) -> float:
    try:
        return math.ldexp(number, scale)
    except OverflowError:
        return math.copysign(math.inf, number)


def _back(number: float, scale: int) -> float | None:
    found = _shifted(number, scale)
    return found if math.isfinite(found) else None
